"""The mixtures that samplers are judged and tuned on.

`circle`, `chessboard` and `spiral` are the paper's: they have d = 10, equal weights, covariance
0.007 I, and means in the first two coordinates. The `asymmetric` family has unequal weights and
widths, so that no symmetry hides an error; settings of samplers are tuned on it. The `uneven`
family is for reports: nothing is ever tuned on it, and its seeds were set before any sampler had
run on it.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from rtk.targets.gaussian_mixture import GaussianMixture

PAPER_DIMENSION = 10
PAPER_VARIANCE = 0.007


def circle() -> GaussianMixture:
    """18 modes on the unit circle: at multiples of 60 degrees and at 20 degrees to either side."""
    degrees = [60 * k + offset for k in range(6) for offset in (-20, 0, 20)]
    angles = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
    return _planar(torch.stack((angles.cos(), angles.sin()), 1))


def chessboard() -> GaussianMixture:
    """8 modes at the cells (i, j) with i + j even of a centred 4 x 4 grid with spacing 0.25."""
    cells = [(i, j) for i in range(4) for j in range(4) if (i + j) % 2 == 0]
    return _planar(0.25 * (torch.tensor(cells, dtype=torch.float64) - 1.5))


def spiral() -> GaussianMixture:
    """16 modes on a spiral: angles from 0 to 4 pi and radii from 0 to 1, both equally spaced."""
    u = torch.linspace(0.0, 1.0, 16, dtype=torch.float64)
    return _planar(
        u.unsqueeze(1) * torch.stack(((4 * math.pi * u).cos(), (4 * math.pi * u).sin()), 1)
    )


def asymmetric(
    dimension: int, radius: float, widths: tuple[float, float], clusters: int = 1, seed: int = 0
) -> GaussianMixture:
    """A mixture of six modes with the weights 0.30, 0.22, 0.18, 0.13, 0.10 and 0.07.

    Args:
        dimension: the number of coordinates.
        radius: the distance of the modes from the origin, in random directions.
        widths: standard deviations of the first and of the last component, linear in between.
        clusters: the number of components of each mode. They share its weight; if there is more
            than one, their means are jittered by half the mean width.
        seed: of the directions and of the jitter.
    """
    generator = torch.Generator().manual_seed(seed)
    weights = torch.tensor([0.30, 0.22, 0.18, 0.13, 0.10, 0.07], dtype=torch.float64)
    means = torch.randn(6, dimension, generator=generator, dtype=torch.float64)
    means = radius * means / means.norm(dim=1, keepdim=True)
    if clusters > 1:
        means = means.repeat_interleave(clusters, 0)
        weights = (weights / clusters).repeat_interleave(clusters)
        jitter = torch.randn(means.shape, generator=generator, dtype=torch.float64)
        means = means + 0.5 * sum(widths) * jitter
    sigma = torch.linspace(*widths, len(weights), dtype=torch.float64)
    return GaussianMixture(weights, means, sigma.square())


def uneven(
    dimension: int,
    components: int,
    widths: tuple[float, float],
    seed: int,
    spread: float = 1.0,
    stretch: float = 1.0,
    shift: float = 0.0,
) -> GaussianMixture:
    """A mixture of unequal components at random places, of unit size.

    The weights are in the ratio of the numbers from 1 to ``components``, in random order. The
    mixture is scaled so that the variance of a coordinate is 1 on average; all lengths below are
    those before that.

    Args:
        dimension: the number of coordinates.
        components: the number of components.
        widths: standard deviations of the narrowest and the widest component; the others lie
            between them, in equal ratios.
        seed: of the means, the order of the weights, and the axes.
        spread: standard deviation of the coordinates of the means, which are normal.
        stretch: if it is not 1, each component has axes of its own, in random directions, whose
            standard deviations are its width times ``1/stretch`` to ``stretch``, in equal ratios.
        shift: the mean of the mixture, after scaling, in every coordinate.
    """
    generator = torch.Generator().manual_seed(seed)
    means = spread * torch.randn(components, dimension, generator=generator, dtype=torch.float64)
    weights = 1.0 + torch.randperm(components, generator=generator).double()
    weights = weights / weights.sum()
    means = means - weights @ means
    logs = torch.linspace(math.log(widths[0]), math.log(widths[1]), components, dtype=torch.float64)
    sigma = logs.exp()
    exponents = torch.linspace(-1.0, 1.0, dimension, dtype=torch.float64)
    variances = (sigma[:, None] * stretch ** exponents[None]).square()
    size = (weights @ (variances + means.square())).mean().sqrt()
    means, variances = means / size + shift, variances / size**2
    if stretch == 1.0:
        return GaussianMixture(weights, means, variances[:, 0])
    normal = torch.randn(components, dimension, dimension, generator=generator, dtype=torch.float64)
    axes = torch.linalg.qr(normal).Q
    covariances = (axes * variances[:, None, :]) @ axes.mT
    return GaussianMixture(weights, means, 0.5 * (covariances + covariances.mT))


MIXTURES: dict[str, Callable[[], GaussianMixture]] = {
    "circle": circle,
    "chessboard": chessboard,
    "spiral": spiral,
    "separated": lambda: asymmetric(10, 2.0, (0.3, 0.5)),
    "far": lambda: asymmetric(10, 6.0, (0.2, 0.3)),
    "wide": lambda: asymmetric(50, 4.0, (0.3, 0.5)),
    "two-scale": lambda: asymmetric(10, 3.0, (0.1, 0.5), clusters=4),
    "mild": lambda: asymmetric(10, 1.2, (0.5, 0.5)),
    "uneven-2": lambda: uneven(2, 12, (0.08, 0.4), seed=1),
    "tilted-5": lambda: uneven(5, 8, (0.2, 0.6), seed=2, stretch=2.0),
    "shifted-20": lambda: uneven(20, 6, (0.2, 0.7), seed=3, spread=0.7, shift=0.8),
    "crowd-20": lambda: uneven(20, 40, (0.2, 0.6), seed=4, spread=0.7),
    "tilted-20": lambda: uneven(20, 6, (0.3, 0.9), seed=5, spread=0.6, stretch=2.0),
    "uneven-100": lambda: uneven(100, 8, (0.2, 0.8), seed=6, spread=0.6),
    "overlapping-200": lambda: uneven(200, 6, (0.5, 1.5), seed=7, spread=0.25),
}


def mixture(name: str) -> GaussianMixture:
    """The mixture of that name.

    Raises:
        ValueError: for a name that is not in `MIXTURES`; the message lists those that are.
    """
    if name not in [*MIXTURES]:
        raise ValueError(f"unknown mixture {name!r}, expected one of {[*MIXTURES]}")
    return MIXTURES[name]()


def _planar(centres: Tensor) -> GaussianMixture:
    """Equal components at ``centres`` in the first two of ten coordinates."""
    means = torch.zeros(len(centres), PAPER_DIMENSION, dtype=torch.float64)
    means[:, :2] = centres
    weights = torch.full((len(centres),), 1.0 / len(centres), dtype=torch.float64)
    return GaussianMixture(weights, means, PAPER_VARIANCE)
