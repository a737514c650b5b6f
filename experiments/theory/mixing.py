"""B1, the other side of log-concavity: how fast an inner chain mixes on segments beyond eta*.

The kernel of a segment that ends at time 0 is taken at lengths from 0.1 to 300 times the theory's
``eta*(L)``. MALA's step is ``d^(-1/3) / (1/v + 1/h)``, ``1/h = 1 / (e^2eta - 1)``: one over a bound
on the curvature, ``-hess log p_0 <= I/v`` with v the narrowest component's variance, times MALA's
optimal scaling (Roberts and Rosenthal 1998). It is the same rule at all lengths; none is tuned.

- One dimension, two modes at ``+-m`` of standard deviation 0.6: the spectral gap of MALA's matrix
  on a grid and that of continuous Langevin, for noisy ends at quantiles of ``p_hi``. The median,
  the middle between the modes, is among them.
- Ten dimensions: the autocorrelation time of MALA started from exact draws of the kernel, noisy
  ends drawn from ``p_hi``. The autocovariance is that about the exact mean of each kernel, summed
  over coordinates and averaged over chains, so that chains weigh by their variance.
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

# The grid reaches so many standard deviations beyond the outermost component of the kernel.
REACH = 8.0
BATCHES = 16


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        ratios, ratios_d10: lengths of the segment over the theory's, in one and in ten dimensions.
        modes: distances of the two modes from 0.
        noisy_ends: number of quantiles of ``p_hi`` at which the kernel is taken, odd.
        cells: cells of the grid.
        targets: mixtures in ten dimensions.
        chains: chains in ten dimensions.
        steps: length of a chain in ten dimensions.
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
    """``d^(-1/3)`` over ``1/v + 1/h``, which bounds the curvature of the kernel's potential."""
    curvature = 1.0 / float(mixture.variances.min()) + 1.0 / np.expm1(2.0 * eta)
    return float(mixture.dimension ** (-1 / 3) / curvature)


def noisy_ends(mode: float, t_hi: float, count: int) -> Array:
    """Quantiles ``(k + 1/2) / count`` of ``p_hi`` from the median up; ``count`` is odd.

    The lower half mirrors the upper one.
    """
    centre = process.alpha(t_hi) * mode
    sigma = (process.alpha(t_hi) ** 2 * two_modes.VARIANCE + process.variance(t_hi)) ** 0.5

    def excess(x: float, level: float) -> float:
        return float(0.5 * (ndtr((x - centre) / sigma) + ndtr((x + centre) / sigma)) - level)

    levels = (np.arange(count // 2, count) + 0.5) / count
    far = centre + 10.0 * sigma
    return np.array([0.0, *(brentq(excess, 0.0, far, args=(level,)) for level in levels[1:])])


def gaps(mode: float, x: float, eta: float, cells: int) -> tuple[float, float]:
    """Spectral gap of MALA, per step, and of continuous Langevin, per unit of its time."""
    mixture = two_modes.target(mode)
    start = torch.tensor([[x]], dtype=torch.float64)
    kernel = ReverseTransition(mixture.score, start, eta, 0.0, mixture.log_prob)
    exact = mixture.reverse_transition(start, eta, 0.0)
    reach = REACH * float(exact.variances.max()) ** 0.5
    grid = grid_law.Grid(float(exact.means.min()) - reach, float(exact.means.max()) + reach, cells)
    matrix = grid_law.mala_matrix(kernel, grid, step_size(mixture, eta))
    mala_gap = grid_law.spectral_gap(matrix)
    fine = grid_law.Grid(grid.low, grid.high, 4 * cells)
    centres = torch.from_numpy(fine.centres).unsqueeze(1)
    log_density = exact.log_prob(centres).numpy()
    return mala_gap, float(grid_law.langevin_spectrum(log_density, fine)[1])


def one_dimension(mode: float, ratio: float, count: int, cells: int) -> dict[str, float]:
    """Metrics of one segment, averaged over the noisy end or the worst of them."""
    eta = ratio * segments.critical_length(two_modes.lipschitz(mode))
    found = np.array([gaps(mode, float(x), eta, cells) for x in noisy_ends(mode, eta, count)])
    weights = np.array([1.0, *[2.0] * (count // 2)]) / count
    return {
        "eta": eta,
        "gap_mean": float(weights @ found[:, 0]),
        "gap_worst": float(found[:, 0].min()),
        "langevin_gap_worst": float(found[:, 1].min()),
        # Steps for an independent draw; their mean is what a run over many x pays.
        "steps_mean": float(weights @ (1.0 / found[:, 0])),
        "steps_worst": float(1.0 / found[:, 0].min()),
    }


def autocovariance(path: Array, lags: int) -> Array:
    """``mean_t <path_t, path_t+k>``, lags 0 to ``lags - 1``, of (steps, chains, d): (lags, chains).

    The path is centred already, so this is unbiased at stationarity.
    """
    steps = len(path)
    transform = np.fft.rfft(path, 2 * steps, axis=0)
    power = (transform * transform.conj()).real.sum(2)
    sums = np.fft.irfft(power, 2 * steps, axis=0)[:lags]
    found: Array = sums / (steps - np.arange(lags))[:, np.newaxis]
    return found


def autocorrelation_time(covariance: Array) -> tuple[float, bool]:
    """``1 + 2 sum_k rho_k`` of autocovariances (lags,), by Geyer's initial positive sequence.

    Sums of neighbouring lags are positive for a reversible chain; the first that is not ends the
    sum (Geyer 1992, Practical Markov chain Monte Carlo, section 3.3).

    Returns:
        The time, and whether a sum ended it: if not, the run was too short and it is too small.
    """
    pairs = covariance[: len(covariance) // 2 * 2].reshape(-1, 2).sum(1)
    ends = np.append(np.flatnonzero(pairs <= 0.0), len(pairs))
    time = float(2.0 * pairs[: ends[0]].sum() / covariance[0] - 1.0)
    return time, bool(ends[0] < len(pairs))


def ten_dimensions(
    target: str, ratio: float, chains: int, steps: int, seed: int
) -> dict[str, tuple[float, float]]:
    """Autocorrelation time and acceptance with standard errors, and what goes with them.

    The time is ``resolved`` (1 or 0) if its sum ended and the run is twenty times as long.
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
    whole, ended = autocorrelation_time(covariance.mean(1))
    # The jackknife over batches of chains: the sum's end varies little from one to the next.
    batches = np.array_split(np.arange(chains), BATCHES)
    left = [autocorrelation_time(np.delete(covariance, part, 1).mean(1))[0] for part in batches]
    error = float(((BATCHES - 1) * np.var(left)) ** 0.5)
    rate = accepted.numpy() / steps
    return {
        "autocorrelation": (whole, error),
        "resolved": (float(ended and 20.0 * whole <= steps), 0.0),
        "acceptance": (float(rate.mean()), float(rate.std(ddof=1) / chains**0.5)),
        "eta": (eta, 0.0),
    }


def rows(settings: Settings, seed: int) -> list[tidy.Row]:
    """Gaps in one dimension, which are not random, and autocorrelation times in ten."""
    table: list[tidy.Row] = []
    for mode, ratio in itertools.product(settings.modes, settings.ratios):
        found = one_dimension(mode, ratio, settings.noisy_ends, settings.cells)
        exact = {metric: (value, 0.0) for metric, value in found.items()}
        table += tidy.rows(exact, target="two-modes", mode=mode, ratio=ratio)
    for target, ratio in itertools.product(settings.targets, settings.ratios_d10):
        own_seed = job.derive_seed(seed, "mixing", target, str(ratio))
        measured = ten_dimensions(target, ratio, settings.chains, settings.steps, own_seed)
        table += tidy.rows(measured, target=target, mode=math.nan, ratio=ratio, seed=own_seed)
    return [{"method": "rtk-mala", "settings": f"ratio={row['ratio']}", **row} for row in table]


if __name__ == "__main__":
    job.study(rows, Settings)
