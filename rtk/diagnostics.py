"""What a run reports beside its samples: diagnostics per segment, and warnings."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from rtk.checks import SamplingWarning
from rtk.plan import Crossing
from rtk.samplers.base import Info
from rtk.score import CountedScore, Score

# A root mean square per coordinate; 0.1 moves the start of a chain by a tenth of its spread.
LARGEST_MISMATCH = 0.1


SMALLEST_ACCEPTANCE = 0.05
ENOUGH_PROPOSALS = 100


@dataclass(frozen=True)
class SegmentDiagnostics:
    """One segment, over all chains.

    Attributes:
        t_hi, t_lo: its noisy and its clean end.
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


def of_segment(crossing: Crossing, nfe: int, info: Info) -> SegmentDiagnostics:
    """What is kept of a segment: numbers, which take no memory for each chain."""
    acceptance = None if info.acceptance is None else float(info.acceptance.mean())
    return SegmentDiagnostics(
        crossing.t_hi, crossing.t_lo, nfe, info.inner_steps, info.step_size, acceptance
    )


def merge(chunks: Sequence[SegmentDiagnostics], sizes: Tensor) -> SegmentDiagnostics:
    """One segment's diagnostics over all chunks, which have ``sizes`` chains."""
    means = [chunk.acceptance for chunk in chunks if chunk.acceptance is not None]
    if not means:
        return chunks[0]
    mean = float((torch.tensor(means, dtype=sizes.dtype) * sizes).sum() / sizes.sum())
    return replace(chunks[0], acceptance=mean)


def warn(message: str, depth: int) -> None:
    """Warn at the line that called `sample`, ``depth`` calls above this function."""
    warnings.warn(message, SamplingWarning, stacklevel=depth + 1)


def warn_of_training(score: Score, depth: int) -> None:
    """Warn if the score is a module whose dropout and batch norm are in their training mode."""
    if isinstance(score, torch.nn.Module) and score.training:
        message = "the score is a torch module in training mode: call score.eval() before sampling"
        warn(message, depth + 1)


def warn_of_mismatch(score: CountedScore, t_start: float, depth: int) -> None:
    """Warn if the first score was taken at the start and is far from that of ``N(0, I)``."""
    t, mismatch = score.first_time, score.first_mismatch
    if t == t_start and mismatch > LARGEST_MISMATCH:
        message = (
            f"the score at the start, t = {t:g}, differs from that of N(0, I), where the chains "
            f"begin, by {mismatch:.2g} per coordinate (root mean square). Rescale the data to "
            "about unit scale, or start at a later time with t_start="
        )
        warn(message, depth + 1)


def warn_of_rejections(segments: list[SegmentDiagnostics], chains: int, depth: int) -> None:
    """Warn of the first segment on which hardly any proposal is accepted, among enough of them."""
    for segment in segments:
        if segment.acceptance is None or chains * segment.inner_steps < ENOUGH_PROPOSALS:
            continue
        if segment.acceptance < SMALLEST_ACCEPTANCE:
            message = (
                f"only {segment.acceptance:.2%} of the proposals are accepted on the segment from "
                f"t = {segment.t_hi:.3g} to {segment.t_lo:.3g}: try a smaller step_size"
            )
            return warn(message, depth + 1)
