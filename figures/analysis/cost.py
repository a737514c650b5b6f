"""How the time of each experiment's jobs grows with the sizes of the configuration.

A job has parts. The time of a part is proportional to a product of sizes, which `PARTS` names. So
the time of the job grows by a factor between the smallest and the largest over its parts. `factor`
is the largest: an upper estimate, which needs no knowledge of how large the parts are. Where
targets have numbers of chains of their own, each target is a part, as a chain costs more on some
than on others.
"""

from collections.abc import Callable, Mapping
from math import log10
from typing import Any

from experiments.workflow import configuration

Sizes = Mapping[str, Any]
"""The configuration of a scale, as the Snakefile joins it."""

Parts = list[float] | dict[Any, float]
"""A product of sizes for each part of a job, in a fixed order or by target and part."""

TRAINING = {"fine": 32, "coarse": 64, "steps": 13_000, "batch": 64}
"""Defaults of `experiments.images.train.Training`."""


def settings(sizes: Sizes, dataset: str) -> dict[str, int]:
    """The settings with which the score network of a data set is trained."""
    images = sizes["images"]
    return TRAINING | images["score"] | images["datasets"][dataset].get("score", {})


def channels(sizes: Sizes, dataset: str) -> float:
    """Operations of one call of the score network, which grow as ``fine * coarse``."""
    network = settings(sizes, dataset)
    return float(network["fine"] * network["coarse"])


def mixtures(sizes: Sizes, _: str) -> Parts:
    """Sampling, and the Sinkhorn distance, whose matrices are square."""
    own = sizes["mixtures"]
    sinkhorn = own["metrics"]["sinkhorn"]
    pairs = sinkhorn["points"] ** 2 * sinkhorn["replicates"]
    return [own["chains"] * sum(own["nfe"]), pairs * len(own["nfe"])]


def mixture_floor(sizes: Sizes, _: str) -> Parts:
    """The metrics of one set of samples."""
    sinkhorn = sizes["mixtures"]["metrics"]["sinkhorn"]
    return [sizes["mixtures"]["chains"], sinkhorn["points"] ** 2 * sinkhorn["replicates"]]


def mixture_steps(sizes: Sizes, job: str) -> Parts:
    """Sampling with every step size; ``job`` is the mixture."""
    own = sizes["mixture_steps"]
    return [own["chains"] * len(own["steps"]) * sum(own["nfe"][job])]


def beyond_mixtures(sizes: Sizes, _: str) -> Parts:
    """Sampling, and the score's errors at single points."""
    own = sizes["beyond_mixtures"]
    return [own["chains"] * sum(own["nfe"]), own["score_points"]]


def images(sizes: Sizes, job: str) -> Parts:
    """Sampling with the network; ``job`` is ``DATASET/METHOD``, or that of the published protocol.

    Methods that run only there take as long, together, as their number is to that of the others.
    """
    run = job.split("/")[0]
    dataset = run.removesuffix("_published")
    own = sizes["images"]["datasets"][dataset]
    images = own["images"] * sizes["images"]["seeds"]
    if run == dataset:
        images *= len(sizes["images"].get("subset", sizes["images"]["methods"]))
    return [images * sum(own["nfe"]) * channels(sizes, dataset), images * len(own["nfe"])]


def calibration(sizes: Sizes, job: str) -> Parts:
    """The score network on a pilot, which is the same at all scales, and for every solver."""
    budgets = configuration.calibrated_budgets(sizes, job)
    return [channels(sizes, job), channels(sizes, job) * sum(budgets)]


def flow_distance(sizes: Sizes, job: str) -> Parts:
    """Sampling, and the flow's solution; data sets that run only there count for the others."""
    own = sizes["flow_distance"]
    rows = own["images"] * len(own["datasets"]) * channels(sizes, job)
    return [rows * sum(own["nfe"]), rows * own["steps"]]


def images_tuning(sizes: Sizes, _: str) -> Parts:
    """Sampling with a network that is the same at all scales, once for each candidate."""
    own = sizes["images"]["tuning"]
    rows = own["images"] * sizes["images"]["budget"]
    return [rows * sum(own["nfe"]), rows * len(own["nfe"])]


def images_floor(sizes: Sizes, job: str) -> Parts:
    """Features of as many images as are sampled."""
    return [sizes["images"]["datasets"][job]["images"]]


def training(sizes: Sizes, job: str) -> Parts:
    """Steps of the score network; ``job`` is the data set."""
    own = settings(sizes, job)
    return [own["steps"] * own["batch"] * channels(sizes, job)]


def tuning(sizes: Sizes, _: str) -> Parts:
    """Sampling on each tuning target, once for each candidate."""
    own = sizes["comparison"]
    each = own["budget"] * sum(own["nfe"])
    return {target: each * chains for target, chains in own["tuning"].items()}


def comparison(sizes: Sizes, _: str) -> Parts:
    """Sampling on each target, and metrics of every batch and of all samples there."""
    own = sizes["comparison"]
    return _on_targets(own["targets"], [sum(own["nfe"]), len(own["nfe"]) * (own["batches"] + 1)])


def _on_targets(chains: Mapping[str, int], each: list[float]) -> Parts:
    """The parts of a job that does the same on all targets, from those of a single chain."""
    return {(name, k): n * part for name, n in chains.items() for k, part in enumerate(each)}


def comparison_floor(sizes: Sizes, _: str) -> Parts:
    """Metrics of exact samples."""
    return dict(sizes["comparison"]["targets"])


def score_errors(sizes: Sizes, _: str) -> Parts:
    """As `comparison`, for every kind and size of error."""
    own = sizes["score_errors"]
    cases = 1 + len(own["kinds"]) * len(own["sizes"])
    each = [cases * sum(own["nfe"]), cases * len(own["nfe"]) * (own["batches"] + 1)]
    return _on_targets(own["targets"], each)


def score_errors_floor(sizes: Sizes, _: str) -> Parts:
    """Metrics of exact samples."""
    return dict(sizes["score_errors"]["targets"])


def exact_images(sizes: Sizes, job: str) -> Parts:
    """Scores of all chains against all images: of the methods, and of the sweep over segments.

    Collections that run only there count for the others, by the numbers of an image.
    """
    own = sizes["exact_images"]
    numbers = sum(3072 if name == "cifar10" else 784 for name in own["collections"])
    pairs = numbers * own["collections"][job]["images"] * own["collections"][job]["chains"]
    return [pairs * sum(own["nfe"]), pairs * len(own["sweep"]["counts"]) * own["sweep"]["nfe"]]


def energy_networks(sizes: Sizes, job: str) -> Parts:
    """Scores of all chains, and, on a mixture, the states on which networks are trained."""
    own = sizes["energy_networks"]
    chains = own["targets"][job]["chains"] * sum(own["targets"][job]["nfe"])
    trained = own["training"]["steps"] * own["training"]["batch"]
    return [chains] if job == "mnist" else [chains, trained]


def log_concavity(sizes: Sizes, _: str) -> Parts:
    """Hessians at points."""
    own = sizes["log_concavity"]
    return [own["points"] * len(own["times"])]


def mixing(sizes: Sizes, _: str) -> Parts:
    """Eigenvalues of dense matrices, and chains."""
    own = sizes["mixing"]
    dense = len(own["modes"]) * own["noisy_ends"] * own["cells"] ** 3
    return [dense, len(own["targets"]) * own["chains"] * own["steps"]]


def network_curvature(sizes: Sizes, _: str) -> Parts:
    """Products with the Jacobian of the network."""
    own = sizes["network_curvature"]
    return [own["images"] * own["iterations"] * len(own["times"]) * channels(sizes, "mnist")]


def segment_count(sizes: Sizes, _: str) -> Parts:
    """Laws of as many steps of DDPM as an accuracy takes, at most its inverse, and mixtures."""
    own = sizes["segment_count"]
    steps = sum(1.0 / accuracy for accuracy in own["accuracies"])
    return [steps, len(own["dimensions"]) / own["accuracy"], sizes["log_concavity"]["points"]]


def inner_chain(sizes: Sizes, _: str) -> Parts:
    """Stationary laws of dense matrices, and steps of the chains."""
    own = sizes["inner_chain"]
    return [own["cells"] ** 3, max(own["steps"]) * own["cells"] ** 2]


def convergence(sizes: Sizes, _: str) -> Parts:
    """Laws of up to ``most`` steps by accuracy, and RTK-MALA's powers of dense matrices."""
    own = sizes["convergence"]
    rules = own["per_decade"] * log10(1.0 / own["smallest"])
    dense = own["per_decade"] * log10(1.0 / own["mala_smallest"]) * own["cells"] ** 3
    return [rules * sum(own["most"].values()), dense]


def dimension(sizes: Sizes, _: str) -> Parts:
    """Searches for steps, at most as many as the inverse accuracy, in every dimension."""
    own = sizes["dimension"]
    return [len(own["dimensions"]) * sum(1.0 / accuracy for accuracy in own["accuracies"])]


def product_laws(sizes: Sizes, _: str) -> Parts:
    """Steps of solvers, inner steps of chains, and steps of RTK-MALA on grids."""
    own = sizes["product_laws"]
    square = own["cells"] ** 2
    chains = sum(1.0 / share for share in own["shares"])
    mala = sum(own["inner_steps"]) * own["mala_cells"] ** 3
    return [sum(own["nfe"]) * square, chains * square, mala]


def robustness(sizes: Sizes, _: str) -> Parts:
    """Dense matrices, steps of the solvers, and inner steps, for every size of the error."""
    own = sizes["robustness"]
    each = [own["cells"] ** 3, own["baseline_steps"], own["inner_steps"]]
    return [len(own["epsilons"]) * size for size in each]


def energy_estimators(sizes: Sizes, _: str) -> Parts:
    """Dense matrices, proposals, and whole chains."""
    own = sizes["energy_estimators"]
    return [own["cells"] ** 3, own["proposals"], own["chains"] * sum(own["nfe"])]


def cheeger(sizes: Sizes, _: str) -> Parts:
    """Sparse eigenvalue problems in two coordinates."""
    own = sizes["cheeger"]
    return [(1 + len(own["dimensions"])) * len(own["truncations"]) * own["cells"] ** 3]


def segment_length(sizes: Sizes, _: str) -> Parts:
    """Laws on the Gaussian, and simulations on the mixture of each dimension."""
    own = sizes["segment_length"]
    runs = len(own["mixture_counts"]) * own["mixture_nfe"]
    exact = len(own["nfe"]) * sum(own["counts"])
    simulated = {each["dimension"]: runs * each["chains"] for each in own["sizes"]}
    return {"exact": exact, **simulated}


def calibrated_solver(sizes: Sizes, _: str) -> Parts:
    """Chains of all variants on each target, and dense covariances of the memory test."""
    own = sizes["calibrated_solver"]
    runs = own["repetitions"] * sum(own["nfe"])
    covariances = sum(dimension**3 for dimension in own["dimensions"])
    simulated = {target: runs * chains for target, chains in own["chains"].items()}
    return {"covariances": covariances, **simulated}


def kernel_invariance(sizes: Sizes, _: str) -> Parts:
    """Maps of laws, which are matrices."""
    own = sizes["kernel_invariance"]
    return [sum(own["nfe"]) * len(own["taus"]) * own["cells"] ** 2]


def mutants(_: Sizes, __: str) -> Parts:
    """All scales have the same sizes."""
    return [1.0]


PARTS: dict[str, tuple[str, Callable[[Sizes, str], Parts]]] = {
    "simulate_mixture": ("mixtures", mixtures),
    "mixture_floor": ("mixtures", mixture_floor),
    "mixture_steps": ("mixtures", mixture_steps),
    "simulate_beyond_mixtures": ("beyond mixtures", beyond_mixtures),
    "sample_images": ("images", images),
    "calibrate_images": ("images", calibration),
    "tune_images": ("images", images_tuning),
    "images_floor": ("images", images_floor),
    "flow_distance": ("images", flow_distance),
    "train_score": ("training", training),
    "tune": ("tuning", tuning),
    "compare": ("comparison", comparison),
    "comparison_floor": ("comparison", comparison_floor),
    "compare_with_score_errors": ("score errors", score_errors),
    "score_errors_floor": ("score errors", score_errors_floor),
    "sample_exact_images": ("exact images", exact_images),
    "sample_energy_networks": ("energy networks", energy_networks),
    **{
        study.__name__: (study.__name__.replace("_", " "), study)
        for study in (
            log_concavity,
            mixing,
            network_curvature,
            segment_count,
            inner_chain,
            convergence,
            dimension,
            product_laws,
            robustness,
            energy_estimators,
            cheeger,
            segment_length,
            calibrated_solver,
            kernel_invariance,
            mutants,
        )
    },
}
"""Rule or study -> its experiment in print, and ``(sizes, job) -> products``, one for each part."""


def factor(rule: str, job: str, here: Sizes, there: Sizes) -> float:
    """How many times longer a job takes at the sizes ``there`` than ``here``, at most.

    Args:
        rule: a key of `PARTS`.
        job: the wildcards of the job, joined by slashes.
        here, there: the configurations of two scales.

    Targets that are new there take as long, together, as their number is to that of the others.

    Raises:
        KeyError: if nothing is known of the rule.
    """
    now, then = (
        parts if isinstance(parts, dict) else dict(enumerate(parts))
        for parts in (PARTS[rule][1](sizes, job) for sizes in (here, there))
    )
    shared = [part for part in then if part in now]
    return max(then[part] / now[part] for part in shared) * len(then) / len(shared)
