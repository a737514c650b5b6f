"""The one outer loop: from ``N(0, I)`` at the start of a grid down its segments.

Every sampler is a `Step`; RTK, DDPM, DDIM, ... differ in how they cross a segment.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from rtk import segments as grids
from rtk.annealed_langevin import AnnealedLangevin
from rtk.ddim import DDIM
from rtk.ddpm import DDPM
from rtk.dpm_solver import DPMSolverPP2M
from rtk.noise import ChainNoise, chains_per_block
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
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    if nonfinite not in ("raise", "keep"):
        raise ValueError(f'nonfinite must be "raise" or "keep", got {nonfinite!r}')
    device = torch.device(device) if device is not None else torch.get_default_device()
    problem = Problem(CountedScore(score), None if log_prob is None else CountedLogProb(log_prob))
    step = _make_step(method, options)
    times = _make_times(segments, step, nfe, problem)
    if denoise is None:
        denoise = times[-1] > 0.0
    minimum = step.minimum_nfe(len(times) - 1, problem) + denoise
    if nfe < minimum:
        raise ValueError(
            f"nfe={nfe} is below the minimum of {method!r} on {len(times) - 1} segments"
            f"{' and a denoising step' if denoise else ''}, expected at least {minimum}"
        )

    block = chains_per_block(shape)
    chunk = chunk or default_chunk(shape, device)
    chunk = max(1, chunk // block) * block
    starts = range(0, n, chunk)
    total = len(starts) * (len(times) - 1 + denoise)
    chunks: list[tuple[Tensor, list[tuple[int, Info]]]] = []
    bad: dict[int, float] = {}
    with torch.no_grad(), tqdm(total=total, disable=not progress, unit="segment") as bar:
        for first in starts:
            noise = ChainNoise(seed, min(chunk, n - first), shape, first, device, dtype)
            outcome = _run(problem, step, times, denoise, nfe, noise, bar)
            chunks.append(outcome[:2])
            for chain, t in outcome[2].items():
                bad[first + chain] = t
            if bad and nonfinite == "raise":
                raise NonFiniteError(bad, n)
    ends = (*times, 0.0) if denoise else times
    weights = torch.tensor([len(samples) for samples, _ in chunks], dtype=torch.float64)
    merged = [
        _merge(ends[k], ends[k + 1], [trace[k] for _, trace in chunks], weights)
        for k in range(len(ends) - 1)
    ]
    energies = 0 if problem.log_prob is None else -(-problem.log_prob.evaluations // n)
    return Result(
        torch.cat([samples for samples, _ in chunks]),
        -(-problem.score.evaluations // n),
        Diagnostics(merged, energies, bad),
    )


def default_chunk(shape: tuple[int, ...], device: torch.device) -> int:
    """Chains computed together: what fits a CPU's cache, or fills a GPU."""
    numbers = 2**15 if device.type == "cpu" else 2**24
    return max(1, numbers // max(1, torch.Size(shape).numel()))


def _run(
    problem: Problem,
    step: Step,
    times: Times,
    denoise: bool,
    nfe: int,
    noise: ChainNoise,
    bar: "tqdm[Any]",
) -> tuple[Tensor, list[tuple[int, Info]], dict[int, float]]:
    """All segments for one chunk; samples, (scores, info) per segment, non-finite chains."""
    segments = len(times) - 1
    state = State(noise.normal(), times[0])
    before = problem.score.evaluations
    trace: list[tuple[int, Info]] = []
    bad: dict[int, float] = {}
    plan: list[tuple[Step, float, int]] = [
        # What a segment leaves unspent goes to the next.
        (step, times[k + 1], round((nfe - denoise) * (k + 1) / segments))
        for k in range(segments)
    ]
    if denoise:
        plan.append((DDPM(), 0.0, nfe))
    for crossing, t_lo, allowed in plan:
        spent = (problem.score.evaluations - before) // noise.n
        state, info = crossing(problem, state, t_lo, allowed - spent, noise)
        trace.append(((problem.score.evaluations - before) // noise.n - spent, info))
        finite = torch.isfinite(state.x.flatten(1)).all(1)
        if info.stuck is not None:
            finite &= ~info.stuck
        for chain in torch.nonzero(~finite).flatten().tolist():
            bad.setdefault(chain, t_lo)
        bar.update()
    return state.x, trace, bad


def _merge(
    t_hi: float, t_lo: float, traces: list[tuple[int, Info]], weights: Tensor
) -> SegmentDiagnostics:
    """One segment's diagnostics over all chunks."""
    nfe, info = traces[0]
    acceptance = None
    if info.acceptance is not None:
        means = torch.tensor(
            [i.acceptance.double().mean() for _, i in traces if i.acceptance is not None]
        )
        acceptance = float((means * weights).sum() / weights.sum())
    return SegmentDiagnostics(t_hi, t_lo, nfe, info.inner_steps, info.step_size, acceptance)


def _make_step(method: str | Step, options: dict[str, object]) -> Step:
    if not isinstance(method, str):
        if options:
            raise ValueError(f"options {[*options]} belong into the Step object given as method")
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
    if isinstance(segments, int):
        return grids.log_snr(segments)
    return grids.check(segments)


def _check_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if not shape or any(side < 1 for side in shape):
        raise ValueError(f"shape must be the positive shape of one sample, got {shape}")
    return shape
