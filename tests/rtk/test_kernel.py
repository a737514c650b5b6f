import math

import numpy as np
import pytest
import torch
from torch import Tensor

from rtk import ReverseTransition
from rtk.energy import (
    SIMPSON,
    TRAPEZOID,
    EnergyDifference,
    gauss_legendre,
    potential_difference,
)
from rtk.segments import critical_length
from tests.oracles import (
    DOUBLE,
    FORMS,
    assert_average,
    assert_moments,
    mixture_moments,
    skewed,
    spatial,
)

T_HI, T_LO = 0.9, 0.25
ETA = T_HI - T_LO


def pairs(n: int = 20) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    x, z = torch.randn(2, n, 3, generator=generator, dtype=DOUBLE)
    return x, 1.5 * z


def quadratic(x: Tensor, z: Tensor) -> Tensor:
    """``|x - e^-eta z|^2 / (2 (1 - e^-2eta))``."""
    return (x - math.exp(-ETA) * z).square().sum(1) / (2 * (1 - math.exp(-2 * ETA)))


@pytest.mark.parametrize("form", FORMS)
class TestExactKernel:
    def test_density_is_bayes_rule(self, form: str) -> None:
        """p(z | x) = p_lo(z) q(x | z) / p_hi(x), the normalisation included."""
        mixture = spatial(form)
        x, z = pairs()
        log_forward = -quadratic(x, z) - 1.5 * math.log(2 * math.pi * (1 - math.exp(-2 * ETA)))
        expected = mixture.log_prob(z, T_LO) + log_forward - mixture.log_prob(x, T_HI)
        actual = mixture.reverse_transition(x, T_HI, T_LO).log_prob(z)
        torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-10)

    def test_potential_differences_are_those_of_the_density(self, form: str) -> None:
        mixture = spatial(form)
        x, z = pairs()
        kernel = ReverseTransition(mixture.score, x, T_HI, T_LO, mixture.log_prob)
        exact = mixture.reverse_transition(x, T_HI, T_LO)
        expected = exact.log_prob(z) - exact.log_prob(z + 0.3)
        torch.testing.assert_close(potential_difference(kernel, z, z + 0.3), expected)

    def test_it_carries_p_hi_to_p_lo(self, form: str) -> None:
        # n = 60 000 pairs: the law of z, and its covariance with the x it came from.
        mixture = spatial(form)
        x = mixture.sample(60_000, T_HI, torch.Generator().manual_seed(6)).double()
        kernel = mixture.reverse_transition(x, T_HI, T_LO)
        z = kernel.sample(torch.Generator().manual_seed(7))
        mean, covariance = mixture_moments(mixture, T_LO)
        assert_moments(z, mean, covariance)
        assert_average(mixture.responsibilities(z, T_LO), mixture.weights.numpy())
        away = z - torch.from_numpy(mean)
        # x = e^-eta z + noise, so Cov(z, x) = e^-eta Cov(z).
        assert_average(away[:, :, None] * x[:, None, :], math.exp(-ETA) * covariance)

    def test_draws_from_one_x_have_its_mean(self, form: str) -> None:
        # n = 60 000 draws. E[z | x] = e^eta (x + (1 - e^-2eta) s(x, t_hi)), Tweedie once more.
        mixture = spatial(form)
        x = torch.tensor([[0.4, -0.8, 0.3]], dtype=DOUBLE)
        score = mixture.score(x, T_HI)
        expected = math.exp(ETA) * (x + (1 - math.exp(-2 * ETA)) * score)
        kernel = mixture.reverse_transition(x.expand(60_000, 3), T_HI, T_LO)
        torch.testing.assert_close(kernel.mean()[:1], expected)
        assert_average(kernel.sample(torch.Generator().manual_seed(8)), expected.numpy())


def test_exact_kernel_integrates_to_one() -> None:
    x = torch.tensor([[0.4, -0.8]], dtype=DOUBLE)
    axis = torch.linspace(-7, 7, 281, dtype=DOUBLE)
    z = torch.cartesian_prod(axis, axis)
    kernel = skewed().reverse_transition(x.expand(len(z), 2), T_HI, T_LO)
    # The rectangle rule is exact to rounding for a smooth function that vanishes at the border.
    assert float(kernel.log_prob(z).exp().sum()) * 0.05**2 == pytest.approx(1.0, abs=1e-10)


def test_transform_picks_components_by_their_weights() -> None:
    mixture = skewed()
    x = torch.tensor([[-0.2, 0.1]], dtype=DOUBLE)
    uniform = (torch.arange(1000, dtype=DOUBLE) + 0.5) / 1000
    kernel = mixture.reverse_transition(x.expand(1000, 2), T_HI, T_LO)
    z = kernel.transform(uniform, torch.zeros(1000, 2, dtype=DOUBLE))
    for i in range(3):
        at_mean = (z == kernel.means[0, i]).all(1)
        assert float(at_mean.double().mean()) == pytest.approx(
            float(kernel.weights[0, i]), abs=1e-3
        )
    assert float(kernel.weights[0].min()) > 0.01


def test_exact_kernel_belongs_to_the_generator_and_keeps_the_dtype() -> None:
    x = torch.zeros(5, 2)
    kernel = skewed().reverse_transition(x, T_HI, T_LO)
    first, again = (kernel.sample(torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.dtype == torch.float32
    torch.testing.assert_close(
        kernel.log_prob(x).double(),
        skewed().reverse_transition(x.double(), T_HI, T_LO).log_prob(x.double()),
        rtol=1e-5,
        atol=1e-5,
    )


@pytest.mark.parametrize("form", FORMS)
def test_gradient_is_that_of_the_potential(form: str) -> None:
    mixture = spatial(form)
    x, z = pairs()
    z.requires_grad_()
    potential = quadratic(x, z) - mixture.log_prob(z, T_LO)
    (expected,) = torch.autograd.grad(potential.sum(), z)
    kernel = ReverseTransition(mixture.score, x, T_HI, T_LO)
    torch.testing.assert_close(kernel.grad(z.detach()), expected, rtol=1e-10, atol=1e-10)


def test_tilt() -> None:
    x, z = pairs()
    kernel = ReverseTransition(spatial("full").score, x, T_HI, T_LO)
    z_new = z + torch.randn_like(z)
    expected = quadratic(x, z_new) - quadratic(x, z)
    torch.testing.assert_close(kernel.tilt_difference(z, z_new), expected)
    assert kernel.tilt_precision == pytest.approx(1 / (math.exp(2 * ETA) - 1))
    slope = kernel.tilt_gradient(z_new) - kernel.tilt_gradient(z)
    torch.testing.assert_close(slope, kernel.tilt_precision * (z_new - z))


def test_the_theorys_length_gives_curvature_between_l_and_3l() -> None:
    """L is the supremum of |hess log p_lo| over a fine grid; the lower bound L is attained."""
    mixture = skewed()
    axis = torch.linspace(-4, 4, 161, dtype=DOUBLE)
    z = torch.cartesian_prod(axis, axis)
    hessian = mixture.hessian(z, T_LO)
    lipschitz = float(torch.linalg.eigvalsh(hessian).abs().max())
    eta = critical_length(lipschitz)

    z.requires_grad_()
    kernel = ReverseTransition(mixture.score, torch.zeros_like(z), T_LO + eta, T_LO)
    gradient = kernel.grad(z)
    rows = [torch.autograd.grad(gradient[:, i].sum(), z, retain_graph=True)[0] for i in range(2)]
    curvature = torch.linalg.eigvalsh(torch.stack(rows, 1)) / lipschitz
    assert float(curvature.min()) >= 1 - 1e-9
    assert float(curvature.max()) <= 3 + 1e-9
    # Were the length wrong by a factor, one bound would fail: one of them is tight.
    tight = min(float(curvature.min()) - 1, 3 - float(curvature.max()))
    assert tight == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "energy", ["exact", TRAPEZOID, SIMPSON, gauss_legendre(3)], ids=["exact", "t", "s", "g"]
)
def test_potential_difference_changes_sign_with_the_ends(energy: str | EnergyDifference) -> None:
    mixture = spatial("full")
    x, z = pairs()
    kernel = ReverseTransition(mixture.score, x, T_HI, T_LO, mixture.log_prob)
    there = potential_difference(kernel, z, x, energy)
    back = potential_difference(kernel, x, z, energy)
    torch.testing.assert_close(there, -back, rtol=1e-11, atol=1e-11)
    assert float(there.abs().min()) > 0


def test_point_knows_its_score_and_energy() -> None:
    mixture = spatial("full")
    x, z = pairs()
    kernel = ReverseTransition(mixture.score, x, T_HI, T_LO, mixture.log_prob)
    point = kernel.at(z)
    torch.testing.assert_close(kernel.score_at(point), mixture.score(z, T_LO))
    assert point.log_prob is not None
    torch.testing.assert_close(point.log_prob, mixture.log_prob(z, T_LO))
    other = kernel.at(z + 1)
    assert other.log_prob is not None
    chosen = torch.arange(20) % 3 == 0
    mixed = point.replace_where(chosen, other)
    assert mixed.log_prob is not None
    for i, take in enumerate(chosen.tolist()):
        source = other if take else point
        assert source.log_prob is not None
        assert torch.equal(mixed.z[i], source.z[i])
        assert torch.equal(mixed.gradient[i], source.gradient[i])
        assert torch.equal(mixed.log_prob[i], source.log_prob[i])


def test_log_prob_is_not_evaluated_in_vain() -> None:
    def forbidden(x: Tensor, t: float) -> Tensor:
        raise AssertionError

    x, z = pairs()
    kernel = ReverseTransition(spatial("full").score, x, T_HI, T_LO, forbidden)
    assert kernel.at(z, with_log_prob=False).log_prob is None
    potential_difference(kernel, z, x, "trapezoid")


def test_images_work_like_vectors() -> None:
    mixture = GaussianPixels()
    x = torch.randn(6, 1, 2, 2, dtype=DOUBLE)
    kernel = ReverseTransition(mixture.score, x, T_HI, T_LO)
    flat = ReverseTransition(mixture.score, x.flatten(1), T_HI, T_LO)
    z, z_new = torch.randn(2, 6, 1, 2, 2, dtype=DOUBLE)
    difference = potential_difference(kernel, z, z_new)
    assert difference.shape == (6,)
    torch.testing.assert_close(
        difference, potential_difference(flat, z.flatten(1), z_new.flatten(1))
    )
    chosen = kernel.at(z).replace_where(torch.arange(6) < 3, kernel.at(z_new))
    assert torch.equal(chosen.z, torch.cat((z_new[:3], z[3:])))


class GaussianPixels:
    """N(0, 0.5 I) of any shape."""

    def score(self, x: Tensor, t: float) -> Tensor:
        return -x / (1 - 0.5 * math.exp(-2 * t))


@pytest.mark.parametrize(("t_hi", "t_lo"), [(0.5, 0.5), (0.2, 0.5), (0.5, -0.1), (math.inf, 1.0)])
def test_times_rejected(t_hi: float, t_lo: float) -> None:
    x = torch.zeros(1, 2)
    with pytest.raises(ValueError, match="need 0 <= t_lo < t_hi"):
        ReverseTransition(skewed().score, x, t_hi, t_lo)
    with pytest.raises(ValueError, match="need 0 <= t_lo < t_hi"):
        skewed().reverse_transition(x, t_hi, t_lo)


def test_shapes_and_missing_energies_rejected() -> None:
    score = skewed().score
    with pytest.raises(ValueError, match=r"x must have shape \(n, \*shape\), got \(2,\)"):
        ReverseTransition(score, torch.zeros(2), 1.0, 0.5)
    kernel = ReverseTransition(score, torch.zeros(3, 2), 1.0, 0.5)
    with pytest.raises(ValueError, match=r"z must have the shape of x, \(3, 2\), got \(1, 2\)"):
        kernel.grad(torch.zeros(1, 2))
    with pytest.raises(ValueError, match="log_prob"):
        potential_difference(kernel, torch.zeros(3, 2), torch.ones(3, 2), "exact")
    with pytest.raises(ValueError, match=r"x must have shape \(n, 2\), got \(3, 1\)"):
        skewed().reverse_transition(torch.zeros(3, 1), 1.0, 0.5)
    assert np.isfinite(kernel.tilt_precision)
