# Every check, figure and table of the companion.
#
#   snakemake --cores all                         default scale, into results/
#   snakemake --cores all --config scale=smoke    or scale=paper, into results/<scale>/
#
# The rules are in experiments/rules/; experiments/config/studies.yaml lists the studies of the theory.
from snakemake.utils import min_version, validate

min_version("9.14")


include: "experiments/rules/common.smk"


SCALE = check_scale(config.setdefault("scale", "default"))


configfile: "experiments/config/studies.yaml"
configfile: "experiments/config/protocol.yaml"
configfile: f"experiments/config/{SCALE}.yaml"


validate(config, "experiments/config/schema.yaml")


pathvars:
    results="results" if SCALE == "default" else f"results/{SCALE}",
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


report: "figures/captions/workflow.rst"


rule all:
    input:
        # A1: the paper's mixtures.
        "<results>/figures/mixture_accuracy.pdf",
        "<results>/figures/mixture_sinkhorn.pdf",
        "<results>/figures/mixture_mode_weights.pdf",
        expand(
            "<results>/figures/mixture_{picture}_{target}.pdf",
            picture=["scatter", "histogram"],
            target=config["mixtures"]["targets"],
        ),
        "<results>/tables/calibration.csv",
        "<results>/tables/mixture_order.csv",
        "<results>/tables/mixture_steps.csv",
        # A2 to A4: tuned samplers on other targets.
        expand(
            "<results>/figures/comparison_{name}.pdf",
            name=["curves", "sliced_w2", "energy_distance", "matrix", "error", "scatter"],
        ),
        "<results>/tables/comparison.csv",
        "<results>/tables/comparison_protocol.csv",
        "<results>/tables/comparison_error.csv",
        # B: the theory, study by study; the paper's Table 1; beyond Gaussian mixtures.
        expand("<results>/figures/{study}.pdf", study=config["studies"]),
        expand("<results>/tables/{study}.csv", study=config["studies"]),
        "<results>/tables/table_1.csv",
        "<results>/figures/beyond_mixtures.pdf",
        "<results>/tables/beyond_mixtures.csv",
        "<results>/figures/beyond_mixtures_scatter.pdf",
        # C1: images.
        expand(
            "<results>/figures/{run}_{picture}.pdf",
            run=[run for run in image_runs() if run != "mnist_published"],
            picture=["frechet", "samples"],
        ),
        expand("<results>/tables/{run}.csv", run=image_runs()),
        # C4: distances from the probability flow.
        expand("<results>/figures/{dataset}_flow.pdf", dataset=config["flow_distance"]["datasets"]),
        "<results>/tables/flow_distance.csv",
        # C2: images with exact scores.
        "<results>/figures/exact_images.pdf",
        "<results>/tables/exact_images.csv",
        # C3: score networks and energy networks.
        "<results>/figures/energy_networks.pdf",
        "<results>/tables/energy_networks.csv",
        # D1: the benchmark beside other libraries, as it was measured.
        "<results>/figures/benchmark.pdf",
        "<results>/tables/benchmark.csv",
        # The article, with the verdicts on the paper's claims.
        "<results>/paper.pdf",
        # Notebooks.
        expand(
            "<results>/notebooks/{notebook}.ipynb",
            notebook=[
                "tour",
                "own_score",
                "calibrate",
                "inner_chains",
                "pipeline",
                "mixtures",
                "mnist",
                "theory",
            ],
        ),


include: "experiments/rules/mixtures.smk"
include: "experiments/rules/comparison.smk"
include: "experiments/rules/images.smk"
include: "experiments/rules/exact_images.smk"
include: "experiments/rules/energy_networks.smk"
include: "experiments/rules/benchmark.smk"
include: "experiments/rules/theory.smk"
include: "experiments/rules/beyond_mixtures.smk"
include: "experiments/rules/paper.smk"
include: "experiments/rules/notebooks.smk"
