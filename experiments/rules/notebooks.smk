# The rule that executes the notebooks, and the results that each of them reads.
THEORY = ["experiments/notebooks/theory.py"]

NOTEBOOKS = {
    "tour": [],
    "own_score": [],
    "calibrate": [],
    "inner_chains": [],
    "pipeline": [image_data("mnist")],
    "mixtures": [
        *mixture_tables([*MIXTURES["methods"], "exact"]),
        *mixture_samples([*MIXTURES["methods"], "exact"]),
    ],
    "mnist": [
        *image_tables("mnist", [*WITH_NETWORKS, "exact"]),
        *image_samples("mnist"),
    ],
    # A figure is an input in place of the data that it is made of.
    "theory": [
        *named_in(THEORY, "plot", "<results>/figures/{name}.png"),
        *named_in(THEORY, "show", "<results>/tables/{name}.csv"),
        *named_in(THEORY, "show", "<results>/numbers/{name}.json"),
    ],
}


rule notebook:
    input:
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
        "../../environment.yml"
    threads: 1
    params:
        code=lambda wildcards: digest(f"experiments/notebooks/{wildcards.notebook}.py"),
        script=digest("experiments/workflow/notebook.py"),
    script:
        "../workflow/notebook.py"
