# Every check, figure and table of the companion.
#
#   snakemake --cores all                         default scale, into results/
#   snakemake --cores all --config scale=smoke    or scale=paper, into results/<scale>/
#
# The rules of each experiment stand beside its scripts.
from snakemake.utils import min_version, validate

min_version("9.14")


include: "experiments/rules/common.smk"


SCALE = check_scale(config.setdefault("scale", "default"))


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
        # B1: where the kernel is log-concave, how chains mix beyond, and a learned score.
        "<results>/figures/log_concavity.pdf",
        "<results>/tables/log_concavity.csv",
        "<results>/figures/mixing.pdf",
        "<results>/tables/mixing.csv",
        "<results>/figures/network_curvature.pdf",
        "<results>/tables/network_curvature.csv",
        # B2: how many segments there must be.
        "<results>/figures/segment_count.pdf",
        "<results>/tables/segment_count.csv",
        # B3: how accuracy costs, on one segment and over the whole chain.
        "<results>/figures/inner_chain.pdf",
        "<results>/tables/inner_chain.csv",
        "<results>/figures/convergence.pdf",
        "<results>/tables/convergence.csv",
        # B4: the cost against the dimension; the paper's Table 1.
        "<results>/figures/dimension.pdf",
        "<results>/tables/dimension.csv",
        "<results>/tables/table_1.csv",
        # B5: errors of the score and of the energy difference.
        "<results>/figures/robustness.pdf",
        "<results>/tables/robustness.csv",
        # B6: energy differences from scores.
        "<results>/figures/energy_estimators.pdf",
        "<results>/tables/energy_estimators.csv",
        # B7: the Cheeger constant of truncated kernels.
        "<results>/figures/cheeger.pdf",
        "<results>/tables/cheeger.csv",
        # B8: beyond Gaussian mixtures.
        "<results>/figures/beyond_mixtures.pdf",
        "<results>/tables/beyond_mixtures.csv",
        "<results>/figures/beyond_mixtures_scatter.pdf",
        # B9: the number of segments at a fixed cost.
        "<results>/figures/segment_length.pdf",
        "<results>/tables/segment_length.csv",
        # C1: MNIST.
        "<results>/figures/mnist_frechet.pdf",
        "<results>/figures/mnist_samples.pdf",
        # The article, with the verdicts on the paper's claims.
        "<results>/paper.pdf",
        # Notebooks.
        expand(
            "<results>/notebooks/{notebook}.ipynb",
            notebook=["tour", "own_score", "mixtures", "mnist", "theory"],
        ),


include: "experiments/rules/mixtures.smk"
include: "experiments/rules/mnist.smk"
include: "experiments/rules/log_concavity.smk"
include: "experiments/rules/mixing.smk"
include: "experiments/rules/network_curvature.smk"
include: "experiments/rules/segment_count.smk"
include: "experiments/rules/inner_chain.smk"
include: "experiments/rules/convergence.smk"
include: "experiments/rules/dimension.smk"
include: "experiments/rules/robustness.smk"
include: "experiments/rules/energy_estimators.smk"
include: "experiments/rules/cheeger.smk"
include: "experiments/rules/beyond_mixtures.smk"
include: "experiments/rules/segment_length.smk"
include: "experiments/rules/paper.smk"
include: "experiments/rules/notebooks.smk"
