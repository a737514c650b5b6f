# B7: the Cheeger constant of kernels truncated to a ball.
CHEEGER = config["cheeger"]


rule cheeger:
    input:
        code=sources("experiments/theory/cheeger.py"),
    output:
        table="<results>/data/cheeger.parquet",
    log:
        "<logs>/cheeger.log",
    benchmark:
        "<benchmarks>/cheeger.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        dimensions=CHEEGER["dimensions"],
        truncations=CHEEGER["truncations"],
        cells=CHEEGER["cells"],
    script:
        "../theory/cheeger.py"


rule figure_cheeger:
    input:
        code=sources("figures/plots/cheeger.py"),
        results=rules.cheeger.output.table,
    output:
        pdf="<results>/figures/cheeger.pdf",
        png=report(
            "<results>/figures/cheeger.png",
            caption="../../figures/captions/cheeger.rst",
            category="B. Theory",
            subcategory="B7",
        ),
    log:
        "<logs>/figure_cheeger.log",
    benchmark:
        "<benchmarks>/figure_cheeger.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/plots/cheeger.py"


rule table_cheeger:
    input:
        code=sources("figures/tables/cheeger.py"),
        results=rules.cheeger.output.table,
    output:
        table=report(
            "<results>/tables/cheeger.csv",
            caption="../../figures/captions/cheeger_table.rst",
            category="B. Theory",
            subcategory="B7",
        ),
        numbers="<results>/numbers/cheeger.json",
    log:
        "<logs>/table_cheeger.log",
    benchmark:
        "<benchmarks>/table_cheeger.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/tables/cheeger.py"
