"""The Gaussian base in all three forms of its covariance, against dense matrices."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from rtk.gaussian_base import GaussianBase
from tests.oracles import DOUBLE, Array

D = 5
FORMS = ["diagonal", "full", "low rank"]


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def base_of(form: str) -> tuple[GaussianBase, Tensor]:
    """A base in R^5 and its covariance as a dense matrix."""
    mean, variances = numbers(D, seed=1), torch.tensor([4.0, 1.0, 0.3, 0.05, 2.0], dtype=DOUBLE)
    if form == "diagonal":
        return GaussianBase(mean, variances), torch.diag(variances)
    turn = torch.linalg.qr(numbers(D, D, seed=2))[0]
    if form == "full":
        return GaussianBase(mean, variances, turn), turn @ torch.diag(variances) @ turn.T
    columns, rest = turn[:, :2], 0.7
    known = torch.diag(variances[:2] - rest)
    covariance = columns @ known @ columns.T + rest * torch.eye(D, dtype=DOUBLE)
    return GaussianBase(
        mean, torch.cat([variances[:2], torch.full((D,), rest)]), columns
    ), covariance


def denoise(base: GaussianBase, covariance: Tensor, y: Tensor, sigma: float) -> Tensor:
    """``m + C (C + sigma^2)^-1 (y - m)`` by a linear solve."""
    noisy = covariance + sigma**2 * torch.eye(D, dtype=DOUBLE)
    return base.mean + torch.linalg.solve(noisy, (y - base.mean).T).T @ covariance


@pytest.mark.parametrize("form", FORMS)
def test_the_flow_solves_its_differential_equation(form: str) -> None:
    base, covariance = base_of(form)
    y = 3.0 * numbers(7, D)

    def slope(u: float, flat: Array) -> Array:
        points = torch.from_numpy(flat).reshape(7, D)
        return np.asarray((points - denoise(base, covariance, points, np.exp(u))).flatten())

    ends = solve_ivp(slope, (np.log(3.0), np.log(0.05)), y.flatten().numpy(), rtol=1e-9, atol=1e-11)
    expected = ends.y[:, -1].reshape(7, D)
    np.testing.assert_allclose(base.flow(y, 3.0, 0.05).numpy(), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("form", FORMS)
def test_flows_compose_and_end_at_zero(form: str) -> None:
    base, _ = base_of(form)
    y = numbers(7, D)
    halfway = base.flow(y, 2.0, 0.4)
    torch.testing.assert_close(base.flow(halfway, 0.4, 0.0), base.flow(y, 2.0, 0.0))
    torch.testing.assert_close(base.flow(halfway, 0.4, 2.0), y)


@pytest.mark.parametrize("form", FORMS)
def test_coordinates_are_an_isometry_that_makes_the_covariance_diagonal(form: str) -> None:
    base, covariance = base_of(form)
    y = numbers(7, D)
    z = base.coordinates(y)
    torch.testing.assert_close(z @ z.T, y @ y.T)
    torch.testing.assert_close(base.point(z), y)
    torch.testing.assert_close(base.coordinates(y @ covariance), base.variances * z)
    # The transpose: <coordinates(y), w> = <y, point(w)> for any w.
    w = numbers(3, z.shape[1], seed=4)
    torch.testing.assert_close(z @ w.T, y @ base.point(w).T)


@pytest.mark.parametrize("form", FORMS)
def test_draws_have_the_covariance_of_the_noisy_gaussian(form: str) -> None:
    base, covariance = base_of(form)
    eye = torch.eye(D, dtype=DOUBLE)
    root = base.draw(eye, 0.6) - base.mean
    torch.testing.assert_close(root.T @ root, covariance + 0.36 * eye)
    torch.testing.assert_close(base.draw(torch.zeros_like(eye), 0.6), base.mean.expand(D, D))


@pytest.mark.parametrize("form", FORMS)
def test_the_residual_is_what_the_base_does_not_explain(form: str) -> None:
    base, covariance = base_of(form)
    y, extra = numbers(7, D), numbers(7, D, seed=5)
    denoised = denoise(base, covariance, y, 0.8) + extra
    torch.testing.assert_close(base.residual(denoised, y, 0.8), extra)


def test_a_copy_in_another_precision_is_made_once() -> None:
    base, _ = base_of("full")
    single = base.like(torch.zeros(1, dtype=torch.float32))
    assert single.mean.dtype == single.variances.dtype == torch.float32
    assert single.basis is not None
    assert single.basis.dtype == torch.float32
    assert base.like(torch.ones(3, dtype=torch.float32)) is single
