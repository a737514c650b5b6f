"""B1: how fast an inner chain mixes on segments that are longer than the theory's ``eta*``.

The segments end at time 0 and are from 0.1 to some hundred times as long as the theory's
``eta*(L)``. The step size of MALA is ``d^(-1/3) / (1/v + 1/h)`` with ``1/h = 1 / (e^2eta - 1)``. As
``-hess log p_0 <= I/v``, where v is the variance of the narrowest component, the denominator bounds
the curvature; the factor is the optimal scaling of MALA (Roberts and Rosenthal 1998). The rule is
the same at all lengths, and nothing is tuned.

- In one dimension, on the two modes ``+-m`` of `experiments.theory.two_modes`, the study computes
  the spectral gap of MALA's matrix on a grid and that of the Langevin diffusion. The noisy ends are
  quantiles of ``p_hi``, among them the median, halfway between the modes.
- In ten dimensions it measures the autocorrelation time of MALA, which starts from exact draws of
  the kernel. The noisy ends are drawn from ``p_hi``. The autocovariance is that about the exact
  mean of each kernel. It is summed over coordinates and averaged over chains, so that a chain of
  larger variance has a larger weight.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

import rtk
from experiments.theory import curvature, two_modes
from experiments.workflow import job, tidy
from rtk import process, segments, targets
from rtk.kernel import ReverseTransition
from rtk.laws import grid as grid_law
from rtk.mcmc.mala import mala
from rtk.noise import ChainNoise

Array = NDArray[np.float64]

REACH = 8.0
"""Standard deviations by which the grid extends beyond the outermost component of the kernel."""
BATCHES = 16
"""Batches of chains for the standard error of an autocorrelation time."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        ratios, ratios_d10: lengths of the segment, divided by ``eta*``, in one and in ten
            dimensions.
        modes: distances of the two modes from 0.
        noisy_ends: number of noisy ends, the quantiles of ``p_hi``; an odd number.
        cells: cells of the grid.
        targets: mixtures in ten dimensions.
        chains: chains in ten dimensions.
        steps: number of steps of a chain in ten dimensions.
    """

    ratios: list[float]
    ratios_d10: list[float]
    modes: list[float]
    noisy_ends: int
    cells: int
    targets: list[str]
    chains: int
    steps: int


def step_size(mixture: rtk.GaussianMixture, eta: float) -> float:
    """``d^(-1/3) / (1/v + 1/h)``; the denominator bounds the curvature of the potential."""
    curvature = 1.0 / float(mixture.variances.min()) + 1.0 / np.expm1(2.0 * eta)
    return float(mixture.dimension ** (-1 / 3) / curvature)


def noisy_ends(mode: float, t_hi: float, count: int) -> Array:
    """The quantiles ``(k + 1/2) / count`` of ``p_hi`` from the median on, for an odd ``count``.

    The quantiles below the median are these with the other sign.
    """
    centre = process.alpha(t_hi) * mode
    sigma = (process.alpha(t_hi) ** 2 * two_modes.VARIANCE + process.variance(t_hi)) ** 0.5

    def excess(x: float, level: float) -> float:
        return float(0.5 * (ndtr((x - centre) / sigma) + ndtr((x + centre) / sigma)) - level)

    levels = (np.arange(count // 2, count) + 0.5) / count
    far = centre + 10.0 * sigma
    return np.array([0.0, *(brentq(excess, 0.0, far, args=(level,)) for level in levels[1:])])


def gaps(mode: float, x: float, eta: float, cells: int) -> tuple[float, float]:
    """Spectral gaps of MALA, per step, and of the Langevin diffusion, per unit of its time."""
    mixture = two_modes.target(mode)
    start = torch.tensor([[x]], dtype=torch.float64)
    kernel = ReverseTransition(mixture.score, start, eta, 0.0, mixture.log_prob)
    exact = mixture.reverse_transition(start, eta, 0.0)
    reach = REACH * float(exact.variances.max()) ** 0.5
    grid = grid_law.Grid(float(exact.means.min()) - reach, float(exact.means.max()) + reach, cells)
    matrix = grid_law.mala_matrix(kernel, grid, step_size(mixture, eta))
    mala_gap = grid_law.spectral_gap(matrix)
    fine = grid_law.Grid(grid.low, grid.high, 4 * cells)
    centres = fine.points
    log_density = exact.log_prob(centres).numpy()
    return mala_gap, float(grid_law.langevin_spectrum(log_density, fine)[1])


def one_dimension(mode: float, ratio: float, count: int, cells: int) -> dict[str, float]:
    """Metrics of one segment in one dimension: means over the noisy ends, and the worst of them."""
    eta = ratio * segments.critical_length(two_modes.lipschitz(mode))
    pairs = np.array([gaps(mode, float(x), eta, cells) for x in noisy_ends(mode, eta, count)])
    mala_gaps, langevin_gaps = pairs.T
    weights = np.array([1.0, *[2.0] * (count // 2)]) / count
    return {
        "eta": eta,
        "gap_mean": float(weights @ mala_gaps),
        "gap_worst": float(mala_gaps.min()),
        "langevin_gap_worst": float(langevin_gaps.min()),
        # Steps for one independent draw; a sampler that crosses the segment pays the mean over x.
        "steps_mean": float(weights @ (1.0 / mala_gaps)),
        "steps_worst": float(1.0 / mala_gaps.min()),
    }


def autocovariance(path: Array, lags: int) -> Array:
    """``mean_t <path_t, path_t+k>`` for the lags k from 0 to ``lags - 1``.

    Args:
        path: states about their exact mean, (steps, chains, d). As the mean is exact, the result is
            unbiased for a stationary chain.
        lags: number of lags.

    Returns:
        Autocovariances, (lags, chains).
    """
    steps = len(path)
    transform = np.fft.rfft(path, 2 * steps, axis=0)
    power = (transform * transform.conj()).real.sum(2)
    sums = np.fft.irfft(power, 2 * steps, axis=0)[:lags]
    covariance: Array = sums / (steps - np.arange(lags))[:, np.newaxis]
    return covariance


def autocorrelation_time(covariance: Array) -> tuple[float, bool]:
    """``1 + 2 sum_k rho_k`` by Geyer's initial positive sequence.

    The sum of two neighbouring autocovariances is positive for a reversible chain. The first one
    that is not ends the sum over k (Geyer 1992, Practical Markov chain Monte Carlo, section 3.3).

    Args:
        covariance: autocovariances, (lags,).

    Returns:
        The time, and whether such a pair was met. If not, the run is too short, and the time is too
        small.
    """
    pairs = covariance[: len(covariance) // 2 * 2].reshape(-1, 2).sum(1)
    ends = np.append(np.flatnonzero(pairs <= 0.0), len(pairs))
    time = float(2.0 * pairs[: ends[0]].sum() / covariance[0] - 1.0)
    return time, bool(ends[0] < len(pairs))


def ten_dimensions(
    target: str, ratio: float, chains: int, steps: int, seed: int
) -> dict[str, tuple[float, float]]:
    """Metrics of one segment in ten dimensions, each with its standard error.

    They are the autocorrelation time, the acceptance and the length of the segment. ``resolved`` is
    1 if the run was long enough for the time: the sum ended, and the run has at least twenty times
    as many steps. Otherwise it is 0.
    """
    mixture = targets.mixture(target)
    generator = torch.Generator().manual_seed(seed)
    samples = mixture.sample(2000, 0.0, generator, torch.float64)
    constant = curvature.lipschitz_constant(mixture, samples, 0.0)
    eta = ratio * segments.critical_length(constant)
    x = mixture.sample(chains, eta, generator, torch.float64)
    exact = mixture.reverse_transition(x, eta, 0.0)
    kernel = ReverseTransition(mixture.score, x, eta, 0.0, mixture.log_prob)
    noise = ChainNoise(seed, chains, (mixture.dimension,), dtype=torch.float64)
    z, centre = exact.sample(generator), exact.mean()
    path, accepted = np.empty((steps, *z.shape)), torch.zeros(chains, dtype=torch.float64)
    for k in range(steps):
        point, moved = mala(kernel, z, 1, step_size(mixture, eta), noise)
        z, accepted = point.z, accepted + moved
        path[k] = (z - centre).numpy()
    covariance = autocovariance(path, steps // 2)
    time, ended = autocorrelation_time(covariance.mean(1))
    # The jackknife leaves out one batch of chains at a time.
    batches = np.array_split(np.arange(chains), BATCHES)
    jackknife = [
        autocorrelation_time(np.delete(covariance, part, 1).mean(1))[0] for part in batches
    ]
    error = float(((BATCHES - 1) * np.var(jackknife)) ** 0.5)
    rate = accepted.numpy() / steps
    return {
        "autocorrelation": (time, error),
        "resolved": (float(ended and 20.0 * time <= steps), 0.0),
        "acceptance": (float(rate.mean()), float(rate.std(ddof=1) / chains**0.5)),
        "eta": (eta, 0.0),
    }


def rows(settings: Settings, seed: int) -> list[tidy.Row]:
    """Gaps in one dimension, which are not random, and autocorrelation times in ten dimensions."""
    table: list[tidy.Row] = []
    for mode, ratio in itertools.product(settings.modes, settings.ratios):
        computed = one_dimension(mode, ratio, settings.noisy_ends, settings.cells)
        exact = {metric: (value, 0.0) for metric, value in computed.items()}
        table += tidy.rows(exact, target="two-modes", mode=mode, ratio=ratio)
    for target, ratio in itertools.product(settings.targets, settings.ratios_d10):
        own_seed = job.derive_seed(seed, "mixing", target, str(ratio))
        measured = ten_dimensions(target, ratio, settings.chains, settings.steps, own_seed)
        table += tidy.rows(measured, target=target, mode=math.nan, ratio=ratio, seed=own_seed)
    return [{"method": "rtk-mala", "settings": f"ratio={row['ratio']}", **row} for row in table]


if __name__ == "__main__":
    job.study(rows, Settings)
