"""The exact reverse transition kernels of a Gaussian mixture."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from rtk import process


class Parameters(NamedTuple):
    """A mixture's parameters in float64 on one device.

    ``weights`` (m,); ``means`` (m, d); ``centre`` (d,), the mean of the mixture, and ``offsets``
    (m, d) of the means from it; ``variances`` (m, 1) or (m, d) along the eigenvectors; ``basis``
    (m, d, d) with the eigenvectors in its columns, None if these are the coordinate axes.
    """

    weights: Tensor
    means: Tensor
    centre: Tensor
    offsets: Tensor
    variances: Tensor
    basis: Tensor | None


class MixtureTransition:
    """The kernel ``p(z at t_lo | x at t_hi)`` of a Gaussian mixture, one mixture per row of ``x``.

    With ``eta = t_hi - t_lo``, ``h = e^(2 eta) - 1``, and the components' variances ``v_i`` at
    ``t_lo`` along their eigenvectors, the kernel is ``sum_i w_i' N(mu_i', v_i')`` where::

        v_i' = (1/v_i + 1/h)^-1,   mu_i' = v_i' (a_lo m_i / v_i + e^eta x / h)
        w_i' ~ w_i N(x; a_hi m_i, a_hi^2 C_i + s_hi^2 I)

    This is Bayes' rule with the Gaussian likelihood ``x | z ~ N(e^-eta z, (1 - e^(-2 eta)) I)``.

    Args:
        parameters: of the data law, m components in d dimensions.
        weights: ``w_i'``, the mixture's responsibilities for ``x`` at ``t_hi``, shape (n, m).
        x: the states at ``t_hi``, shape (n, d).
        t_hi, t_lo: the times, ``0 <= t_lo < t_hi < infinity``.

    Attributes:
        weights: ``w_i'``, shape (n, m).
        means: ``mu_i'``, shape (n, m, d).
        variances: ``v_i'`` along the eigenvectors, shape (m, 1) if all components are isotropic,
            else (m, d). All three are float64; draws and densities have the dtype of ``x``.

    `rtk.GaussianMixture.reverse_transition` makes it, and checks the arguments.
    """

    def __init__(
        self, parameters: Parameters, weights: Tensor, x: Tensor, t_hi: float, t_lo: float
    ) -> None:
        self._dtype, x = x.dtype, x.double()
        self.weights = weights
        eta = t_hi - t_lo
        h = math.expm1(2.0 * eta)
        _, means, _, _, variances, self._basis = parameters
        noised = process.alpha(t_lo) ** 2 * variances + process.variance(t_lo)
        self.variances = 1.0 / (1.0 / noised + 1.0 / h)
        means, centre = process.alpha(t_lo) * means, (math.exp(eta) * x).unsqueeze(1)
        if self._basis is None:
            self.means = self.variances * (means / noised + centre / h)
        else:
            # The product of the Gaussians is taken along each component's eigenvectors.
            means = torch.einsum("mde,md->me", self._basis, means)
            centre = torch.einsum("mde,nd->nme", self._basis, centre[:, 0])
            along = self.variances * (means / noised + centre / h)
            self.means = torch.einsum("mde,nme->nmd", self._basis, along)

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """One exact draw for each row of ``x``, shape (n, d)."""
        n, _, d = self.means.shape
        device = self.means.device
        uniform = torch.rand(n, generator=generator, dtype=self._dtype, device=device)
        normal = torch.randn(n, d, generator=generator, dtype=self._dtype, device=device)
        return self.transform(uniform, normal)

    def transform(self, uniform: Tensor, normal: Tensor) -> Tensor:
        """The draws made of given random numbers, shape (n, d).

        Args:
            uniform: uniform on [0, 1), shape (n,); each picks the component of its row.
            normal: standard normal, shape (n, d); each row is the draw within its component.
        """
        cumulative = self.weights.cumsum(1)
        threshold = (uniform.double() * cumulative[:, -1]).unsqueeze(1)
        component = torch.searchsorted(cumulative, threshold, right=True).squeeze(1)
        component = component.clamp_max(self.weights.shape[1] - 1)
        noise = normal.double() * self.variances.sqrt()[component]
        if self._basis is not None:
            noise = torch.einsum("nde,ne->nd", self._basis[component], noise)
        row = torch.arange(len(component), device=component.device)
        return (self.means[row, component] + noise).to(self._dtype)

    def log_prob(self, z: Tensor) -> Tensor:
        """The normalised log-density ``log p(z | x)`` at ``z`` (n, d), row by row, shape (n,)."""
        away = z.double().unsqueeze(1) - self.means
        if self._basis is not None:
            away = torch.einsum("mde,nmd->nme", self._basis, away)
        logits = torch.log(self.weights) - 0.5 * (
            (away.square() / self.variances).sum(2)
            + torch.log(2 * math.pi * self.variances).expand(-1, away.shape[2]).sum(1)
        )
        return torch.logsumexp(logits, 1).to(z.dtype)

    def mean(self) -> Tensor:
        """The mean ``E[z | x]``, shape (n, d)."""
        return (self.weights.unsqueeze(2) * self.means).sum(1).to(self._dtype)
