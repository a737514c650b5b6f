# The notebooks, executed: each source in experiments/notebooks and the results that it reads.

# Theory checks with a section in theory.py; those of them with a table and numbers for print.
CHECKS = ["log_concavity", "inner_chain"]
CHECKS_IN_PRINT = []

NOTEBOOKS = {
    "tour": [],
    "own_score": [],
    "mixtures": [
        *mixture_tables([*MIXTURES["methods"], "exact"]),
        *mixture_samples([*MIXTURES["methods"], "exact"]),
    ],
    "mnist": [
        *expand("<results>/data/mnist/{method}.parquet", method=[*MNIST["methods"], "exact"]),
        *expand("<results>/data/mnist/{method}.npz", method=MNIST["methods"]),
    ],
    # A figure stands for the data it is made of.
    "theory": [
        *expand("<results>/figures/{check}.png", check=CHECKS),
        *expand("<results>/tables/{check}.csv", check=CHECKS_IN_PRINT),
        *expand("<results>/numbers/{check}.json", check=CHECKS_IN_PRINT),
    ],
}


rule notebook:
    input:
        code=lambda wildcards: sources(f"experiments/notebooks/{wildcards.notebook}.py"),
        script=sources("experiments/notebook.py"),
        source="experiments/notebooks/{notebook}.py",
        results=lambda wildcards: NOTEBOOKS[wildcards.notebook],
    output:
        notebook="<results>/notebooks/{notebook}.ipynb",
    log:
        "<logs>/notebook/{notebook}.log",
    benchmark:
        "<benchmarks>/notebook/{notebook}.tsv"
    wildcard_constraints:
        notebook="|".join(NOTEBOOKS),
    conda:
        "../environment.yml"
    threads: 1
    script:
        "notebook.py"
