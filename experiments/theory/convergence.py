"""B3, whole chains: score evaluations against the total variation that the samples reach.

All laws are computed without Monte Carlo noise, on two targets.

- A Gaussian in ten dimensions with mean one: the steps of unadjusted samplers are affine there, so
  that all laws are Gaussians in closed form (`rtk.laws.closed_form`).
- Two modes in one dimension: a segment of RTK-MALA or RTK-ULA is a matrix on a grid
  (`rtk.laws.grid.segment_laws`).

Every sampler is set in two ways. *By rule* its step sizes and times follow from the accuracy eps,
the dimension, the second moment and L alone, as in a theorem. *Optimised* settings are the cheapest
of a large grid of settings that reach the accuracy. Two more parts have a single segment by itself,
and whole chains of a fixed step size.

RTK runs from the paper's Gaussian start, down to time 0, on segments of the theory's length
``eta*`` or, for the optimised settings, of multiples of it.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.theory import gaussian, two_modes
from experiments.theory.search import corrected_times, log_snr_grid, quadratic_grid
from experiments.theory.step_rule import LANGEVIN_RATE, inner_chain
from experiments.workflow import job
from rtk import process, segments
from rtk.kernel import ReverseTransition
from rtk.laws import closed_form as gaussian_steps
from rtk.laws import gaussian as gaussian_law
from rtk.laws import grid as grid_law
from rtk.laws.gaussian import Gaussian
from rtk.samplers.base import smoothness

Array = NDArray[np.float64]
Rows = list[dict[str, Any]]

GAUSSIAN = Gaussian(np.ones(10), gaussian.VARIANCES)
GAUSSIAN_MOMENT = float((GAUSSIAN.mean**2 + GAUSSIAN.variance).sum())
EDGE = 6.8
"""Half the width of the grid; N(0, 1) has a mass of 1e-11 beyond it, and the two modes less."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        smallest: smallest total variation that a sampler is to reach.
        mala_smallest: the same for the rule of RTK-MALA.
        per_decade: number of accuracies per decade for the rules.
        longest: latest start time that the searches try.
        most: largest number of steps of each sampler.
        fixed_steps: relative inner steps of RTK-ULD for which a path to the floor is computed.
        cells: cells of the grid.
    """

    smallest: float
    mala_smallest: float
    per_decade: int
    longest: float
    most: dict[str, int]
    fixed_steps: list[float]
    cells: int


class Run(NamedTuple):
    """The result of one run of a sampler.

    Attributes:
        nfe: number of score evaluations.
        tv: total variation between the law of the samples and the target.
        settings: the settings as text.
        step_size: relative inner step size.
        inner_steps: number of inner steps per segment.
    """

    nfe: int
    tv: float
    settings: str
    step_size: float = math.nan
    inner_steps: int = 0


# --- rules ----------------------------------------------------------------------------------------


def start_time(eps: float, dimension: int, moment: float) -> float:
    """``T = log((d + E|x_0|^2)^(1/2) / eps)``, at which the start costs a TV of order eps."""
    return math.log(math.sqrt(dimension + moment) / eps)


def segment_count(eps: float, dimension: int, moment: float, lipschitz: float) -> int:
    """Number of segments of length ``eta*`` that reach the start time."""
    return math.ceil(start_time(eps, dimension, moment) / segments.critical_length(lipschitz))


def grid(lipschitz: float, count: int, multiple: int = 1) -> Array:
    """Times of ``count`` segments that end at 0, each ``multiple`` times ``eta*`` long."""
    times: Array = np.arange(count, -1.0, -1.0) * (multiple * segments.critical_length(lipschitz))
    return times


def gaussian_tv(law: Gaussian) -> float:
    """TV between a law and the Gaussian target, to six digits."""
    return gaussian_law.tv(law, GAUSSIAN, tolerance=1e-6)


def run_rtk(
    method: str, times: Array, step_size: float, steps: int, counts: Iterable[int]
) -> Iterator[Run]:
    """Runs of RTK-ULD or RTK-ULA on the Gaussian, over various numbers of last segments."""
    step = gaussian_steps.RTK_STEPS[method](GAUSSIAN, times, step_size, steps)
    means, variances = gaussian_steps.starts(step)
    for count in counts:
        tv = gaussian_tv(Gaussian(means[-count], variances[-count]))
        eta = times[-2] - times[-1]
        yield Run(count * steps, tv, f"segments={count},eta={eta:.4g}", step_size, steps)


def rtk_rule(method: str, eps: float) -> Run:
    """The run of RTK-ULD or RTK-ULA whose settings follow from eps.

    The squares of the TV of K segments add up, because KL does, so each segment may have a TV of
    ``eps / K^(1/2)``, and each coordinate of it ``eps / (d K)^(1/2)``.
    """
    dimension = len(GAUSSIAN.mean)
    count = segment_count(eps, dimension, GAUSSIAN_MOMENT, gaussian.LIPSCHITZ)
    step_size, steps = inner_chain(method, eps / math.sqrt(dimension * count))
    times = grid(gaussian.LIPSCHITZ, count)
    return next(run_rtk(method, times, step_size, steps, [count]))


def mala_rule(eps: float) -> tuple[int, int]:
    """Numbers of segments and inner steps of RTK-MALA on the two modes, at the relative step 1."""
    count = segment_count(eps, 1, two_modes.SECOND_MOMENT, two_modes.LIPSCHITZ)
    return count, math.ceil(math.log(math.sqrt(count) / eps) / LANGEVIN_RATE)


def run_plain(method: str, times: Array) -> Run:
    """The run of DDPM, DDIM or DPM-Solver++(2M) on the Gaussian along times that end at 0."""
    if method == "dpm++2m":
        law = gaussian_steps.dpm_solver(GAUSSIAN, times[:-1])
    else:
        law = gaussian_steps.law(gaussian_steps.PLAIN_STEPS[method], GAUSSIAN, times)
    settings = f"t_start={times[0]:.4g},t_end={times[-2]:.4g}"
    return Run(len(times) - 1, gaussian_tv(law), settings)


def clean_end(eps: float) -> float:
    """End of a log-SNR grid, from which the denoising step to 0 costs a TV of order eps."""
    return eps / (math.sqrt(len(GAUSSIAN.mean)) * gaussian.LIPSCHITZ)


def plain_rule(method: str, eps: float, *, most: int) -> Run | None:
    """The run whose grid follows from eps, or None if the grid has more than ``most`` steps.

    DDPM makes equal steps in t, ``h = eps^2 / (L^2 d T)`` (Chen et al. 2023, arXiv 2209.11215,
    Theorem 2). A solver of order p makes steps of equal length h in log-SNR, where
    ``d^(1/2) h^p = eps``.
    """
    dimension = len(GAUSSIAN.mean)
    t_start = start_time(eps, dimension, GAUSSIAN_MOMENT)
    if method == "ddpm":
        count = math.ceil((t_start * gaussian.LIPSCHITZ / eps) ** 2 * dimension)
        return run_plain(method, np.linspace(t_start, 0.0, count + 1)) if count <= most else None
    length = process.log_snr(clean_end(eps)) - process.log_snr(t_start)
    order = {"ddim": 1, "dpm++2m": 2}[method]
    count = math.ceil(length / (eps / math.sqrt(dimension)) ** (1 / order))
    times = log_snr_grid(t_start, clean_end(eps), count)
    return run_plain(method, times) if count <= most else None


def run_corrected(times: segments.Times, steps: int) -> Run:
    """The run of DPUM on the Gaussian with ``steps`` steps of both kinds on each segment."""
    law = gaussian_steps.law(partial(gaussian_steps.dpum, steps=steps), GAUSSIAN, times)
    count = len(times) - 1
    settings = f"segments={count},t_start={times[0]:.4g}"
    return Run(2 * steps * count, gaussian_tv(law), settings, 1.0 / steps, 2 * steps)


def corrected_rule(eps: float, *, most: int) -> Run | None:
    """The run of DPUM with the steps ``eps / d^(1/2)``, or None if it has more than ``most``."""
    dimension = len(GAUSSIAN.mean)
    t_start = start_time(eps, dimension, GAUSSIAN_MOMENT)
    times = corrected_times(t_start, gaussian.LIPSCHITZ)
    steps = math.ceil(math.sqrt(dimension) / eps)
    return run_corrected(times, steps) if 2 * steps * (len(times) - 1) <= most else None


def corrected_candidates(most: int) -> Iterator[Run]:
    """Runs of DPUM for the search of the cheapest settings, of various starts and steps."""
    for eps in 1.0 / ladder(1.0, most, 2):
        t_start = start_time(eps, len(GAUSSIAN.mean), GAUSSIAN_MOMENT)
        times = corrected_times(t_start, gaussian.LIPSCHITZ)
        longest = max(1.0, most / (2 * len(times)))
        counts = np.unique(ladder(1, longest, 8).astype(int)).tolist()
        yield from while_it_helps(run_corrected(times, steps) for steps in counts)


# --- the two modes --------------------------------------------------------------------------------


def modes_starts(kernels: ReverseTransition, cells: grid_law.Grid) -> Array:
    """Laws of the paper's Gaussian start (`rtk.warm_start.gaussian`): masses (kernels, cells)."""
    precision = 2.0 * smoothness(kernels.t_lo, two_modes.VARIANCE) + kernels.tilt_precision
    mean = math.exp(kernels.eta) * kernels.tilt_precision / precision * kernels.x.numpy()
    return np.stack([cells.law(-0.5 * precision * (cells.centres - m) ** 2) for m in mean])


def modes_step(kernel: ReverseTransition, step_size: float) -> float:
    """The step size relative to the curvature, as `rtk.samplers.reverse_transition` has it."""
    return step_size / (smoothness(kernel.t_lo, two_modes.VARIANCE) + kernel.tilt_precision)


def modes_chains(
    method: str,
    runs: Iterable[tuple[int, int]],
    step_size: float,
    multiple: int,
    cells: grid_law.Grid,
) -> dict[tuple[int, int], float]:
    """Total variations between samples and the two modes, of several runs in one pass.

    Args:
        method: ``rtk-mala`` or ``rtk-ula``.
        runs: (number of segments, number of inner steps) of each run.
        step_size: relative inner step size.
        multiple: length of a segment over ``eta*``.
        cells: the grid on which the laws are computed.

    Returns:
        The TV of each run, by its numbers of segments and inner steps.
    """
    x = cells.points
    runs = set(runs)
    times = grid(two_modes.LIPSCHITZ, max(count for count, _ in runs), multiple)
    steps = max(steps for _, steps in runs)
    normal = cells.law(-0.5 * cells.centres**2)
    laws = {run: normal for run in runs}
    for count, t_hi, t_lo in zip(range(len(times) - 1, 0, -1), times, times[1:], strict=False):
        kernels = two_modes.kernels(x, t_hi, t_lo)
        matrices = grid_law.segment_laws(
            kernels,
            modes_starts(kernels, cells),
            cells,
            modes_step(kernels, step_size),
            steps,
            adjusted=method == "rtk-mala",
        )
        for run in runs:
            if run[0] >= count:
                laws[run] = laws[run] @ matrices[run[1]]
    target = cells.law(two_modes.TARGET.log_prob(x, 0.0).numpy())
    return {run: float(grid_law.tv(law, target)) for run, law in laws.items()}


def modes_run(method: str, run: tuple[int, int], tv: float, step_size: float) -> Run:
    """The record of a run of `modes_chains`; MALA needs one more score per segment than ULA."""
    count, steps = run
    nfe = count * (steps + (method == "rtk-mala"))
    return Run(nfe, tv, f"segments={count}", step_size, steps)


# --- one segment ----------------------------------------------------------------------------------


def mala_segment(step_size: float, steps: int, cells: grid_law.Grid) -> list[Run]:
    """Runs of RTK-MALA on the segment of the two modes that ends at 0, one per number of steps.

    The TV is that between the law of the inner chain and the kernel.
    """
    kernel = two_modes.kernel()
    (start,) = modes_starts(kernel, cells)
    matrix = grid_law.mala_matrix(kernel, cells, modes_step(kernel, step_size))
    path = grid_law.tv(grid_law.laws(start, matrix, steps), grid_law.kernel_law(kernel, cells))
    return [Run(k, tv, "", step_size, k) for k, tv in enumerate(path.tolist()) if k > 0]


def gaussian_segment(method: str, step_size: float, steps: int) -> Run:
    """The run of ULD or ULA on the last segment of the Gaussian, from x = 1: TV to the kernel."""
    times = grid(gaussian.LIPSCHITZ, 1)
    x = np.ones(len(GAUSSIAN.mean))
    step = gaussian_steps.RTK_STEPS[method](GAUSSIAN, times, step_size, steps)
    law = gaussian_steps.then(step, x)
    exact = gaussian_steps.then(gaussian_steps.exact_kernel(GAUSSIAN, times), x)
    return Run(steps, gaussian_law.tv(law, exact), "", step_size, steps)


# --- the cheapest settings ------------------------------------------------------------------------


def ladder(low: float, high: float, per_decade: int) -> Array:
    """Numbers of equal ratio from ``low`` to at most ``high``, ``per_decade`` in each decade."""
    count = math.floor(per_decade * math.log10(high / low) + 1e-9)
    steps: Array = low * 10.0 ** (np.arange(count + 1) / per_decade)
    return steps


def while_it_helps(runs: Iterable[Run]) -> Iterator[Run]:
    """The first of some runs of growing cost, up to one that lowers a TV by less than 5 %.

    A TV of 0.1 or more does not end them.
    """
    before = math.inf
    for run in runs:
        yield run
        if 0.95 * before < run.tv < 0.1:
            return
        before = run.tv


def plain_candidates(method: str, most: int) -> Iterator[Run]:
    """Runs on log-SNR grids whose two ends cost eps each, and on grids that are quadratic in t."""
    counts = np.unique(ladder(4, most, 8).astype(int)).tolist()
    for eps in 1.0 / ladder(1.0, most, 2):
        # A sampler with noise contracts the error of the start, so that it falls as e^-2T.
        for contraction in (1.0, 2.0):
            t_start = start_time(eps, len(GAUSSIAN.mean), GAUSSIAN_MOMENT) / contraction
            log_snr = (log_snr_grid(t_start, clean_end(eps), n) for n in counts)
            if method == "dpm++2m":
                # The error of this solver changes its sign, so that it may grow before it falls.
                yield from (run_plain(method, times) for times in log_snr)
                continue
            quadratic = (quadratic_grid(t_start, n) for n in counts)
            for grids in (log_snr, quadratic):
                yield from while_it_helps(run_plain(method, times) for times in grids)


def rtk_candidates(method: str, smallest: float, longest: float) -> Iterator[Run]:
    """Runs of RTK-ULD or RTK-ULA on the Gaussian for the search of the cheapest settings.

    They vary the start time, the step size and the duration of the inner chain. Segments have 4 and
    16 times the length ``eta*``: on a log-concave target longer segments are cheaper than shorter
    ones.
    """
    eta = segments.critical_length(gaussian.LIPSCHITZ)
    for multiple in (4, 16):
        times = grid(gaussian.LIPSCHITZ, math.ceil(longest / (multiple * eta)), multiple)
        counts = np.unique(ladder(1, len(times) - 1, 8).astype(int)).tolist()
        for step_size in 1.0 / ladder(1.0, 10.0 / smallest, 4):
            for duration in 2.0 ** np.arange(1.0, 8.0, 0.5):
                steps = math.ceil(duration / step_size)
                yield from while_it_helps(run_rtk(method, times, step_size, steps, counts))


def mala_candidates(cells: grid_law.Grid, longest: float) -> Iterator[Run]:
    """Runs of RTK-MALA on the two modes, which vary the same settings at two step sizes."""
    eta = segments.critical_length(two_modes.LIPSCHITZ)
    for multiple in (4, 16):
        counts = np.unique(ladder(1, longest / (multiple * eta), 12).astype(int)).tolist()
        runs = [(count, steps) for count in counts for steps in range(1, 49)]
        for step_size in (1.0, 1.5):
            variations = modes_chains("rtk-mala", runs, step_size, multiple, cells)
            for run, tv in variations.items():
                yield modes_run("rtk-mala", run, tv, step_size)


def segment_candidates(method: str, smallest: float, cells: grid_law.Grid) -> Iterator[Run]:
    """Runs on one segment, which vary the step size and the number of steps."""
    if method == "rtk-mala":
        for step_size in (1.0, 1.5):
            yield from mala_segment(step_size, 40, cells)
        return
    for step_size in 1.0 / ladder(1.0, 1.0 / smallest, 4):
        for duration in 2.0 ** np.arange(0.0, 7.0, 0.5):
            yield gaussian_segment(method, step_size, math.ceil(duration / step_size))


def cheapest(candidates: Iterable[Run], accuracies: Iterable[float]) -> dict[float, Run]:
    """For each accuracy eps that some run reaches, the run with the least NFE among those."""
    ordered = sorted(candidates)
    first = {eps: next((run for run in ordered if run.tv <= eps), None) for eps in accuracies}
    return {eps: run for eps, run in first.items() if run is not None}


# --- the table ------------------------------------------------------------------------------------


def rows_of(study: str, target: str, method: str, runs: Iterable[tuple[float, Run]]) -> Rows:
    """Rows of the table for runs with the accuracy eps that each was set for, or NaN."""
    return [
        {"study": study, "target": target, "method": method, "settings": run.settings, "eps": eps}
        | {"metric": "tv", "value": run.tv, "nfe": run.nfe}
        | {"step_size": run.step_size, "inner_steps": run.inner_steps}
        for eps, run in runs
    ]


def without_accuracy(runs: Iterable[Run]) -> Iterator[tuple[float, Run]]:
    """Runs that were not set for an accuracy, with NaN in its place."""
    return ((math.nan, run) for run in runs)


def search_accuracies(settings: Settings) -> list[float]:
    """The accuracies for which the cheapest settings are searched."""
    accuracies: list[float] = (1.0 / ladder(1.0, 1.0 / settings.smallest, 2)).tolist()
    return accuracies[1:]


def by_rule(rule: Callable[[float], Run | None], settings: Settings) -> Iterator[tuple[float, Run]]:
    """Runs by a rule for falling eps, until the smallest TV is reached or the rule returns None."""
    for eps in 1.0 / ladder(1.0, 1.0 / settings.smallest, settings.per_decade):
        run = rule(float(eps))
        if run is None:
            return
        yield float(eps), run
        if run.tv < settings.smallest:
            return


def gaussian_rows(settings: Settings) -> Rows:
    """Whole chains of unadjusted samplers on the Gaussian."""
    table: Rows = []
    for method in gaussian_steps.RTK_STEPS:
        table += rows_of("rule", "gaussian", method, by_rule(partial(rtk_rule, method), settings))
        best = cheapest(
            rtk_candidates(method, settings.smallest, settings.longest), search_accuracies(settings)
        )
        table += rows_of("optimised", "gaussian", method, best.items())
    for method, most in settings.most.items():
        if method == "dpum":
            rule, candidates = corrected_rule, corrected_candidates(most // 25)
        else:
            rule, candidates = partial(plain_rule, method), plain_candidates(method, most // 25)
        runs = by_rule(partial(rule, most=most), settings)
        table += rows_of("rule", "gaussian", method, runs)
        best = cheapest(candidates, search_accuracies(settings))
        table += rows_of("optimised", "gaussian", method, best.items())
    count = segment_count(settings.smallest, 10, GAUSSIAN_MOMENT, gaussian.LIPSCHITZ)
    times = grid(gaussian.LIPSCHITZ, count)
    for step_size in settings.fixed_steps:
        for steps in np.unique(ladder(1, 64.0 / step_size, 12).astype(int)).tolist():
            fixed = without_accuracy(run_rtk("rtk-uld", times, step_size, steps, [count]))
            table += rows_of("fixed step", "gaussian", "rtk-uld", fixed)
    return table


def modes_rows(settings: Settings) -> Rows:
    """Whole chains of RTK-MALA and, for comparison, of RTK-ULA on the two modes."""
    fine = grid_law.Grid(-EDGE, EDGE, settings.cells)
    coarse = grid_law.Grid(-EDGE, EDGE, settings.cells // 2)
    accuracies = [float(e) for e in 1.0 / ladder(1.0, 1.0 / settings.mala_smallest, 4)]
    settings_of = {eps: mala_rule(eps) for eps in accuracies}
    tv = modes_chains("rtk-mala", settings_of.values(), 1.0, 1, fine)
    check = modes_chains("rtk-mala", settings_of.values(), 1.0, 1, coarse)
    runs = [(eps, modes_run("rtk-mala", run, tv[run], 1.0)) for eps, run in settings_of.items()]
    table = rows_of("rule", "two modes", "rtk-mala", runs)
    # The error of Richardson's extrapolation, as in `rtk.laws.grid.refined`.
    table += [
        row | {"metric": "grid_error", "value": abs(tv[run] - check[run]) / 3.0}
        for row, run in zip(table, settings_of.values(), strict=True)
    ]
    count, most = mala_rule(settings.smallest)
    path = [(count, steps) for steps in range(1, most + 1)]
    for method in ("rtk-mala", "rtk-ula"):
        tv = modes_chains(method, path, 1.0, 1, coarse)
        fixed = without_accuracy(modes_run(method, run, tv[run], 1.0) for run in path)
        table += rows_of("fixed step", "two modes", method, fixed)
    best = cheapest(mala_candidates(coarse, settings.longest), search_accuracies(settings))
    return table + rows_of("optimised", "two modes", "rtk-mala", best.items())


def segment_rows(settings: Settings) -> Rows:
    """Runs on one segment: a path of RTK-MALA, and the cheapest settings of every sampler."""
    cells = grid_law.Grid(-EDGE, EDGE, settings.cells)
    path = without_accuracy(mala_segment(1.0, 40, cells))
    table = rows_of("segment path", "two modes", "rtk-mala", path)
    for method in ("rtk-mala", *gaussian_steps.RTK_STEPS):
        target = "two modes" if method == "rtk-mala" else "gaussian"
        best = cheapest(
            segment_candidates(method, settings.smallest, cells), search_accuracies(settings)
        )
        table += rows_of("segment", target, method, best.items())
    return table


def rows(settings: Settings, seed: int) -> Rows:
    """Whole chains on both targets, and one segment; nothing is random."""
    return [*gaussian_rows(settings), *modes_rows(settings), *segment_rows(settings)]


if __name__ == "__main__":
    job.study(rows, Settings)
