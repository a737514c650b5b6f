# B5: errors of the score and of the energy difference, without Monte Carlo noise.
ROBUSTNESS = config["robustness"]


rule robustness:
    input:
        code=sources("experiments/theory/robustness.py"),
    output:
        table="<results>/data/robustness.parquet",
    log:
        "<logs>/robustness.log",
    benchmark:
        "<benchmarks>/robustness.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        relative_step=ROBUSTNESS["relative_step"],
        step_size=ROBUSTNESS["step_size"],
        epsilons=ROBUSTNESS["epsilons"],
        cells=ROBUSTNESS["cells"],
        baseline_steps=ROBUSTNESS["baseline_steps"],
        inner_steps=ROBUSTNESS["inner_steps"],
    script:
        "../theory/robustness.py"


rule figure_robustness:
    input:
        code=sources("figures/plots/robustness.py"),
        results=rules.robustness.output.table,
    output:
        pdf="<results>/figures/robustness.pdf",
        png=report(
            "<results>/figures/robustness.png",
            caption="../../figures/captions/robustness.rst",
            category="B. Theory",
            subcategory="B5",
        ),
    log:
        "<logs>/figure_robustness.log",
    benchmark:
        "<benchmarks>/figure_robustness.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/plots/robustness.py"


rule table_robustness:
    input:
        code=sources("figures/tables/robustness.py"),
        results=rules.robustness.output.table,
    output:
        table=report(
            "<results>/tables/robustness.csv",
            caption="../../figures/captions/robustness.rst",
            category="B. Theory",
            subcategory="B5",
        ),
        numbers="<results>/numbers/robustness.json",
    log:
        "<logs>/table_robustness.log",
    benchmark:
        "<benchmarks>/table_robustness.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/tables/robustness.py"
