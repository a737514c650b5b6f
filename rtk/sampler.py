"""The one outer loop: from ``N(0, I)`` at the start of a grid down its segments.

Every sampler is a `Step`; RTK, DDPM, DDIM, ... differ in how they cross a segment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from rtk.checks import check_count
from rtk.noise import ChainNoise, Noise, chains_per_block
from rtk.plan import Crossing, Plan, make_plan
from rtk.samplers.base import Info, State, Step
from rtk.score import LogProb, NonFiniteError, Score


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
            ``warm_start``, ``energy``, ``data_variance`` (see `rtk.samplers.reverse_transition`).

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


def _check_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    sides = tuple(shape) if isinstance(shape, Iterable) else (shape,)
    if not sides:
        raise ValueError("shape must have at least one side, got ()")
    return tuple(check_count("a side of shape", side) for side in sides)
