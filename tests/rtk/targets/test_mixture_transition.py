"""Exact kernels of mixtures; `tests/rtk/test_kernel.py` compares them with the potentials."""

import copy
import pickle

import pytest
import torch

from tests.oracles import DOUBLE, FORMS, spatial


def states(n: int = 20) -> torch.Tensor:
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(1), dtype=DOUBLE)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_results_are_those_of_double_precision_rounded(form: str, dtype: torch.dtype) -> None:
    x = states().to(dtype)
    kernel, exact = (spatial(form).reverse_transition(rows, 0.8, 0.3) for rows in (x, x.double()))
    uniform, normal = torch.rand(20, dtype=dtype), torch.randn(20, 3, dtype=dtype)
    z = kernel.transform(uniform, normal)
    assert z.dtype == kernel.mean().dtype == kernel.log_prob(z).dtype == kernel.sample().dtype
    assert z.dtype == dtype
    assert torch.equal(z, exact.transform(uniform.double(), normal.double()).to(dtype))
    assert torch.equal(kernel.mean(), exact.mean().to(dtype))
    assert torch.equal(kernel.log_prob(z), exact.log_prob(z.double()).to(dtype))


@pytest.mark.parametrize("form", FORMS)
def test_autocast_changes_nothing(form: str) -> None:
    x = states().float()

    def results() -> tuple[torch.Tensor, ...]:
        kernel = spatial(form).reverse_transition(x, 0.8, 0.3)
        draws = kernel.sample(torch.Generator().manual_seed(0))
        return draws, kernel.log_prob(draws), kernel.mean(), kernel.weights

    expected = results()
    with torch.autocast("cpu", torch.bfloat16):
        for result, value in zip(results(), expected, strict=True):
            assert torch.equal(result, value)


@pytest.mark.parametrize("form", FORMS)
def test_copies_are_the_same_kernel(form: str) -> None:
    kernel = spatial(form).reverse_transition(states(), 0.8, 0.3)
    for copied in (copy.deepcopy(kernel), pickle.loads(pickle.dumps(kernel))):
        assert torch.equal(copied.log_prob(states()), kernel.log_prob(states()))


def test_rejects() -> None:
    mixture = spatial("full")
    with pytest.raises(ValueError, match=r"need 0 <= t_lo < t_hi, got t_lo=0\.5 and t_hi=0\.5"):
        mixture.reverse_transition(states(), 0.5, 0.5)
    with pytest.raises(ValueError, match=r"x must have shape \(n, 3\), got \(4, 2\)"):
        mixture.reverse_transition(torch.zeros(4, 2), 0.5, 0.2)
    with pytest.raises(TypeError, match="x must be a floating-point tensor"):
        mixture.reverse_transition(torch.zeros(4, 3, dtype=torch.int64), 0.5, 0.2)
