import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from rtk.noise import NUMBERS_PER_BLOCK, ChainNoise, chains_per_block
from tests.oracles import DOUBLE

SHAPES = st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple)
EXAMPLES = settings(max_examples=40, deadline=None, derandomize=True)


def draws(noise: ChainNoise) -> tuple[Tensor, Tensor, Tensor]:
    return noise.normal(), noise.uniform(), noise.normal()


@EXAMPLES
@given(SHAPES)
def test_blocks_are_powers_of_two_set_by_the_shape(shape: tuple[int, ...]) -> None:
    block = chains_per_block(shape)
    assert block >= 1
    assert block & (block - 1) == 0
    assert block == 1 or block * int(np.prod(shape)) <= NUMBERS_PER_BLOCK


def test_large_samples_have_a_stream_each() -> None:
    assert chains_per_block((3, 64, 64)) == 1


@EXAMPLES
@given(SHAPES, st.integers(1, 50), st.integers(0, 2**70), st.integers(0, 3))
def test_a_chain_has_its_numbers_whatever_runs_beside_it(
    shape: tuple[int, ...], n: int, seed: int, skipped: int
) -> None:
    block = chains_per_block(shape)
    first = skipped * block
    everything = draws(ChainNoise(seed, first + n + 7, shape, dtype=DOUBLE))
    part = draws(ChainNoise(seed, n, shape, first, dtype=DOUBLE))
    for whole, some in zip(everything, part, strict=True):
        assert torch.equal(whole[first : first + n], some)


def test_shapes_and_dtypes() -> None:
    noise = ChainNoise(3, 5, (2, 3))
    assert noise.normal().shape == (5, 2, 3)
    assert noise.uniform().shape == (5,)
    assert noise.normal().dtype == torch.get_default_dtype()
    half = ChainNoise(3, 5, (2, 3), dtype=torch.float16)
    assert half.normal().dtype == torch.float16


def test_precision_only_rounds() -> None:
    single = draws(ChainNoise(3, 100, (2,), dtype=torch.float32))
    double = draws(ChainNoise(3, 100, (2,), dtype=DOUBLE))
    for a, b in zip(single, double, strict=True):
        assert torch.equal(a, b.float())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_uniforms_stay_below_one_when_rounded(dtype: torch.dtype) -> None:
    """Of 40 960 uniforms some round up to 1 in either format."""
    uniform = ChainNoise(0, 40_960, (1,), dtype=dtype).uniform()
    assert float(uniform.max()) < 1.0
    exact = ChainNoise(0, 40_960, (1,), dtype=DOUBLE).uniform()
    assert float(exact.to(dtype).max()) == 1.0


def test_nothing_is_used_twice() -> None:
    block = chains_per_block((2,))
    noise = ChainNoise(0, 3 * block, (2,), dtype=DOUBLE)
    numbers = torch.cat([noise.normal().flatten() for _ in range(3)])
    other = ChainNoise(1, 3 * block, (2,), dtype=DOUBLE).normal().flatten()
    together = torch.cat((numbers, other))
    assert len(together.unique()) == len(together)


def test_laws() -> None:
    # 98 304 and 49 152 numbers, p-values at 5 sigma.
    block = chains_per_block((2,))
    noise = ChainNoise(11, 24 * block, (2,), dtype=DOUBLE)
    first, uniform, second = draws(noise)
    assert stats.kstest(first.flatten().numpy(), "norm").pvalue > 2.9e-7
    assert stats.kstest(second.flatten().numpy(), "norm").pvalue > 2.9e-7
    assert stats.kstest(uniform.numpy(), "uniform").pvalue > 2.9e-7
    assert float(uniform.min()) >= 0.0
    assert float(uniform.max()) < 1.0


def test_draws_coordinates_chains_and_blocks_are_uncorrelated() -> None:
    block = chains_per_block((2,))
    noise = ChainNoise(12, 24 * block, (2,), dtype=DOUBLE)
    first, uniform, second = draws(noise)
    centred = (uniform - 0.5) * 12**0.5
    pairs = {
        "draws": (first, second),
        "coordinates": (first[:, 0], first[:, 1]),
        "neighbours": (first[1:], first[:-1]),
        "blocks": (first[block:], first[:-block]),
        "uniform and next normal": (centred, second[:, 0]),
        "normal and next uniform": (first[:, 0], centred),
    }
    for name, (a, b) in pairs.items():
        products = (a * b).flatten()
        # Independent products of unit variables have mean 0 and variance 1.
        assert abs(float(products.mean())) < 5 / len(products) ** 0.5, name


def test_rejects() -> None:
    with pytest.raises(ValueError, match=r"seed must be .* got -1"):
        ChainNoise(-1, 4, (2,))
    with pytest.raises(ValueError, match="first must be at least 0, got -5"):
        ChainNoise(0, 4, (2,), first=-5)
