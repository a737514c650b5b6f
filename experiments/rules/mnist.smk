# C1: MNIST, with a learned score.
MNIST = config["mnist"]


# One copy of the data serves every scale.
rule fetch_mnist:
    input:
        code=sources("experiments/mnist/fetch.py"),
    output:
        data="results/mnist/mnist.npz",
    log:
        "results/logs/fetch_mnist.log",
    benchmark:
        "results/benchmarks/fetch_mnist.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    params:
        local=MNIST["local"],
    script:
        "../mnist/fetch.py"


rule train_classifier:
    input:
        code=sources("experiments/mnist/train_classifier.py"),
        data=rules.fetch_mnist.output.data,
    output:
        weights="<results>/mnist/classifier.safetensors",
    log:
        "<logs>/train_classifier.log",
    benchmark:
        "<benchmarks>/train_classifier.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        training=MNIST["classifier"],
    script:
        "../mnist/train_classifier.py"


rule train_score:
    input:
        code=sources("experiments/mnist/train.py"),
        data=rules.fetch_mnist.output.data,
    output:
        weights="<results>/mnist/score.safetensors",
        history="<results>/mnist/history.parquet",
    log:
        "<logs>/train_score.log",
    benchmark:
        "<benchmarks>/train_score.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        training=MNIST["score"],
    script:
        "../mnist/train.py"


rule sample_mnist:
    input:
        code=lambda wildcards: sources(
            "experiments/mnist/sample.py",
            methods=[MNIST["methods"][wildcards.method]["sampler"]["method"]],
        ),
        data=rules.fetch_mnist.output.data,
        score=mnist_weights("score"),
        classifier=mnist_weights("classifier"),
    output:
        table="<results>/data/mnist/{method}.parquet",
        sample="<results>/data/mnist/{method}.npz",
    log:
        "<logs>/sample_mnist/{method}.log",
    benchmark:
        "<benchmarks>/sample_mnist/{method}.tsv"
    wildcard_constraints:
        method="|".join(map(re.escape, MNIST["methods"])),
    conda:
        "../../environment.yml"
    threads: 1
    params:
        method="{method}",
        grid=lambda wildcards: MNIST["methods"][wildcards.method]["grid"],
        sampler=lambda wildcards: MNIST["methods"][wildcards.method]["sampler"],
        seed=config["seed"],
        images=MNIST["images"],
        kept=MNIST["kept"],
        nfe=MNIST["nfe"],
    script:
        "../mnist/sample.py"


rule mnist_floor:
    input:
        code=sources("experiments/mnist/floor.py", methods=[]),
        data=rules.fetch_mnist.output.data,
        classifier=mnist_weights("classifier"),
    output:
        table="<results>/data/mnist/exact.parquet",
    log:
        "<logs>/mnist_floor.log",
    benchmark:
        "<benchmarks>/mnist_floor.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        seed=config["seed"],
        images=MNIST["images"],
    script:
        "../mnist/floor.py"


rule figure_mnist_frechet:
    input:
        code=sources("figures/plots/mnist_frechet.py"),
        frame=expand("<results>/data/mnist/{method}.parquet", method=MNIST["methods"]),
        floor=rules.mnist_floor.output.table,
    output:
        pdf="<results>/figures/mnist_frechet.pdf",
        png=report(
            "<results>/figures/mnist_frechet.png",
            caption="../../figures/captions/mnist_frechet.rst",
            category="C. Learned scores",
            subcategory="C1. MNIST",
            labels={"what": "distance, precision, recall", "as": "figure"},
        ),
    log:
        "<logs>/figure_mnist_frechet.log",
    benchmark:
        "<benchmarks>/figure_mnist_frechet.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/plots/mnist_frechet.py"


rule figure_mnist_samples:
    input:
        code=sources("figures/plots/mnist_samples.py"),
        samples=expand("<results>/data/mnist/{method}.npz", method=MNIST["methods"]),
    output:
        pdf="<results>/figures/mnist_samples.pdf",
        png=report(
            "<results>/figures/mnist_samples.png",
            caption="../../figures/captions/mnist_samples.rst",
            category="C. Learned scores",
            subcategory="C1. MNIST",
            labels={"what": "digits", "as": "figure"},
        ),
    log:
        "<logs>/figure_mnist_samples.log",
    benchmark:
        "<benchmarks>/figure_mnist_samples.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        nfe=MNIST["nfe"],
    script:
        "../../figures/plots/mnist_samples.py"


rule table_mnist:
    input:
        code=sources("figures/tables/mnist.py"),
        frame=expand("<results>/data/mnist/{method}.parquet", method=MNIST["methods"]),
        floor=rules.mnist_floor.output.table,
    output:
        table=report(
            "<results>/tables/mnist.csv",
            caption="../../figures/captions/mnist.rst",
            category="C. Learned scores",
            subcategory="C1. MNIST",
            labels={"what": "Fréchet distances", "as": "table"},
        ),
        numbers="<results>/numbers/mnist.json",
    log:
        "<logs>/table_mnist.log",
    benchmark:
        "<benchmarks>/table_mnist.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/tables/mnist.py"
