# A1: the paper's Gaussian mixtures, with exact scores.
MIXTURES = config["mixtures"]
STEPS = config["mixture_steps"]


rule simulate_mixture:
    output:
        table="<results>/data/mixtures/{target}/{method}.parquet",
        sample="<results>/data/mixtures/{target}/{method}.npz",
    log:
        "<logs>/simulate_mixture/{target}/{method}.log",
    benchmark:
        "<benchmarks>/simulate_mixture/{target}/{method}.tsv"
    wildcard_constraints:
        method="|".join(map(re.escape, MIXTURES["methods"])),
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=lambda wildcards: digest(
            "experiments/mixtures/sample.py",
            methods=[MIXTURES["methods"][wildcards.method]["sampler"]["method"]],
        ),
        target="{target}",
        method="{method}",
        grid=lambda wildcards: MIXTURES["methods"][wildcards.method]["grid"],
        sampler=lambda wildcards: MIXTURES["methods"][wildcards.method]["sampler"],
        seed=config["seed"],
        chains=MIXTURES["chains"],
        kept=MIXTURES["kept"],
        nfe=MIXTURES["nfe"],
        metrics=MIXTURES["metrics"],
    script:
        "../mixtures/sample.py"


rule mixture_floor:
    output:
        table="<results>/data/mixtures/{target}/exact.parquet",
        sample="<results>/data/mixtures/{target}/exact.npz",
    log:
        "<logs>/mixture_floor/{target}.log",
    benchmark:
        "<benchmarks>/mixture_floor/{target}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("experiments/mixtures/floor.py", methods=[]),
        target="{target}",
        seed=config["seed"],
        chains=MIXTURES["chains"],
        kept=MIXTURES["kept"],
        metrics=MIXTURES["metrics"],
    script:
        "../mixtures/floor.py"


rule mixture_steps:
    output:
        table="<results>/data/mixture_steps/{target}.parquet",
    log:
        "<logs>/mixture_steps/{target}.log",
    benchmark:
        "<benchmarks>/mixture_steps/{target}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("experiments/mixtures/steps.py", methods=["rtk-ula", "rtk-uld", "rtk-mala"]),
        target="{target}",
        methods={name: MIXTURES["methods"][name] for name in STEPS["methods"]},
        steps=STEPS["steps"],
        seed=config["seed"],
        chains=STEPS["chains"],
        nfe=lambda wildcards: STEPS["nfe"][wildcards.target],
        metrics=MIXTURES["metrics"],
    script:
        "../mixtures/steps.py"


rule figure_mixture_curves:
    input:
        frame=mixture_tables(MIXTURES["methods"]),
        floor=mixture_tables(["exact"]),
    output:
        pdf="<results>/figures/mixture_{curve}.pdf",
        png=report(
            "<results>/figures/mixture_{curve}.png",
            caption="../../figures/captions/mixture_curves.rst",
            category="A. Mixtures",
            subcategory="A1. Against score evaluations",
            labels={"what": "{curve}", "as": "figure"},
        ),
    log:
        "<logs>/figure_mixture_{curve}.log",
    benchmark:
        "<benchmarks>/figure_mixture_{curve}.tsv"
    wildcard_constraints:
        curve="accuracy|sinkhorn|mode_weights",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/mixture_curves.py"),
        curve="{curve}",
    script:
        "../../figures/plots/mixture_curves.py"


rule figure_mixture_scatter:
    input:
        samples=expand(
            "<results>/data/mixtures/{{target}}/{method}.npz",
            method=["exact", *MIXTURES["methods"]],
        ),
    output:
        pdf="<results>/figures/mixture_scatter_{target}.pdf",
        png=report(
            "<results>/figures/mixture_scatter_{target}.png",
            caption="../../figures/captions/mixture_scatter.rst",
            category="A. Mixtures",
            subcategory="A1. Samples",
            labels={"target": "{target}", "what": "first two coordinates"},
        ),
    log:
        "<logs>/figure_mixture_scatter/{target}.log",
    benchmark:
        "<benchmarks>/figure_mixture_scatter/{target}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/mixture_scatter.py"),
        nfe=MIXTURES["nfe"],
    script:
        "../../figures/plots/mixture_scatter.py"


rule figure_mixture_histogram:
    input:
        samples=expand(
            "<results>/data/mixtures/{{target}}/{method}.npz",
            method=["exact", *MIXTURES["methods"]],
        ),
    output:
        pdf="<results>/figures/mixture_histogram_{target}.pdf",
        png=report(
            "<results>/figures/mixture_histogram_{target}.png",
            caption="../../figures/captions/mixture_histogram.rst",
            category="A. Mixtures",
            subcategory="A1. Samples",
            labels={"target": "{target}", "what": "one cluster"},
        ),
    log:
        "<logs>/figure_mixture_histogram/{target}.log",
    benchmark:
        "<benchmarks>/figure_mixture_histogram/{target}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/mixture_histogram.py"),
        target="{target}",
        nfe=MIXTURES["nfe"],
    script:
        "../../figures/plots/mixture_histogram.py"


rule table_calibration:
    input:
        frame=mixture_tables(MIXTURES["methods"]),
    output:
        table=report(
            "<results>/tables/calibration.csv",
            caption="../../figures/captions/calibration.rst",
            category="A. Mixtures",
            subcategory="A1. Against score evaluations",
            labels={"what": "published numbers", "as": "table"},
        ),
        numbers="<results>/numbers/calibration.json",
    log:
        "<logs>/table_calibration.log",
    benchmark:
        "<benchmarks>/table_calibration.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/calibration.py"),
    script:
        "../../figures/tables/calibration.py"


rule table_mixtures:
    input:
        frame=mixture_tables(MIXTURES["methods"]),
    output:
        table=report(
            "<results>/tables/mixtures.csv",
            caption="../../figures/captions/mixtures.rst",
            category="A. Mixtures",
            subcategory="A1. Against score evaluations",
            labels={"what": "accuracy and mode weights", "as": "table"},
        ),
        numbers="<results>/numbers/mixtures.json",
    log:
        "<logs>/table_mixtures.log",
    benchmark:
        "<benchmarks>/table_mixtures.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/mixtures.py"),
    script:
        "../../figures/tables/mixtures.py"


rule table_mixture_order:
    input:
        frame=mixture_tables(MIXTURES["methods"]),
    output:
        table=report(
            "<results>/tables/mixture_order.csv",
            caption="../../figures/captions/mixture_order.rst",
            category="A. Mixtures",
            subcategory="A1. Against score evaluations",
            labels={"what": "order of the samplers", "as": "table"},
        ),
        numbers="<results>/numbers/mixture_order.json",
    log:
        "<logs>/table_mixture_order.log",
    benchmark:
        "<benchmarks>/table_mixture_order.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/mixture_order.py"),
    script:
        "../../figures/tables/mixture_order.py"


rule table_mixture_steps:
    input:
        frame=mixture_tables(STEPS["methods"]),
        steps=expand("<results>/data/mixture_steps/{target}.parquet", target=STEPS["nfe"]),
    output:
        table=report(
            "<results>/tables/mixture_steps.csv",
            caption="../../figures/captions/mixture_steps.rst",
            category="A. Mixtures",
            subcategory="A1. Against score evaluations",
            labels={"what": "best step in hindsight", "as": "table"},
        ),
        numbers="<results>/numbers/mixture_steps.json",
    log:
        "<logs>/table_mixture_steps.log",
    benchmark:
        "<benchmarks>/table_mixture_steps.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/mixture_steps.py"),
    script:
        "../../figures/tables/mixture_steps.py"
