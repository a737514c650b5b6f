"""DPM-Solver++(3M): a three-step exponential integrator in log-SNR.

Lu et al. 2022, arXiv 2211.01095, the multistep solver of order 3 in the authors' code. With
``h = lambda_lo - lambda_hi``, the denoised estimates ``D, D', D''`` (newest first) at distances
``r_0 h`` and ``r_1 h`` from each other in lambda, and ``phi_1 = e^-h - 1``, ``phi_2 = phi_1 / h +
1``, ``phi_3 = phi_2 / h - 1 / 2``::

    d = (D - D') / r_0,    d' = (D' - D'') / r_1
    D1 = d + r_0 / (r_0 + r_1) (d - d'),    D2 = 2 (d - d') / (r_0 + r_1)
    z = (s_lo / s_hi) x - a_lo (phi_1 D - phi_2 D1 + phi_3 D2)

D1 and D2 are the derivatives, with respect to ``lambda / h``, of the parabola through the three
estimates. The authors' code leaves out the factor 2 in D2. Without it the order is 2, so here it
stands.

The first segment has order 1 and the second order 2. As in `rtk.samplers.dpm_solver`, estimates are
not extrapolated far: those behind a segment shorter than half of ``h`` are left out, and the order
is lower by their number.
"""

import itertools
import math
from dataclasses import dataclass

from torch import Tensor

from rtk import process
from rtk.noise import Noise
from rtk.samplers.base import Info, OneScorePerSegment, Problem, State, score_at
from rtk.samplers.dpm_solver import LONGEST_RATIO


@dataclass(frozen=True)
class DPMSolverPP3M(OneScorePerSegment):
    """The three-step multistep solver of the probability-flow ODE.

    On a segment that ends at 0, ``h`` is infinite; there the step returns ``D``. This, or the
    denoising step that ends a default run, is the step of order 1 with which the authors' code ends
    as well; the order of the segment before it is not lowered, as a sampler does not know how many
    segments there are.
    """

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        denoised = process.denoise(state.x, score_at(problem, state), state.t)
        if t_lo == 0.0:
            return State(denoised, t_lo), Info()
        known = ((state.t, denoised), *state.history)
        h = process.log_snr(t_lo) - process.log_snr(state.t)
        shrink = process.sigma(t_lo) / process.sigma(state.t)
        z = shrink * state.x - process.alpha(t_lo) * _weighted(known, h)
        return State(z, t_lo, history=known[:2]), Info()


def _weighted(known: tuple[tuple[float, Tensor], ...], h: float) -> Tensor:
    """``phi_1 D - phi_2 D1 + phi_3 D2``, or what is left of it at a lower order."""
    levels = [process.log_snr(t) for t, _ in known]
    ratios = [(new - old) / h for new, old in itertools.pairwise(levels)]
    phi_1 = math.expm1(-h)
    newest = known[0][1]
    if not ratios or ratios[0] < 1.0 / LONGEST_RATIO:
        return phi_1 * newest
    difference = (newest - known[1][1]) / ratios[0]
    if len(ratios) < 2 or ratios[1] < 1.0 / LONGEST_RATIO:
        return phi_1 * (newest + 0.5 * difference)
    change = difference - (known[1][1] - known[2][1]) / ratios[1]
    first = difference + ratios[0] / (ratios[0] + ratios[1]) * change
    second = 2.0 * change / (ratios[0] + ratios[1])
    phi_2 = phi_1 / h + 1.0
    return phi_1 * newest - phi_2 * first + (phi_2 / h - 0.5) * second
