# C2: samplers on mixtures of images, whose scores are exact.
EXACT_IMAGES = config["exact_images"]
COLLECTIONS = EXACT_IMAGES["collections"]
ON_IMAGES = EXACT_IMAGES.get("subset", EXACT_IMAGES["methods"])
EXACT_IMAGES_TABLES = expand(
    "<results>/data/exact_images/{collection}.parquet", collection=COLLECTIONS
)


wildcard_constraints:
    collection="|".join(COLLECTIONS),


rule sample_exact_images:
    input:
        unpack(
            lambda wildcards: (
                {"data": EXACT_IMAGES["folders"][wildcards.collection]}
                if wildcards.collection in EXACT_IMAGES["folders"]
                else {
                    "data": image_data(wildcards.collection),
                    "classifier": image_weights("classifier", wildcards.collection),
                }
            )
        ),
        tuned=expand(
            "<results>/tuning/{method}.json",
            method=[name for name in ON_IMAGES if "candidates" in COMPARISON["methods"][name]],
        ),
    output:
        table="<results>/data/exact_images/{collection}.parquet",
    log:
        "<logs>/sample_exact_images/{collection}.log",
    benchmark:
        "<benchmarks>/sample_exact_images/{collection}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest(
            "experiments/exact_images/sample.py",
            methods=sorted(
                {COMPARISON["methods"][name]["sampler"]["method"] for name in ON_IMAGES}
                | {sampler["method"] for sampler in EXACT_IMAGES["sweep"]["samplers"]}
            ),
        ),
        methods={name: COMPARISON["methods"][name] for name in ON_IMAGES},
        bandwidth=EXACT_IMAGES["bandwidth"],
        images=lambda wildcards: COLLECTIONS[wildcards.collection]["images"],
        chains=lambda wildcards: COLLECTIONS[wildcards.collection]["chains"],
        nfe=EXACT_IMAGES["nfe"],
        sweep=EXACT_IMAGES["sweep"],
        seed=config["seed"],
    script:
        "../exact_images/sample.py"


rule figure_exact_images:
    input:
        frame=EXACT_IMAGES_TABLES,
    output:
        pdf="<results>/figures/exact_images.pdf",
        png=report(
            "<results>/figures/exact_images.png",
            caption="../../figures/captions/exact_images.rst",
            category="C. Images",
            subcategory="C2. Images with exact scores",
            labels={"what": "errors", "as": "figure"},
        ),
    log:
        "<logs>/figure_exact_images.log",
    benchmark:
        "<benchmarks>/figure_exact_images.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/exact_images.py"),
        titles={name: DATASETS.get(name, {"title": name})["title"] for name in COLLECTIONS},
    script:
        "../../figures/plots/exact_images.py"


rule table_exact_images:
    input:
        frame=EXACT_IMAGES_TABLES,
        learned=tables_of_datasets(["exact", "ddpm", "dpm++2m", "calibrated"]),
    output:
        table=report(
            "<results>/tables/exact_images.csv",
            caption="../../figures/captions/exact_images_table.rst",
            category="C. Images",
            subcategory="C2. Images with exact scores",
            labels={"what": "errors", "as": "table"},
        ),
        numbers="<results>/numbers/exact_images.json",
    log:
        "<logs>/table_exact_images.log",
    benchmark:
        "<benchmarks>/table_exact_images.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/exact_images.py"),
    script:
        "../../figures/tables/exact_images.py"
