"""DPM-Solver-v3: a multistep solver whose linear part is fitted to the model beforehand.

Zheng et al. 2023, arXiv 2310.13268. With ``lambda = log(a / s)`` and the noise prediction
``eps = -s score``, the probability-flow ODE is ``d(x / a)/dlambda = -exp(-lambda) eps``. Three
functions of lambda, each with a number per coordinate, leave less of it to extrapolate (`fit`):

* ``l`` takes the linear part out, ``f = (s eps - l x) / a``;
* ``r`` and ``b`` predict how ``f`` changes along the ODE, ``f' ~ r f + b``.

(The paper writes s for r.) On a segment from ``lambda_0`` to ``lambda_1``, with all integrals from
``lambda_0`` and ``g = exp(-R) f - B``, the solution of the ODE is::

    x_1 / a_1 = exp(-L) (x_0 / a_0 - int exp(L + R) (g + B) dlambda)
    L = int l dlambda,    R = int r dlambda,    B = int exp(-R) b dlambda

If the predictions were exact, ``g`` would be constant. The predictor replaces it by the polynomial
through its values at the start of the segment and of those before. Once the score at the end is
known, which the next segment needs in any case, the corrector puts this value in the place of the
oldest one and moves the state accordingly; ``f`` stays as it is.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from rtk import process, segments
from rtk.checks import check_count, check_positive
from rtk.noise import ChainNoise, Noise
from rtk.samplers.base import Info, OneScorePerSegment, Problem, State, score_at
from rtk.score import CountedScore, Score
from rtk.segments import T_END, T_START, Times

LEVELS = 120
"""Values of lambda at which statistics are estimated by default, the fewest in the paper."""

POINTS = 257
"""Points of the trapezoid rule in each segment."""

ORDERS = (1, 2, 3)

Values = tuple[tuple[float, Tensor], ...]


@dataclass(frozen=True, eq=False)
class Statistics:
    """Empirical model statistics, estimated by `fit`; linear in lambda between its values.

    Attributes:
        log_snr: evenly spaced, increasing values of lambda, shape (levels,).
        linear, rate, bias: ``l``, ``r`` and ``b`` at these values, shape (levels, *shape).
        evaluations: rows at which the score was evaluated to find them.
    """

    log_snr: Tensor
    linear: Tensor
    rate: Tensor
    bias: Tensor
    evaluations: int

    @property
    def t_end(self) -> float:
        """The time at which the statistics end."""
        return process.time_from_log_snr(float(self.log_snr[-1]))

    def at(self, log_snr: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """l, r and b at these values of lambda, shape (k,); each of shape (k, *shape)."""
        first, last, intervals = self.log_snr[0], self.log_snr[-1], len(self.log_snr) - 1
        position = (log_snr - first) / (last - first) * intervals
        below = position.long().clamp(0, intervals - 1)
        part = _column(position - below, self.linear)
        tables = (self.linear, self.rate, self.bias)
        linear, rate, bias = (torch.lerp(table[below], table[below + 1], part) for table in tables)
        return linear, rate, bias


def fit(
    score: Score,
    data: Tensor,
    *,
    levels: int = LEVELS,
    t_start: float = T_START,
    t_end: float = T_END,
    seed: int = 0,
) -> Statistics:
    """Estimate the statistics of a model, at ``x = a x_0 + s xi`` for data ``x_0``::

        l = E diag(s grad eps),    r = cov(f, f') / var(f),    b = E f' - r E f

    for each coordinate by itself. The diagonal is that of ``v v^T s grad eps``, averaged over signs
    ``v``. Derivatives along ``v`` and along the ODE are central differences, as a score is any
    function of a float ``t``. Each of these Jacobian-vector products costs two rows, and ``f``
    another one, so there are five per level and row of data. All levels share ``x_0``, ``xi`` and
    ``v``, so that ``l`` varies smoothly and has a difference quotient for a derivative.

    Args:
        score: ``(x, t) -> grad log p_t(x)``, as for `rtk.sample`.
        data: draws of the data law, shape (n, *shape), in float32 or float64; the paper takes 1024
            to 4096.
        levels: number of values of lambda, evenly spaced; the paper takes 120 to 1200.
        t_start, t_end: OU times between which samples will be drawn.
        seed: names the noise.

    Raises:
        TypeError, ValueError: for data that are no such tensor, or numbers out of range.
    """
    if not isinstance(data, Tensor) or data.dtype not in (torch.float32, torch.float64):
        kind = data.dtype if isinstance(data, Tensor) else type(data).__name__
        raise TypeError(f"data must be a tensor of float32 or float64, got {kind}")
    if data.ndim < 2 or len(data) < 2:
        raise ValueError(
            f"data must have two or more rows and shape (n, *shape), got {tuple(data.shape)}"
        )
    segments.check_ends(t_start, check_positive("t_end", t_end))
    ends = process.log_snr(t_start), process.log_snr(t_end)
    grid = torch.linspace(*ends, check_count("levels", levels, minimum=3), dtype=torch.float64)
    spacing = float(grid[1] - grid[0])
    counted = CountedScore(score)
    noise = ChainNoise(seed, len(data), data.shape[1:], device=data.device, dtype=data.dtype)
    xi, signs = noise.normal(), noise.normal().sign()
    with torch.no_grad():
        linear = torch.stack([_linear(counted, *_noised(data, xi, at), signs) for at in grid])
        (slope,) = torch.gradient(linear, spacing=spacing, dim=0, edge_order=2)
        fitted = [
            _regress(*_nonlinear_part(counted, *_noised(data, xi, at), ends, *coefficients))
            for at, *coefficients in zip(grid, linear, slope, strict=True)
        ]
    rate, bias = (torch.stack(column).cpu() for column in zip(*fitted, strict=True))
    return Statistics(grid, linear.cpu(), rate, bias, counted.evaluations)


def _noised(data: Tensor, xi: Tensor, log_snr: Tensor) -> tuple[Tensor, float]:
    """``a x_0 + s xi`` and its time."""
    t = process.time_from_log_snr(float(log_snr))
    return process.alpha(t) * data + process.sigma(t) * xi, t


def _increment(x: Tensor) -> float:
    """The increment of a central difference that balances its error and that of rounding."""
    return torch.finfo(x.dtype).eps ** (1 / 3)


def _linear(score: CountedScore, x: Tensor, t: float, signs: Tensor) -> Tensor:
    """``l``, shape (*shape), in float64."""
    step = _increment(x) * process.sigma(t) * signs
    change = (score(x + step, t) - score(x - step, t)).double()
    return -process.sigma(t) / (2.0 * _increment(x)) * (signs * change).mean(0)


def _nonlinear_part(
    score: CountedScore,
    x: Tensor,
    t: float,
    ends: tuple[float, float],
    linear: Tensor,
    slope: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """``f`` and its derivative along the ODE, (n, *shape), and the variance that is rounding.

    With ``dx/dlambda = s^2 (x + score)`` and ``l'`` given as ``slope``, the derivative is
    ``exp(-lambda) ((l - 1) eps + eps') - l' x / a``.
    """
    a, sigma, level = process.alpha(t), process.sigma(t), process.log_snr(t)
    value = score(x, t)
    velocity = sigma**2 * (x + value)
    # At the ends of the range the difference is one-sided: the score may not be known beyond.
    sides = [min(max(level + sign * _increment(x), ends[0]), ends[1]) for sign in (1, -1)]
    above, below = (_noise_prediction(score, x + (to - level) * velocity, to) for to in sides)
    change = (above - below) / (sides[0] - sides[1])
    prediction = -sigma * value.double()
    f = (sigma * prediction - linear * x.double()) / a
    derivative = sigma / a * ((linear - 1.0) * prediction + change) - slope * x.double() / a
    rounding = torch.finfo(x.dtype).eps * (sigma / a * prediction).square().mean(0)
    return f, derivative, rounding


def _noise_prediction(score: CountedScore, x: Tensor, log_snr: float) -> Tensor:
    """``eps`` in float64."""
    t = process.time_from_log_snr(log_snr)
    return -process.sigma(t) * score(x, t).double()


def _regress(f: Tensor, derivative: Tensor, rounding: Tensor) -> tuple[Tensor, Tensor]:
    """``r`` and ``b`` of the least squares ``derivative ~ r f + b`` over the rows."""
    away = f - f.mean(0)
    variance = away.square().mean(0)
    rate = (away * derivative).mean(0) / variance
    # On a Gaussian f is constant, and there is nothing to regress on.
    rate = torch.where(variance > rounding, rate, 0.0)
    return rate, derivative.mean(0) - rate * f.mean(0)


@dataclass(frozen=True)
class DPMSolverV3(OneScorePerSegment):
    """DPM-Solver-v3 with the statistics of a model, ``DPMSolverV3(fit(score, data))``.

    The defaults are those of the paper for unconditional models of pixels: predictor and corrector
    of order 3. The first segments have lower orders, and the last state is not corrected.

    Attributes:
        statistics: of the model that is sampled from.
        order: of the predictor and of the corrector, 1, 2 or 3.
        pseudo: whether the predictor takes the k-th derivative of ``g`` from k + 1 values only;
            order 3 is then no longer reached, but the paper finds it better with 5 scores.
        corrector: whether to correct at all; the paper does not on the model of EDM with more than
            6 scores.
    """

    statistics: Statistics
    order: int = 3
    pseudo: bool = False
    corrector: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.statistics, Statistics):
            raise TypeError(
                f"statistics must be those of fit(score, data), got {self.statistics!r}"
            )
        if self.order not in ORDERS:
            raise ValueError(f"order must be one of {ORDERS}, got {self.order!r}")

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        self._check(state, t_lo)
        f = self._nonlinear_part(state.x, score_at(problem, state), state.t)
        x = self._corrected(state, f) if self.corrector else state.x
        values = ((state.t, f), *state.history)[: self.order]
        decay, forcing, _ = _coefficients(self.statistics, state.t, t_lo, (), False)
        free = decay.to(x) * (x / process.alpha(state.t) - forcing.to(x))
        z = process.alpha(t_lo) * (free - self._integral(values, state.t, t_lo, self.pseudo))
        return State(z, t_lo, history=values), Info()

    def default_times(self, nfe: int, problem: Problem, t_start: float = T_START) -> Times:
        return segments.log_snr(max(1, nfe - 1), t_start, self.statistics.t_end)

    def _nonlinear_part(self, x: Tensor, score: Tensor, t: float) -> Tensor:
        """``f = (s eps - l x) / a``."""
        level = torch.tensor([process.log_snr(t)], dtype=torch.float64)
        linear = self.statistics.at(level)[0][0].to(x)
        return -(process.variance(t) * score + linear * x) / process.alpha(t)

    def _corrected(self, state: State, f: Tensor) -> Tensor:
        """The end of the segment before, with ``f`` there in the place of the oldest value.

        The predictor of that segment had the values in the history.
        """
        if not state.history:
            return state.x
        begin, predictor = state.history[0], state.history
        corrector = (begin, (state.t, f), *predictor[1:])[: len(predictor)]
        change = self._integral(corrector, begin[0], state.t, False) - self._integral(
            predictor, begin[0], state.t, self.pseudo
        )
        return state.x - process.alpha(state.t) * change

    def _integral(self, values: Values, t_hi: float, t_lo: float, pseudo: bool) -> Tensor:
        """``exp(-L) int exp(L + R) g`` over a segment, ``g`` the polynomial through its values.

        In Newton's form the polynomial is the sum of divided differences times products of
        ``lambda - lambda_j``. The pseudo order takes powers of ``lambda - lambda_0`` instead.
        """
        times = tuple(t for t, _ in values)
        decay, _, weights = _coefficients(self.statistics, t_hi, t_lo, times, pseudo)
        differences = []
        for t, f in values:
            shrink, offset = _change_of_base(self.statistics, t_hi, t)
            differences.append(shrink.to(f) * f - offset.to(f))
        levels = [process.log_snr(t) for t in times]
        total = weights[0].to(differences[0]) * differences[0]
        for k in range(1, len(values)):
            differences = [
                (differences[j + 1] - differences[j]) / (levels[j + k] - levels[j])
                for j in range(len(values) - k)
            ]
            total = total + weights[k].to(total) * differences[0]
        return decay.to(total) * total

    def _check(self, state: State, t_lo: float) -> None:
        """An error unless the statistics are of this shape and cover the segment."""
        shape, known = tuple(state.x.shape[1:]), tuple(self.statistics.linear.shape[1:])
        if shape != known:
            raise ValueError(f"the statistics are of data of shape {known}, got samples of {shape}")
        t_start = process.time_from_log_snr(float(self.statistics.log_snr[0]))
        t_end = self.statistics.t_end
        if not (state.t <= t_start * (1 + 1e-9) and t_lo >= t_end * (1 - 1e-9)):
            raise ValueError(
                f"the statistics cover the times from {t_start:.6g} to {t_end:.6g}, got a segment "
                f"from {state.t:.6g} to {t_lo:.6g}; fit() takes t_start= and t_end="
            )


@lru_cache(maxsize=1024)
def _change_of_base(statistics: Statistics, t_hi: float, t: float) -> tuple[Tensor, Tensor]:
    """``exp(-R)`` and ``B`` at a time, (*shape), for the segment that starts at ``t_hi``."""
    points = _points(t_hi, t)
    _, rate, bias = statistics.at(points)
    shrink = torch.exp(-_cumulative(rate, points))
    return shrink[-1], _cumulative(shrink * bias, points)[-1]


@lru_cache(maxsize=1024)
def _coefficients(
    statistics: Statistics, t_hi: float, t_lo: float, times: tuple[float, ...], pseudo: bool
) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
    """``exp(-L)``, ``int exp(L + R) B`` and ``int exp(L + R) p_k`` over a segment, (*shape) each.

    ``p_k`` is the product of ``lambda - lambda_j`` over the first k of the times, or of k times
    ``lambda - lambda_0`` for the pseudo order.
    """
    points = _points(t_hi, t_lo)
    linear, rate, bias = statistics.at(points)
    decay, growth = _cumulative(linear, points), _cumulative(rate, points)
    scale = torch.exp(decay + growth)
    forcing = scale * _cumulative(torch.exp(-growth) * bias, points)
    polynomial, weights = torch.ones_like(points), []
    for t in times:
        weights.append(torch.trapezoid(scale * _column(polynomial, scale), points, dim=0))
        polynomial = polynomial * (points - process.log_snr(times[0] if pseudo else t))
    return torch.exp(-decay[-1]), torch.trapezoid(forcing, points, dim=0), tuple(weights)


def _points(t_from: float, t_to: float) -> Tensor:
    """Evenly spaced values of lambda between two times."""
    ends = process.log_snr(t_from), process.log_snr(t_to)
    return torch.linspace(*ends, POINTS, dtype=torch.float64)


def _cumulative(values: Tensor, points: Tensor) -> Tensor:
    """The integral from the first point to each point, by the trapezoid rule."""
    integral = torch.cumulative_trapezoid(values, _column(points, values), dim=0)
    return torch.cat((torch.zeros_like(values[:1]), integral))


def _column(numbers: Tensor, like: Tensor) -> Tensor:
    """Numbers (k,) as a tensor that multiplies the rows of another one."""
    return numbers.view(-1, *[1] * (like.ndim - 1))
