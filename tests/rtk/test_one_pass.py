"""`score_and_log_prob`: what one pass gives is what two give, and counts as one of each."""

from typing import Any

import pytest
import torch
from torch import Tensor

import rtk
from rtk import targets
from rtk.targets.base import Target
from tests.oracles import DOUBLE, skewed

EXACT = ["rtk-mala", "rtk-hmc", "rtk-ghmc"]


def run(method: str, target: Target, **options: Any) -> rtk.Result:
    return rtk.sample(
        target.score, 2, 200, method, nfe=24, dtype=DOUBLE, log_prob=target.log_prob, **options
    )


@pytest.mark.parametrize("method", EXACT)
def test_samples_and_counts_are_those_of_two_passes(method: str) -> None:
    target = skewed()
    one = run(method, target, score_and_log_prob=target.score_and_log_prob)
    two = run(method, target)
    torch.testing.assert_close(one.samples, two.samples, rtol=1e-12, atol=1e-12)
    assert one.nfe == two.nfe
    assert one.diagnostics.log_prob_evaluations == two.diagnostics.log_prob_evaluations > 0


@pytest.mark.parametrize("method", EXACT)
def test_one_pass_takes_the_place_of_both(method: str) -> None:
    """Only warm starts and denoising still need a score without a density."""
    target = skewed()
    calls = {"score": 0, "log_prob": 0, "both": 0}

    def counted(name: str, function: Any) -> Any:
        def call(x: Tensor, t: float) -> Any:
            calls[name] += len(x)
            return function(x, t)

        return call

    result = rtk.sample(
        counted("score", target.score),
        2,
        50,
        method,
        nfe=24,
        segments=3,
        warm_start="x",
        denoise=False,
        log_prob=counted("log_prob", target.log_prob),
        score_and_log_prob=counted("both", target.score_and_log_prob),
    )
    assert calls["log_prob"] == 0
    assert calls["score"] + calls["both"] == 50 * result.nfe
    assert calls["both"] == 50 * result.diagnostics.log_prob_evaluations > 0
    if method != "rtk-hmc":  # Its inner leapfrog steps need no density.
        assert calls["score"] == 0


@pytest.mark.parametrize(
    "target",
    [
        rtk.GaussianMixture([1.0], [[0.3, 0.0, 1.0]], 0.5),
        rtk.GaussianMixture([0.2, 0.8], [[0.0, 1.0, 2.0], [3.0, -1.0, 0.5]], [0.1, 2.0]),
        rtk.GaussianMixture([0.5, 0.5], torch.eye(2, 3), torch.tensor([[1.0, 0.2, 3.0]] * 2)),
        rtk.GaussianMixture([0.5, 0.5], torch.eye(2, 3), torch.eye(3)[None] + 0.3),
        targets.Funnel(3),
    ],
    ids=["gaussian", "isotropic", "diagonal", "full", "funnel"],
)
@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_targets_give_both(target: Target, dtype: torch.dtype) -> None:
    x = 2.0 * torch.randn(7, 3, dtype=dtype, generator=torch.Generator().manual_seed(1))
    before = x.clone()
    score, log_prob = target.score_and_log_prob(x, 0.4)
    assert score.dtype == log_prob.dtype == dtype
    assert torch.equal(x, before)
    torch.testing.assert_close(score, target.score(x, 0.4), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(log_prob, target.log_prob(x, 0.4), rtol=1e-6, atol=1e-6)


def test_a_mixture_leaves_its_argument_alone() -> None:
    """In one dimension and float64 the transposed argument needs no copy, so one must be made."""
    x = torch.ones(3, 1, dtype=DOUBLE)
    rtk.GaussianMixture([1.0], [[0.5]], 1.0).score(x, 0.1)
    assert torch.equal(x, torch.ones(3, 1, dtype=DOUBLE))


def test_a_zero_weight_and_points_far_away() -> None:
    mixture = rtk.GaussianMixture([1.0, 0.0], [[0.0, 0.0], [1.0, 1.0]], 1.0)
    x = torch.tensor([[1e6, -1e6], [1.0, 1.0]], dtype=DOUBLE)
    score, log_prob = mixture.score_and_log_prob(x, 0.0)
    torch.testing.assert_close(score, -x)
    torch.testing.assert_close(
        log_prob, -0.5 * x.square().sum(1) - torch.log(torch.tensor(2 * torch.pi))
    )


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (lambda x, t: -x, TypeError, "score_and_log_prob returned Tensor, expected a pair"),
        (lambda x, t: (-x, x), ValueError, r"log_prob returned shape \(4, 2\).*expected \(4,\)"),
        (lambda x, t: (x[:, 0], x[:, 0]), ValueError, r"score returned shape \(4,\)"),
        (lambda x, t: (-x, None), TypeError, "log_prob returned NoneType"),
    ],
)
def test_wrong_answers(answer: Any, error: type[Exception], words: str) -> None:
    target = skewed()
    densities = {"log_prob": target.log_prob, "score_and_log_prob": answer}
    with pytest.raises(error, match=words):
        rtk.sample(target.score, 2, 4, "rtk-mala", nfe=12, **densities)


def test_it_needs_log_prob_too() -> None:
    target = skewed()
    with pytest.raises(ValueError, match="score_and_log_prob needs log_prob too"):
        rtk.sample(target.score, 2, 4, score_and_log_prob=target.score_and_log_prob)
    with pytest.raises(TypeError, match="must be a callable"):
        run("rtk-mala", target, score_and_log_prob=3)
