# C1: images, with learned scores. C4: distances from the probability flow.
IMAGES = config["images"]
DATASETS = IMAGES["datasets"]
RUNS = image_runs()
WITH_NETWORKS = RUNS["mnist"]["methods"]
PUBLISHED = IMAGES["published"]
TUNED_ON_IMAGES = [
    image_settings(protocol, name)
    for protocol, names in (("methods", WITH_NETWORKS), ("published", PUBLISHED))
    for name in names
    if "candidates" in IMAGES[protocol][name]
]
FLOW = config["flow_distance"]
FLOW_SAMPLERS = {name: IMAGES["methods"][name]["sampler"] for name in FLOW["methods"]}
FLOW_TABLES = expand("<results>/data/flow_distance/{dataset}.parquet", dataset=FLOW["datasets"])


wildcard_constraints:
    dataset="|".join(DATASETS),
    run="|".join(RUNS),


# One copy of the data serves every scale.
rule fetch_images:
    output:
        data=image_data("{dataset}"),
    log:
        "results/logs/fetch_images/{dataset}.log",
    benchmark:
        "results/benchmarks/fetch_images/{dataset}.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("experiments/images/fetch.py"),
        local=lambda wildcards: DATASETS[wildcards.dataset]["local"],
    script:
        "../images/fetch.py"


rule train_classifier:
    input:
        data=rules.fetch_images.output.data,
    output:
        weights="<results>/{dataset}/classifier.safetensors",
    log:
        "<logs>/train_classifier/{dataset}.log",
    benchmark:
        "<benchmarks>/train_classifier/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("experiments/images/train_classifier.py"),
        title=title_of_dataset,
        training=lambda wildcards: image_training("classifier", wildcards.dataset),
    script:
        "../images/train_classifier.py"


rule train_score:
    input:
        data=rules.fetch_images.output.data,
    output:
        weights="<results>/{dataset}/score.safetensors",
        history="<results>/{dataset}/history.parquet",
    log:
        "<logs>/train_score/{dataset}.log",
    benchmark:
        "<benchmarks>/train_score/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        # A day; a cluster stops what takes longer, and the next attempt may take as long again.
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        code=digest("experiments/images/train_score.py"),
        training=lambda wildcards: image_training("score", wildcards.dataset),
    script:
        "../images/train_score.py"


rule images_reference:
    input:
        data=rules.fetch_images.output.data,
        classifier=weights_of_dataset("classifier"),
    output:
        reference=image_reference("{dataset}"),
    log:
        "<logs>/images_reference/{dataset}.log",
    benchmark:
        "<benchmarks>/images_reference/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("experiments/images/reference.py", methods=[]),
    script:
        "../images/reference.py"


rule calibrate_images:
    input:
        score=weights_of_dataset("score"),
    output:
        **{method: image_calibration(method) for method in CALIBRATED},
    log:
        "<logs>/calibrate_images/{dataset}.log",
    benchmark:
        "<benchmarks>/calibrate_images/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("experiments/images/calibrate.py", methods=[*CALIBRATED]),
        nfe=lambda wildcards: configuration.calibrated_budgets(config, wildcards.dataset),
    script:
        "../images/calibrate.py"


rule tune_images:
    input:
        data=image_data("mnist"),
        score="experiments/images/checkpoint/mnist_medium/score.safetensors",
        classifier=image_weights("classifier", "mnist"),
    output:
        tuned="<results>/tuning/{protocol}/{method}.json",
    log:
        "<logs>/tune_images/{protocol}/{method}.log",
    benchmark:
        "<benchmarks>/tune_images/{protocol}/{method}.tsv"
    wildcard_constraints:
        protocol="methods|published",
        method="|".join(map(re.escape, IMAGES["methods"])),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        code=lambda wildcards: digest(
            "experiments/images/tune.py",
            methods=[on_images(wildcards)["sampler"]["method"]],
        ),
        name="{method}",
        method=on_images,
        budget=IMAGES["budget"],
        images=IMAGES["tuning"]["images"],
        nfe=IMAGES["tuning"]["nfe"],
        seed=config["seed"],
    script:
        "../images/tune.py"


rule sample_images:
    input:
        unpack(calibration_of_images),
        unpack(tuned_on_images),
        reference=lambda wildcards: image_reference(dataset_of(wildcards)),
        score=weights_of_dataset("score"),
        classifier=weights_of_dataset("classifier"),
    output:
        table="<results>/data/{run}/{method}.parquet",
        sample="<results>/data/{run}/{method}.npz",
    log:
        "<logs>/sample_images/{run}/{method}.log",
    benchmark:
        "<benchmarks>/sample_images/{run}/{method}.tsv"
    wildcard_constraints:
        method="|".join(map(re.escape, IMAGES["methods"])),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        code=lambda wildcards: digest(
            "experiments/images/sample.py", methods=[on_images(wildcards)["sampler"]["method"]]
        ),
        experiment="{run}",
        dataset=dataset_of,
        method="{method}",
        about=on_images,
        seed=config["seed"],
        seeds=lambda wildcards: run_of(wildcards)["seeds"],
        images=lambda wildcards: run_of(wildcards)["images"],
        kept=lambda wildcards: run_of(wildcards)["kept"],
        nfe=lambda wildcards: run_of(wildcards)["nfe"],
    script:
        "../images/sample.py"


rule images_floor:
    input:
        data=lambda wildcards: image_data(dataset_of(wildcards)),
        reference=lambda wildcards: image_reference(dataset_of(wildcards)),
        classifier=weights_of_dataset("classifier"),
    output:
        table="<results>/data/{run}/exact.parquet",
    log:
        "<logs>/images_floor/{run}.log",
    benchmark:
        "<benchmarks>/images_floor/{run}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("experiments/images/floor.py", methods=[]),
        experiment="{run}",
        dataset=dataset_of,
        seed=config["seed"],
        images=lambda wildcards: run_of(wildcards)["images"],
    script:
        "../images/floor.py"


rule figure_images_frechet:
    input:
        frame=lambda wildcards: image_tables(wildcards.run),
        floor=lambda wildcards: image_tables(wildcards.run, ["exact"]),
    output:
        pdf="<results>/figures/{run}_frechet.pdf",
        png=report(
            "<results>/figures/{run}_frechet.png",
            caption="../../figures/captions/images_frechet.rst",
            category="C. Images",
            subcategory=subcategory_of_run,
            labels={"what": "quality", "as": "figure"},
        ),
    log:
        "<logs>/figure_images_frechet/{run}.log",
    benchmark:
        "<benchmarks>/figure_images_frechet/{run}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/images_frechet.py"),
        title=title_of_dataset,
    script:
        "../../figures/plots/images_frechet.py"


rule figure_images_samples:
    input:
        samples=lambda wildcards: image_samples(wildcards.run),
    output:
        pdf="<results>/figures/{run}_samples.pdf",
        png=report(
            "<results>/figures/{run}_samples.png",
            caption="../../figures/captions/images_samples.rst",
            category="C. Images",
            subcategory=subcategory_of_run,
            labels={"what": "images", "as": "figure"},
        ),
    log:
        "<logs>/figure_images_samples/{run}.log",
    benchmark:
        "<benchmarks>/figure_images_samples/{run}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/images_samples.py"),
        nfe=lambda wildcards: run_of(wildcards)["nfe"],
    script:
        "../../figures/plots/images_samples.py"


rule table_images:
    input:
        frame=lambda wildcards: image_tables(wildcards.run),
        floor=lambda wildcards: image_tables(wildcards.run, ["exact"]),
    output:
        table=report(
            "<results>/tables/{run}.csv",
            caption="../../figures/captions/images.rst",
            category="C. Images",
            subcategory=subcategory_of_run,
            labels={"what": "Fréchet distances", "as": "table"},
        ),
        numbers="<results>/numbers/{run}.json",
    log:
        "<logs>/table_images/{run}.log",
    benchmark:
        "<benchmarks>/table_images/{run}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/images.py"),
    script:
        "../../figures/tables/images.py"


rule table_published:
    input:
        tuned=image_tables("mnist", PUBLISHED),
        published=image_tables("mnist_published"),
    output:
        table=report(
            "<results>/tables/mnist_published.csv",
            caption="../../figures/captions/images_published.rst",
            category="C. Images",
            subcategory=f"C1. MNIST, {DATASETS['mnist']['images']} images",
            labels={"what": "published protocol", "as": "table"},
        ),
        numbers="<results>/numbers/mnist_published.json",
    log:
        "<logs>/table_published.log",
    benchmark:
        "<benchmarks>/table_published.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/images_published.py"),
    script:
        "../../figures/tables/images_published.py"


rule flow_distance:
    input:
        score=weights_of_dataset("score"),
        calibration=image_calibration("calibrated"),
    output:
        table="<results>/data/flow_distance/{dataset}.parquet",
        sample="<results>/data/flow_distance/{dataset}.npz",
    log:
        "<logs>/flow_distance/{dataset}.log",
    benchmark:
        "<benchmarks>/flow_distance/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        code=digest(
            "experiments/images/flow_distance.py",
            methods=sorted({sampler["method"] for sampler in FLOW_SAMPLERS.values()}),
        ),
        samplers=FLOW_SAMPLERS,
        grid=FLOW["grid"],
        seed=config["seed"],
        images=FLOW["images"],
        nfe=FLOW["nfe"],
        steps=FLOW["steps"],
    script:
        "../images/flow_distance.py"


rule figure_flow_distance:
    input:
        frame="<results>/data/flow_distance/{dataset}.parquet",
        images="<results>/data/flow_distance/{dataset}.npz",
    output:
        pdf="<results>/figures/{dataset}_flow.pdf",
        png=report(
            "<results>/figures/{dataset}_flow.png",
            caption="../../figures/captions/flow_distance.rst",
            category="C. Images",
            subcategory="C4. Distance from the probability flow",
            labels={"what": "{dataset}", "as": "figure"},
        ),
    log:
        "<logs>/figure_flow_distance/{dataset}.log",
    benchmark:
        "<benchmarks>/figure_flow_distance/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/flow_distance.py"),
    script:
        "../../figures/plots/flow_distance.py"


rule table_flow_distance:
    input:
        frame=FLOW_TABLES,
    output:
        table=report(
            "<results>/tables/flow_distance.csv",
            caption="../../figures/captions/flow_distance_table.rst",
            category="C. Images",
            subcategory="C4. Distance from the probability flow",
            labels={"what": "all data sets", "as": "table"},
        ),
        numbers="<results>/numbers/flow_distance.json",
    log:
        "<logs>/table_flow_distance.log",
    benchmark:
        "<benchmarks>/table_flow_distance.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/flow_distance.py"),
    script:
        "../../figures/tables/flow_distance.py"
