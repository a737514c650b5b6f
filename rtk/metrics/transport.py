"""Metrics between two samples: Wasserstein, Sinkhorn and energy distances.

The second sample is that of a `Reference`, or a plain array of exact samples for targets that are
no mixtures. Each metric is an average over disjoint subsamples of both sides, with the standard
error of a mean. Times in the docstrings are for 50 000 samples in d = 10, one CPU thread.
`rtk.metrics.estimate` lists the errors that all raise; these also raise a ValueError for samples
with coordinates beyond 1e75, which have diverged.
"""

from collections.abc import Callable

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist, pdist

from rtk.checks import check_count, check_positive, check_seed
from rtk.metrics.estimate import (
    PROJECTION_STREAM,
    Array,
    Estimate,
    Reference,
    Samples,
    as_array,
    check_dimension,
    check_distances,
    check_reference,
)
from rtk.targets.base import Target


def sliced_w2(
    samples: Samples,
    reference: Reference | Samples,
    replicates: int = 10,
    projections: int = 100,
    seed: int = 0,
) -> Estimate:
    """``(mean_u W2^2(<u, x>, <u, y>))^(1/2)`` over random unit vectors u.

    The squares are averaged over disjoint pairs of subsamples, which use all samples, with new
    directions for each pair. Source: Bonneel et al. 2015, J. Math. Imaging Vis. 51, 22. It takes
    0.2 s.

    Args:
        samples: shape (n, d).
        reference: the target, or exact samples of it, shape (k, d).
        replicates: the number of pairs of subsamples, at least 2.
        projections: the number of directions for each pair.
        seed: of the directions.

    Returns:
        the distance, in the unit of the samples; 0 is best, and is not reached by exact samples.
    """
    x, y = _two_samples(samples, reference)
    check_count("projections", projections)
    check_seed(seed)
    size = min(len(x), len(y)) // check_count("replicates", replicates, 2)
    if size < 2:
        raise ValueError(
            f"{replicates} replicates need at least {2 * replicates} samples on either side, "
            f"got {len(x)} and {len(y)}"
        )
    generator = np.random.default_rng([PROJECTION_STREAM, seed])

    def squared(x: Array, y: Array) -> float:
        directions = generator.standard_normal((projections, x.shape[1]))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        # In one dimension the optimal plan pairs the order statistics.
        gap = np.sort(directions @ x.T, axis=1) - np.sort(directions @ y.T, axis=1)
        return float(np.mean(np.square(gap)))

    return _root(_over_subsamples(squared, x, y, size, replicates))


def w2(
    samples: Samples, reference: Reference | Samples, size: int = 500, replicates: int = 10
) -> Estimate:
    """Wasserstein distance ``W2 = (min_pi mean_i |x_i - y_pi(i)|^2)^(1/2)`` of subsamples.

    The squares are averaged over disjoint pairs of subsamples. Between subsamples of exact samples
    the distance falls as ``size^(-1/d)`` only, so compare equal sizes. The optimal permutation is
    exact (scipy's `linear_sum_assignment`). It takes 0.3 s; a pair of size 4000 takes about 10 s.

    Args:
        samples: shape (n, d).
        reference: the target, or exact samples of it, shape (k, d).
        size: the number of samples of each side in a pair, at least 2.
        replicates: the number of pairs, at least 2.

    Returns:
        the distance, in the unit of the samples; 0 is best, and is not reached by exact samples.
    """
    x, y = _two_samples(samples, reference)

    def squared(x: Array, y: Array) -> float:
        squares = cdist(x, y, "sqeuclidean")
        return float(squares[linear_sum_assignment(squares)].mean())

    return _root(_over_subsamples(squared, x, y, size, replicates))


def sinkhorn_cost(
    samples: Samples,
    reference: Reference | Samples,
    regularisation: float = 0.1,
    size: int = 500,
    replicates: int = 10,
) -> Estimate:
    """``<P, C>`` of the entropic plan P, where ``C = |x - y|^2`` of the first two coordinates.

    ``P = argmin <P, C> - regularisation * entropy(P)`` among the plans between the subsamples
    (Cuturi 2013, arXiv 1306.0895). The plan is blurred, so the cost is above zero between equal
    laws too. It is computed with POT, in at most 1000 iterations from the potentials of the exact
    plan: within 0.3 % of the limit for all of `rtk.targets`. It takes 0.5 s.

    Args:
        samples: shape (n, d).
        reference: the target, or exact samples of it, shape (k, d).
        regularisation: in squared units of the samples, positive.
        size: the number of samples of each side in a pair, at least 2.
        replicates: the number of pairs, at least 2.

    Returns:
        the cost, averaged over disjoint pairs of subsamples, in squared units of the samples.

    Raises:
        ValueError: also for samples so far from the reference that the plan cannot be computed.
    """
    import ot  # which takes as long to load as all of rtk, so only what needs it does

    check_positive("regularisation", regularisation)
    x, y = _two_samples(samples, reference)

    def cost(x: Array, y: Array) -> float:
        squares = cdist(x, y, "sqeuclidean")
        # Subtracting the exact potentials leaves the plan as it is. Then exp(-reduced /
        # regularisation) is at most 1, and is 1 on a whole matching, so that it does not underflow
        # for samples that are far away.
        u, v = _potentials(squares)
        reduced = squares - u[:, None] - v
        plan = ot.sinkhorn([], [], reduced, regularisation, stopThr=1e-6, warn=False)
        if not abs(plan.sum() - 1.0) < 1e-6:
            raise ValueError(
                f"no Sinkhorn plan with regularisation {regularisation} can be computed for squared"
                f" distances up to {squares.max():.3g}: the samples have diverged, or the "
                "regularisation is too small"
            )
        return float(np.sum(plan * squares))

    return Estimate.of_replicates(_over_subsamples(cost, x[:, :2], y[:, :2], size, replicates))


def energy_distance(
    samples: Samples, reference: Reference | Samples, size: int = 1000, replicates: int = 20
) -> Estimate:
    """``2 E|x - y| - E|x - x'| - E|y - y'|``, without bias.

    It is the mean of the U-statistics, which leave out the distance of a sample from itself, of
    disjoint pairs of subsamples. Source: Székely and Rizzo 2013, J. Stat. Plan. Inference 143,
    1249. `scipy.stats.energy_distance` is the root of the biased form. It takes 0.3 s.

    Args:
        samples: shape (n, d).
        reference: the target, or exact samples of it, shape (k, d).
        size: the number of samples of each side in a pair, at least 2.
        replicates: the number of pairs, at least 2.

    Returns:
        the distance, in the unit of the samples. Exact samples give 0 on average, so that it may
        be negative.
    """
    x, y = _two_samples(samples, reference)

    def statistic(x: Array, y: Array) -> float:
        return float(2.0 * cdist(x, y).mean() - pdist(x).mean() - pdist(y).mean())

    return Estimate.of_replicates(_over_subsamples(statistic, x, y, size, replicates))


def _two_samples(samples: Samples, reference: Reference | Samples) -> tuple[Array, Array]:
    """Both sides as arrays, once they are checked."""
    x = as_array(samples)
    if isinstance(reference, Target):
        check_reference(reference)
    y = as_array(reference.samples if isinstance(reference, Reference) else reference)
    check_dimension(x, y)
    check_distances(x)
    check_distances(y)
    return x, y


def _potentials(squares: Array) -> tuple[Array, Array]:
    """The dual potentials (n,) and (m,) of exact transport with costs ``squares`` (n, m)."""
    import ot

    # The solver stops at an absolute tolerance, so the costs must be of order one. A power of two
    # scales them without rounding.
    scale = 2.0 ** np.frexp(squares.max())[1] if squares.any() else 1.0
    # The limit of the iterations is far beyond the number that any sample has needed.
    limit = 100 * squares.size
    _, solution = ot.emd([], [], squares / scale, numItermax=limit, log=True)
    if solution["warning"] is not None:
        raise RuntimeError(f"optimal transport has not been solved: {solution['warning']}")
    return scale * solution["u"], scale * solution["v"]


def _over_subsamples(
    statistic: Callable[[Array, Array], float], x: Array, y: Array, size: int, replicates: int
) -> Array:
    """``statistic`` of disjoint pairs of subsamples, shape (replicates,)."""
    check_count("size", size, 2)
    check_count("replicates", replicates, 2)
    for name, n in (("samples", len(x)), ("reference samples", len(y))):
        if n < size * replicates:
            raise ValueError(
                f"{replicates} subsamples of {size} need {size * replicates} {name}, got {n}"
            )
    # The rows of a subsample are spread evenly over all rows.
    values = [
        statistic(x[r :: len(x) // size][:size], y[r :: len(y) // size][:size])
        for r in range(replicates)
    ]
    return np.asarray(values)


def _root(squares: Array) -> Estimate:
    """The root of the mean of ``squares``, with its standard error by the delta method."""
    mean = Estimate.of_replicates(squares)
    value = float(np.sqrt(mean.value))
    return Estimate(value, mean.standard_error / (2.0 * value) if value > 0.0 else 0.0)
