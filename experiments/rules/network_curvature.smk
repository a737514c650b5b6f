# B1: the curvature of the learned score of MNIST.
NETWORK_CURVATURE = config["network_curvature"]


rule network_curvature:
    input:
        code=sources("experiments/theory/network_curvature.py"),
        data=rules.fetch_mnist.output.data,
        score=mnist_weights("score"),
    output:
        table="<results>/data/network_curvature.parquet",
    log:
        "<logs>/network_curvature.log",
    benchmark:
        "<benchmarks>/network_curvature.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        seed=config["seed"],
        times=NETWORK_CURVATURE["times"],
        images=NETWORK_CURVATURE["images"],
        iterations=NETWORK_CURVATURE["iterations"],
    script:
        "../theory/network_curvature.py"


rule figure_network_curvature:
    input:
        code=sources("figures/plots/network_curvature.py"),
        results=rules.network_curvature.output.table,
    output:
        pdf="<results>/figures/network_curvature.pdf",
        png=report(
            "<results>/figures/network_curvature.png",
            caption="../../figures/captions/network_curvature.rst",
            category="B. Theory",
            subcategory="B1",
        ),
    log:
        "<logs>/figure_network_curvature.log",
    benchmark:
        "<benchmarks>/figure_network_curvature.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/plots/network_curvature.py"


rule table_network_curvature:
    input:
        code=sources("figures/tables/network_curvature.py"),
        results=rules.network_curvature.output.table,
    output:
        table=report(
            "<results>/tables/network_curvature.csv",
            caption="../../figures/captions/network_curvature_table.rst",
            category="B. Theory",
            subcategory="B1",
        ),
        numbers="<results>/numbers/network_curvature.json",
    log:
        "<logs>/table_network_curvature.log",
    benchmark:
        "<benchmarks>/table_network_curvature.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/tables/network_curvature.py"
