# A2 to A4: samplers at equal numbers of score evaluations, tuned by one procedure on some targets
# and judged on others; and the same with errors of the score.
COMPARISON = config["comparison"]
SCORE_ERRORS = config["score_errors"]
COMPARED = COMPARISON.get("subset", [*COMPARISON["methods"]])
TUNED = [name for name in COMPARED if "candidates" in COMPARISON["methods"][name]]
WITH_ERRORS = [method for method in SCORE_ERRORS["methods"] if method in COMPARED]
COMPARISON_CURVES = {
    "curves": "mode_error",
    "sliced_w2": "sliced_w2",
    "energy_distance": "energy_distance",
}
EXACT_SCORE = {"kind": "none", "size": 0.0}
COMPARISON_TABLES = expand("<results>/data/comparison/{method}.parquet", method=COMPARED)
COMPARISON_FLOOR = "<results>/data/comparison/exact.parquet"
SCORE_ERROR_TABLES = expand("<results>/data/score_errors/{method}.parquet", method=WITH_ERRORS)


rule tune:
    output:
        tuned="<results>/tuning/{method}.json",
    log:
        "<logs>/tune/{method}.log",
    benchmark:
        "<benchmarks>/tune/{method}.tsv"
    wildcard_constraints:
        method="|".join(map(re.escape, COMPARISON["methods"])),
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=lambda wildcards: digest(
            "experiments/comparison/tune.py", methods=registered(wildcards)
        ),
        name="{method}",
        method=compared,
        budget=COMPARISON["budget"],
        sizes=COMPARISON["tuning"],
        report=[*COMPARISON["targets"], *SCORE_ERRORS["targets"]],
        nfe=lambda wildcards: budgets_of(compared(wildcards), "comparison"),
        seed=config["seed"],
    script:
        "../comparison/tune.py"


rule compare:
    input:
        unpack(tuned_settings),
    output:
        table="<results>/data/comparison/{method}.parquet",
        sample="<results>/data/comparison/{method}.npz",
    log:
        "<logs>/compare/{method}.log",
    benchmark:
        "<benchmarks>/compare/{method}.tsv"
    wildcard_constraints:
        method="|".join(map(re.escape, COMPARISON["methods"])),
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=lambda wildcards: digest(
            "experiments/comparison/compare.py", methods=registered(wildcards)
        ),
        experiment="comparison",
        name="{method}",
        method=compared,
        targets=COMPARISON["targets"],
        errors=[EXACT_SCORE],
        tuning=[*COMPARISON["tuning"]],
        nfe=lambda wildcards: budgets_of(compared(wildcards), "comparison"),
        batches=COMPARISON["batches"],
        pictured=COMPARISON["pictured"]["target"],
        kept=COMPARISON["kept"],
        seed=config["seed"],
    script:
        "../comparison/compare.py"


rule compare_with_score_errors:
    input:
        unpack(tuned_settings),
    output:
        table="<results>/data/score_errors/{method}.parquet",
    log:
        "<logs>/compare_with_score_errors/{method}.log",
    benchmark:
        "<benchmarks>/compare_with_score_errors/{method}.tsv"
    wildcard_constraints:
        method="|".join(map(re.escape, COMPARISON["methods"])),
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=lambda wildcards: digest(
            "experiments/comparison/compare.py", methods=registered(wildcards)
        ),
        experiment="score_errors",
        name="{method}",
        method=compared,
        targets=SCORE_ERRORS["targets"],
        errors=[
            EXACT_SCORE,
            *(
                {"kind": kind, "size": size}
                for kind in SCORE_ERRORS["kinds"]
                for size in SCORE_ERRORS["sizes"]
            ),
        ],
        tuning=[*COMPARISON["tuning"]],
        nfe=lambda wildcards: budgets_of(compared(wildcards), "score_errors"),
        batches=SCORE_ERRORS["batches"],
        seed=config["seed"],
    script:
        "../comparison/compare.py"


rule comparison_floor:
    output:
        table="<results>/data/comparison/exact.parquet",
        sample="<results>/data/comparison/exact.npz",
    log:
        "<logs>/comparison_floor.log",
    benchmark:
        "<benchmarks>/comparison_floor.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("experiments/comparison/floor.py", methods=[]),
        experiment="comparison",
        targets=COMPARISON["targets"],
        pictured=COMPARISON["pictured"]["target"],
        kept=COMPARISON["kept"],
        seed=config["seed"],
    script:
        "../comparison/floor.py"


rule score_errors_floor:
    output:
        table="<results>/data/score_errors/exact.parquet",
    log:
        "<logs>/score_errors_floor.log",
    benchmark:
        "<benchmarks>/score_errors_floor.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("experiments/comparison/floor.py", methods=[]),
        experiment="score_errors",
        targets=SCORE_ERRORS["targets"],
        seed=config["seed"],
    script:
        "../comparison/floor.py"


rule figure_comparison_curves:
    input:
        frame=COMPARISON_TABLES,
        floor=COMPARISON_FLOOR,
    output:
        pdf="<results>/figures/comparison_{curve}.pdf",
        png=report(
            "<results>/figures/comparison_{curve}.png",
            caption="../../figures/captions/comparison_curves.rst",
            category="A. Mixtures",
            subcategory="A2. Tuned samplers",
            labels={"what": "{curve}", "as": "figure"},
        ),
    log:
        "<logs>/figure_comparison_{curve}.log",
    benchmark:
        "<benchmarks>/figure_comparison_{curve}.tsv"
    wildcard_constraints:
        curve="|".join(COMPARISON_CURVES),
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/comparison_curves.py"),
        metric=lambda wildcards: COMPARISON_CURVES[wildcards.curve],
    script:
        "../../figures/plots/comparison_curves.py"


rule figure_comparison_matrix:
    input:
        frame=COMPARISON_TABLES,
        floor=COMPARISON_FLOOR,
    output:
        pdf="<results>/figures/comparison_matrix.pdf",
        png=report(
            "<results>/figures/comparison_matrix.png",
            caption="../../figures/captions/comparison_matrix.rst",
            category="A. Mixtures",
            subcategory="A2. Tuned samplers",
            labels={"what": "all pairs", "as": "figure"},
        ),
    log:
        "<logs>/figure_comparison_matrix.log",
    benchmark:
        "<benchmarks>/figure_comparison_matrix.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/comparison_matrix.py"),
    script:
        "../../figures/plots/comparison_matrix.py"


rule figure_comparison_error:
    input:
        frame=SCORE_ERROR_TABLES,
        floor="<results>/data/score_errors/exact.parquet",
    output:
        pdf="<results>/figures/comparison_error.pdf",
        png=report(
            "<results>/figures/comparison_error.png",
            caption="../../figures/captions/comparison_error.rst",
            category="A. Mixtures",
            subcategory="A2. Tuned samplers",
            labels={"what": "errors of the score", "as": "figure"},
        ),
    log:
        "<logs>/figure_comparison_error.log",
    benchmark:
        "<benchmarks>/figure_comparison_error.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/comparison_error.py"),
    script:
        "../../figures/plots/comparison_error.py"


rule table_comparison_error:
    input:
        frame=SCORE_ERROR_TABLES,
        floor="<results>/data/score_errors/exact.parquet",
    output:
        table=report(
            "<results>/tables/comparison_error.csv",
            caption="../../figures/captions/comparison_error_table.rst",
            category="A. Mixtures",
            subcategory="A2. Tuned samplers",
            labels={"what": "errors of the score", "as": "table"},
        ),
        numbers="<results>/numbers/comparison_error.json",
    log:
        "<logs>/table_comparison_error.log",
    benchmark:
        "<benchmarks>/table_comparison_error.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/comparison_error.py"),
    script:
        "../../figures/tables/comparison_error.py"


rule figure_comparison_scatter:
    input:
        samples=expand("<results>/data/comparison/{method}.npz", method=["exact", *COMPARED]),
    output:
        pdf="<results>/figures/comparison_scatter.pdf",
        png=report(
            "<results>/figures/comparison_scatter.png",
            caption="../../figures/captions/comparison_scatter.rst",
            category="A. Mixtures",
            subcategory="A4. Samples of tuned samplers",
            labels={"what": "first two coordinates", "as": "figure"},
        ),
    log:
        "<logs>/figure_comparison_scatter.log",
    benchmark:
        "<benchmarks>/figure_comparison_scatter.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/comparison_scatter.py"),
        nfe=COMPARISON["pictured"]["nfe"],
    script:
        "../../figures/plots/comparison_scatter.py"


rule table_comparison:
    input:
        frame=COMPARISON_TABLES,
        floor=COMPARISON_FLOOR,
    output:
        table=report(
            "<results>/tables/comparison.csv",
            caption="../../figures/captions/comparison.rst",
            category="A. Mixtures",
            subcategory="A2. Tuned samplers",
            labels={"what": "mean errors", "as": "table"},
        ),
        numbers="<results>/numbers/comparison.json",
    log:
        "<logs>/table_comparison.log",
    benchmark:
        "<benchmarks>/table_comparison.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/comparison.py"),
    script:
        "../../figures/tables/comparison.py"


rule table_comparison_protocol:
    input:
        protocol=mixture_tables(["ddpm", "ddim", "rtk-uld", "rtk-mala"]),
        protocol_floor=mixture_tables(["exact"]),
        frame=COMPARISON_TABLES,
        floor=COMPARISON_FLOOR,
    output:
        table=report(
            "<results>/tables/comparison_protocol.csv",
            caption="../../figures/captions/comparison_protocol.rst",
            category="A. Mixtures",
            subcategory="A2. Tuned samplers",
            labels={"what": "beside the published protocol", "as": "table"},
        ),
    log:
        "<logs>/table_comparison_protocol.log",
    benchmark:
        "<benchmarks>/table_comparison_protocol.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/comparison_protocol.py"),
    script:
        "../../figures/tables/comparison_protocol.py"
