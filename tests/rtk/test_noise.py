"""Philox against published answers and a second implementation; the laws; whose numbers they are.

p-values and correlations are judged at 5 sigma.
"""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from rtk import noise
from rtk.noise import ChainNoise, philox, round_keys
from tests.oracles import DOUBLE

SHAPES = st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple)
EXAMPLES = settings(max_examples=40, deadline=None, derandomize=True)
FIVE_SIGMA = 2 * stats.norm.sf(5)

# From the file kat_vectors of Random123, the authors' implementation: counter, key, answer.
KNOWN = {
    "zeros": ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    "ones": (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    "digits of pi": (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
}

Word4 = tuple[int, int, int, int]


def philox_in_integers(counter: Word4, key: tuple[int, int]) -> Word4:
    """Philox4x32-10 as in section 3.3 of the paper, in Python's integers."""
    for step in range(10):
        first, second = ((k + step * w) % 2**32 for k, w in zip(key, WEYL, strict=True))
        high0, low0 = divmod(0xD2511F53 * counter[0], 2**32)
        high1, low1 = divmod(0xCD9E8D57 * counter[2], 2**32)
        counter = (high1 ^ counter[1] ^ first, low1, high0 ^ counter[3] ^ second, low0)
    return counter


def as_tensors(counter: Word4) -> noise.Words:
    a, b, c, d = (torch.tensor([part]) for part in counter)
    return a, b, c, d


# The golden ratio and the square root of 3 less 1, in units of 2^-32.
WEYL = (0x9E3779B9, 0xBB67AE85)


def word(seed: int, chain: int, position: int, size: int, uniform: bool = False) -> int:
    """The word at a position of a chain's stream, which has blocks for 1, 2 or 4 draws in a row."""
    in_group = size * 4 // math.gcd(4, size)
    group, inside = divmod(position, in_group)
    block, index = divmod(inside, 4)
    counter = (chain % 2**32, group + 2**31 * uniform, block, chain // 2**32)
    return philox_in_integers(counter, (seed % 2**32, seed // 2**32))[index]


def box_muller(position: int, words: Any) -> float:
    """The normal number at a position of a stream, ``words(position)``."""
    even = position - position % 2
    radius = math.sqrt(-2 * math.log((words(even) + 1) / 2**32))
    angle = 2 * math.pi * words(even + 1) / 2**32
    return radius * (math.sin(angle) if position % 2 else math.cos(angle))


def draws(chains: ChainNoise) -> tuple[Tensor, ...]:
    """Enough of both kinds to pass the ends of their groups."""
    return tuple(
        draw for _ in range(5) for draw in (chains.normal(), chains.uniform(), chains.normal())
    )


@pytest.mark.parametrize("case", KNOWN)
def test_known_answers(case: str) -> None:
    counter, key, answer = KNOWN[case]
    assert philox_in_integers(counter, key) == answer
    words = philox(as_tensors(counter), round_keys(key))
    assert tuple(int(part) for part in words) == answer


@EXAMPLES
@given(st.integers(0, 2**128 - 1), st.integers(0, 2**64 - 1))
def test_two_implementations_agree(counter: int, key: int) -> None:
    a, b, c, d = (counter >> 32 * k & 0xFFFFFFFF for k in range(4))
    words, keys = (a, b, c, d), (key >> 32, key & 0xFFFFFFFF)
    found = philox(as_tensors(words), round_keys(keys))
    assert tuple(int(part) for part in found) == philox_in_integers(words, keys)


@EXAMPLES
@given(
    st.integers(0, 2**64 - 1),
    st.one_of(st.integers(0, 2**33), st.just(2**63 - 3), st.just(2**32 - 2)),
    st.integers(1, 13),
)
def test_what_a_chain_draws(seed: int, first: int, size: int) -> None:
    """Every number is the one that (seed, chain, position) name; 3 chains, 5 draws of each kind."""
    chains = ChainNoise(seed, 3, (size,), first, dtype=DOUBLE)
    for draw in range(5):
        normal, uniform = chains.normal(), chains.uniform()
        for row in range(3):
            expected = word(seed, first + row, draw, 1, uniform=True) / 2**32
            assert float(uniform[row]) == expected
            for j in range(size):
                one = box_muller(
                    draw * size + j, lambda at, row=row: word(seed, first + row, at, size)
                )
                assert float(normal[row, j]) == pytest.approx(one, rel=1e-12, abs=1e-12)


@EXAMPLES
@given(SHAPES, st.integers(1, 50), st.integers(0, 2**64 - 1), st.integers(0, 2000))
def test_a_chain_has_its_numbers_whatever_runs_beside_it(
    shape: tuple[int, ...], n: int, seed: int, first: int
) -> None:
    everything = draws(ChainNoise(seed, n + 60, shape, first, dtype=DOUBLE))
    part = draws(ChainNoise(seed, n, shape, first + 53, dtype=DOUBLE))
    for whole, some in zip(everything, part, strict=True):
        assert torch.equal(whole[53 : 53 + n], some)


def test_normals_do_not_depend_on_the_uniforms_between() -> None:
    mixed, alone = (ChainNoise(3, 50, (3,)) for _ in range(2))
    for _ in range(9):
        mixed.uniform()
        assert torch.equal(mixed.normal(), alone.normal())


def test_shapes_and_dtypes() -> None:
    chains = ChainNoise(3, 5, (2, 3))
    assert chains.normal().shape == (5, 2, 3)
    assert chains.uniform().shape == (5,)
    assert chains.normal().dtype == torch.get_default_dtype()
    half = ChainNoise(3, 5, (2, 3), dtype=torch.float16)
    assert half.normal().dtype == torch.float16


def test_the_samples_of_a_batch_are_contiguous() -> None:
    assert ChainNoise(3, 5, (2, 3)).normal().is_contiguous()


def test_precision_only_rounds() -> None:
    """Angles to 1e-6. Near 1 the uniform of a radius r rounds by 2^-25, thus r^2 by 2^-24."""
    single, double = (
        ChainNoise(3, 100_000, (2,), dtype=dtype) for dtype in (torch.float32, DOUBLE)
    )
    for _ in range(4):
        uniform = single.uniform().double() - double.uniform()
        assert float(uniform.abs().max()) <= 2**-24
        precise = double.normal()
        error = (single.normal().double() - precise).norm(dim=1)
        radius = precise.norm(dim=1)
        assert bool((error <= 1e-6 * radius + 2**-24 / radius).all())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_uniforms_stay_below_one_when_rounded(dtype: torch.dtype) -> None:
    largest = (torch.tensor([[0xFFFFFFFF]]),) * 4
    exact = noise.uniforms(largest, DOUBLE)
    assert 0.999 < float(exact.max()) < 1.0
    assert float(exact.to(dtype).max()) == 1.0
    assert 0.99 < float(noise.uniforms(largest, dtype).max()) < 1.0


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, DOUBLE])
@pytest.mark.parametrize("extreme", [0, 0xFFFFFFFF])
def test_normals_are_finite_at_the_ends(dtype: torch.dtype, extreme: int) -> None:
    ends = (torch.tensor([[extreme]]),) * 4
    numbers = noise.normals(ends, dtype)
    assert bool(torch.isfinite(numbers).all())
    radius = math.sqrt(64 * math.log(2)) if extreme == 0 else 0.0
    assert float(numbers.abs().max()) == pytest.approx(radius, rel=1e-3)


def test_nothing_is_used_twice() -> None:
    chains = ChainNoise(0, 3000, (2,), dtype=DOUBLE)
    numbers = [chains.normal().flatten() for _ in range(5)]
    others = [ChainNoise(seed, 3000, (2,), dtype=DOUBLE).normal().flatten() for seed in (1, 2**32)]
    together = torch.cat(numbers + others)
    assert len(together.unique()) == len(together)


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_laws(dtype: torch.dtype) -> None:
    # 100 000 normals and 50 000 uniforms each.
    chains = ChainNoise(11, 50_000, (2,), dtype=dtype)
    for normal, uniform in [(chains.normal(), chains.uniform()) for _ in range(5)]:
        assert stats.kstest(normal.flatten().double().numpy(), "norm").pvalue > FIVE_SIGMA
        assert stats.kstest(uniform.double().numpy(), "uniform").pvalue > FIVE_SIGMA
        assert float(uniform.min()) >= 0.0
        assert float(uniform.max()) < 1.0


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_moments_and_tails(dtype: torch.dtype) -> None:
    """n = 4 000 000; moments up to the fourth, and the share beyond 3 and 4 standard deviations."""
    numbers = ChainNoise(13, 1_000_000, (4,), dtype=dtype).normal().flatten().double()
    n = len(numbers)
    # E x^k and E x^2k - (E x^k)^2.
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        error = float((numbers**power).mean()) - mean
        assert abs(error) < 5 * (variance / n) ** 0.5, power
    for deviations in (3.0, 4.0):
        share = 2 * stats.norm.sf(deviations)
        found = float((numbers.abs() > deviations).double().mean())
        assert abs(found - share) < 5 * (share / n) ** 0.5, deviations


def test_draws_coordinates_and_chains_are_uncorrelated() -> None:
    chains = ChainNoise(12, 50_000, (3,), dtype=DOUBLE)
    normals, uniforms = zip(*[(chains.normal(), chains.uniform()) for _ in range(6)], strict=True)
    other = ChainNoise(13, 50_000, (3,), dtype=DOUBLE).normal()
    centred = [(uniform - 0.5) * 12**0.5 for uniform in uniforms]
    first = normals[0]
    pairs = {
        **{f"draws {lag} apart": (first, normals[lag]) for lag in (1, 2, 3, 4, 5)},
        **{f"uniforms {lag} apart": (centred[0], centred[lag]) for lag in (1, 2, 3, 4, 5)},
        **{f"coordinates {i}{j}": (first[:, i], first[:, j]) for i, j in ((0, 1), (0, 2), (1, 2))},
        **{f"chains {lag} apart": (first[lag:], first[:-lag]) for lag in (1, 2, 3, 4, 64, 4096)},
        **{f"uniform, coordinate {j}": (centred[0], first[:, j]) for j in (0, 1, 2)},
        **{f"uniform, next coordinate {j}": (centred[0], normals[1][:, j]) for j in (0, 1, 2)},
        "seeds": (first, other),
    }
    for name, (a, b) in pairs.items():
        # Independent products of unit variables have mean 0 and variance 1. So have, with the
        # variance 4 removed, those of their squares, which the two normals of a pair would share.
        products, n = (a * b).flatten(), a.numel()
        assert abs(float(products.mean())) < 5 / n**0.5, name
        squares = ((a**2 - 1) * (b**2 - 1)).flatten()
        deviation = float((a**2).var() * (b**2).var()) ** 0.5
        assert abs(float(squares.mean())) < 5 * deviation / n**0.5, name


@pytest.mark.gpu
def test_devices_agree() -> None:
    """Words are equal; normals as nearly as the two cosines and logarithms."""
    here, there = (
        draws(ChainNoise(3, 3000, (3,), device=device, dtype=DOUBLE)) for device in ("cpu", "cuda")
    )
    for a, b in zip(here, there, strict=True):
        torch.testing.assert_close(b.cpu(), a, rtol=1e-12, atol=1e-12)


def test_rejects() -> None:
    with pytest.raises(ValueError, match=r"seed must be .* got -1"):
        ChainNoise(-1, 4, (2,))
    with pytest.raises(ValueError, match=r"seed must be below 2\^64, got 18446744073709551616"):
        ChainNoise(2**64, 4, (2,))
    with pytest.raises(ValueError, match="first must be at least 0, got -5"):
        ChainNoise(0, 4, (2,), first=-5)
    with pytest.raises(ValueError, match=r"chains must be below 2\^63"):
        ChainNoise(0, 4, (2,), first=2**63 - 3)
    assert ChainNoise(0, 4, (2,), first=2**63 - 4).normal().shape == (4, 2)
