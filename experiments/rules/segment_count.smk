# B2: how many segments RTK and DDPM need.
SEGMENT_COUNT = config["segment_count"]


rule segment_count:
    input:
        code=sources("experiments/theory/segment_count.py"),
    output:
        table="<results>/data/segment_count.parquet",
    log:
        "<logs>/segment_count.log",
    benchmark:
        "<benchmarks>/segment_count.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        seed=config["seed"],
        dimension=SEGMENT_COUNT["dimension"],
        accuracies=SEGMENT_COUNT["accuracies"],
        accuracy=SEGMENT_COUNT["accuracy"],
        dimensions=SEGMENT_COUNT["dimensions"],
        targets=SEGMENT_COUNT["targets"],
        mixture_time=SEGMENT_COUNT["mixture_time"],
        times=LOG_CONCAVITY["times"],
        points=LOG_CONCAVITY["points"],
    script:
        "../theory/segment_count.py"


rule figure_segment_count:
    input:
        code=sources("figures/plots/segment_count.py"),
        results=rules.segment_count.output.table,
    output:
        pdf="<results>/figures/segment_count.pdf",
        png=report(
            "<results>/figures/segment_count.png",
            caption="../../figures/captions/segment_count.rst",
            category="B. Theory",
            subcategory="B2",
        ),
    log:
        "<logs>/figure_segment_count.log",
    benchmark:
        "<benchmarks>/figure_segment_count.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/plots/segment_count.py"


rule table_segment_count:
    input:
        code=sources("figures/tables/segment_count.py"),
        results=rules.segment_count.output.table,
    output:
        table=report(
            "<results>/tables/segment_count.csv",
            caption="../../figures/captions/segment_count.rst",
            category="B. Theory",
            subcategory="B2",
        ),
        numbers="<results>/numbers/segment_count.json",
    log:
        "<logs>/table_segment_count.log",
    benchmark:
        "<benchmarks>/table_segment_count.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/tables/segment_count.py"
