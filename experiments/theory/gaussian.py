"""The Gaussian in ten dimensions of B3, on which unadjusted samplers have exact Gaussian laws.

Its coordinates are independent, so its kernels and the laws of its chains are known coordinate by
coordinate.
"""

import numpy as np

VARIANCES = np.linspace(0.25, 1.0, 10)
"""Variances of the coordinates, (10,)."""
LIPSCHITZ = 1.0 / VARIANCES.min()
"""``L = sup |hess log p_0|``, the precision of the narrowest coordinate."""
