# B6: energy differences from scores.
ENERGY_ESTIMATORS = config["energy_estimators"]


rule energy_estimators:
    input:
        code=sources("experiments/theory/energy_estimators.py"),
    output:
        table="<results>/data/energy_estimators.parquet",
    log:
        "<logs>/energy_estimators.log",
    benchmark:
        "<benchmarks>/energy_estimators.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        seed=config["seed"],
        step_sizes=ENERGY_ESTIMATORS["step_sizes"],
        segments=ENERGY_ESTIMATORS["segments"],
        cells=ENERGY_ESTIMATORS["cells"],
        proposals=ENERGY_ESTIMATORS["proposals"],
        chains=ENERGY_ESTIMATORS["chains"],
        nfe=ENERGY_ESTIMATORS["nfe"],
    script:
        "../theory/energy_estimators.py"


rule figure_energy_estimators:
    input:
        code=sources("figures/plots/energy_estimators.py"),
        results=rules.energy_estimators.output.table,
    output:
        pdf="<results>/figures/energy_estimators.pdf",
        png=report(
            "<results>/figures/energy_estimators.png",
            caption="../../figures/captions/energy_estimators.rst",
            category="B. Theory",
            subcategory="B6",
        ),
    log:
        "<logs>/figure_energy_estimators.log",
    benchmark:
        "<benchmarks>/figure_energy_estimators.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/plots/energy_estimators.py"


rule table_energy_estimators:
    input:
        code=sources("figures/tables/energy_estimators.py"),
        results=rules.energy_estimators.output.table,
    output:
        table=report(
            "<results>/tables/energy_estimators.csv",
            caption="../../figures/captions/energy_estimators.rst",
            category="B. Theory",
            subcategory="B6",
        ),
        numbers="<results>/numbers/energy_estimators.json",
    log:
        "<logs>/table_energy_estimators.log",
    benchmark:
        "<benchmarks>/table_energy_estimators.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/tables/energy_estimators.py"
