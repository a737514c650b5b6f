"""Metrics between two samples: Wasserstein, Sinkhorn and energy distances.

The second sample is that of a `Reference`, or a plain array of exact samples for targets that are
no mixtures. Each metric is an average over disjoint subsamples of both sides, with the standard
error of a mean. Times in the docstrings are for 50 000 samples in d = 10, one CPU thread.
"""

from collections.abc import Callable

import numpy as np
import ot
import torch

from rtk.metrics.estimate import (
    PROJECTION_STREAM,
    Array,
    Estimate,
    Reference,
    Samples,
    as_array,
    check_dimension,
)


def sliced_w2(
    samples: Samples,
    reference: Reference | Samples,
    replicates: int = 10,
    projections: int = 100,
    seed: int = 0,
) -> Estimate:
    """``(mean_u W2^2(<u, x>, <u, y>))^(1/2)`` over random unit vectors u; units of length.

    All samples are used, in ``replicates`` disjoint pairs of subsamples with ``projections``
    new directions each; the squares are averaged. Bonneel et al. 2015, J. Math. Imaging Vis.
    51, 22. 0.2 s.
    """
    x, y = _two_samples(samples, reference)
    generator = np.random.default_rng([PROJECTION_STREAM, seed])

    def squared(x: Array, y: Array) -> float:
        directions = generator.standard_normal((projections, x.shape[1]))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        # In one dimension the optimal plan pairs the order statistics.
        gap = np.sort(directions @ x.T, axis=1) - np.sort(directions @ y.T, axis=1)
        return float(np.mean(np.square(gap)))

    return _root(_over_subsamples(squared, x, y, min(len(x), len(y)) // replicates, replicates))


def w2(
    samples: Samples, reference: Reference | Samples, size: int = 500, replicates: int = 10
) -> Estimate:
    """Wasserstein distance ``W2`` by exact transport between subsamples; units of length.

    The squares of ``replicates`` disjoint pairs of subsamples of ``size`` are averaged. Between
    subsamples the distance falls as ``size^(-1/d)`` only: compare equal sizes. POT. 0.3 s.
    """
    x, y = _two_samples(samples, reference)
    return _root(
        _over_subsamples(lambda x, y: float(ot.emd2([], [], ot.dist(x, y))), x, y, size, replicates)
    )


def sinkhorn_cost(
    samples: Samples,
    reference: Reference | Samples,
    regularisation: float = 0.1,
    size: int = 500,
    replicates: int = 10,
) -> Estimate:
    """``<P, C>`` of the entropic plan P, ``C = |x - y|^2`` of the first two coordinates.

    ``P = argmin <P, C> - regularisation * entropy(P)`` (Cuturi 2013, arXiv 1306.0895), averaged
    over ``replicates`` disjoint pairs of subsamples of ``size``; units of length squared. The
    blurred plan costs something between equal laws too. POT, at most 1000 iterations from the
    exact potentials: within 0.3 % of the limit for all of `rtk.targets`. 0.5 s.
    """
    if not regularisation > 0:
        raise ValueError(f"regularisation must be positive, got {regularisation}")
    x, y = _two_samples(samples, reference)

    def cost(x: Array, y: Array) -> float:
        squares = ot.dist(x, y)
        # Exact potentials first. They leave the plan as it is, and exp(-reduced / regularisation)
        # is at most 1, and 1 on a whole matching, so that far samples do not underflow.
        _, exact = ot.emd([], [], squares, log=True)
        reduced = squares - exact["u"][:, None] - exact["v"]
        plan = ot.sinkhorn([], [], reduced, regularisation, stopThr=1e-6, warn=False)
        return float(np.sum(plan * squares))

    return Estimate.of_replicates(_over_subsamples(cost, x[:, :2], y[:, :2], size, replicates))


def energy_distance(
    samples: Samples, reference: Reference | Samples, size: int = 1000, replicates: int = 20
) -> Estimate:
    """``2 E|x - y| - E|x - x'| - E|y - y'|``, unbiased; units of length.

    The mean of the U-statistics (pairs of distinct samples) of ``replicates`` disjoint pairs of
    subsamples of ``size``: its floor is 0, and it may be negative. Székely and Rizzo 2013, J. Stat.
    Plan. Inference 143, 1249. `scipy.stats.energy_distance` is the root of the biased form. 0.4 s.
    """
    x, y = _two_samples(samples, reference)
    pairs = size / (size - 1)

    def statistic(x: Array, y: Array) -> float:
        within = _mean_distance(x, x) + _mean_distance(y, y)
        return 2.0 * _mean_distance(x, y) - pairs * within

    return Estimate.of_replicates(_over_subsamples(statistic, x, y, size, replicates))


def _two_samples(samples: Samples, reference: Reference | Samples) -> tuple[Array, Array]:
    x = as_array(samples)
    y = as_array(reference.samples if isinstance(reference, Reference) else reference)
    check_dimension(x, y)
    return x, y


def _mean_distance(x: Array, y: Array) -> float:
    return float(torch.cdist(torch.from_numpy(x), torch.from_numpy(y)).mean())


def _over_subsamples(
    statistic: Callable[[Array, Array], float], x: Array, y: Array, size: int, replicates: int
) -> Array:
    """``statistic`` of ``replicates`` disjoint pairs of subsamples, shape (replicates,)."""
    if size < 2 or replicates < 2:
        raise ValueError(f"needed are size >= 2 and replicates >= 2, got {size} and {replicates}")
    for name, n in (("samples", len(x)), ("reference samples", len(y))):
        if n < size * replicates:
            raise ValueError(
                f"{replicates} subsamples of {size} need {size * replicates} {name}, got {n}"
            )
    # Strides, so that a subsample is drawn from all rows.
    values = [
        statistic(x[r :: len(x) // size][:size], y[r :: len(y) // size][:size])
        for r in range(replicates)
    ]
    return np.asarray(values)


def _root(squares: Array) -> Estimate:
    """Root of the mean, its error by the delta method."""
    mean = Estimate.of_replicates(squares)
    value = float(np.sqrt(mean.value))
    return Estimate(value, mean.standard_error / (2.0 * value) if value > 0.0 else 0.0)
