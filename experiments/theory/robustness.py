"""B5: the error of the samples against errors of the score and of the energy difference.

All laws are exact, without Monte Carlo noise. An error of the score is a field whose root mean
square under ``p_t`` is ``eps``; two kinds of error are smaller than that at some times. An error of
the energy difference is at most ``eps``. There are three settings.

- `gaussian` has whole chains on a Gaussian in ten dimensions, whose laws stay Gaussian under affine
  errors (`rtk.laws.gaussian`). The samplers are RTK-ULD, RTK-ULA, DDPM, DDIM, DPM-Solver++(2M), and
  score-only RTK-MALA in the limit of an infinite number of inner steps (`WrongKernel`).
- `modes_chain` has whole chains of RTK-MALA in the same limit on two modes in one dimension, where
  a segment is a matrix on a grid.
- `modes_segment` has one segment of the two modes at a finite step (`rtk.laws.grid`), for RTK-MALA
  with exact, Simpson and trapezoid energies.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.theory import two_modes
from experiments.workflow import job
from rtk import process, segments
from rtk.energy import EnergyDifference, Exact
from rtk.kernel import Point, ReverseTransition
from rtk.laws import affine
from rtk.laws import gaussian as gaussian_law
from rtk.laws import grid as grid_law
from rtk.laws.gaussian import Gaussian
from rtk.laws.grid import Array, Grid
from rtk.noise import Noise
from rtk.samplers.base import Info, Problem, Sampler, State
from rtk.samplers.ddim import DDIM
from rtk.samplers.ddpm import DDPM
from rtk.samplers.dpm_solver import DPMSolverPP2M
from rtk.samplers.reverse_transition import RTKULA, RTKULD
from rtk.score import CountedScore
from rtk.segments import Times

Rows = list[dict[str, Any]]

T_START, T_END = 5.0, 1e-3

# The Gaussian has ten independent coordinates of two variances, so the laws of two of them suffice.
VARIANCES = torch.tensor([0.5, 1.5], dtype=torch.float64)
COPIES = 5
DIMENSION = 2 * COPIES
LIPSCHITZ = 2.0
LATE = 0.2
"""Time below which an error of the kind ``late`` is present."""

REACH = 4.0
"""Half the width of the grid."""
FREQUENCY = 0.5 * math.pi
"""Angular frequency of the errors that move mass between the modes at -1 and 1."""


# --- a Gaussian in ten dimensions ---


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        relative_step: inner step size of RTK-MALA on one segment, relative to one over the largest
            curvature.
        step_size: relative inner step size of each unadjusted sampler in whole chains.
        epsilons: sizes of the errors.
        cells: cells of the grid.
        baseline_steps: steps of DDPM, DDIM and DPM-Solver++(2M).
        inner_steps: inner steps per segment of the unadjusted samplers.
    """

    relative_step: float
    step_size: dict[str, float]
    epsilons: list[float]
    cells: int
    baseline_steps: int
    inner_steps: int


def noised_variances(t: float) -> Tensor:
    """Variances of p_t in two coordinates, (2,)."""
    return process.alpha(t) ** 2 * VARIANCES + process.variance(t)


def target(t: float) -> Gaussian:
    """``p_t`` in all ten dimensions."""
    return Gaussian(np.zeros(2), noised_variances(t).numpy()).power(COPIES)


def true_score(x: Tensor, t: float) -> Tensor:
    """The score of p_t at ``x``, whose last dimension has the two coordinates."""
    return -x / noised_variances(t)


def weight(kind: str, t: float) -> float:
    """Root mean square of an error at time ``t``, divided by the largest one over time."""
    if kind == "late":
        return float(t < LATE)
    return math.exp(-t) if kind == "growing" else 1.0


def score_error(kind: str, x: Tensor, t: float) -> Tensor:
    """The error of the score at ``x`` (..., 2), in two of the ten coordinates.

    Its root mean square under p_t in ten dimensions is ``weight(kind, t)``. The kinds are:

    - ``constant``: a constant vector;
    - ``late``: the constant vector, but only for ``t < LATE``;
    - ``growing``: the constant vector times ``exp(-t)``, which grows towards the samples;
    - ``scaling``: a multiple of the score;
    - ``linear``: a linear field that contracts half of the coordinates and expands the others;
    - ``noise``: zero here, because `NoisySampler` adds it.
    """
    variances = noised_variances(t)
    if kind == "noise":
        return torch.zeros_like(x)
    if kind == "scaling":
        return true_score(x, t) / (COPIES * (1.0 / variances).sum()).sqrt()
    if kind == "linear":
        return torch.tensor([-1.0, 1.0]) * x / (DIMENSION * variances).sqrt()
    return torch.full_like(x, weight(kind, t) / DIMENSION**0.5)


AFFINE_ERRORS = ("constant", "scaling", "linear", "late", "growing")


@dataclass(frozen=True)
class NoisySampler:
    """A sampler whose score has independent Gaussian noise at every call.

    Attributes:
        sampler: the sampler.
        deviation: standard deviation of the noise in each coordinate, (d,).
    """

    sampler: Sampler
    deviation: Tensor

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        def score(x: Tensor, t: float) -> Tensor:
            return problem.score(x, t) + self.deviation * noise.normal()

        return self.sampler(Problem(CountedScore(score)), state, t_lo, nfe, noise)

    def default_times(self, nfe: int, problem: Problem, t_start: float = T_START) -> Times:
        return self.sampler.default_times(nfe, problem, t_start)

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        return self.sampler.minimum_nfe(segments, problem)


@dataclass(frozen=True)
class WrongKernel:
    """The limit of score-only RTK-MALA for an infinite number of inner steps.

    A wrong score that is the gradient of some function gives a wrong kernel, and this sampler draws
    from it exactly. The score must be affine in each coordinate by itself, so that the kernel is
    Gaussian. Energies by any symmetric rule are then exact differences of the kernel's potential,
    so that score-only MALA converges to the kernel.
    """

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        kernel = ReverseTransition(problem.score, state.x, state.t, t_lo)
        at_zero = kernel.grad(torch.zeros_like(state.x))
        precision = kernel.grad(torch.ones_like(state.x)) - at_zero
        return State(-at_zero / precision + noise.normal() / precision.sqrt(), t_lo), Info()

    def default_times(self, nfe: int, problem: Problem, t_start: float = T_START) -> Times:
        return segments.from_lipschitz(LIPSCHITZ, t_start, T_END)

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        return 2 * segments


BASELINES: dict[str, Callable[[], Sampler]] = {
    "ddpm": DDPM,
    "ddim": DDIM,
    "dpm++2m": DPMSolverPP2M,
}
RTK_SAMPLERS: dict[str, Callable[..., Sampler]] = {"rtk-ula": RTKULA, "rtk-uld": RTKULD}


def sampler(method: str, sizes: Mapping[str, Any]) -> tuple[Sampler, Times]:
    """A sampler and its grid: the theory's segments for RTK, uniform in log-SNR for the others.

    ``sizes`` has the fields of `Settings`.
    """
    if method in BASELINES:
        return BASELINES[method](), segments.log_snr(sizes["baseline_steps"], T_START, T_END)
    times = segments.from_lipschitz(LIPSCHITZ, T_START, T_END)
    if method == "rtk-mala-simpson":
        return WrongKernel(), times
    options = {"step_size": sizes["step_size"][method], "inner_steps": sizes["inner_steps"]}
    return RTK_SAMPLERS[method](data_variance=float(VARIANCES.min()), **options), times


GAUSSIAN_METHODS = ("ddpm", "ddim", "dpm++2m", "rtk-ula", "rtk-uld", "rtk-mala-simpson")


def gaussian_laws(
    sampler: Sampler, times: Times, kinds: Sequence[str], epsilons: Sequence[float]
) -> tuple[dict[tuple[str, float], Gaussian], int]:
    """The laws of the samples under several errors of the score, in one pass.

    Coordinates do not interact, so each case is a block of two coordinates of the same chain. Noise
    in the score must be in the sampler.

    Returns:
        (kind, eps) -> the law in ten dimensions, and the number of score evaluations per sample.
    """
    sizes = torch.tensor(epsilons).double().unsqueeze(1)

    def score(x: Tensor, t: float) -> Tensor:
        blocks = x.unflatten(1, (len(kinds), len(epsilons), 2))
        errors = [score_error(kind, blocks[:, k], t) for k, kind in enumerate(kinds)]
        return (true_score(blocks, t) + sizes * torch.stack(errors, 1)).flatten(1)

    cases = list(itertools.product(kinds, epsilons))
    dimension = 2 * len(cases)
    law, nfe = affine.sample_law(score, dimension, sampler, 10**6, segments=times, denoise=False)
    coordinates = zip(law.mean.reshape(-1, 2), law.variance.reshape(-1, 2), strict=True)
    laws = [Gaussian(mean, variance).power(COPIES) for mean, variance in coordinates]
    return dict(zip(cases, laws, strict=True)), nfe


def noisy(sampler: Sampler, epsilons: Sequence[float]) -> NoisySampler:
    """The sampler with noise in the score, whose size is that of each block of `gaussian_laws`."""
    sizes = torch.tensor(epsilons).double().repeat_interleave(2)
    return NoisySampler(sampler, sizes / DIMENSION**0.5)


def girsanov_bound(kind: str, eps: float, times: Times) -> float:
    """``(KL / 2)^(1/2)``, Pinsker's bound on the TV between DDPM with and without a score error.

    KL is the divergence between the laws of the paths. Step k has the same variance
    ``s_lo^2 (1 - e^-2eta) / s_hi^2`` in both, and its means differ by ``e^eta (1 - e^-2eta)`` times
    the error, so::

        KL = sum_k (e^{2 eta_k} - 1) (s_hi^2 / s_lo^2) E|e_k|^2 / 2  ->  int eps^2 w(t)^2 dt

    (Girsanov), where ``E|e_k|^2 = eps^2 w(t_k)^2`` is the mean under p_t. It stands for the mean
    under the law of the chain, which differs from p_t by the error of discretisation. The bound
    also holds for noise in the score, because KL is convex.
    """
    kl = sum(
        0.5
        * math.expm1(2.0 * (hi - lo))
        * process.variance(hi)
        / process.variance(lo)
        * (eps * weight(kind, hi)) ** 2
        for hi, lo in itertools.pairwise(times)
    )
    return math.sqrt(0.5 * kl)


def gaussian(epsilons: list[float], sizes: Mapping[str, Any]) -> Rows:
    """TV of the samples of whole chains on the Gaussian.

    The metric ``tv`` is the TV to the target, and ``tv_clean`` that to the samples of the same
    sampler without the error.
    """
    goal, rows = target(T_END), Rows()
    for method in GAUSSIAN_METHODS:
        chosen, times = sampler(method, sizes)
        laws, nfe = gaussian_laws(chosen, times, AFFINE_ERRORS, [0.0, *epsilons])
        clean = laws["constant", 0.0]
        if method != "rtk-mala-simpson":
            laws |= gaussian_laws(noisy(chosen, epsilons), times, ["noise"], epsilons)[0]
        # In the limit of an infinite number of steps there is no number of scores.
        nfe = 0 if method == "rtk-mala-simpson" else nfe
        common = {"target": "gaussian", "nfe": nfe, "place": "score", "method": method}
        value = gaussian_law.tv(clean, goal)
        rows.append(common | {"place": "none", "error": "none", "metric": "tv", "value": value})
        for (kind, eps), law in laws.items():
            if eps == 0.0:
                continue
            values = {"tv": gaussian_law.tv(law, goal), "tv_clean": gaussian_law.tv(law, clean)}
            if method == "ddpm":
                values["bound"] = girsanov_bound(kind, eps, times)
            rows += [
                common | {"error": kind, "eps": eps, "metric": metric, "value": value}
                for metric, value in values.items()
            ]
    return rows


# --- two modes in one dimension ---


def modes_law(grid: Grid, t: float) -> Array:
    """Masses of p_t of the two modes on the grid, (cells,)."""
    z = grid.points
    return grid.law(two_modes.TARGET.log_prob(z, t).numpy())


def field(kind: str, grid: Grid, t: float) -> tuple[Callable[[Tensor], Tensor], Array]:
    """An error of the score of unit root mean square under p_t, and its integral on the grid.

    The kinds are ``constant``, ``scaling``, a multiple of the score, and ``wave``,
    ``cos(pi z / 2)``, which moves mass from one mode to the other.
    """
    z = grid.points
    fields: dict[str, tuple[Callable[[Tensor], Tensor], Tensor]] = {
        "constant": (torch.ones_like, z[:, 0]),
        "scaling": (lambda x: two_modes.TARGET.score(x, t), two_modes.TARGET.log_prob(z, t)),
        "wave": (lambda x: torch.cos(FREQUENCY * x), torch.sin(FREQUENCY * z[:, 0]) / FREQUENCY),
    }
    error, integral = fields[kind]
    size = math.sqrt(modes_law(grid, t) @ error(z).numpy()[:, 0] ** 2)
    return lambda x: error(x) / size, integral.numpy() / size


MODES_ERRORS = ("constant", "scaling", "wave")


def energy_error(z: Tensor) -> Tensor:
    """A wrong potential, (n,), whose differences are at most 1, and 1 between the two modes."""
    return 0.5 * torch.sin(FREQUENCY * z[:, 0])


def chain_laws(cases: list[tuple[str, str, float]], grid: Grid) -> Array:
    """Laws of the samples of RTK-MALA in the limit of an infinite number of inner steps.

    A segment takes the state x to the law ``~ exp(-g(z) + eps Phi(z))``. For an error of the score,
    ``Phi`` is its integral, as for score-only energies without an error of quadrature. For an error
    of the energy difference, ``Phi`` is minus the wrong potential.

    Args:
        cases: the errors, as (place, kind, eps).
        grid: the grid.

    Returns:
        Masses, (cases, cells).
    """
    z = grid.points
    times = segments.from_lipschitz(two_modes.LIPSCHITZ, T_START, T_END)
    laws = np.tile(grid_law.start_law(Gaussian([0.0], [1.0]), grid), (len(cases), 1))
    for t_hi, t_lo in itertools.pairwise(times):
        decay, variance = process.alpha(t_hi - t_lo), process.variance(t_hi - t_lo)
        distance = grid.centres[:, np.newaxis] - decay * grid.centres
        log_kernel = two_modes.TARGET.log_prob(z, t_lo).numpy() - distance**2 / (2.0 * variance)
        kernel = np.exp(log_kernel - log_kernel.max(1, keepdims=True))
        potentials = {("score", kind): field(kind, grid, t_lo)[1] for kind in MODES_ERRORS}
        potentials["energy", "consistent"] = -energy_error(z).numpy()
        for k, (place, kind, eps) in enumerate(cases):
            error = potentials[place, kind]
            tilted = np.exp(eps * (error - error.max()))
            laws[k] = (laws[k] / (kernel @ tilted)) @ kernel * tilted
    return laws


def modes_chain(epsilons: list[float], cells: int) -> Rows:
    """TV of the samples of whole chains of RTK-MALA on the two modes, as in `chain_laws`."""
    grid = Grid(-REACH, REACH, cells)
    cases = [("score", kind, eps) for kind in MODES_ERRORS for eps in epsilons]
    cases += [("energy", "consistent", eps) for eps in epsilons]
    clean, *laws = chain_laws([("score", "constant", 0.0), *cases], grid)
    goal = modes_law(grid, T_END)
    names = {"score": "rtk-mala-simpson", "energy": "rtk-mala"}
    rows: Rows = [
        {"place": "none", "method": method, "error": "none", "metric": "tv"}
        | {"value": float(grid_law.tv(clean, goal))}
        for method in names.values()
    ]
    for (place, kind, eps), law in zip(cases, laws, strict=True):
        common = {"place": place, "method": names[place], "error": kind, "eps": eps}
        rows.append(common | {"metric": "tv", "value": float(grid_law.tv(law, goal))})
        rows.append(common | {"metric": "tv_clean", "value": float(grid_law.tv(law, clean))})
    return [{"target": "two-modes"} | row for row in rows]


# --- one segment of the two modes, RTK-MALA at a finite step ---

ENERGIES = {
    "rtk-mala": "exact",
    "rtk-mala-trapezoid": "trapezoid",
    "rtk-mala-simpson": "simpson",
}


@dataclass(frozen=True)
class WrongEnergy:
    """The exact energy difference plus an error, ``error(z, z_new)`` of shape (n,)."""

    error: Callable[[Tensor, Tensor], Tensor]
    extra_nfe: int = 0
    needs_log_prob: bool = True

    def __call__(self, kernel: ReverseTransition, here: Point, there: Point) -> Tensor:
        return Exact()(kernel, here, there) + self.error(here.z, there.z)


def consistent(eps: float) -> WrongEnergy:
    """Energy differences that are those of a wrong potential."""
    return WrongEnergy(lambda z, z_new: eps * (energy_error(z_new) - energy_error(z)))


def shifted(eps: float) -> WrongEnergy:
    """Energy differences that are too large by ``eps`` in both directions, so of no potential."""
    return WrongEnergy(lambda z, z_new: torch.full((len(z),), eps, dtype=z.dtype))


def segment_kernel(field: Callable[[Tensor], Tensor], eps: float) -> ReverseTransition:
    """The kernel of `two_modes` with a wrong score and exact log-densities."""
    exact = two_modes.kernel()

    def score(x: Tensor, t: float) -> Tensor:
        return two_modes.TARGET.score(x, t) + eps * field(x)

    return ReverseTransition(score, exact.x, exact.t_hi, exact.t_lo, two_modes.TARGET.log_prob)


def segment_matrices(
    epsilons: list[float], grid: Grid, step_size: float
) -> Iterator[tuple[dict[str, Any], Array]]:
    """RTK-MALA's matrices under each error: of the score, of the energy difference, and of both.

    With noise in the score, a state is a cell and the sign of the noise
    (`rtk.laws.grid.noisy_mala_matrix`). Noise in the energy difference is ``+eps`` or ``-eps`` with
    equal probability at each decision, so its matrix is the mean of two.
    """
    errors = {kind: field(kind, grid, 0.0)[0] for kind in MODES_ERRORS}

    def matrix(kind: str, eps: float, energy: str | EnergyDifference) -> Array:
        return grid_law.mala_matrix(segment_kernel(errors[kind], eps), grid, step_size, energy)

    for eps, (method, energy) in itertools.product(epsilons, ENERGIES.items()):
        row = {"place": "score", "method": method, "eps": eps}
        for kind in errors:
            yield row | {"error": kind}, matrix(kind, eps, energy)
        if energy != "simpson":
            kernel = two_modes.kernel()
            noisy_matrix = grid_law.noisy_mala_matrix(kernel, grid, step_size, eps, energy)
            yield row | {"error": "noise"}, noisy_matrix
    for eps in epsilons:
        row = {"method": "rtk-mala", "eps": eps}
        wrong = consistent(eps)
        yield row | {"place": "energy", "error": "consistent"}, matrix("constant", 0.0, wrong)
        yield row | {"place": "both", "error": "consistent"}, matrix("constant", eps, wrong)
        plus, minus = (matrix("constant", 0.0, shifted(error)) for error in (eps, -eps))
        yield row | {"place": "energy", "error": "noise"}, 0.5 * (plus + minus)


def modes_segment(epsilons: list[float], cells: int, relative: float) -> Rows:
    """TV of the invariant laws of RTK-MALA on one segment.

    The metric ``tv`` is the TV to the kernel, and ``tv_clean`` that to the invariant law for
    the same energies without an error. Where the energies are exact, ``gap`` is the spectral gap,
    which says how fast the chain converges.
    """
    grid = Grid(-REACH, REACH, cells)
    step_size = relative / (3.0 * two_modes.LIPSCHITZ)
    goal = grid_law.kernel_law(two_modes.kernel(), grid)
    clean: dict[str, Array] = {}
    rows = Rows()
    without_error = [
        (
            {"place": "none", "method": method, "error": "none"},
            grid_law.mala_matrix(two_modes.kernel(), grid, step_size, energy),
        )
        for method, energy in ENERGIES.items()
    ]
    for row, matrix in [*without_error, *segment_matrices(epsilons, grid, step_size)]:
        law = grid_law.stationary(matrix).reshape(-1, cells).sum(0)
        distances = {
            "tv": float(grid_law.tv(law, goal)),
            "tv_clean": float(grid_law.tv(law, clean.setdefault(row["method"], law))),
        }
        if row["method"] == "rtk-mala" and row["place"] in ("none", "score"):
            distances["gap"] = grid_law.spectral_gap(matrix)
        rows += [
            {"target": "segment"} | row | {"metric": metric, "value": value}
            for metric, value in distances.items()
        ]
    return rows


def rows(settings: Settings, seed: int) -> Rows:
    """Distances under every error; nothing is random."""
    table = [
        *gaussian(settings.epsilons, asdict(settings)),
        *modes_chain(settings.epsilons, settings.cells),
        *modes_segment(settings.epsilons, settings.cells, settings.relative_step),
    ]
    return [
        {
            "eps": 0.0,
            "settings": f"{row['place']}: {row['error']}",
            "nfe_asked": row.get("nfe", 0),
            **row,
        }
        for row in table
    ]


if __name__ == "__main__":
    job.study(rows, Settings)
