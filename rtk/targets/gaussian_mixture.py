"""Gaussian mixtures: the targets for which everything is known exactly.

If ``p_0 = sum_i w_i N(m_i, C_i)``, then ``p_t = sum_i w_i N(a_t m_i, a_t^2 C_i + s_t^2 I)``, and
every reverse transition kernel is again a mixture (`MixtureTransition`), the samplers' oracle.
Covariances are kept as eigenvalues and eigenvectors, so that noising adds to a diagonal.
"""

import math
from typing import Any, NamedTuple

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from rtk import process
from rtk.segments import check_ends
from rtk.targets.base import DType, Generator, Target, check_time, draw_components, normal
from rtk.targets.mixture_transition import MixtureTransition, Parameters

Time = float | Tensor


class Products(NamedTuple):
    """What the products of `_by_products` need at a time ``t``.

    With ``c`` the mean of the mixture and ``v_i`` the noised variances: ``centre`` ``a c`` (d, 1);
    ``inverse`` ``1 / v_i``, (m, 1) or (m, d); ``pull`` ``a (m_i - c) / v_i`` (m, d); ``constant``
    (m, 1), the part of the logits that does not depend on ``x``.
    """

    centre: Tensor
    inverse: Tensor
    pull: Tensor
    constant: Tensor


class GaussianMixture(Target):
    """The law ``p_0 = sum_i w_i N(m_i, C_i)`` carried along the noising process.

    Args:
        weights: shape (m,), non-negative; they are normalised to sum to one.
        means: shape (m, d).
        covariances: one of

            - a number: the variance of all components in all coordinates;
            - shape (m,): one variance for each component, never one for each coordinate;
            - shape (m, d): the diagonal of each component's covariance matrix;
            - shape (1, d, d): one covariance matrix that all components share;
            - shape (m, d, d): the covariance matrix of each component.

            If m = d > 1, a symmetric array (d, d) might be meant as diagonals or as one shared
            matrix, and is refused. If all its entries are equal it cannot be a covariance matrix,
            which is not singular, so it is read as diagonals.

    The parameters are copied. Functions of ``(x, t)`` take ``x`` of shape (n, d) in any
    floating-point dtype and on any device, and ``t >= 0`` as a float, a 0-dimensional tensor, or a
    tensor of shape (n,) with one time for each row. They compute in float64, and their results have
    the dtype of ``x``. Two mixtures are equal only if they are the same object.

    Attributes:
        weights: (m,), normalised, float64 on the CPU.
        means: (m, d), float64 on the CPU.
        covariances: float64 on the CPU, in the form they were given in; a shared matrix has been
            expanded to (m, d, d).

    Raises:
        ValueError: for negative or all-zero weights, shapes that do not fit or are ambiguous,
            values that are not finite, covariances that are not symmetric and positive definite.
        TypeError: for arguments that are not arrays of real numbers.
    """

    def __init__(
        self,
        weights: Tensor | ArrayLike,
        means: Tensor | ArrayLike,
        covariances: Tensor | ArrayLike,
    ) -> None:
        # A tensor made under inference mode could never take part in a later backward pass.
        with torch.inference_mode(False), torch.no_grad():
            weights = _copy("weights", weights)
            means = _copy("means", means)
            covariances = _copy("covariances", covariances)
            _check_mixture(weights, means, covariances)
            super().__init__(means.shape[1])
            if covariances.ndim == 3:
                covariances = covariances.expand(len(means), -1, -1).clone()
            self.weights = weights / weights.sum()
            self.means = means
            self.covariances = covariances
            centre = self.weights @ means
            eigenvalues, basis = _eigenvalues(covariances, len(means))
            self._parameters = Parameters(
                self.weights, means, centre, means - centre, eigenvalues, basis
            )
        if not bool((self.variances > 0).all()):
            raise ValueError(
                "covariances must be positive definite, the smallest eigenvalue is "
                f"{self.variances.min().item():.3g}"
            )
        self._copies: dict[torch.device, Parameters] = {}

    def __repr__(self) -> str:
        return f"GaussianMixture(components={self.components}, dimension={self.dimension})"

    def __getstate__(self) -> dict[str, Any]:
        # Copies on a GPU would keep the mixture from being loaded where there is none.
        return self.__dict__ | {"_copies": {}}

    @property
    def components(self) -> int:
        """The number m of components."""
        return len(self.weights)

    @property
    def variances(self) -> Tensor:
        """Eigenvalues of the covariances, shape (m, 1) if all are isotropic, else (m, d)."""
        return self._parameters.variances

    def score(self, x: Tensor, t: Time) -> Tensor:
        """``grad log p_t(x) = sum_i r_i(x) C_{t,i}^{-1} (a_t m_i - x)``, shape (n, d).

        ``r_i`` are the `responsibilities`, ``C_{t,i}`` the noised covariances.
        """
        return self.score_and_log_prob(x, t)[0]

    def score_and_log_prob(self, x: Tensor, t: Time) -> tuple[Tensor, Tensor]:
        """`score` and `log_prob` from one pass."""
        self._check_x(x)
        if self._has_one_diagonal_form(t):
            return _score_by_products(x, self._products(check_time(t), x.device))
        logits, pull = self._by_differences(x, t)
        score = (torch.softmax(logits, 1).unsqueeze(2) * pull).sum(1)
        return score.to(x.dtype), torch.logsumexp(logits, 1).to(x.dtype)

    def log_prob(self, x: Tensor, t: Time) -> Tensor:
        """The normalised log-density ``log p_t(x)``, shape (n,)."""
        return torch.logsumexp(self._logits(x, t), 0).to(x.dtype)

    def responsibilities(self, x: Tensor, t: Time) -> Tensor:
        """The posterior probability ``r_i(x)`` of each component given ``x_t = x``, (n, m)."""
        return self._responsibilities(x, t).to(x.dtype)

    def hessian(self, x: Tensor, t: Time) -> Tensor:
        """``hess log p_t = sum_i r_i (u_i u_i^T - C_{t,i}^{-1}) - s s^T``, shape (n, d, d).

        ``u_i = C_{t,i}^{-1} (a_t m_i - x)`` are the scores of the components, ``s`` is the score.
        """
        logits, pull = self._by_differences(x, t)
        weight = torch.softmax(logits, 1)
        score = torch.einsum("nm,nmd->nd", weight, pull)
        outer = torch.einsum("nm,nmd,nme->nde", weight, pull, pull)
        _, _, _, _, variances, basis = self.parameters_on(x.device)
        inverse = (1.0 / _noised(variances, _column(t, x))).expand(len(x), -1, self.dimension)
        if basis is None:
            precision = torch.diag_embed(torch.einsum("nm,nmd->nd", weight, inverse))
        else:
            precision = torch.einsum("nm,mdk,nmk,mek->nde", weight, basis, inverse, basis)
        return (outer - precision - score.unsqueeze(2) * score.unsqueeze(1)).to(x.dtype)

    def _draw(self, n: int, t: float, generator: Generator, dtype: DType) -> Tensor:
        # An empty tensor, which draws nothing, settles the device and the dtype.
        empty = normal((0,), generator, dtype)
        weights, means, _, _, variances, basis = self.parameters_on(empty.device)
        component = draw_components(weights, n, generator, empty.dtype)
        noise = normal((n, self.dimension), generator, dtype).double()
        a = process.alpha(t)
        noise = noise * (a**2 * variances + process.variance(t)).sqrt()[component]
        if basis is not None:
            noise = torch.einsum("nde,ne->nd", basis[component], noise)
        return (a * means[component] + noise).to(empty.dtype)

    def reverse_transition(self, x: Tensor, t_hi: float, t_lo: float) -> MixtureTransition:
        """The exact kernel ``p(z at t_lo | x at t_hi)``, one mixture for each row of ``x``."""
        check_ends(t_hi, t_lo)
        weights = self._responsibilities(x, t_hi)
        return MixtureTransition(self.parameters_on(x.device), weights, x, t_hi, t_lo)

    def _responsibilities(self, x: Tensor, t: Time) -> Tensor:
        """The `responsibilities` in float64."""
        return torch.softmax(self._logits(x, t), 0).T.contiguous()

    def _logits(self, x: Tensor, t: Time) -> Tensor:
        """``log(w_i N(x; a_t m_i, C_{t,i}))``, shape (m, n)."""
        self._check_x(x)
        if self._has_one_diagonal_form(t):
            return _by_products(x, self._products(check_time(t), x.device))[0]
        return self._by_differences(x, t)[0].T

    def parameters_on(self, device: torch.device) -> Parameters:
        """The parameters on ``device``, copied there once."""
        if device not in self._copies:
            with torch.inference_mode(False):
                self._copies[device] = Parameters._make(
                    None if part is None else part.to(device) for part in self._parameters
                )
        return self._copies[device]

    def _has_one_diagonal_form(self, t: Time) -> bool:
        """Whether all rows share one time and covariances are diagonal, as `_by_products` needs."""
        one_time = not isinstance(t, Tensor) or t.ndim == 0
        return one_time and self._parameters.basis is None

    def _products(self, t: float, device: torch.device) -> Products:
        """What `_by_products` needs at ``t``."""
        weights, _, centre, offsets, variances, _ = self.parameters_on(device)
        a = process.alpha(t)
        variances = a**2 * variances + process.variance(t)
        inverse = 1.0 / variances
        pull = a * offsets * inverse
        lengths = a * (pull * offsets).sum(1)
        volumes = torch.log(2 * math.pi * variances).expand_as(offsets).sum(1)
        constant = torch.log(weights) - 0.5 * (lengths + volumes)
        return Products(a * centre.unsqueeze(1), inverse, pull, constant.unsqueeze(1))

    def _by_differences(self, x: Tensor, t: Time) -> tuple[Tensor, Tensor]:
        """Logits ``log(w_i N(x; ...))`` (n, m) and component scores ``u_i`` (n, m, d), any form."""
        self._check_x(x)
        weights, means, _, _, variances, basis = self.parameters_on(x.device)
        time = _column(t, x)
        variances = _noised(variances, time)
        away = x.double().unsqueeze(1) - time.neg().exp() * means
        if basis is not None:
            away = torch.einsum("mde,nmd->nme", basis, away)
        scaled = away / variances
        logits = torch.log(weights) - 0.5 * (
            (away * scaled).sum(2) + torch.log(2 * math.pi * variances).expand_as(away).sum(2)
        )
        if basis is not None:
            scaled = torch.einsum("mde,nme->nmd", basis, scaled)
        return logits, -scaled


def _by_products(x: Tensor, constants: Products) -> tuple[Tensor, Tensor]:
    """Logits ``log(w_i N(x; a m_i, v_i))`` by matrix products, for diagonal covariances.

    Squares are expanded, so all is relative to the mean ``c`` of the mixture: the numbers then
    are as large as the mixture is wide, not as far as it is from the origin. Chains come last,
    because sums over few components or coordinates of many chains are fast in this order only.

    Returns:
        the logits (m, n) and ``x - a c`` (d, n).
    """
    centre, inverse, pull, constant = constants
    # Nothing is done in place: within `torch.vmap` only some of the tensors have its dimension.
    away = x.T.to(torch.float64, memory_format=torch.contiguous_format) - centre
    logits = torch.addmm(constant, pull, away)
    if inverse.shape[1] == 1:
        return torch.addcmul(logits, inverse, away.square().sum(0), value=-0.5), away
    return torch.addmm(logits, inverse, away.square(), alpha=-0.5), away


def _score_by_products(x: Tensor, constants: Products) -> tuple[Tensor, Tensor]:
    """The score (n, d) and the log-density (n,), in the dtype of ``x``."""
    logits, away = _by_products(x, constants)
    largest = logits.amax(0)
    weight = torch.exp(logits - largest)
    total = weight.sum(0)
    weight = weight / total
    towards = constants.pull.T @ weight
    score = torch.addcmul(towards, away, constants.inverse.T @ weight, value=-1.0)
    log_prob = (largest + torch.log(total)).to(x.dtype)
    return score.T.to(x.dtype, memory_format=torch.contiguous_format), log_prob


def _column(t: Time, x: Tensor) -> Tensor:
    """One time, or one for each row, as a float64 tensor that broadcasts against (n, m, d)."""
    if not isinstance(t, Tensor):
        t = torch.tensor(check_time(t), dtype=torch.float64)
    if t.ndim > 1 or (t.ndim == 1 and t.shape[0] != x.shape[0]):
        raise ValueError(f"t must be a scalar or have shape ({len(x)},), got {tuple(t.shape)}")
    if not bool((t >= 0.0).all()):
        raise ValueError(f"t must be a time >= 0, got {t[~(t >= 0.0)][0].item()}")
    return t.to(x.device, torch.float64).reshape(-1, 1, 1)


def _noised(variances: Tensor, time: Tensor) -> Tensor:
    """``a_t^2 v + s_t^2`` for times (1 | n, 1, 1), shape (1 | n, m, 1 | d)."""
    return torch.exp(-2.0 * time) * variances - torch.expm1(-2.0 * time)


def _copy(name: str, values: Tensor | ArrayLike) -> Tensor:
    """A float64 copy on the CPU that the caller's later changes do not reach."""
    try:
        if "complex" in str(getattr(values, "dtype", "")):
            raise TypeError
        return torch.as_tensor(values, dtype=torch.float64).detach().cpu().clone()
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{name} must be an array of real numbers, got {values!r}") from None


def _eigenvalues(covariances: Tensor, components: int) -> tuple[Tensor, Tensor | None]:
    """Variances (m, 1) or (m, d) along the basis, and the basis, None for coordinate axes."""
    if covariances.ndim <= 1:
        return covariances.expand(components).unsqueeze(1), None
    if covariances.ndim == 2:
        return covariances, None
    values, vectors = torch.linalg.eigh(covariances)
    return values, vectors


def _check_mixture(weights: Tensor, means: Tensor, covariances: Tensor) -> None:
    """Raise an error unless these are the parameters of a mixture, up to positive definiteness."""
    if weights.ndim != 1 or means.ndim != 2 or len(weights) != len(means):
        raise ValueError(
            "expected weights of shape (m,) and means of shape (m, d), got "
            f"{tuple(weights.shape)} and {tuple(means.shape)}"
        )
    m, d = means.shape
    allowed = ((), (m,), (m, d), (m, d, d), (1, d, d))
    if tuple(covariances.shape) not in allowed:
        raise ValueError(
            f"covariances must be a scalar or have shape ({m},), ({m}, {d}), (1, {d}, {d}) or "
            f"({m}, {d}, {d}), got {tuple(covariances.shape)}"
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
    if m == d and covariances.ndim == 2:
        _check_diagonals(covariances)


def _check_diagonals(covariances: Tensor) -> None:
    """Raise an error if diagonals (d, d) could as well be one matrix that all components share."""
    is_constant = bool((covariances == covariances[0, 0]).all())
    if torch.allclose(covariances, covariances.mT) and not is_constant:
        d = len(covariances)
        raise ValueError(
            f"covariances of shape ({d}, {d}) are ambiguous for {d} components in {d} dimensions: "
            f"for one matrix that all components share, give it the shape (1, {d}, {d}); for one "
            f"diagonal for each component, give diagonal matrices of shape ({d}, {d}, {d}), as "
            "torch.diag_embed makes them"
        )
