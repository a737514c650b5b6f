# B3, the whole chain: score evaluations against the total variation reached, without noise.
CONVERGENCE = config["convergence"]


rule convergence:
    input:
        code=sources("experiments/theory/convergence.py"),
    output:
        table="<results>/data/convergence.parquet",
    log:
        "<logs>/convergence.log",
    benchmark:
        "<benchmarks>/convergence.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        smallest=CONVERGENCE["smallest"],
        per_decade=CONVERGENCE["per_decade"],
        mala_smallest=CONVERGENCE["mala_smallest"],
        longest=CONVERGENCE["longest"],
        most=CONVERGENCE["most"],
        fixed_steps=CONVERGENCE["fixed_steps"],
        cells=CONVERGENCE["cells"],
    script:
        "../theory/convergence.py"


rule figure_convergence:
    input:
        code=sources("figures/plots/convergence.py"),
        results=rules.convergence.output.table,
    output:
        pdf="<results>/figures/convergence.pdf",
        png=report(
            "<results>/figures/convergence.png",
            caption="../../figures/captions/convergence.rst",
            category="B. Theory",
            subcategory="B3",
        ),
    log:
        "<logs>/figure_convergence.log",
    benchmark:
        "<benchmarks>/figure_convergence.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/plots/convergence.py"


rule table_convergence:
    input:
        code=sources("figures/tables/convergence.py"),
        results=rules.convergence.output.table,
    output:
        table=report(
            "<results>/tables/convergence.csv",
            caption="../../figures/captions/convergence.rst",
            category="B. Theory",
            subcategory="B3",
        ),
        numbers="<results>/numbers/convergence.json",
    log:
        "<logs>/table_convergence.log",
    benchmark:
        "<benchmarks>/table_convergence.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/tables/convergence.py"
