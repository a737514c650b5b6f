"""Mixtures against scipy, NumPy, closed forms and laws of samples."""

import math
import pickle
from typing import Any, cast

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp
from torch import Tensor

from rtk import GaussianMixture, targets
from tests.oracles import (
    DOUBLE,
    FORMS,
    Array,
    assert_average,
    assert_moments,
    dense_covariances,
    mixture_moments,
    mixture_of,
    spatial,
)

TIMES: dict[str, float | Tensor] = {
    "zero": 0.0,
    "float": 0.4,
    "0-dim": torch.tensor(0.4, dtype=DOUBLE),
    "per row": torch.linspace(0.0, 2.0, 30, dtype=DOUBLE),
}


def points(n: int = 30) -> Tensor:
    return 1.5 * torch.randn(n, 3, generator=torch.Generator().manual_seed(1), dtype=DOUBLE)


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("form", FORMS)
class TestDerivatives:
    def test_log_prob_is_scipys(self, form: str, time: str) -> None:
        mixture, x, t = spatial(form), points(), TIMES[time]
        expected = []
        for row, s in zip(x.numpy(), np.broadcast_to(np.asarray(t), 30), strict=True):
            noise = (1 - math.exp(-2 * s)) * np.eye(3)
            density = sum(
                w
                * stats.multivariate_normal(math.exp(-s) * m, math.exp(-2 * s) * c + noise).pdf(row)
                for w, m, c in zip(
                    mixture.weights.numpy(),
                    mixture.means.numpy(),
                    dense_covariances(mixture),
                    strict=True,
                )
            )
            expected.append(math.log(density))
        np.testing.assert_allclose(mixture.log_prob(x, t), expected, rtol=1e-10, atol=1e-10)

    def test_score_is_the_gradient_of_log_prob(self, form: str, time: str) -> None:
        mixture, t = spatial(form), TIMES[time]
        x = points().requires_grad_()
        (gradient,) = torch.autograd.grad(mixture.log_prob(x, t).sum(), x)
        torch.testing.assert_close(mixture.score(x, t), gradient, rtol=1e-9, atol=1e-10)

    def test_hessian_is_the_jacobian_of_the_score(self, form: str, time: str) -> None:
        mixture, t = spatial(form), TIMES[time]
        x = points().requires_grad_()
        score = mixture.score(x, t)
        rows = [torch.autograd.grad(score[:, i].sum(), x, retain_graph=True)[0] for i in range(3)]
        jacobian = torch.stack(rows, 1)
        torch.testing.assert_close(mixture.hessian(x, t), jacobian, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("t", [0.0, 0.7])
@pytest.mark.parametrize("form", FORMS)
def test_sample_has_the_law_of_p_t(form: str, t: float) -> None:
    # n = 100 000; moments, and the mean of each component's posterior probability: its weight.
    mixture = spatial(form)
    x = mixture.sample(100_000, t, torch.Generator().manual_seed(2)).double()
    assert_moments(x, *mixture_moments(mixture, t))
    shares = mixture.responsibilities(x, t)
    assert_average(shares, mixture.weights.numpy())
    # Components keep their own widths: second moments, weighted by the posterior of each.
    means, covariances = math.exp(-t) * mixture.means.numpy(), dense_covariances(mixture)
    for i, weight in enumerate(mixture.weights.tolist()):
        away = x - torch.from_numpy(means[i])
        width = math.exp(-2 * t) * covariances[i] + (1 - math.exp(-2 * t)) * np.eye(3)
        outer = away[:, :, None] * away[:, None, :]
        assert_average(shares[:, i, None, None] * outer, weight * width)


@pytest.mark.parametrize("form", FORMS)
def test_one_law_in_every_form(form: str) -> None:
    """The fast path, times per row, and the same covariances as matrices agree."""
    mixture, x = spatial(form), points()
    dense = GaussianMixture(
        mixture.weights, mixture.means, torch.tensor(dense_covariances(mixture))
    )
    for t in (0.0, 0.4):
        rows = torch.full((30,), t, dtype=DOUBLE)
        for function in ("score", "log_prob", "hessian", "responsibilities"):
            plain = getattr(mixture, function)(x, t)
            torch.testing.assert_close(plain, getattr(mixture, function)(x, rows))
            torch.testing.assert_close(plain, getattr(dense, function)(x, t))


@pytest.mark.parametrize("form", FORMS)
def test_rows_are_independent_of_each_other(form: str) -> None:
    mixture, x = spatial(form), points()
    torch.testing.assert_close(mixture.score(x, 0.3)[4:9], mixture.score(x[4:9], 0.3))


@pytest.mark.parametrize("t", [0.0, 1e-4, 0.1, 1.0, 5.0])
@pytest.mark.parametrize("name", ["circle", "far", "two-scale"])
def test_single_precision(name: str, t: float) -> None:
    """Scores to 1e-6 of their own size where samples lie, log-densities to 1e-4 absolutely."""
    mixture = targets.mixture(name)
    x = mixture.sample(2000, t, torch.Generator().manual_seed(3)).float()
    single, double = mixture.score(x, t), mixture.score(x.double(), t)
    assert single.dtype == torch.float32
    scale = double.square().mean().sqrt()
    assert float((single - double).abs().max()) < 1e-6 * float(scale)
    energy = mixture.log_prob(x, t)
    assert energy.dtype == torch.float32
    assert float((energy - mixture.log_prob(x.double(), t)).abs().max()) < 1e-4


def log_prob_by_differences(mixture: GaussianMixture, x: Array, t: float) -> Array:
    """``log p_t(x)`` from the definition in NumPy, for equal variances in all directions."""
    variances = np.exp(-2 * t) * mixture.variances[:, 0].numpy() - np.expm1(-2 * t)
    away = x[:, None] - np.exp(-t) * mixture.means.numpy()
    logits = np.log(mixture.weights.numpy()) - 0.5 * (
        np.square(away).sum(2) / variances + x.shape[1] * np.log(2 * np.pi * variances)
    )
    return np.asarray(logsumexp(logits, axis=1))


@pytest.mark.parametrize("t", [0.0, 1e-3, 0.5])
@pytest.mark.parametrize(
    ("offset", "spread", "dimension", "variance"),
    [(1e3, 1.0, 2, 0.1), (0.0, 1e3, 10, 0.007), (1e3, 5.0, 784, 0.05), (-1e6, 2.0, 3, 0.01)],
)
def test_far_means_and_many_pixels_lose_no_digits(
    offset: float, spread: float, dimension: int, variance: float, t: float
) -> None:
    """Single precision within 1e-3 of the truth, double within 1e-6, whatever the form."""
    means = offset + spread * torch.randn(
        5, dimension, generator=torch.Generator().manual_seed(0), dtype=DOUBLE
    )
    weights = torch.tensor([0.1, 0.2, 0.3, 0.15, 0.25], dtype=DOUBLE)
    forms = [
        GaussianMixture(weights, means, variance),
        GaussianMixture(weights, means, torch.full((5, dimension), variance)),
    ]
    double = forms[0].sample(40, t, torch.Generator().manual_seed(1), DOUBLE).float().double()
    expected = log_prob_by_differences(forms[0], double.numpy(), t)
    score = forms[0].score(double, torch.full((40,), t, dtype=DOUBLE))
    # Values above 2^13 are not representable to 1e-3 in single precision.
    single = 1e-3 + np.abs(expected) * 2.0**-24
    for mixture in forms:
        np.testing.assert_allclose(mixture.log_prob(double, t), expected, rtol=1e-9, atol=1e-6)
        error = np.abs(mixture.log_prob(double.float(), t).double().numpy() - expected)
        assert np.all(error <= single)
        torch.testing.assert_close(mixture.score(double, t), score, rtol=1e-6, atol=1e-6)
        rounded = mixture.score(double.float(), t).double()
        torch.testing.assert_close(rounded, score, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("function", ["score", "log_prob", "responsibilities", "hessian"])
def test_ambient_modes_change_nothing(form: str, function: str) -> None:
    x, t = points().float(), torch.linspace(0.0, 1.0, 30)
    expected = getattr(spatial(form), function)(x, 0.4), getattr(spatial(form), function)(x, t)
    for mode in (torch.inference_mode(), torch.autocast("cpu", torch.bfloat16)):
        mixture = spatial(form)
        with mode:
            assert torch.equal(getattr(mixture, function)(x, 0.4), expected[0])
            assert torch.equal(getattr(mixture, function)(x, t), expected[1])
        leaf = x.clone().requires_grad_()
        torch.autograd.grad(getattr(mixture, function)(leaf, 0.4).sum(), leaf)


@pytest.mark.parametrize("form", FORMS)
def test_a_mixture_made_under_inference_mode_can_be_differentiated(form: str) -> None:
    with torch.inference_mode():
        mixture = spatial(form)
    for function in ("score", "log_prob", "responsibilities", "hessian"):
        leaf = points().requires_grad_()
        torch.autograd.grad(getattr(mixture, function)(leaf, 0.4).sum(), leaf)


def test_parameters_are_copies() -> None:
    weights, means, variances = np.array([0.5, 0.5]), np.zeros((2, 3)), np.ones(2)
    mixture = GaussianMixture(weights, means, variances)
    x = torch.ones(4, 3)
    before = mixture.score(x, 0.1)
    for array in (weights, means, variances):
        array += 7.0
    assert torch.equal(mixture.score(x, 0.1), before)
    assert mixture.covariances.tolist() == [1.0, 1.0]


def test_copies_on_devices_are_not_pickled() -> None:
    mixture = spatial("full")
    fresh = len(pickle.dumps(mixture))
    mixture.score(points(), 0.1)
    assert mixture._copies
    assert len(pickle.dumps(mixture)) == fresh
    assert not pickle.loads(pickle.dumps(mixture))._copies
    assert mixture._copies


@pytest.mark.parametrize(
    "covariances",
    [
        [[1.0, 0.9], [0.9, 1.0]],
        [[2.0, 0.3], [0.3, 1.0]],
        [[1.0, 0.0], [0.0, 2.0]],
        [[0.2, 0.5], [0.5, 0.2]],
        [[1.0, 0.1, 0.2], [0.1, 1.0, 0.3], [0.2, 0.3, 1.0]],
    ],
)
def test_ambiguous_covariances_are_refused(covariances: list[list[float]]) -> None:
    """The message names both readings, and either way out works."""
    d = len(covariances)
    weights, means = torch.ones(d), torch.zeros(d, d)
    message = (
        rf"shape \({d}, {d}\) are ambiguous for {d} components in {d} dimensions: for one matrix "
        rf"that all components share, .* \(1, {d}, {d}\); for one diagonal for each component, .* "
        rf"\({d}, {d}, {d}\)"
    )
    with pytest.raises(ValueError, match=message):
        GaussianMixture(weights, means, covariances)
    matrix = torch.tensor(covariances, dtype=DOUBLE)
    if bool((torch.linalg.eigvalsh(matrix) > 0).all()):
        shared = GaussianMixture(weights, means, matrix[None])
        assert torch.equal(shared.covariances, matrix.expand(d, d, d))
    if bool((matrix > 0).all()):
        diagonals = GaussianMixture(weights, means, torch.diag_embed(matrix))
        assert torch.equal(diagonals.variances.sort()[0], matrix.sort()[0])


@pytest.mark.parametrize(
    ("means", "covariances", "expected"),
    [
        ([[0.0], [1.0]], [[0.5], [2.0]], [[0.5], [2.0]]),
        ([[0.0]], [[0.5]], [[0.5]]),
        ([[0.0, 0.0], [1.0, 0.0]], [[0.5, 1.0], [2.0, 3.0]], [[0.5, 1.0], [2.0, 3.0]]),
        ([[0.0, 0.0], [1.0, 0.0]], [[0.5, 0.5], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]),
        ([[0.0, 0.0], [1.0, 0.0]], [0.5, 2.0], [[0.5], [2.0]]),
    ],
)
def test_what_has_one_reading_is_read(means: Any, covariances: Any, expected: Any) -> None:
    mixture = GaussianMixture([1.0] * len(means), means, covariances)
    assert mixture.variances.tolist() == expected


def test_a_shared_matrix_is_that_of_every_component() -> None:
    matrix, x = torch.tensor([[1.0, 0.6], [0.6, 0.8]], dtype=DOUBLE), points()[:, :2]
    means = [[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]]
    shared = GaussianMixture([0.2, 0.3, 0.5], means, matrix[None])
    repeated = GaussianMixture([0.2, 0.3, 0.5], means, matrix.expand(3, 2, 2))
    assert torch.equal(shared.score(x, 0.2), repeated.score(x, 0.2))
    assert torch.equal(shared.covariances, repeated.covariances)


@pytest.mark.parametrize("wrong", [None, "1.0", [[1.0], [1.0, 2.0]], 1j, np.array([1j]), {}])
def test_types_are_checked(wrong: Any) -> None:
    for name in ("weights", "means", "covariances"):
        arguments: dict[str, Any] = {"weights": [1.0], "means": [[0.0]], "covariances": 1.0}
        with pytest.raises(TypeError, match=f"{name} must be an array of real numbers, got"):
            GaussianMixture(**arguments | {name: wrong})


def test_numbers_keep_double_precision() -> None:
    weights, means, variance = cast(Any, ([0.3, 0.7], [[0.1], [0.2]], 0.007))
    mixture = GaussianMixture(weights, means, variance)
    assert mixture.weights.tolist() == [0.3, 0.7]
    assert mixture.means.tolist() == [[0.1], [0.2]]
    assert mixture.variances[0].item() == 0.007


def test_far_away_is_finite() -> None:
    x = torch.tensor([[1e4, -1e4, 0.0], [0.0, 1e3, 1e3]], dtype=DOUBLE)
    for form in FORMS:
        mixture = spatial(form)
        assert torch.isfinite(mixture.score(x, 0.1)).all()
        assert torch.isfinite(mixture.log_prob(x, 0.1)).all()


def test_weights_are_normalised() -> None:
    mixture = mixture_of([6.0, 2.0], [[0.0], [1.0]], 1.0)
    assert mixture.weights.tolist() == [0.75, 0.25]


@pytest.mark.parametrize("form", FORMS)
def test_a_component_of_no_weight_is_not_there(form: str) -> None:
    whole, x = spatial(form), points()
    covariances: Any = whole.covariances
    covariances = covariances if covariances.ndim == 0 else covariances[:2]
    without = GaussianMixture(whole.weights[:2], whole.means[:2], covariances)
    weights = [*whole.weights[:2].tolist(), 0.0]
    ghost = mixture_of(weights, whole.means.tolist(), whole.covariances)
    for function in ("score", "log_prob", "hessian"):
        expected = getattr(without, function)(x, 0.2)
        torch.testing.assert_close(getattr(ghost, function)(x, 0.2), expected)
    kernel = ghost.reverse_transition(x, 0.5, 0.2)
    expected = without.reverse_transition(x, 0.5, 0.2).log_prob(x)
    torch.testing.assert_close(kernel.log_prob(x), expected)


def test_sample_belongs_to_the_generator() -> None:
    mixture = spatial("full")
    first, again, other = (
        mixture.sample(50, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (50, 3)
    assert first.dtype == torch.get_default_dtype()


ONE = ([1.0], [[0.0, 0.0]])


@pytest.mark.parametrize(
    ("weights", "means", "covariances", "message"),
    [
        ([0.5, -0.5], [[0.0], [1.0]], 1.0, "weights must be non-negative"),
        ([0.0, 0.0], [[0.0], [1.0]], 1.0, "weights must be non-negative with a positive sum"),
        ([math.nan, 1.0], [[0.0], [1.0]], 1.0, "weights must be finite"),
        ([1.0], [[math.inf]], 1.0, "means must be finite"),
        (*ONE, math.nan, "covariances must be finite"),
        ([1.0, 1.0], [[0.0]], 1.0, r"weights of shape \(m,\) and means of shape \(m, d\)"),
        ([[1.0]], [[0.0]], 1.0, r"weights of shape \(m,\)"),
        ([1.0], [0.0], 1.0, r"means of shape \(m, d\)"),
        (*ONE, [1.0, 1.0], r"covariances must be a scalar or have shape \(1,\)"),
        (*ONE, [[1.0, 1.0, 1.0]], r"covariances must be a scalar or have shape"),
        (*ONE, [[[1.0, 0.5], [0.1, 1.0]]], "covariances must be symmetric"),
        (*ONE, [[[1.0, 2.0], [2.0, 1.0]]], "positive definite, the smallest eigenvalue is -1"),
        (*ONE, 0.0, "positive definite"),
        (*ONE, [-1.0], "positive definite"),
        (*ONE, [[1.0, -1.0]], "positive definite"),
    ],
)
def test_rejects(weights: Any, means: Any, covariances: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GaussianMixture(weights, means, torch.as_tensor(covariances))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("function", ["score", "log_prob", "hessian"])
def test_calls_reject(form: str, function: str) -> None:
    call = getattr(spatial(form), function)
    with pytest.raises(ValueError, match=r"x must have shape \(n, 3\), got \(4, 2\)"):
        call(torch.zeros(4, 2), 0.1)
    with pytest.raises(ValueError, match=r"x must have shape \(n, 3\), got \(3,\)"):
        call(torch.zeros(3), 0.1)
    for t in (-0.1, math.nan, torch.tensor(-0.1), torch.tensor([0.1, -0.1, 0.1, 0.1])):
        with pytest.raises(ValueError, match="time >= 0"):
            call(torch.zeros(4, 3), t)
    with pytest.raises(ValueError, match=r"t must be a scalar or have shape \(4,\), got \(3,\)"):
        call(torch.zeros(4, 3), torch.ones(3))
    with pytest.raises(TypeError, match="floating-point"):
        call(torch.zeros(4, 3, dtype=torch.int64), 0.1)


def test_sample_rejects() -> None:
    mixture = spatial("scalar")
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        mixture.sample(0)
    with pytest.raises(ValueError, match="time >= 0"):
        mixture.sample(3, t=-0.1)
