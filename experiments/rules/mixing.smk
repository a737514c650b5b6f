# B1: how inner chains mix on segments longer than the theory's.
MIXING = config["mixing"]


rule mixing:
    input:
        code=sources("experiments/theory/mixing.py"),
    output:
        table="<results>/data/mixing.parquet",
    log:
        "<logs>/mixing.log",
    benchmark:
        "<benchmarks>/mixing.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        seed=config["seed"],
        ratios=MIXING["ratios"],
        ratios_d10=MIXING["ratios_d10"],
        modes=MIXING["modes"],
        noisy_ends=MIXING["noisy_ends"],
        cells=MIXING["cells"],
        targets=MIXING["targets"],
        chains=MIXING["chains"],
        steps=MIXING["steps"],
    script:
        "../theory/mixing.py"


rule figure_mixing:
    input:
        code=sources("figures/plots/mixing.py"),
        results=rules.mixing.output.table,
    output:
        pdf="<results>/figures/mixing.pdf",
        png=report(
            "<results>/figures/mixing.png",
            caption="../../figures/captions/mixing.rst",
            category="B. Theory",
            subcategory="B1",
        ),
    log:
        "<logs>/figure_mixing.log",
    benchmark:
        "<benchmarks>/figure_mixing.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/plots/mixing.py"


rule table_mixing:
    input:
        code=sources("figures/tables/mixing.py"),
        results=rules.mixing.output.table,
    output:
        table=report(
            "<results>/tables/mixing.csv",
            caption="../../figures/captions/mixing_table.rst",
            category="B. Theory",
            subcategory="B1",
        ),
        numbers="<results>/numbers/mixing.json",
    log:
        "<logs>/table_mixing.log",
    benchmark:
        "<benchmarks>/table_mixing.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/tables/mixing.py"
