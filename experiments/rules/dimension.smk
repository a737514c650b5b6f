# B4: the cost of a fixed accuracy against the dimension, and Table 1 of the paper.
DIMENSION = config["dimension"]


rule dimension:
    input:
        code=sources("experiments/theory/dimension.py"),
    output:
        table="<results>/data/dimension.parquet",
    log:
        "<logs>/dimension.log",
    benchmark:
        "<benchmarks>/dimension.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        dimensions=DIMENSION["dimensions"],
        accuracies=DIMENSION["accuracies"],
        methods=DIMENSION["methods"],
    script:
        "../theory/dimension.py"


rule figure_dimension:
    input:
        code=sources("figures/plots/dimension.py"),
        results=rules.dimension.output.table,
    output:
        pdf="<results>/figures/dimension.pdf",
        png=report(
            "<results>/figures/dimension.png",
            caption="../../figures/captions/dimension.rst",
            category="B. Theory",
            subcategory="B4",
        ),
    log:
        "<logs>/figure_dimension.log",
    benchmark:
        "<benchmarks>/figure_dimension.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/plots/dimension.py"


rule table_dimension:
    input:
        code=sources("figures/tables/dimension.py"),
        results=rules.dimension.output.table,
    output:
        table=report(
            "<results>/tables/dimension.csv",
            caption="../../figures/captions/dimension.rst",
            category="B. Theory",
            subcategory="B4",
        ),
        numbers="<results>/numbers/dimension.json",
    log:
        "<logs>/table_dimension.log",
    benchmark:
        "<benchmarks>/table_dimension.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/tables/dimension.py"


rule table_1:
    input:
        code=sources("figures/tables/table_1.py"),
        dimension=rules.table_dimension.output.numbers,
        convergence="<results>/numbers/convergence.json",
    output:
        table=report(
            "<results>/tables/table_1.csv",
            caption="../../figures/captions/table_1.rst",
            category="B. Theory",
            subcategory="Table 1",
        ),
    log:
        "<logs>/table_1.log",
    benchmark:
        "<benchmarks>/table_1.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/tables/table_1.py"
