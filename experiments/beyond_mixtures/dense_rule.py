"""B8's targets as Gaussian mixtures of thousands of nodes: p_t and its score by brute force.

This computation shares nothing with `rtk.targets.base` but the definition of the targets. Its nodes
are an even, fixed grid of the latent number, without a search for the relevant interval and without
a substitution, and its formulae are those of a mixture::

    log p_t(x) = log sum_j w_j N(x; a m_j, a^2 c_j + s^2),
    grad log p_t(x) = sum_j r_j(x) (a m_j - x) / (a^2 c_j + s^2).

The nodes are so dense that at times of 1e-4 and more the error is that of rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Nodes:
    """A mixture of m Gaussians.

    Attributes:
        log_weights: ``log w_j``, (m,).
        means: ``m_j``, (m, d).
        variances: ``c_j``, (m, d).
    """

    log_weights: Array
    means: Array
    variances: Array

    def log_prob_and_score(self, x: Array, t: float) -> tuple[Array, Array]:
        """``log p_t`` (n,) and its gradient (n, d) at ``x`` (n, d)."""
        pairs = [self._at(point, np.exp(-t), -np.expm1(-2.0 * t)) for point in x]
        return np.array([value for value, _ in pairs]), np.array([score for _, score in pairs])

    def _at(self, point: Array, a: float, s2: float) -> tuple[float, Array]:
        """``log p_t`` and its gradient at one point (d,), for ``a = e^-t`` and ``s2 = 1 - a^2``."""
        spread = a**2 * self.variances + s2
        pull = (a * self.means - point) / spread
        logits = self.log_weights - 0.5 * (pull**2 * spread + np.log(2.0 * np.pi * spread)).sum(1)
        log_prob = logsumexp(logits)
        return float(log_prob), np.exp(logits - log_prob) @ pull


def _line(low: float, high: float, count: int) -> tuple[Array, float]:
    """Equally spaced nodes and the logarithm of their spacing."""
    return np.linspace(low, high, count), float(np.log((high - low) / (count - 1)))


def funnel() -> Nodes:
    """The funnel in ten dimensions; the nodes are those of its first coordinate."""
    v, log_spacing = _line(-45.0, 45.0, 30_001)
    means, variances = np.zeros((len(v), 10)), np.repeat(np.exp(v)[:, None], 10, axis=1)
    means[:, 0], variances[:, 0] = v, 0.0
    return Nodes(-0.5 * v**2 / 9.0 - 0.5 * np.log(18.0 * np.pi) + log_spacing, means, variances)


def student() -> Nodes:
    """Student's t law in ten dimensions; the nodes are those of the logarithm of its variance."""
    log_scale, log_spacing = _line(-12.0, 60.0, 7_201)
    log_prior = 1.5 * (np.log(1.5) - log_scale - np.exp(-log_scale)) - gammaln(1.5)
    variances = np.repeat(np.exp(log_scale)[:, None], 10, axis=1)
    return Nodes(log_prior + log_spacing, np.zeros_like(variances), variances)


def rings() -> Nodes:
    """The three rings in ten dimensions; the nodes are points on the circles."""
    angle = np.linspace(0.0, 2.0 * np.pi, 4096, endpoint=False)
    weights = np.repeat([0.5, 0.3, 0.2], len(angle)) / len(angle)
    means = np.zeros((len(weights), 10))
    circle = np.stack((np.cos(angle), np.sin(angle)), 1)
    means[:, :2] = np.concatenate([radius * circle for radius in (1.0, 2.0, 3.0)])
    return Nodes(np.log(weights), means, np.full_like(means, 0.01))


def well() -> Nodes:
    """One coordinate of ``many_well`` with a double well; the nodes are points on the line."""
    y, _ = _line(-16.0, 16.0, 16_001)
    log_density = -(y**4) + 6.0 * y**2 + 0.5 * y
    means = y[:, None]
    return Nodes(log_density - logsumexp(log_density), means, np.zeros_like(means))


def _many_well(x: Array, t: float) -> tuple[Array, Array]:
    """Four coordinates with wells and six normal ones, all independent."""
    log_prob, score = well().log_prob_and_score(x[:, :4].reshape(-1, 1), t)
    normal = -0.5 * (x[:, 4:] ** 2 + np.log(2.0 * np.pi)).sum(1)
    return log_prob.reshape(-1, 4).sum(1) + normal, np.hstack((score.reshape(-1, 4), -x[:, 4:]))


RULES: dict[str, Callable[[Array, float], tuple[Any, Any]]] = {
    "funnel": lambda x, t: funnel().log_prob_and_score(x, t),
    "many_well": _many_well,
    "rings": lambda x, t: rings().log_prob_and_score(x, t),
    "student": lambda x, t: student().log_prob_and_score(x, t),
}
"""Target -> function ``(x, t) -> log p_t(x), grad log p_t(x)``, for the default parameters."""
