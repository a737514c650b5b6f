"""Gaussian mixtures: the targets for which everything is known exactly.

If ``p_0 = sum_i w_i N(m_i, C_i)``, then ``p_t = sum_i w_i N(a_t m_i, a_t^2 C_i + s_t^2 I)``, and
every reverse transition kernel is again a mixture (`MixtureTransition`), the samplers' oracle.
Covariances are kept by eigenvalues, so that noising adds to a diagonal.
"""

import math

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from rtk import process
from rtk.targets.base import Target, check_time

Time = float | Tensor


class GaussianMixture(Target):
    """``p_0 = sum_i w_i N(m_i, C_i)`` carried along the noising process.

    Args:
        weights: shape (m,), non-negative; normalised to sum to one.
        means: shape (m, d).
        covariances: a scalar variance, (m,) variances, (m, d) diagonals or (m, d, d) matrices.

    Functions of ``(x, t)`` take ``x`` of shape (n, d) in any floating dtype and device, and
    ``t >= 0`` as a float, a 0-dim tensor or a tensor of shape (n,).

    Raises:
        ValueError: for negative or all-zero weights, shapes that do not fit, values that are not
            finite, covariances that are not symmetric and positive definite.
    """

    def __init__(
        self,
        weights: Tensor | ArrayLike,
        means: Tensor | ArrayLike,
        covariances: Tensor | ArrayLike,
    ) -> None:
        weights = torch.as_tensor(weights, dtype=torch.float64).detach().cpu()
        means = torch.as_tensor(means, dtype=torch.float64).detach().cpu()
        covariances = torch.as_tensor(covariances, dtype=torch.float64).detach().cpu()
        _check_mixture(weights, means, covariances)
        super().__init__(means.shape[1])
        self.weights = weights / weights.sum()
        self.means = means
        self.covariances = covariances
        self._basis: Tensor | None = None
        # Component variances along the basis, shape (m, 1) if isotropic, else (m, d).
        if covariances.ndim <= 1:
            self._variances = covariances.expand(len(weights)).unsqueeze(1)
        elif covariances.ndim == 2:
            self._variances = covariances
        else:
            self._variances, self._basis = torch.linalg.eigh(covariances)
        if not bool((self._variances > 0).all()):
            raise ValueError(
                "covariances must be positive definite, the smallest eigenvalue is "
                f"{self._variances.min().item():.3g}"
            )
        self._casts: dict[
            tuple[torch.dtype, torch.device], tuple[Tensor, Tensor, Tensor | None, Tensor]
        ] = {}

    def __repr__(self) -> str:
        return f"GaussianMixture(components={self.components}, dimension={self.dimension})"

    @property
    def components(self) -> int:
        return len(self.weights)

    @property
    def variances(self) -> Tensor:
        """Eigenvalues of the covariances, shape (m, 1) if all are isotropic, else (m, d)."""
        return self._variances

    def score(self, x: Tensor, t: Time) -> Tensor:
        """``grad log p_t(x) = sum_i r_i(x) C_{t,i}^{-1} (a_t m_i - x)``, shape (n, d)."""
        if self._plain(t):
            logits, inverse, scaled = self._plain_logits(x, float(t))
            weight = torch.softmax(logits, 1)
            return torch.addcmul(weight @ scaled, x, weight @ inverse, value=-1.0)
        logits, pull = self._logits_and_pulls(x, t)
        return (torch.softmax(logits, 1).unsqueeze(2) * pull).sum(1)

    def log_prob(self, x: Tensor, t: Time) -> Tensor:
        """``log p_t(x)``, normalised, shape (n,)."""
        logits = (
            self._plain_logits(x, float(t))[0]
            if self._plain(t)
            else self._logits_and_pulls(x, t)[0]
        )
        return torch.logsumexp(logits, 1)

    def responsibilities(self, x: Tensor, t: Time) -> Tensor:
        """Posterior probability of each component given ``x_t = x``, shape (n, m)."""
        return torch.softmax(self._logits_and_pulls(x, t)[0], 1)

    def hessian(self, x: Tensor, t: Time) -> Tensor:
        """``hess log p_t = sum_i r_i (u_i u_i^T - C_{t,i}^{-1}) - s s^T``, shape (n, d, d).

        ``u_i = C_{t,i}^{-1} (a_t m_i - x)`` are the scores of the components.
        """
        logits, pull = self._logits_and_pulls(x, t)
        weight = torch.softmax(logits, 1)
        score = torch.einsum("nm,nmd->nd", weight, pull)
        outer = torch.einsum("nm,nmd,nme->nde", weight, pull, pull)
        _, _, basis, variances = self._cast(x)
        inverse = (1.0 / self._noised(variances, x, t)).expand(len(x), -1, self.dimension)
        if basis is None:
            precision = torch.diag_embed(torch.einsum("nm,nmd->nd", weight, inverse))
        else:
            precision = torch.einsum("nm,mdk,nmk,mek->nde", weight, basis, inverse, basis)
        return outer - precision - score.unsqueeze(2) * score.unsqueeze(1)

    def sample(
        self,
        n: int,
        t: float = 0.0,
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """``n`` exact draws of ``p_t`` at one time, shape (n, d), on the generator's device."""
        t = float(t)
        check_time(t)
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        device = generator.device if generator is not None else None
        template = torch.empty(0, self.dimension, device=device, dtype=dtype)
        weights, means, basis, variances = self._cast(template)
        component = torch.multinomial(weights, n, replacement=True, generator=generator)
        noise = torch.randn(n, self.dimension, generator=generator, device=device, dtype=dtype)
        noise = noise * (process.alpha(t) ** 2 * variances + process.variance(t)).sqrt()[component]
        if basis is not None:
            noise = torch.einsum("nde,ne->nd", basis[component], noise)
        return process.alpha(t) * means[component] + noise

    def reverse_transition(self, x: Tensor, t_hi: float, t_lo: float) -> "MixtureTransition":
        """The exact kernel ``p(z at t_lo | x at t_hi)``, one mixture per row of ``x``."""
        return MixtureTransition(self, x, t_hi, t_lo)

    def _plain(self, t: Time) -> bool:
        """Whether the fast path serves: one time for all chains, covariances diagonal."""
        return self._basis is None and (not isinstance(t, Tensor) or t.ndim == 0)

    def _plain_logits(self, x: Tensor, t: float) -> tuple[Tensor, Tensor, Tensor]:
        """``log(w_i N(x; ...))`` (n, m), ``1/v_i`` (m, 1|d), ``a m_i/v_i`` (m, d), by products."""
        weights, means, _, variances = self._cast(x)
        check_time(t)
        self._check_x(x)
        means = process.alpha(t) * means
        variances = process.alpha(t) ** 2 * variances + process.variance(t)
        inverse = 1.0 / variances
        scaled = means * inverse
        square = x.square()
        if inverse.shape[1] == 1:
            square = square.sum(1, keepdim=True)
        constant = torch.log(weights) - 0.5 * (
            (scaled * means).sum(1) + torch.log(2 * math.pi * variances).expand_as(means).sum(1)
        )
        logits = torch.addmm(constant, x, scaled.T)
        return torch.addmm(logits, square, inverse.T, alpha=-0.5), inverse, scaled

    def _logits_and_pulls(self, x: Tensor, t: Time) -> tuple[Tensor, Tensor]:
        """``log(w_i N(x; ...))`` (n, m) and component scores ``u_i`` (n, m, d), any case."""
        self._check_x(x)
        weights, means, basis, variances = self._cast(x)
        variances = self._noised(variances, x, t)
        away = x.unsqueeze(1) - _column(t, x).neg().exp() * means
        if basis is not None:
            away = torch.einsum("mde,nmd->nme", basis, away)
        scaled = away / variances
        logits = torch.log(weights) - 0.5 * (
            (away * scaled).sum(2) + torch.log(2 * math.pi * variances).expand_as(away).sum(2)
        )
        if basis is not None:
            scaled = torch.einsum("mde,nme->nmd", basis, scaled)
        return logits, -scaled

    def _noised(self, variances: Tensor, x: Tensor, t: Time) -> Tensor:
        """``a_t^2 v + s_t^2``, shape (1 | n, m, 1 | d)."""
        twice = -2.0 * _column(t, x)
        return twice.exp() * variances - torch.expm1(twice)

    def _cast(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
        """Weights, means, basis, variances in the dtype and on the device of ``x``."""
        key = (x.dtype, x.device)
        if key not in self._casts:
            if not x.is_floating_point():
                raise TypeError(f"x must be a floating-point tensor, got {x.dtype}")
            weights, means, variances = (
                tensor.to(x.device, x.dtype)
                for tensor in (self.weights, self.means, self._variances)
            )
            basis = None if self._basis is None else self._basis.to(x.device, x.dtype)
            self._casts[key] = weights, means, basis, variances
        return self._casts[key]


class MixtureTransition:
    """Exact reverse transition kernel of a mixture, one mixture per row of ``x``.

    With ``h = e^2eta - 1`` and component variances ``v_i`` at ``t_lo`` (along the eigenbasis)::

        v_i' = (1/v_i + 1/h)^-1,   mu_i' = v_i' (a_lo m_i / v_i + e^eta x / h)
        w_i' ~ w_i N(x; a_hi m_i, a_hi^2 C_i + s_hi^2 I)

    Attributes:
        weights: (n, m).  means: (n, m, d).  variances: (m, 1 | d), along the basis.
    """

    def __init__(self, mixture: GaussianMixture, x: Tensor, t_hi: float, t_lo: float) -> None:
        if not 0.0 <= t_lo < t_hi < math.inf:
            raise ValueError(f"need 0 <= t_lo < t_hi, got t_lo={t_lo} and t_hi={t_hi}")
        eta = t_hi - t_lo
        h = math.expm1(2.0 * eta)
        _, means, basis, variances = mixture._cast(x)
        noised = process.alpha(t_lo) ** 2 * variances + process.variance(t_lo)
        self._basis = basis
        self.variances = 1.0 / (1.0 / noised + 1.0 / h)
        means, centre = process.alpha(t_lo) * means, (math.exp(eta) * x).unsqueeze(1)
        if basis is None:
            self.means = self.variances * (means / noised + centre / h)
        else:
            # Along each component's eigenbasis, then back.
            means = torch.einsum("mde,md->me", basis, means)
            centre = torch.einsum("mde,nd->nme", basis, centre[:, 0])
            along = self.variances * (means / noised + centre / h)
            self.means = torch.einsum("mde,nme->nmd", basis, along)
        self.weights = mixture.responsibilities(x, t_hi)

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """One exact draw for each row of ``x``, shape (n, d)."""
        n, _, d = self.means.shape
        dtype, device = self.means.dtype, self.means.device
        uniform = torch.rand(n, generator=generator, dtype=dtype, device=device)
        normal = torch.randn(n, d, generator=generator, dtype=dtype, device=device)
        return self.transform(uniform, normal)

    def transform(self, uniform: Tensor, normal: Tensor) -> Tensor:
        """The draw made of a uniform (n,), which picks the component, and a normal (n, d)."""
        cumulative = self.weights.cumsum(1)
        threshold = (uniform * cumulative[:, -1]).unsqueeze(1)
        component = torch.searchsorted(cumulative, threshold, right=True).squeeze(1)
        component = component.clamp_max(self.weights.shape[1] - 1)
        noise = normal * self.variances.sqrt()[component]
        if self._basis is not None:
            noise = torch.einsum("nde,ne->nd", self._basis[component], noise)
        return self.means[torch.arange(len(component)), component] + noise

    def log_prob(self, z: Tensor) -> Tensor:
        """Normalised ``log p(z | x)``, shape (n,)."""
        away = z.unsqueeze(1) - self.means
        if self._basis is not None:
            away = torch.einsum("mde,nmd->nme", self._basis, away)
        logits = torch.log(self.weights) - 0.5 * (
            (away.square() / self.variances).sum(2)
            + torch.log(2 * math.pi * self.variances).expand(-1, away.shape[2]).sum(1)
        )
        return torch.logsumexp(logits, 1)

    def mean(self) -> Tensor:
        """``E[z | x]``, shape (n, d)."""
        return (self.weights.unsqueeze(2) * self.means).sum(1)


def _column(t: Time, x: Tensor) -> Tensor:
    """Times as a tensor that broadcasts against (n, m, d)."""
    t = torch.as_tensor(t, dtype=x.dtype, device=x.device)
    if t.ndim > 1 or (t.ndim == 1 and t.shape[0] != x.shape[0]):
        raise ValueError(f"t must be a scalar or have shape ({len(x)},), got {tuple(t.shape)}")
    check_time(float(t.min()))
    return t.reshape(-1, 1, 1)


def _check_mixture(weights: Tensor, means: Tensor, covariances: Tensor) -> None:
    if weights.ndim != 1 or means.ndim != 2 or len(weights) != len(means):
        raise ValueError(
            "expected weights of shape (m,) and means of shape (m, d), got "
            f"{tuple(weights.shape)} and {tuple(means.shape)}"
        )
    m, d = means.shape
    allowed = ((), (m,), (m, d), (m, d, d))
    if tuple(covariances.shape) not in allowed:
        raise ValueError(
            f"covariances must be a scalar or have shape ({m},), ({m}, {d}) or ({m}, {d}, {d}), "
            f"got {tuple(covariances.shape)}"
        )
    for name, value in (("weights", weights), ("means", means), ("covariances", covariances)):
        if not bool(torch.isfinite(value).all()):
            raise ValueError(f"{name} must be finite")
    if bool((weights < 0).any()) or not float(weights.sum()) > 0:
        raise ValueError(
            f"weights must be non-negative with a positive sum, got {weights.tolist()}"
        )
    if covariances.ndim == 3 and not torch.allclose(covariances, covariances.mT):
        raise ValueError("covariances must be symmetric matrices")
