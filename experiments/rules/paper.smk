# The ledger of verdicts, and the article.
from paper.verdicts import load, number_files

SECTIONS = sorted(str(path) for path in Path("paper").rglob("*.typ"))


rule verdicts:
    input:
        claims="paper/claims.yaml",
        numbers=expand("<results>/numbers/{name}.json", name=sorted(number_files(load()))),
    output:
        ledger="<results>/verdicts.json",
    log:
        "<logs>/verdicts.log",
    benchmark:
        "<benchmarks>/verdicts.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("paper/verdicts.py"),
    script:
        "../../paper/verdicts.py"


rule table_compute:
    input:
        results=[
            *mixture_tables([*MIXTURES["methods"], "exact"]),
            rules.table_mixture_steps.input.steps,
            *[table for study in STUDIES for table in study_data(study)],
            rules.figure_beyond_mixtures.input.frame,
            *tables_of_datasets([*WITH_NETWORKS, "exact"]),
            *image_tables("mnist_published"),
            *FLOW_TABLES,
            COMPARISON_TABLES,
            COMPARISON_FLOOR,
            SCORE_ERROR_TABLES,
            EXACT_IMAGES_TABLES,
            ENERGY_NETWORKS_TABLES,
        ],
    output:
        table="<results>/tables/compute.csv",
        numbers="<results>/numbers/compute.json",
    log:
        "<logs>/table_compute.log",
    benchmark:
        "<benchmarks>/table_compute.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/compute.py"),
    script:
        "../../figures/tables/compute.py"


PAPER_SCALE = configuration.joined("protocol", "paper")
# A data set of the user has no size there.
AT_PAPER_SCALE = PAPER_SCALE["images"]["datasets"]


rule table_paper_scale:
    input:
        benchmarks=[
            *measured("simulate_mixture", target=MIXTURES["targets"], method=MIXTURES["methods"]),
            *measured("mixture_floor", target=MIXTURES["targets"]),
            *measured("mixture_steps", target=STEPS["nfe"]),
            *measured("simulate_beyond_mixtures", target=BEYOND["targets"]),
            *measured("sample_images", run=AT_PAPER_SCALE, method=WITH_NETWORKS),
            *measured("sample_images", run="mnist_published", method=PUBLISHED),
            *measured("calibrate_images", dataset=AT_PAPER_SCALE),
            *measured("images_floor", run=AT_PAPER_SCALE),
            *measured("flow_distance", dataset={*FLOW["datasets"]} & {*AT_PAPER_SCALE}),
            *measured("tune", method=TUNED),
            *measured("compare", method=COMPARED),
            *measured("comparison_floor"),
            *measured("compare_with_score_errors", method=WITH_ERRORS),
            *measured("score_errors_floor"),
            *measured("sample_exact_images", collection=COLLECTIONS),
            *measured("sample_energy_networks", target=ENERGY_NETWORKS["targets"]),
            *[
                path
                for study in STUDIES
                for path in (
                    measured(study, target=config[study]["targets"])
                    if study in SPLIT
                    else measured(study)
                )
            ],
        ],
        networks=[image_weights("score", dataset) for dataset in AT_PAPER_SCALE],
        tuned=TUNED_ON_IMAGES,
    output:
        table="<results>/tables/paper_scale.csv",
        numbers="<results>/numbers/paper_scale.json",
    log:
        "<logs>/table_paper_scale.log",
    benchmark:
        "<benchmarks>/table_paper_scale.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/paper_scale.py"),
        here=configuration.joined("protocol", SCALE),
        paper=PAPER_SCALE,
    script:
        "../../figures/tables/paper_scale.py"


rule article:
    input:
        text=SECTIONS,
        bibliography="paper/references.bib",
        ledger=rules.verdicts.output.ledger,
        figures=named_in(SECTIONS, "figure-of", "<results>/figures/{name}.pdf"),
        tables=named_in(SECTIONS, "table-of", "<results>/tables/{name}.csv"),
        numbers=named_in(SECTIONS, "(?:num|percent|rate|guard)", "<results>/numbers/{name}.json"),
    output:
        pdf=report(
            "<results>/paper.pdf",
            caption="../../figures/captions/paper.rst",
            category="Article",
        ),
    log:
        "<logs>/article.log",
    benchmark:
        "<benchmarks>/article.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("paper/typeset.py"),
        results=lambda wildcards, output: os.path.dirname(output.pdf),
    script:
        "../../paper/typeset.py"
