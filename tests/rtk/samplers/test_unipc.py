"""UniPC: its orders on a Gaussian, and its segments by quadrature of interpolating polynomials."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from scipy.interpolate import lagrange
from torch import Tensor

import rtk
from rtk import UniPC, process
from tests.oracles import DOUBLE, Array, mixture_of
from tests.rtk.samplers.flow import errors, slopes

LINE = mixture_of([0.3, 0.7], [[-1.2], [0.9]], [0.15, 0.4])
TIMES = (1.5, 0.9, 0.5, 0.2, 0.1, 0.06)
START = torch.linspace(-1.0, 1.0, 5, dtype=DOUBLE)[:, None]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(30)

Points = Sequence[tuple[float, Tensor]]


@pytest.mark.parametrize("order", [2, 3])
def test_order_on_a_gaussian(order: int) -> None:
    """The corrector raises the order by one; it is reached in spite of the start."""
    found = slopes(errors(UniPC(order), [160, 320, 640]))
    np.testing.assert_allclose(found, order + 1, atol=0.16)


def integral(points: Points, begin: float, end: float) -> Array:
    """Integral of ``e^lambda`` times the polynomial through the points.

    The line through two points is instead taken at the middle, as UniPC does.
    """
    levels = [level for level, _ in points]
    unit = np.eye(len(points))
    basis = [lagrange(levels, row) for row in unit]
    if len(points) == 2:
        weights = [(math.exp(end) - math.exp(begin)) * line((begin + end) / 2.0) for line in basis]
    else:
        u = begin + (end - begin) * (NODES + 1.0) / 2.0
        weights = [(end - begin) / 2.0 * WEIGHTS @ (np.exp(u) * line(u)) for line in basis]
    return np.asarray(
        sum(weight * value.numpy() for weight, (_, value) in zip(weights, points, strict=True))
    )


def by_hand(order: int) -> Tensor:
    """``x`` at the end of all segments."""
    levels, sigmas = [process.log_snr(t) for t in TIMES], [process.sigma(t) for t in TIMES]
    points: list[tuple[float, Tensor]] = []
    corrected = predicted = START.numpy() / sigmas[0]
    for k, (t, level, sigma) in enumerate(zip(TIMES, levels, sigmas, strict=True)):
        if k == len(TIMES) - 1:
            break
        x = torch.from_numpy(sigma * predicted)
        new = level, process.denoise(x, LINE.score(x, t), t)
        if k > 0:
            corrected = corrected + integral([*points[:order], new], levels[k - 1], level)
        points.insert(0, new)
        predicted = corrected + integral(points[:order], level, levels[k + 1])
    return torch.from_numpy(sigmas[-1] * predicted)


@pytest.mark.parametrize("order", [2, 3])
def test_segments_by_quadrature(order: int) -> None:
    """Uneven segments on a mixture, where every segment is far from exact."""
    count = len(TIMES) - 1
    result = rtk.sample(
        LINE.score,
        1,
        5,
        UniPC(order),
        nfe=count,
        dtype=DOUBLE,
        segments=TIMES,
        x_init=START,
        denoise=False,
    )
    assert result.nfe == count
    torch.testing.assert_close(result.samples, by_hand(order), rtol=0.0, atol=1e-10)


def test_orders_differ() -> None:
    assert float((by_hand(2) - by_hand(3)).abs().min()) > 1e-4


def test_names_in_the_registry() -> None:
    for name, order in (("unipc-2", 2), ("unipc-3", 3)):
        named, built = (
            rtk.sample(LINE.score, 1, 9, method, nfe=7, seed=2).samples
            for method in (name, UniPC(order))
        )
        assert torch.equal(named, built)


def test_unknown_order() -> None:
    with pytest.raises(ValueError, match=r"order must be one of \(2, 3\), got 4"):
        UniPC(4)
