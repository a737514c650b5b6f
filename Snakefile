# Every check, figure and table of the companion.
#
#   snakemake --cores all                         default scale, into results/
#   snakemake --cores all --config scale=smoke    or scale=paper, into results/<scale>/
#
# The rules of each experiment stand beside its scripts.
from snakemake.utils import min_version, validate

min_version("9.14")


include: "experiments/common.smk"


SCALE = check_scale(config.setdefault("scale", "default"))


configfile: "experiments/config/protocol.yaml"
configfile: f"experiments/config/{SCALE}.yaml"


validate(config, "experiments/config/schema.yaml")


pathvars:
    results="results" if SCALE == "default" else f"results/{SCALE}",
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


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
        # B1: where the kernel is log-concave.
        "<results>/figures/log_concavity.pdf",
        # B2: how many segments there must be.
        "<results>/figures/segment_count.pdf",
        "<results>/tables/segment_count.csv",
        # B3: how the inner chain converges on one segment.
        "<results>/figures/inner_chain.pdf",
        "<results>/tables/inner_chain.csv",
        # B3: how accuracy costs over the whole chain.
        "<results>/figures/convergence.pdf",
        "<results>/tables/convergence.csv",
        # C1: MNIST.
        "<results>/figures/mnist_frechet.pdf",
        "<results>/figures/mnist_samples.pdf",


include: "experiments/mixtures.smk"
include: "experiments/log_concavity.smk"
include: "experiments/inner_chain.smk"
include: "experiments/mnist.smk"
include: "experiments/convergence.smk"
include: "experiments/segment_count.smk"
