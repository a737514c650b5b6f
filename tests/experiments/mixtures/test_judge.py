"""A1: the metrics of exact samples, and of samples that are shifted."""

import torch

from experiments.mixtures.judge import judge
from rtk import metrics, targets


def test_judge_of_exact_samples_is_near_the_floor() -> None:
    mixture = targets.circle()
    reference = metrics.Reference.of(mixture, size=4000)
    samples = mixture.sample(4000, generator=torch.Generator().manual_seed(0))
    options = {
        "bins": 200,
        "range": [-1.5, 1.5],
        "sinkhorn": {"points": 200, "replicates": 2, "regularisation": 0.1},
    }
    exact = judge(samples, reference, options)
    assert exact["marginal_accuracy"].value > 0.95
    assert exact["mode_weight_tv"].value < 0.05
    shifted = judge(samples + 0.3, reference, options)
    for name in ("histogram_tv", "mode_weight_tv", "sliced_w2", "energy_distance", "sinkhorn"):
        assert shifted[name].value > exact[name].value
