# B1: the curvature of the kernel's potential as its segment grows.
LOG_CONCAVITY = config["log_concavity"]


rule log_concavity:
    input:
        code=sources("experiments/theory/log_concavity.py"),
    output:
        table="<results>/data/log_concavity/{target}.parquet",
    log:
        "<logs>/log_concavity/{target}.log",
    benchmark:
        "<benchmarks>/log_concavity/{target}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        target="{target}",
        seed=config["seed"],
        points=LOG_CONCAVITY["points"],
        times=LOG_CONCAVITY["times"],
        ratios=LOG_CONCAVITY["ratios"],
    script:
        "../theory/log_concavity.py"


rule figure_log_concavity:
    input:
        code=sources("figures/plots/log_concavity.py"),
        results=expand(
            "<results>/data/log_concavity/{target}.parquet", target=LOG_CONCAVITY["targets"]
        ),
    output:
        pdf="<results>/figures/log_concavity.pdf",
        png=report(
            "<results>/figures/log_concavity.png",
            caption="../../figures/captions/log_concavity.rst",
            category="B. Theory",
            subcategory="B1. Log-concave kernels",
            labels={"what": "spectrum of the kernel's Hessian", "as": "figure"},
        ),
    log:
        "<logs>/figure_log_concavity.log",
    benchmark:
        "<benchmarks>/figure_log_concavity.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/plots/log_concavity.py"


rule table_log_concavity:
    input:
        code=sources("figures/tables/log_concavity.py"),
        results=rules.figure_log_concavity.input.results,
    output:
        table=report(
            "<results>/tables/log_concavity.csv",
            caption="../../figures/captions/log_concavity_table.rst",
            category="B. Theory",
            subcategory="B1",
        ),
        numbers="<results>/numbers/log_concavity.json",
    log:
        "<logs>/table_log_concavity.log",
    benchmark:
        "<benchmarks>/table_log_concavity.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/tables/log_concavity.py"
