"""What every target promises, whatever its law. Targets that are added are tested here by name."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from torch import Tensor

from rtk.targets import BEYOND_MIXTURES, TARGETS, Funnel, Target, target
from tests.oracles import DOUBLE, assert_average
from tests.rtk.targets.oracles import noised_samples

NAMES = [*BEYOND_MIXTURES]
ALL = [*TARGETS]


def law(name: str, t: float) -> Target:
    """The target of that name, whose score at time t has a variance to speak of errors with."""
    # E e^-v is e^(9/2) for the funnel at time 0.
    return Funnel(10, 0.5) if name == "funnel" and t == 0.0 else target(name)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("t", [0.0, 1e-4, 0.3, 2.0])
def test_score_is_the_gradient_of_log_prob(name: str, t: float) -> None:
    chosen = target(name)
    x = noised_samples(chosen, 40, t).requires_grad_(True)
    (gradient,) = torch.autograd.grad(chosen.log_prob(x, t).sum(), x)
    error = (chosen.score(x, t) - gradient).norm(dim=1) / gradient.norm(dim=1)
    assert error.max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("t", [0.0, 0.3, 1.5])
@pytest.mark.parametrize("directly", [False, True])
def test_scores_and_samples_belong_together(name: str, t: float, *, directly: bool) -> None:
    """Stein's identities ``E s = 0`` and ``E x_i s_i = -1`` over 2000 samples, 5 standard errors.

    They hold for the score of the law sampled from and fail for one of another sign, time or scale.
    Samples are drawn directly at time t, or made from draws at time 0.
    """
    chosen = law(name, t)
    if directly:
        x = chosen.sample(2000, t, torch.Generator().manual_seed(1), DOUBLE)
    else:
        x = noised_samples(chosen, 2000, t, seed=1)
    score = chosen.score(x, t)
    assert_average(score, 0.0)
    assert_average(x * score, -1.0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("t", [0.0, 0.3, 1.5])
def test_samples_have_the_density_of_log_prob(name: str, t: float) -> None:
    """``E p_t(x + h) / p_t(x) = 1`` over samples x of ``p_t``, n = 20 000, 5 standard errors.

    The shift h is along one coordinate, so small that the ratio has a variance.
    """
    chosen = law(name, t)
    x = chosen.sample(20_000, t, torch.Generator().manual_seed(3), DOUBLE)
    log_prob = chosen.log_prob(x, t)
    for coordinate in (0, 1, 9):
        for shift in (-0.05, 0.05):
            shifted = x.clone()
            shifted[:, coordinate] += shift
            assert_average((chosen.log_prob(shifted, t) - log_prob).exp(), 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_finite_far_away(name: str) -> None:
    chosen = target(name)
    x = 30.0 * torch.randn(50, 10, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    for t in (1e-4, 0.1, 5.0):
        assert torch.isfinite(chosen.score(x, t)).all()
        assert torch.isfinite(chosen.log_prob(x, t)).all()
    assert torch.isfinite(chosen.score(torch.zeros(1, 10, dtype=DOUBLE), 1e-4)).all()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("t", [0.0, 1e-4, 0.3, 2.0])
def test_precision_is_that_of_the_dtype(name: str, t: float) -> None:
    """Results are those of float64, rounded; rows do not depend on each other."""
    chosen = target(name)
    x = noised_samples(chosen, 30, t).float()
    for function in (chosen.score, chosen.log_prob):
        exact = function(x.double(), t)
        for dtype in (torch.float32, torch.bfloat16):
            rounded = x.to(dtype)
            result = function(rounded, t)
            assert result.dtype == dtype
            assert torch.equal(result, function(rounded.double(), t).to(dtype))
        torch.testing.assert_close(function(x.double()[7:9], t), exact[7:9], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_results_do_not_depend_on_ambient_modes(name: str) -> None:
    """First use under inference mode, autocast, and without gradients, then a backward pass."""
    chosen = target(name)
    x = noised_samples(chosen, 20, 0.3).float()
    expected = target(name).score(x, 0.3), target(name).log_prob(x, 0.3)
    draws = target(name).sample(50, 0.3, torch.Generator().manual_seed(0))

    def assert_same() -> None:
        assert torch.equal(chosen.score(x, 0.3), expected[0])
        assert torch.equal(chosen.log_prob(x, 0.3), expected[1])
        assert torch.equal(chosen.sample(50, 0.3, torch.Generator().manual_seed(0)), draws)

    with torch.inference_mode():
        assert_same()
    with torch.autocast("cpu", torch.bfloat16):
        assert_same()
    with torch.no_grad():
        assert_same()
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(chosen.log_prob(leaf, 0.3).sum(), leaf)
    torch.testing.assert_close(gradient, expected[0], rtol=1e-4, atol=1e-4)
    torch.autograd.grad(chosen.score(leaf, 0.3).square().sum(), leaf)


@pytest.mark.parametrize("name", ALL)
def test_a_target_made_under_inference_mode_can_be_differentiated(name: str) -> None:
    with torch.inference_mode():
        chosen = target(name)
    leaf = noised_samples(chosen, 5, 0.3).requires_grad_()
    (gradient,) = torch.autograd.grad(chosen.log_prob(leaf, 0.3).sum(), leaf)
    torch.testing.assert_close(gradient, chosen.score(leaf, 0.3).detach(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_copies_are_the_same_law(name: str) -> None:
    chosen = target(name)
    x = noised_samples(chosen, 20, 0.3)
    score = chosen.score(x, 0.3)
    for copied in (copy.deepcopy(chosen), pickle.loads(pickle.dumps(chosen))):
        assert torch.equal(copied.score(x, 0.3), score)
        assert copied.dimension == chosen.dimension
        # Equality is identity: it never compares arrays.
        assert copied != chosen
    assert len({chosen, chosen}) == 1


@pytest.mark.parametrize("name", ALL)
def test_samples_belong_to_the_generator(name: str) -> None:
    chosen = target(name)
    first, again, other = (
        chosen.sample(9, 0.2, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (9, chosen.dimension)
    assert first.dtype == torch.get_default_dtype()
    for dtype in (torch.float64, torch.bfloat16):
        assert chosen.sample(2, 0.2, dtype=dtype).dtype == dtype


@pytest.mark.parametrize("name", ALL)
def test_calls_reject(name: str) -> None:
    chosen = target(name)
    d = chosen.dimension
    wrong: list[Tensor | object] = [torch.zeros(4, d, dtype=torch.int64), np.zeros((4, d)), None]
    for function in (chosen.score, chosen.log_prob):
        with pytest.raises(ValueError, match=rf"x must have shape \(n, {d}\), got \(4, 9\)"):
            function(torch.zeros(4, 9), 0.1)
        for t in (-0.1, math.nan):
            with pytest.raises(ValueError, match="t must be a time >= 0"):
                function(torch.zeros(4, d), t)
        with pytest.raises(TypeError, match="t must be one number, got 'soon'"):
            function(torch.zeros(4, d), "soon")  # type: ignore[arg-type]
        for x in wrong:
            with pytest.raises(TypeError, match="x must be a floating-point tensor, got"):
                function(x, 0.1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        chosen.sample(0)
    with pytest.raises(ValueError, match="t must be a time >= 0"):
        chosen.sample(3, -0.1)
    for dtype in (torch.int64, "float32"):
        with pytest.raises(TypeError, match="dtype must be a floating-point dtype such as"):
            chosen.sample(3, dtype=dtype)  # type: ignore[arg-type]
