# C1: images, with learned scores. C4: distances from the probability flow.
IMAGES = config["images"]
DATASETS = IMAGES["datasets"]
WITH_NETWORKS = IMAGES.get("subset", [*IMAGES["methods"]])
PUBLISHED = IMAGES["published"]
TUNED_ON_IMAGES = [
    image_settings(protocol, name)
    for protocol, names in (("methods", WITH_NETWORKS), ("published", PUBLISHED))
    for name in names
    if "candidates" in IMAGES[protocol][name]
]
PUBLISHED_TABLES = expand("<results>/data/mnist_published/{method}.parquet", method=PUBLISHED)
FLOW = config["flow_distance"]
FLOW_SAMPLERS = {name: IMAGES["methods"][name]["sampler"] for name in FLOW["methods"]}
FLOW_TABLES = expand("<results>/data/flow_distance/{dataset}.parquet", dataset=FLOW["datasets"])


wildcard_constraints:
    dataset="|".join(DATASETS),


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
        nfe=lambda wildcards: calibrated_budgets(wildcards.dataset),
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
        reference=rules.images_reference.output.reference,
        score=weights_of_dataset("score"),
        classifier=weights_of_dataset("classifier"),
    output:
        table="<results>/data/{dataset}/{method}.parquet",
        sample="<results>/data/{dataset}/{method}.npz",
    log:
        "<logs>/sample_images/{dataset}/{method}.log",
    benchmark:
        "<benchmarks>/sample_images/{dataset}/{method}.tsv"
    wildcard_constraints:
        method="|".join(map(re.escape, IMAGES["methods"])),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        code=lambda wildcards: digest(
            "experiments/images/sample.py",
            methods=[IMAGES["methods"][wildcards.method]["sampler"]["method"]],
        ),
        experiment="{dataset}",
        dataset="{dataset}",
        method="{method}",
        about=on_images,
        seed=config["seed"],
        seeds=IMAGES["seeds"],
        images=lambda wildcards: DATASETS[wildcards.dataset]["images"],
        kept=IMAGES["kept"],
        nfe=lambda wildcards: DATASETS[wildcards.dataset]["nfe"],
    script:
        "../images/sample.py"


rule sample_published:
    input:
        unpack(lambda wildcards: tuned_on_images(wildcards, "published")),
        reference=image_reference("mnist"),
        score=image_weights("score", "mnist"),
        classifier=image_weights("classifier", "mnist"),
    output:
        table="<results>/data/mnist_published/{method}.parquet",
        sample="<results>/data/mnist_published/{method}.npz",
    log:
        "<logs>/sample_published/{method}.log",
    benchmark:
        "<benchmarks>/sample_published/{method}.tsv"
    wildcard_constraints:
        method="|".join(map(re.escape, PUBLISHED)),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        code=lambda wildcards: digest(
            "experiments/images/sample.py",
            methods=[PUBLISHED[wildcards.method]["sampler"]["method"]],
        ),
        experiment="mnist_published",
        dataset="mnist",
        method="{method}",
        about=lambda wildcards: PUBLISHED[wildcards.method],
        seed=config["seed"],
        seeds=IMAGES["seeds"],
        images=DATASETS["mnist"]["images"],
        kept=IMAGES["kept"],
        nfe=DATASETS["mnist"]["nfe"],
    script:
        "../images/sample.py"


rule images_floor:
    input:
        data=rules.fetch_images.output.data,
        reference=rules.images_reference.output.reference,
        classifier=weights_of_dataset("classifier"),
    output:
        table="<results>/data/{dataset}/exact.parquet",
    log:
        "<logs>/images_floor/{dataset}.log",
    benchmark:
        "<benchmarks>/images_floor/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("experiments/images/floor.py", methods=[]),
        seed=config["seed"],
        images=lambda wildcards: DATASETS[wildcards.dataset]["images"],
    script:
        "../images/floor.py"


rule figure_images_frechet:
    input:
        frame=expand("<results>/data/{{dataset}}/{method}.parquet", method=WITH_NETWORKS),
        floor=rules.images_floor.output.table,
    output:
        pdf="<results>/figures/{dataset}_frechet.pdf",
        png=report(
            "<results>/figures/{dataset}_frechet.png",
            caption="../../figures/captions/images_frechet.rst",
            category="C. Images",
            subcategory=lambda wildcards: f"C1. {title_of_dataset(wildcards)}",
            labels={"what": "quality", "as": "figure"},
        ),
    log:
        "<logs>/figure_images_frechet/{dataset}.log",
    benchmark:
        "<benchmarks>/figure_images_frechet/{dataset}.tsv"
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
        samples=expand("<results>/data/{{dataset}}/{method}.npz", method=WITH_NETWORKS),
    output:
        pdf="<results>/figures/{dataset}_samples.pdf",
        png=report(
            "<results>/figures/{dataset}_samples.png",
            caption="../../figures/captions/images_samples.rst",
            category="C. Images",
            subcategory=lambda wildcards: f"C1. {title_of_dataset(wildcards)}",
            labels={"what": "images", "as": "figure"},
        ),
    log:
        "<logs>/figure_images_samples/{dataset}.log",
    benchmark:
        "<benchmarks>/figure_images_samples/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/images_samples.py"),
        nfe=lambda wildcards: DATASETS[wildcards.dataset]["nfe"],
    script:
        "../../figures/plots/images_samples.py"


rule table_images:
    input:
        frame=expand("<results>/data/{{dataset}}/{method}.parquet", method=WITH_NETWORKS),
        floor=rules.images_floor.output.table,
    output:
        table=report(
            "<results>/tables/{dataset}.csv",
            caption="../../figures/captions/images.rst",
            category="C. Images",
            subcategory=lambda wildcards: f"C1. {title_of_dataset(wildcards)}",
            labels={"what": "Fréchet distances", "as": "table"},
        ),
        numbers="<results>/numbers/{dataset}.json",
    log:
        "<logs>/table_images/{dataset}.log",
    benchmark:
        "<benchmarks>/table_images/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/images.py"),
    script:
        "../../figures/tables/images.py"


rule table_published:
    input:
        tuned=expand("<results>/data/mnist/{method}.parquet", method=PUBLISHED),
        published=PUBLISHED_TABLES,
    output:
        table=report(
            "<results>/tables/mnist_published.csv",
            caption="../../figures/captions/images_published.rst",
            category="C. Images",
            subcategory="C1. MNIST",
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
