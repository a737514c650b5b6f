# B3, one segment: the inner chain's error against its steps, without Monte Carlo noise.
INNER_CHAIN = config["inner_chain"]


rule inner_chain:
    input:
        code=sources("experiments/theory/inner_chain.py"),
    output:
        table="<results>/data/inner_chain.parquet",
    log:
        "<logs>/inner_chain.log",
    benchmark:
        "<benchmarks>/inner_chain.tsv"
    conda:
        "../../environment.yml"
    params:
        t_lo=INNER_CHAIN["t_lo"],
        step_sizes=INNER_CHAIN["step_sizes"],
        steps=INNER_CHAIN["steps"],
        cells=INNER_CHAIN["cells"],
    script:
        "../theory/inner_chain.py"


rule figure_inner_chain:
    input:
        code=sources("figures/plots/inner_chain.py"),
        results=rules.inner_chain.output.table,
    output:
        pdf="<results>/figures/inner_chain.pdf",
        png=report(
            "<results>/figures/inner_chain.png",
            caption="../../figures/captions/inner_chain.rst",
            category="B. Theory",
            subcategory="B3",
        ),
    log:
        "<logs>/figure_inner_chain.log",
    benchmark:
        "<benchmarks>/figure_inner_chain.tsv"
    conda:
        "../../environment.yml"
    script:
        "../../figures/plots/inner_chain.py"


rule table_inner_chain:
    input:
        code=sources("figures/tables/inner_chain.py"),
        results=rules.inner_chain.output.table,
    output:
        table=report(
            "<results>/tables/inner_chain.csv",
            caption="../../figures/captions/inner_chain.rst",
            category="B. Theory",
            subcategory="B3",
        ),
        numbers="<results>/numbers/inner_chain.json",
    log:
        "<logs>/table_inner_chain.log",
    benchmark:
        "<benchmarks>/table_inner_chain.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/tables/inner_chain.py"
