"""The metrics by which A1 judges samples of the paper's mixtures, a sampler's and exact ones."""

from collections.abc import Mapping
from typing import Any

from rtk import metrics


def judge(
    samples: metrics.Samples, reference: metrics.Reference, options: Mapping[str, Any]
) -> dict[str, metrics.Estimate]:
    """All metrics of the experiment for one set of samples.

    Args:
        samples: the samples, (n, d).
        reference: the mixture and exact samples of it.
        options: settings of the metrics, as in the configuration: ``bins`` and ``range`` of the
            marginal accuracy, and ``sinkhorn`` with points, replicates and regularisation of the
            Sinkhorn cost.

    Returns:
        Metric -> estimate.
    """
    interval = tuple(options["range"])
    sinkhorn = options["sinkhorn"]
    return {
        "marginal_accuracy": metrics.marginal_accuracy(
            samples, reference, options["bins"], interval
        ),
        "halved_marginal_accuracy": metrics.halved_marginal_accuracy(
            samples, reference, options["bins"], interval
        ),
        "histogram_tv": metrics.histogram_tv(samples, reference),
        "mode_weight_tv": metrics.mode_weight_tv(samples, reference),
        "radial_tv": metrics.radial_tv(samples, reference),
        "sliced_w2": metrics.sliced_w2(samples, reference),
        "energy_distance": metrics.energy_distance(
            samples, reference, size=min(500, len(samples) // 10), replicates=10
        ),
        "sinkhorn": metrics.sinkhorn_cost(
            samples,
            reference,
            regularisation=sinkhorn["regularisation"],
            size=sinkhorn["points"],
            replicates=sinkhorn["replicates"],
        ),
    }
