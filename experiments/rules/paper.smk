# The verdicts on the paper's claims, and the article.
from paper.verdicts import load, names

SECTIONS = sorted(str(path) for path in Path("paper").rglob("*.typ"))


rule verdicts:
    input:
        code=sources("paper/verdicts.py"),
        claims="paper/claims.yaml",
        numbers=expand(
            "<results>/numbers/{name}.json",
            name=sorted({file for claim in load().values() for file, _ in names(claim)}),
        ),
    output:
        ledger="<results>/verdicts.json",
    log:
        "<logs>/verdicts.log",
    benchmark:
        "<benchmarks>/verdicts.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../../paper/verdicts.py"


rule table_compute:
    input:
        code=sources("figures/tables/compute.py"),
        results=[
            *mixture_tables([*MIXTURES["methods"], "exact"]),
            rules.figure_log_concavity.input.results,
            rules.mixing.output.table,
            rules.network_curvature.output.table,
            rules.segment_count.output.table,
            rules.inner_chain.output.table,
            rules.convergence.output.table,
            rules.dimension.output.table,
            rules.robustness.output.table,
            rules.energy_estimators.output.table,
            rules.cheeger.output.table,
            rules.figure_beyond_mixtures.input.results,
            rules.segment_length.output.table,
            *expand("<results>/data/mnist/{method}.parquet", method=[*MNIST["methods"], "exact"]),
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
    script:
        "../../figures/tables/compute.py"


rule article:
    input:
        code=sources("paper/typeset.py"),
        text=SECTIONS,
        bibliography="paper/references.bib",
        ledger=rules.verdicts.output.ledger,
        claims="paper/claims.yaml",
        figures=named_in(SECTIONS, "figure-of", "<results>/figures/{name}.pdf"),
        tables=named_in(SECTIONS, "table-of", "<results>/tables/{name}.csv"),
        numbers=named_in(SECTIONS, "(?:num|rate)", "<results>/numbers/{name}.json"),
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
        results=lambda wildcards, output: os.path.dirname(output.pdf),
    script:
        "../../paper/typeset.py"
