"""The one outer loop: from ``N(0, I)`` at the start of a grid down its segments.

Every method is a `rtk.samplers.base.Sampler`; RTK, DDPM, DDIM and the others differ in how they
cross a segment.
"""

import dataclasses
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from rtk import diagnostics
from rtk.checks import (
    check_chains,
    check_count,
    check_device,
    check_dtype,
    check_flag,
    check_positive,
    check_seed,
    check_shape,
)
from rtk.compiled import compiler_works, compiling
from rtk.diagnostics import Diagnostics, SegmentDiagnostics
from rtk.noise import ChainNoise, Noise
from rtk.plan import Plan, make_plan
from rtk.registry import METHODS, methods
from rtk.samplers.base import Fittable, Fitted, Problem, Sampler, State, initial
from rtk.score import LogProb, NonFiniteError, Score, ScoreAndLogProb
from rtk.workers import ordered_map

Callback = Callable[[Tensor, float, range], None]


@dataclass(frozen=True, eq=False)
class Result:
    """What a run returns.

    Attributes:
        samples: shape (n, *shape).
        nfe: measured score evaluations per chain.
        diagnostics: per segment.
        calibration: of the methods "calibrated" and "rtk". Its ``rows`` are the score evaluations
            that were spent on it, which are not part of ``nfe``.
    """

    samples: Tensor
    nfe: int
    diagnostics: Diagnostics
    calibration: Fitted | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        same = (self.nfe, self.diagnostics) == (other.nfe, other.diagnostics)
        return same and torch.equal(self.samples, other.samples)

    __hash__ = None  # type: ignore[assignment]


def sample(
    score: Score,
    shape: int | Sequence[int],
    n: int,
    method: str | Sampler | Fittable = "rtk-uld",
    nfe: int = 100,
    seed: int = 0,
    log_prob: LogProb | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    *,
    segments: int | Sequence[float] | None = None,
    t_start: float | None = None,
    denoise: bool | None = None,
    x_init: Tensor | None = None,
    first: int = 0,
    chunk: int | None = None,
    callback: Callback | None = None,
    progress: bool = False,
    nonfinite: str = "raise",
    score_and_log_prob: ScoreAndLogProb | None = None,
    workers: int = 1,
    compile: bool = False,
    **options: object,
) -> Result:
    """Draw ``n`` samples from the data law of a score (paper, Algorithm 1).

    Args:
        score: ``(x, t) -> grad log p_t(x)``, with ``x`` of shape (m, *shape) and the OU time ``t``
            a float. It is called without autograd; it may answer in half precision.
        shape: shape of one sample; an int d means (d,).
        n: number of chains.
        method: a name from `rtk.methods`, a sampler object such as ``rtk.RTKULD(friction=1.0)``, or
            what `rtk.calibrate` returned.
        nfe: score evaluations allowed per chain, an upper bound.
        seed: names the run; chain ``c`` depends on (seed, c) alone.
        log_prob: ``(x, t) -> log p_t(x)`` up to a constant, if known; Metropolis tests then take
            exact energy differences.
        device, dtype: of ``x``; torch's defaults if not given. The state of the chains is kept in
            float32 or float64.
        segments: number of segments uniform in log-SNR between the default ends, or the grid
            itself as decreasing OU times (see `rtk.segments`). The methods "calibrated" and "rtk"
            choose their own.
        t_start: OU time at which a default grid begins, by default 5. There ``p_t`` must be close
            to ``N(0, I)``, which holds at 5 for data of about unit scale.
        denoise: end with Tweedie's estimate at time 0 (one score); by default if and only if the
            grid ends above 0.
        x_init: states at the start of the grid in place of ``N(0, I)``, or of the draws of the
            Gaussian base of "calibrated" and "rtk"; shape (n, *shape).
        first: index of the first chain. The chains ``first .. first + n - 1`` are those of a longer
            run with the same seed, so a run can be split into parts, or one chain drawn again.
        chunk: chains computed together, at most; the samples do not depend on it.
        callback: called as ``callback(x, t, chains)`` after each segment of each chunk, with a copy
            of the states at time ``t`` and the range of their chain indices. Workers call it one at
            a time.
        progress: show a progress bar.
        nonfinite: "raise" an error when a chain is no longer finite, or "keep" it (as it is, listed
            in ``diagnostics.nonfinite``).
        score_and_log_prob: ``(x, t) -> (score, log_prob)`` from one pass, if there is such a
            function beside the two: Metropolis tests with exact energies then take it in place of
            both. It counts as one evaluation of each.
        workers: threads, each of which computes one chunk at a time with one of torch's threads;
            1 is the calling thread, with the threads that torch has. The samples do not depend on
            it. Cheap scores gain from it, a network that already uses all cores does not.
        compile: fuse the inner loops with torch.compile, if a C++ compiler is at hand; the samples
            are the same up to rounding. The first run then takes tens of seconds longer, later ones
            find the compiled code in torch's cache. The score itself is left as it is.
        **options: fields of the method, such as ``step_size``, ``friction``, ``inner_steps``,
            ``warm_start``, ``energy``, ``data_variance`` (see `rtk.samplers.reverse_transition`).

    Returns:
        The samples, the score evaluations that were made per chain, and diagnostics per segment.

    Raises:
        ValueError, TypeError: for wrong arguments, or a score of the wrong shape, dtype or device.
        NonFiniteError: names the chains that are not finite and when, unless ``nonfinite="keep"``.

    Warns:
        SamplingWarning: if the score at the start is far from that of ``N(0, I)``, if hardly any
            proposal is accepted, or if the score is a torch module in training mode.
    """
    shape, nfe = check_shape(shape), check_count("nfe", nfe)
    n, first = check_count("n", n), check_count("first", first, minimum=0)
    seed = check_seed(seed)
    if nonfinite not in ("raise", "keep"):
        raise ValueError(f'nonfinite must be "raise" or "keep", got {nonfinite!r}')
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {callback!r}")
    check_chains(first, n)
    device, dtype = check_device(device), check_dtype(dtype)
    chunk = default_chunk(shape, device) if chunk is None else check_count("chunk", chunk)
    workers = check_count("workers", workers)
    compile = check_flag("compile", compile) and compiler_works()
    chosen = make_method(method, options)
    if x_init is not None:
        x_init = _check_start(x_init, (n, *shape), device, dtype)
    diagnostics.warn_of_training(score, depth=2)
    calibration: Fitted | None = None
    if isinstance(chosen, Fittable):
        if segments is not None or denoise:
            raise ValueError(
                "a calibrated method chooses its own segments, which end at time 0: leave out "
                "segments= and denoise="
            )
        t_start = None if t_start is None else check_positive("t_start", t_start)
        chosen, calibration = chosen.fit(score, shape, nfe, t_start, device, dtype)
    plan = make_plan(score, chosen, nfe, log_prob, segments, denoise, t_start, score_and_log_prob)

    with torch.inference_mode(False):
        # Now, so that more samples than there is memory for are an error before any work.
        samples = torch.empty((n, *shape), device=device, dtype=dtype)
    chunks = [range(begin, min(begin + chunk, n)) for begin in range(0, n, chunk)]
    bar = tqdm(total=len(chunks) * len(plan.crossings), disable=not progress, unit="segment")
    one_at_a_time = threading.Lock()

    def compute(rows: range) -> Part:
        chains = range(first + rows.start, first + rows.stop)
        noise = ChainNoise(seed, len(chains), shape, chains.start, device, dtype)

        def after_segment(state: State) -> None:
            with one_at_a_time:
                bar.update()
                if callback is not None:
                    callback(state.x.clone(), state.t, chains)

        start = None if x_init is None else x_init[rows.start : rows.stop]
        with compiling(compile):
            return run(plan, noise, start, after_segment)

    traces: list[list[SegmentDiagnostics]] = []
    scores = energies = 0
    bad: dict[int, float] = {}
    with bar:
        for rows, part in zip(chunks, ordered_map(compute, chunks, workers), strict=True):
            if x_init is None and not traces:
                diagnostics.warn_of_mismatch(part.problem.score, plan.crossings[0].t_hi, depth=2)
            samples[rows.start : rows.stop] = part.samples
            traces.append(part.trace)
            scores += part.problem.score.evaluations
            energies += part.problem.log_prob_evaluations
            bad |= {first + rows.start + row: t for row, t in part.bad.items()}
            if bad and nonfinite == "raise":
                raise NonFiniteError(bad, rows.stop)
    sizes = torch.tensor([len(rows) for rows in chunks], dtype=torch.float64)
    merged = [diagnostics.merge(segment, sizes) for segment in zip(*traces, strict=True)]
    diagnostics.warn_of_rejections(merged, n, depth=2)
    return Result(
        samples, -(-scores // n), Diagnostics(merged, -(-energies // n), bad), calibration
    )


def default_chunk(shape: tuple[int, ...], device: torch.device) -> int:
    """Chains computed together: what fits a CPU's cache, or fills a GPU."""
    numbers = 2**16 if device.type == "cpu" else 2**24
    return max(1, numbers // max(1, torch.Size(shape).numel()))


@dataclass(frozen=True, eq=False)
class Part:
    """What `run` returns.

    Attributes:
        samples: shape (n, *shape).
        trace: diagnostics of each segment.
        bad: for each row that stopped being finite, the time at which that was noticed.
        problem: with the counters of this run.
    """

    samples: Tensor
    trace: list[SegmentDiagnostics]
    bad: dict[int, float]
    problem: Problem


def run(
    plan: Plan,
    noise: Noise,
    start: Tensor | None = None,
    after_segment: Callable[[State], Any] | None = None,
) -> Part:
    """All segments of a plan for one batch of chains, from ``N(0, I)`` or from ``start``."""
    # What the caller's thread does with autograd must not reach the chains, and theirs not it.
    with torch.inference_mode(False), torch.no_grad():
        problem = plan.problem.fresh()
        # The draw is made in any case, so that the later draws do not depend on ``start``.
        normal = noise.normal()
        t_hi = plan.crossings[0].t_hi
        first = plan.crossings[0].sampler
        state = State(initial(first, normal, t_hi) if start is None else start, t_hi)
        trace: list[SegmentDiagnostics] = []
        bad: dict[int, float] = {}
        spent = 0
        for crossing in plan.crossings:
            left = crossing.allowance - spent
            state, info = crossing.sampler(problem, state, crossing.t_lo, left, noise)
            nfe = problem.score.evaluations // noise.n - spent
            spent += nfe
            trace.append(diagnostics.of_segment(crossing, nfe, info))
            for row in broken_rows(state.x, info.stuck):
                bad.setdefault(row, crossing.t_lo)
            if after_segment is not None:
                after_segment(state)
        return Part(state.x, trace, bad, problem)


def broken_rows(x: Tensor, stuck: Tensor | None) -> list[int]:
    """The rows of ``x`` that are not finite, and those whose chain can never move again."""
    # One number that is not finite makes the sum so, and a sum is the cheaper test by far.
    if stuck is None and bool(torch.isfinite(x.sum())):
        return []
    broken = ~torch.isfinite(x.flatten(1)).all(1)
    if stuck is not None:
        broken |= stuck
    rows: list[int] = torch.nonzero(broken).flatten().tolist()
    return rows


def make_sampler(method: str | Sampler | Fittable, options: dict[str, object]) -> Sampler:
    """The sampler of `make_method`; a TypeError if there is none before it is fitted to a model."""
    chosen = make_method(method, options)
    if isinstance(chosen, Fittable):
        raise TypeError(f"method {method!r} has to be fitted to a model before it is a sampler")
    return chosen


def make_method(method: str | Sampler | Fittable, options: dict[str, object]) -> Sampler | Fittable:
    """The method of a name with its options, or the sampler object itself.

    Raises:
        ValueError: for an unknown name or option, or options beside a sampler object.
        TypeError: for anything else than a name or a sampler object.
    """
    if not isinstance(method, str):
        if options:
            raise ValueError(f"options {[*options]} belong into the sampler object given as method")
        if isinstance(method, type) or not isinstance(method, Sampler | Fittable):
            raise TypeError(f"method must be a name or a sampler object, got {method!r}")
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


def _check_start(
    x_init: Tensor, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
) -> Tensor:
    """The caller's start on the device of the chains; a copy, so that it stays as it is."""
    if not isinstance(x_init, Tensor) or tuple(x_init.shape) != shape:
        given = tuple(x_init.shape) if isinstance(x_init, Tensor) else type(x_init).__name__
        raise ValueError(f"x_init must be a tensor of shape (n, *shape) = {shape}, got {given}")
    if not x_init.is_floating_point() or x_init.layout != torch.strided:
        raise TypeError(
            "x_init must be a dense floating-point tensor, got "
            f"{x_init.dtype} with layout {x_init.layout}"
        )
    if not bool(torch.isfinite(x_init).all()):
        raise ValueError("x_init must be finite")
    with torch.inference_mode(False):
        return x_init.detach().clone().to(device, dtype)
