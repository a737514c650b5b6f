# B8: targets that are not mixtures and whose p_t has no closed form.
BEYOND = config["beyond_mixtures"]


rule simulate_beyond_mixtures:
    output:
        table="<results>/data/beyond_mixtures/{target}.parquet",
        sample="<results>/data/beyond_mixtures/{target}.npz",
    log:
        "<logs>/simulate_beyond_mixtures/{target}.log",
    benchmark:
        "<benchmarks>/simulate_beyond_mixtures/{target}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest(
            "experiments/beyond_mixtures/sample.py",
            methods={options["method"] for options in BEYOND["methods"].values()},
        ),
        target="{target}",
        seed=config["seed"],
        methods=BEYOND["methods"],
        chains=BEYOND["chains"],
        kept=BEYOND["kept"],
        nfe=BEYOND["nfe"],
        pictured=BEYOND["pictured"],
        score_points=BEYOND["score_points"],
        score_times=BEYOND["score_times"],
    script:
        "../beyond_mixtures/sample.py"


rule figure_beyond_mixtures:
    input:
        frame=expand(rules.simulate_beyond_mixtures.output.table, target=BEYOND["targets"]),
    output:
        pdf="<results>/figures/beyond_mixtures.pdf",
        png=report(
            "<results>/figures/beyond_mixtures.png",
            caption="../../figures/captions/beyond_mixtures.rst",
            category="B. Theory",
            subcategory="B8. Beyond mixtures",
        ),
    log:
        "<logs>/figure_beyond_mixtures.log",
    benchmark:
        "<benchmarks>/figure_beyond_mixtures.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/beyond_mixtures.py"),
    script:
        "../../figures/plots/beyond_mixtures.py"


rule figure_beyond_mixtures_scatter:
    input:
        samples=expand(rules.simulate_beyond_mixtures.output.sample, target=BEYOND["targets"]),
    output:
        pdf="<results>/figures/beyond_mixtures_scatter.pdf",
        png=report(
            "<results>/figures/beyond_mixtures_scatter.png",
            caption="../../figures/captions/beyond_mixtures_scatter.rst",
            category="B. Theory",
            subcategory="B8. Beyond mixtures",
        ),
    log:
        "<logs>/figure_beyond_mixtures_scatter.log",
    benchmark:
        "<benchmarks>/figure_beyond_mixtures_scatter.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/beyond_mixtures_scatter.py"),
    script:
        "../../figures/plots/beyond_mixtures_scatter.py"


rule table_beyond_mixtures:
    input:
        frame=expand(rules.simulate_beyond_mixtures.output.table, target=BEYOND["targets"]),
    output:
        table=report(
            "<results>/tables/beyond_mixtures.csv",
            caption="../../figures/captions/beyond_mixtures.rst",
            category="B. Theory",
            subcategory="B8. Beyond mixtures",
        ),
        numbers="<results>/numbers/beyond_mixtures.json",
    log:
        "<logs>/table_beyond_mixtures.log",
    benchmark:
        "<benchmarks>/table_beyond_mixtures.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/beyond_mixtures.py"),
        headline=BEYOND["headline"],
    script:
        "../../figures/tables/beyond_mixtures.py"
