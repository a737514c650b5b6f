"""B1 for a learned score: the curvature of the MNIST network, and the segments that it asks for.

At noised images only products with the Jacobian J of the score are available: ``J v`` by
forward-mode and ``J^T v`` by reverse-mode differentiation. Lanczos' iteration computes the smallest
and the largest eigenvalue of the symmetric part ``S = (J + J^T) / 2``. The Jacobian of a true score
is symmetric, because a score is a gradient, but that of a network is not, and its antisymmetric
part is measured too (`experiments.theory.jacobian`).

``L(t)`` is the largest absolute eigenvalue of S over the images. It is a lower estimate of the
supremum over all states, which the theory needs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from experiments.images import data, network
from experiments.theory.jacobian import Product, antisymmetric_share, products
from experiments.workflow import job, tidy
from rtk import process, segments
from rtk.kernel import dot


@dataclass(frozen=True)
class Settings:
    """Sizes of the study, and its input files.

    Attributes:
        times: times of the noised images, ascending.
        images: number of images at each time, half of them test images.
        iterations: iterations of Lanczos.
        data: path of the images.
        score: path of the weights of the score network.
    """

    times: list[float]
    images: int
    iterations: int
    data: str
    score: str


def lanczos(product: Product, start: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    """Extreme eigenvalues of one symmetric matrix per row, and bounds of their errors.

    Args:
        product: ``v -> S v`` for all rows at once, shape (n, *shape).
        start: vectors from which the iteration starts, (n, *shape).
        iterations: number of iterations, at most the size of a row.

    Returns:
        Smallest and largest Ritz value (n, 2), and the norms of their residuals (n, 2). An
        eigenvalue lies within that distance of each Ritz value.
    """
    basis = [start / dot(start, start).sqrt().reshape(-1, *[1] * (start.ndim - 1))]
    diagonal, coupling = [], []
    for _ in range(iterations):
        v = product(basis[-1])
        diagonal.append(dot(v, basis[-1]))
        # Rounding would bring converged vectors back, so v is made orthogonal to the basis twice.
        for _ in range(2):
            for u in basis:
                v = v - dot(u, v).reshape(-1, *[1] * (v.ndim - 1)) * u
        norm = dot(v, v).sqrt()
        coupling.append(norm)
        basis.append(v / norm.reshape(-1, *[1] * (v.ndim - 1)))
    inner = torch.stack(coupling[:-1], 1)
    matrix = torch.diag_embed(torch.stack(diagonal, 1))
    matrix = matrix + torch.diag_embed(inner, 1) + torch.diag_embed(inner, -1)
    values, vectors = torch.linalg.eigh(matrix)
    residuals = coupling[-1].unsqueeze(1) * vectors[:, -1].abs()
    return values[:, [0, -1]], residuals[:, [0, -1]]


def measure(
    score: network.ScoreNetwork, images: Tensor, t: float, iterations: int, seed: int
) -> dict[str, tuple[float, float]]:
    """Metrics at one time, each a value and its error.

    The error of an eigenvalue is the bound of Lanczos. That of the antisymmetric part is the
    standard error over the images.
    """
    generator = torch.Generator().manual_seed(seed)
    clean = images.double()
    x = process.alpha(t) * clean + process.sigma(t) * torch.randn(
        clean.shape, generator=generator, dtype=torch.float64
    )
    forward, backward = products(lambda y: score(y, t), x)
    start = torch.randn(x.shape, generator=generator, dtype=torch.float64)
    values, residuals = lanczos(lambda v: 0.5 * (forward(v) + backward(v)), start, iterations)
    lowest, highest = int(values[:, 0].argmin()), int(values[:, 1].argmax())
    smallest = float(values[lowest, 0]), float(residuals[lowest, 0])
    largest = float(values[highest, 1]), float(residuals[highest, 1])
    lipschitz = max(smallest, largest, key=lambda eigenvalue: abs(eigenvalue[0]))
    return {
        "smallest": smallest,
        "largest": largest,
        "lipschitz": (abs(lipschitz[0]), lipschitz[1]),
        "eta_star": (segments.critical_length(abs(lipschitz[0])), 0.0),
        "antisymmetric": antisymmetric_share(forward, backward, tuple(x.shape), generator),
    }


def rows(settings: Settings, seed: int) -> list[tidy.Row]:
    """Curvature of the network at every time."""
    score = network.load(settings.score)
    # Forward-mode derivatives need the contiguous layout.
    score.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    half = settings.images // 2
    images = torch.cat(
        (
            data.load(settings.data, "test").images[:half],
            data.load(settings.data, "train").images[: settings.images - half],
        )
    )
    common = {"target": "mnist", "method": "score-network"}
    table: list[tidy.Row] = []
    for t in settings.times:
        own_seed = job.derive_seed(seed, "network_curvature", str(t))
        measured = measure(score, images, t, settings.iterations, own_seed)
        table += tidy.rows(measured, **common, settings=f"t={t}", t=t, seed=own_seed)
    return table


if __name__ == "__main__":
    job.study(rows, Settings)
