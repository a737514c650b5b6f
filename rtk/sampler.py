"""The one outer loop: from ``N(0, I)`` at the start of a grid down its segments.

Every sampler is a `Step`; RTK, DDPM, DDIM, ... differ in how they cross a segment.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from rtk import segments as grids
from rtk.annealed_langevin import AnnealedLangevin
from rtk.checks import check_count
from rtk.ddim import DDIM
from rtk.ddpm import DDPM
from rtk.dpm_solver import DPMSolverPP2M
from rtk.noise import ChainNoise, Noise, chains_per_block
from rtk.score import CountedLogProb, CountedScore, LogProb, NonFiniteError, Score
from rtk.segments import Times
from rtk.step import Info, Problem, State, Step
from rtk.transition_step import RTKMALA, RTKULA, RTKULD

METHODS: dict[str, Callable[..., Step]] = {
    "ddpm": DDPM,
    "ddim": DDIM,
    "dpm++2m": DPMSolverPP2M,
    "dpm++2m-sde": lambda: DPMSolverPP2M(stochastic=True),
    "ald": AnnealedLangevin,
    "rtk-ula": RTKULA,
    "rtk-mala": RTKMALA,
    "rtk-uld": RTKULD,
}


def methods() -> list[str]:
    """Names that `sample` takes as ``method``."""
    return [*METHODS]


@dataclass(frozen=True)
class SegmentDiagnostics:
    """One segment, over all chains.

    Attributes:
        t_hi, t_lo: its ends.
        nfe: score evaluations per chain.
        inner_steps, step_size: of the inner chain, if there is one.
        acceptance: mean acceptance probability of a Metropolis chain, else None.
    """

    t_hi: float
    t_lo: float
    nfe: int
    inner_steps: int
    step_size: float | None
    acceptance: float | None


@dataclass(frozen=True)
class Diagnostics:
    """What happened on the way.

    Attributes:
        segments: one entry per segment, the closing denoising step included.
        log_prob_evaluations: per chain; energies are not scores and are counted apart.
        nonfinite: chain index -> OU time by which its sample or score was no longer finite.
    """

    segments: list[SegmentDiagnostics]
    log_prob_evaluations: int
    nonfinite: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """Samples (n, *shape), measured score evaluations per chain, diagnostics."""

    samples: Tensor
    nfe: int
    diagnostics: Diagnostics


def sample(
    score: Score,
    shape: int | Sequence[int],
    n: int,
    method: str | Step = "rtk-uld",
    nfe: int = 100,
    seed: int = 0,
    log_prob: LogProb | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    *,
    segments: int | Sequence[float] | None = None,
    denoise: bool | None = None,
    chunk: int | None = None,
    progress: bool = False,
    nonfinite: str = "raise",
    **options: object,
) -> Result:
    """Draw ``n`` samples from the data law of a score (paper, Algorithm 1).

    Args:
        score: ``(x, t) -> grad log p_t(x)``, ``x`` of shape (m, *shape), OU time ``t`` a float.
        shape: shape of one sample; an int d means (d,).
        n: number of chains.
        method: a name from `methods`, or a `Step` object.
        nfe: score evaluations allowed per chain, an upper bound.
        seed: names the run; chain ``c`` depends on (seed, c) alone.
        log_prob: ``(x, t) -> log p_t(x)`` up to a constant, if known; "rtk-mala" then takes exact
            energy differences.
        device, dtype: of ``x``; torch's defaults if not given.
        segments: number of segments uniform in log-SNR between the default ends, or the grid
            itself as decreasing OU times (see `rtk.segments`).
        denoise: end with Tweedie's estimate at time 0 (one score); by default if and only if the
            grid ends above 0.
        chunk: chains computed together; the samples do not depend on it.
        progress: show a progress bar.
        nonfinite: "raise" an error when a chain is no longer finite, or "keep" it (as it is, listed
            in ``diagnostics.nonfinite``).
        **options: fields of the method, such as ``step_size``, ``friction``, ``inner_steps``,
            ``warm_start``, ``energy``, ``data_variance`` (see `rtk.transition_step`).

    Raises:
        ValueError, TypeError: for wrong arguments, or a score of the wrong shape, dtype or device.
        NonFiniteError: names the chains that are not finite and when, unless ``nonfinite="keep"``.
    """
    shape = _check_shape(shape)
    n, seed = check_count("n", n), check_count("seed", seed, minimum=0)
    if nonfinite not in ("raise", "keep"):
        raise ValueError(f'nonfinite must be "raise" or "keep", got {nonfinite!r}')
    device = torch.device(device) if device is not None else torch.get_default_device()
    chunk = default_chunk(shape, device) if chunk is None else check_count("chunk", chunk)
    block = chains_per_block(shape)
    chunk = max(1, chunk // block) * block
    plan = make_plan(score, method, nfe, log_prob, segments, denoise, **options)

    starts = range(0, n, chunk)
    parts: list[Tensor] = []
    traces: list[list[tuple[int, Info]]] = []
    bad: dict[int, float] = {}
    with tqdm(total=len(starts) * len(plan.crossings), disable=not progress, unit="segment") as bar:
        for first in starts:
            noise = ChainNoise(seed, min(chunk, n - first), shape, first, device, dtype)
            samples, trace, nonfinite_here = run(plan, noise, bar)
            parts.append(samples)
            traces.append(trace)
            bad |= {first + chain: t for chain, t in nonfinite_here.items()}
            if bad and nonfinite == "raise":
                raise NonFiniteError(bad, n)
    sizes = torch.tensor([len(samples) for samples in parts], dtype=torch.float64)
    merged = [
        _merge(crossing, [trace[k] for trace in traces], sizes)
        for k, crossing in enumerate(plan.crossings)
    ]
    log_prob_calls = plan.problem.log_prob.evaluations if plan.problem.log_prob else 0
    return Result(
        torch.cat(parts),
        -(-plan.problem.score.evaluations // n),
        Diagnostics(merged, -(-log_prob_calls // n), bad),
    )


@dataclass(frozen=True)
class Crossing:
    """One segment of a run: who crosses it, and how many scores may be spent by its end."""

    step: Step
    t_hi: float
    t_lo: float
    allowance: int


@dataclass(frozen=True)
class Plan:
    """A run before its chains: what to sample from, and the segments with their budgets."""

    problem: Problem
    crossings: list[Crossing]


def make_plan(
    score: Score,
    method: str | Step,
    nfe: int,
    log_prob: LogProb | None = None,
    segments: int | Sequence[float] | None = None,
    denoise: bool | None = None,
    **options: object,
) -> Plan:
    """The plan of `sample` with these arguments, checked.

    The budget is spread evenly; what a segment leaves unspent goes to the next.
    """
    nfe = check_count("nfe", nfe)
    problem = Problem(CountedScore(score), None if log_prob is None else CountedLogProb(log_prob))
    step = _make_step(method, options)
    times = _make_times(segments, step, nfe, problem)
    if denoise is None:
        denoise = times[-1] > 0.0
    elif denoise and times[-1] == 0.0:
        raise ValueError("denoise=True needs segments that end above 0, these end at 0")
    count = len(times) - 1
    minimum = step.minimum_nfe(count, problem) + denoise
    if nfe < minimum:
        raise ValueError(
            f"nfe={nfe} is below the minimum of {method!r} on {count} segments"
            f"{' and a denoising step' if denoise else ''}, expected at least {minimum}"
        )
    crossings = [
        Crossing(step, t_hi, t_lo, round((nfe - denoise) * (k + 1) / count))
        for k, (t_hi, t_lo) in enumerate(itertools.pairwise(times))
    ]
    if denoise:
        # Tweedie's estimate is the DDPM step to 0, which has no noise.
        crossings.append(Crossing(DDPM(), times[-1], 0.0, nfe))
    return Plan(problem, crossings)


def default_chunk(shape: tuple[int, ...], device: torch.device) -> int:
    """Chains computed together: what fits a CPU's cache, or fills a GPU."""
    numbers = 2**15 if device.type == "cpu" else 2**24
    return max(1, numbers // max(1, torch.Size(shape).numel()))


@torch.no_grad()
def run(
    plan: Plan, noise: Noise, bar: "tqdm[Any] | None" = None
) -> tuple[Tensor, list[tuple[int, Info]], dict[int, float]]:
    """All segments of a plan for one batch of chains, from ``N(0, I)``.

    Returns:
        Samples, (scores, info) per segment, and the time at which each non-finite chain was found.
    """
    score = plan.problem.score
    before = score.evaluations
    state = State(noise.normal(), plan.crossings[0].t_hi)
    trace: list[tuple[int, Info]] = []
    bad: dict[int, float] = {}
    for crossing in plan.crossings:
        spent = (score.evaluations - before) // noise.n
        left = crossing.allowance - spent
        state, info = crossing.step(plan.problem, state, crossing.t_lo, left, noise)
        trace.append(((score.evaluations - before) // noise.n - spent, info))
        finite = torch.isfinite(state.x.flatten(1)).all(1)
        if info.stuck is not None:
            finite &= ~info.stuck
        for chain in torch.nonzero(~finite).flatten().tolist():
            bad.setdefault(chain, crossing.t_lo)
        if bar is not None:
            bar.update()
    return state.x, trace, bad


def _merge(crossing: Crossing, traces: list[tuple[int, Info]], sizes: Tensor) -> SegmentDiagnostics:
    """One segment's diagnostics over all chunks."""
    nfe, info = traces[0]
    acceptance = None
    if info.acceptance is not None:
        means = [float(i.acceptance.mean()) for _, i in traces if i.acceptance is not None]
        acceptance = float((torch.tensor(means, dtype=sizes.dtype) * sizes).sum() / sizes.sum())
    return SegmentDiagnostics(
        crossing.t_hi, crossing.t_lo, nfe, info.inner_steps, info.step_size, acceptance
    )


def _make_step(method: str | Step, options: dict[str, object]) -> Step:
    if not isinstance(method, str):
        if options:
            raise ValueError(f"options {[*options]} belong into the Step object given as method")
        if isinstance(method, type) or not callable(method):
            raise TypeError(f"method must be a name or a Step object, got {method!r}")
        return method
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}, expected one of {methods()}")
    factory = METHODS[method]
    known: list[str] = (
        [item.name for item in dataclasses.fields(factory)]
        if dataclasses.is_dataclass(factory)
        else []
    )
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ValueError(f"method {method!r} has no option {unknown}, expected one of {known}")
    return factory(**options)


def _make_times(
    segments: int | Sequence[float] | None, step: Step, nfe: int, problem: Problem
) -> Times:
    if segments is None:
        return step.default_times(nfe, problem)
    if isinstance(segments, Iterable):
        return grids.check(segments)
    return grids.log_snr(check_count("segments", segments))


def _check_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    sides = tuple(shape) if isinstance(shape, Iterable) else (shape,)
    if not sides:
        raise ValueError("shape must have at least one side, got ()")
    return tuple(check_count("a side of shape", side) for side in sides)
