"""The target of two modes: its constants, and the segment of its kernel."""

import numpy as np
import pytest
import torch

from experiments.theory import two_modes
from rtk import segments
from tests.oracles import DOUBLE


def density(mode: float, z: np.ndarray) -> np.ndarray:
    """The density written out."""
    v = two_modes.VARIANCE
    terms = [np.exp(-((z - centre) ** 2) / (2 * v)) for centre in (-mode, mode)]
    return 0.5 * sum(terms) / np.sqrt(2 * np.pi * v)


@pytest.mark.parametrize("mode", [1.0, 1.5])
def test_target_is_the_law_of_the_definition(mode: float) -> None:
    z = np.linspace(-4.0, 4.0, 101)
    log_prob = two_modes.target(mode).log_prob(torch.from_numpy(z).unsqueeze(1), 0.0)
    np.testing.assert_allclose(log_prob.exp().numpy(), density(mode, z), rtol=1e-12)


def test_second_moment() -> None:
    z = np.linspace(-8.0, 8.0, 4001)
    moment = np.trapezoid(z**2 * density(1.0, z), z)
    assert pytest.approx(moment, rel=1e-9) == two_modes.SECOND_MOMENT


@pytest.mark.parametrize("mode", [0.1, 1.0, 2.0])
def test_lipschitz_constant_is_the_largest_curvature(mode: float) -> None:
    """At time 0, and nowhere larger at later times; modes that are close make the tails decide."""
    z = torch.linspace(-9.0, 9.0, 4001, dtype=DOUBLE).unsqueeze(1)
    mixture = two_modes.target(mode)
    largest = [float(mixture.hessian(z, t).abs().max()) for t in (0.0, 0.1, 0.3, 1.0, 3.0)]
    assert largest[0] == pytest.approx(two_modes.lipschitz(mode), rel=1e-3)
    assert max(largest) == largest[0]
    assert two_modes.lipschitz(1.0) == two_modes.LIPSCHITZ


def test_kernel_spans_the_segment_of_the_theory() -> None:
    kernel = two_modes.kernel(0.2)
    assert kernel.t_lo == 0.2
    assert kernel.eta == pytest.approx(segments.critical_length(two_modes.LIPSCHITZ))
    assert kernel.x.tolist() == [[two_modes.NOISY_END]]


def test_kernels_are_those_of_the_target() -> None:
    """Gradient and energy are those of the exact kernel, which is a mixture in closed form."""
    x = torch.tensor([[-0.5], [1.2]], dtype=DOUBLE)
    kernels = two_modes.kernels(x, 0.7, 0.3)
    exact = two_modes.TARGET.reverse_transition(x, 0.7, 0.3)
    z = torch.tensor([[0.1], [0.9]], dtype=DOUBLE, requires_grad=True)
    (gradient,) = torch.autograd.grad(exact.log_prob(z).sum(), z)
    torch.testing.assert_close(kernels.grad(z.detach()), -gradient)
