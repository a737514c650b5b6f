r"""EDM preconditioning: a raw network becomes a score, or the gradient of a log-density.

In the OU clock ``x_t = a_t x_0 + s_t xi`` with ``a_t = exp(-t)``, ``s_t^2 = 1 - exp(-2t)``, the
rescaled state ``y = x_t / a_t = x_0 + sigma xi`` has noise level ``sigma = s_t / a_t``. The
denoiser is

    D(y; sigma) = m + c_skip (y - m) + c_out F(u; ln(sigma) / 4),  u = c_in (y - m)
    c_in = 1 / sqrt(sigma^2 + v),  c_skip = v c_in^2,  c_out = sigma sqrt(v) c_in

where ``m`` and ``v`` are the mean and the variance of the training data over all coordinates
(Karras et al. 2022, Table 1, with data that are centred first). Thus ``F = 0`` is the exact
denoiser of ``N(m, v I)``. Tweedie's formula turns it into the score,
``s(x, t) = (a_t D(x / a_t; sigma) - x) / s_t^2``.

A score network takes the raw network G as ``F``. Its score need not be the gradient of anything. An
energy network takes ``F = grad_u <u, G(u)>``. Its score is then the gradient of

    log p_t(x) = -|u|^2 / 2 + (sqrt(v) / sigma) <u, G(u)> + constant,

since ``(D - y) / sigma^2`` is the gradient of the right side with respect to ``y``. Both networks
have the same parameters and begin at the same score.

Source: Karras, Aittala, Aila, Laine, *Elucidating the Design Space of Diffusion-Based Generative
Models*, NeurIPS 2022; Du et al., *Reduce, Reuse, Recycle: Compositional Generation with
Energy-Based Diffusion Models and MCMC*, ICML 2023 (energies that are inner products with a
network).
"""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from rtk import process
from rtk.kernel import dot, per_chain


class Preconditioned(nn.Module, ABC):
    """``s(x, t)``, callable on states (n, *shape) and one OU time ``t > 0``.

    A network of any kind is a subclass with the method `raw`. It computes in its own dtype,
    float32, and the result has the dtype of ``x``.

    Args:
        mean, std: of the data.
        energy: whether the score is the gradient of a log-density.
    """

    def __init__(self, mean: float, std: float, energy: bool) -> None:
        super().__init__()
        self.mean, self.variance, self.energy = mean, std**2, energy

    @abstractmethod
    def raw(self, u: Tensor, level: Tensor) -> Tensor:
        """``G``: (n, *shape) and ``ln(sigma) / 4`` of shape (n,) or (1,) -> (n, *shape)."""

    def forward(self, x: Tensor, t: float | Tensor) -> Tensor:
        """The score at OU time ``t``, a float or 0-dim tensor, in the shape and dtype of ``x``."""
        scale, y, sigma = rescaled(x, float(t))
        return (scale * self.denoise(y, sigma) - x) / (scale * sigma) ** 2

    def score_and_log_prob(self, x: Tensor, t: float | Tensor) -> tuple[Tensor, Tensor]:
        """The score, and ``log p_t`` up to a constant, shape (n,), from one pass.

        Raises:
            ValueError: if this is no energy network.
        """
        if not self.energy:
            raise ValueError("a score network has no log-density, expected an energy network")
        scale, y, sigma = rescaled(x, float(t))
        u, level = self._input(y, sigma)
        residual, product = self._gradient(u, level)
        score = (scale * self._denoised(y, sigma, residual) - x) / (scale * sigma) ** 2
        u, ratio = u.double(), math.sqrt(self.variance) / sigma.double()
        return score, (ratio * product - 0.5 * dot(u, u)).to(x.dtype)

    def log_prob(self, x: Tensor, t: float | Tensor) -> Tensor:
        """``log p_t`` up to a constant, shape (n,)."""
        return self.score_and_log_prob(x, t)[1]

    def denoise(self, y: Tensor, sigma: Tensor) -> Tensor:
        """``D(y; sigma)``, the estimate of ``E[x_0 | x_0 + sigma xi = y]``.

        Args:
            y: noised data, (n, *shape).
            sigma: noise levels, (n,), or (1,) if all rows have the same.
        """
        u, level = self._input(y, sigma)
        residual = self._gradient(u, level)[0] if self.energy else self.raw(u, level)
        return self._denoised(y, sigma, residual)

    def _input(self, y: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """``u`` and ``ln(sigma) / 4``, in the dtype of the weights."""
        dtype = next(self.parameters()).dtype
        c_in = (per_chain(sigma, y) ** 2 + self.variance).rsqrt()
        return (c_in * (y - self.mean)).to(dtype), (sigma.log() / 4.0).to(dtype)

    def _gradient(self, u: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """``grad_u <u, G(u)>``, and ``<u, G(u)>`` in float64, shape (n,)."""
        variable = u.requires_grad or any(weight.requires_grad for weight in self.parameters())
        differentiable = variable and torch.is_grad_enabled()
        with torch.enable_grad():
            u = u if u.requires_grad else u.detach().requires_grad_()
            product = dot(u.double(), self.raw(u, level).double())
            (gradient,) = torch.autograd.grad(product.sum(), u, create_graph=differentiable)
        return gradient, product if differentiable else product.detach()

    def _denoised(self, y: Tensor, sigma: Tensor, residual: Tensor) -> Tensor:
        """``m + c_skip (y - m) + c_out F``."""
        width, residual = per_chain(sigma, y), residual.to(y.dtype)
        c_in = (width**2 + self.variance).rsqrt()
        c_out = width * math.sqrt(self.variance) * c_in
        return self.mean + self.variance * c_in**2 * (y - self.mean) + c_out * residual


def rescaled(x: Tensor, t: float) -> tuple[float, Tensor, Tensor]:
    """``a_t``, ``y = x / a_t``, and ``sigma`` as a tensor of shape (1,).

    Raises:
        ValueError: if t is not positive and finite.
    """
    if not (t > 0.0 and math.isfinite(t)):
        raise ValueError(f"the score network is defined for OU times t > 0, got t = {t}")
    scale = process.alpha(t)
    return scale, x / scale, x.new_tensor([process.sigma(t) / scale])
