# D1: the benchmark, from the file that `make benchmark` writes. Timings are not made again here.
MEASURED = "experiments/benchmark/measured.csv"


rule figure_benchmark:
    input:
        measured=MEASURED,
    output:
        pdf="<results>/figures/benchmark.pdf",
        png=report(
            "<results>/figures/benchmark.png",
            caption="../../figures/captions/benchmark.rst",
            category="D. Speed",
            subcategory="D1. Chain-steps",
            labels={"what": "time of chain-steps", "as": "figure"},
        ),
    log:
        "<logs>/figure_benchmark.log",
    benchmark:
        "<benchmarks>/figure_benchmark.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/plots/benchmark.py"),
    script:
        "../../figures/plots/benchmark.py"


rule table_benchmark:
    input:
        measured=MEASURED,
    output:
        table=report(
            "<results>/tables/benchmark.csv",
            caption="../../figures/captions/benchmark_table.rst",
            category="D. Speed",
            subcategory="D1. Chain-steps",
            labels={"what": "time of chain-steps", "as": "table"},
        ),
        numbers="<results>/numbers/benchmark.json",
    log:
        "<logs>/table_benchmark.log",
    benchmark:
        "<benchmarks>/table_benchmark.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=digest("figures/tables/benchmark.py"),
    script:
        "../../figures/tables/benchmark.py"
