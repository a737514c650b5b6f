"""A Gaussian in place of the data, whose probability flow is known in closed form.

In the coordinates ``y = x / a_t`` with the noise level ``sigma = s_t / a_t`` the probability-flow
ODE is ``dy / d ln(sigma) = y - D(y, sigma)``, with ``D`` the denoised estimate ``E[x_0 | y]``. If
the data are ``N(m, C)``, then ``D = m + C (C + sigma^2)^-1 (y - m)``, and the flow from one noise
level to another is linear::

    y_to = m + E (y_from - m),    E = ((C + sigma_to^2) / (C + sigma_from^2))^(1/2)

`rtk.calibration` fits such a Gaussian to a model. What is left of ``D`` is the residual
``r = D - m - C (C + sigma^2)^-1 (y - m)``, and only it has to be integrated numerically.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class GaussianBase:
    """``N(m, C)`` with ``C`` given by eigenvectors and eigenvalues.

    Attributes:
        mean: ``m``, shape (d,).
        variances: the eigenvalues of ``C``, one for each of the coordinates below.
        basis: None if ``C`` is diagonal, with variances (d,). Else orthonormal columns (d, k): the
            first k variances belong to them. If k < d, another d variances, all equal, belong to
            the directions orthogonal to the columns.
    """

    mean: Tensor
    variances: Tensor
    basis: Tensor | None = None

    @cached_property
    def _copies(self) -> dict[tuple[torch.device, torch.dtype], "GaussianBase"]:
        return {}

    def like(self, y: Tensor) -> "GaussianBase":
        """The same Gaussian on the device and in the dtype of ``y``; copied there once."""
        key = y.device, y.dtype
        if key not in self._copies:
            basis = None if self.basis is None else self.basis.to(*key)
            self._copies[key] = GaussianBase(self.mean.to(*key), self.variances.to(*key), basis)
        return self._copies[key]

    def coordinates(self, y: Tensor) -> Tensor:
        """``y`` (n, d), a difference of two points, in coordinates in which ``C`` is diagonal.

        The map is an isometry. If only k < d directions are known, it gives k coordinates along
        them and d numbers for the rest, ``y`` without its part along the k directions.
        """
        if self.basis is None:
            return y
        along = y @ self.basis
        if self.basis.shape[1] == self.basis.shape[0]:
            return along
        return torch.cat([along, y - along @ self.basis.T], dim=1)

    def point(self, z: Tensor) -> Tensor:
        """The inverse of `coordinates`: its transpose, as the map is an isometry."""
        if self.basis is None:
            return z
        known = self.basis.shape[1]
        along = z[:, :known] @ self.basis.T
        if known == self.basis.shape[0]:
            return along
        rest = z[:, known:]
        return along + rest - rest @ self.basis @ self.basis.T

    def spread(self, sigma: float) -> Tensor:
        """``(C + sigma^2)^(1/2)`` in the coordinates."""
        return (self.variances + sigma**2).sqrt()

    def slope(self, sigma: float) -> Tensor:
        """``C (C + sigma^2)^-1`` in the coordinates, which denoises."""
        return self.variances / (self.variances + sigma**2)

    def flow(self, y: Tensor, sigma_from: float, sigma_to: float) -> Tensor:
        """``y_to`` of the module's docstring, for ``y`` of shape (n, d)."""
        return self.mean + self._apply(
            self.spread(sigma_to) / self.spread(sigma_from), y - self.mean
        )

    def draw(self, normal: Tensor, sigma: float) -> Tensor:
        """``m + (C + sigma^2)^(1/2) xi`` for standard normal draws ``xi`` (n, d)."""
        return self.mean + self._apply(self.spread(sigma), normal)

    def residual(self, denoised: Tensor, y: Tensor, sigma: float) -> Tensor:
        """``r = D - m - C (C + sigma^2)^-1 (y - m)``, shape (n, d)."""
        return denoised - self.mean - self._apply(self.slope(sigma), y - self.mean)

    def _apply(self, diagonal: Tensor, y: Tensor) -> Tensor:
        return self.point(diagonal * self.coordinates(y))
