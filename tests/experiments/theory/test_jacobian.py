"""Products with a Jacobian, and Hutchinson's estimate, against matrices written out."""

import pytest
import torch
from torch import Tensor

from experiments.theory import jacobian

MATRIX = torch.tensor([[2.0, 1.0, 0.0], [-3.0, 0.5, 1.0], [0.0, 2.0, -4.0]], dtype=torch.float64)


def linear(x: Tensor) -> Tensor:
    return x @ MATRIX.T


def test_products_are_those_of_the_jacobian_and_its_transpose() -> None:
    """Of a nonlinear map, row by row, against its Jacobian."""

    def curved(x: Tensor) -> Tensor:
        return linear(x.sin()) * x

    x = torch.tensor([[0.3, -1.0, 2.0], [1.0, 0.5, -0.2]], dtype=torch.float64)
    v = torch.tensor([[1.0, 2.0, -1.0], [0.3, 0.0, 1.0]], dtype=torch.float64)
    forward, backward = jacobian.products(curved, x)
    for k in range(2):
        matrix = torch.func.jacrev(lambda row: curved(row[None])[0])(x[k])
        assert forward(v)[k].tolist() == pytest.approx((matrix @ v[k]).tolist())
        assert backward(v)[k].tolist() == pytest.approx((matrix.T @ v[k]).tolist())


def test_antisymmetric_part_by_probes() -> None:
    """Random signs are unbiased; 8 probes x 2000 rows, spread below 1 %, 5 sigma below 5 %."""
    x = torch.zeros(2000, 3, dtype=torch.float64)
    forward, backward = jacobian.products(linear, x)
    skews, wholes = jacobian.antisymmetric(
        forward, backward, (2000, 3), torch.Generator().manual_seed(0)
    )
    assert float(skews.mean()) == pytest.approx(
        float((0.5 * (MATRIX - MATRIX.T)).square().sum()), rel=0.05
    )
    assert float(wholes.mean()) == pytest.approx(float(MATRIX.square().sum()), rel=0.05)


def test_share_is_the_ratio_of_the_norms() -> None:
    """Of 2000 equal rows; each row has a ratio of estimates of its own, within 3 % on average."""
    x = torch.zeros(2000, 3, dtype=torch.float64)
    forward, backward = jacobian.products(linear, x)
    share, error = jacobian.antisymmetric_share(
        forward, backward, (2000, 3), torch.Generator().manual_seed(0)
    )
    exact = float((MATRIX - MATRIX.T).norm() / (2.0 * MATRIX.norm()))
    assert share == pytest.approx(exact, rel=0.03)
    assert 0.0 < error < 0.01
