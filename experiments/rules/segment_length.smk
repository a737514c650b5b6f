# B9: the number of segments at a fixed number of score evaluations.
SEGMENT_LENGTH = config["segment_length"]


rule segment_length:
    input:
        code=sources("experiments/theory/segment_length.py"),
    output:
        table="<results>/data/segment_length.parquet",
    log:
        "<logs>/segment_length.log",
    benchmark:
        "<benchmarks>/segment_length.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        seed=config["seed"],
        counts=SEGMENT_LENGTH["counts"],
        nfe=SEGMENT_LENGTH["nfe"],
        mixture_counts=SEGMENT_LENGTH["mixture_counts"],
        mixture_nfe=SEGMENT_LENGTH["mixture_nfe"],
        sizes=SEGMENT_LENGTH["sizes"],
        methods=SEGMENT_LENGTH["methods"],
    script:
        "../theory/segment_length.py"


rule figure_segment_length:
    input:
        code=sources("figures/plots/segment_length.py"),
        results=rules.segment_length.output.table,
    output:
        pdf="<results>/figures/segment_length.pdf",
        png=report(
            "<results>/figures/segment_length.png",
            caption="../../figures/captions/segment_length.rst",
            category="B. Theory",
            subcategory="B9",
        ),
    log:
        "<logs>/figure_segment_length.log",
    benchmark:
        "<benchmarks>/figure_segment_length.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/plots/segment_length.py"


rule table_segment_length:
    input:
        code=sources("figures/tables/segment_length.py"),
        results=rules.segment_length.output.table,
    output:
        table=report(
            "<results>/tables/segment_length.csv",
            caption="../../figures/captions/segment_length.rst",
            category="B. Theory",
            subcategory="B9",
        ),
        numbers="<results>/numbers/segment_length.json",
    log:
        "<logs>/table_segment_length.log",
    benchmark:
        "<benchmarks>/table_segment_length.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../figures/tables/segment_length.py"
