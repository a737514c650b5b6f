"""Integrals of a residual along the flow of a Gaussian base.

In the coordinates of the base, with ``e_c(u) = (c + exp(2 u))^(1/2)`` and ``u = ln(sigma)``, the
probability flow is ``d(z / e_c) / du = -r / e_c``. Thus the flow of the base is a constant ``z /
e_c``, and a step needs the integral of ``r / e_c``. The residual is known at a few levels and is
interpolated between them by a polynomial in ``u``.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

POINTS, WEIGHTS = np.polynomial.legendre.leggauss(8)


def weights(u_from: float, u_to: float, levels: Sequence[float], variances: Tensor) -> Tensor:
    """``w`` with ``sum_j w_j r(u_j) = -int_{u_from}^{u_to} r / e_c du`` for a polynomial ``r``.

    Args:
        u_from, u_to: ends of the step; a step to less noise has ``u_to < u_from``.
        levels: the ``u_j`` at which the residual is known, as many as the polynomial has
            coefficients.
        variances: ``c``, shape (m,).

    Returns:
        the weights, shape (len(levels), m). The integral is by Gauss and Legendre, eight points.
    """
    middle, half = 0.5 * (u_from + u_to), 0.5 * (u_to - u_from)
    u = middle + half * POINTS
    nodes = np.asarray(levels)
    # Row j: the Lagrange polynomial that is 1 at node j, at the points of the quadrature.
    lagrange = np.array(
        [
            np.prod([(u - other) / (node - other) for other in np.delete(nodes, j)], axis=0)
            for j, node in enumerate(nodes)
        ]
    ).reshape(len(nodes), -1)
    lagrange = np.broadcast_to(lagrange, (len(nodes), len(u)))
    scaled = torch.as_tensor(-half * WEIGHTS * lagrange).to(variances)
    inverse = (variances + torch.as_tensor(np.exp(2.0 * u)).to(variances)[:, None]).rsqrt()
    return scaled @ inverse
