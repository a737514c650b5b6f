"""Randomness that belongs to the chain: Philox, a counter-based generator.

Chain number ``c`` gets the same numbers whatever the number of chains, the chunk it is computed in,
the process and the device. They are functions of (seed, chain, position) alone, so nothing has to
be drawn before them and no state is kept but the position. In another precision they are the same
up to rounding.

Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3")
is a bijection of 128-bit counters with the seed as its key. Each counter gives four words of 32
bits.
"""

import math
from collections.abc import Callable, Iterator
from itertools import count
from typing import Protocol

import torch
from torch import Tensor

from rtk.checks import check_chains, check_count, check_seed
from rtk.compiled import compilable

ROUNDS = 10
MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
KEY_STEPS = 0x9E3779B9, 0xBB67AE85
WORD = 0xFFFFFFFF
UNIT = 2.0**-32

# Normal and uniform draws count in separate halves of the second word of the counter.
NORMAL, UNIFORM = 0, 1 << 31

Words = tuple[Tensor, Tensor, Tensor, Tensor]


def round_keys(key: tuple[int, int], device: torch.device | None = None) -> Tensor:
    """The two words of the key for each of Philox's rounds, shape (ROUNDS, 2)."""
    pairs = zip(key, KEY_STEPS, strict=True)
    words = [[(word + k * step) & WORD for k in range(ROUNDS)] for word, step in pairs]
    return torch.tensor(words, device=device).T


def philox(counter: Words, keys: Tensor) -> Words:
    """Four random words for each counter: Philox4x32-10.

    Args:
        counter: its four words, integers in [0, 2^32) in int64 tensors that broadcast.
        keys: what `round_keys` makes of the key's two words.

    Returns:
        Four words of the same kind, of the broadcast shape.
    """
    a, b, c, d = counter
    for key in keys.unbind():
        left, right = MULTIPLIERS[0] * a, MULTIPLIERS[1] * c
        a, b, c, d = _mixed(right, b, key[0]), right, _mixed(left, d, key[1]), left
    return a, b & WORD, c, d & WORD


def _mixed(product: Tensor, other: Tensor, key: Tensor) -> Tensor:
    """The upper word of the product, exclusive or ``other``, exclusive or the key.

    Products overflow to negative integers with the right bits. Only here are bits above the word
    removed, so ``other`` may still have them.
    """
    mixed = (product >> 32) ^ other
    mixed ^= key
    mixed &= WORD
    return mixed


def uniforms(words: Words, dtype: torch.dtype) -> Tensor:
    """``w / 2^32`` in [0, 1) from words of shape (blocks, n), shape (blocks, 4, n)."""
    # In float32 the largest would round to 1.
    below_one = 1.0 - torch.finfo(dtype).eps / 2
    return torch.stack(words, 1).double().mul_(UNIT).to(dtype).clamp_max_(below_one)


def normals(words: Words, dtype: torch.dtype) -> Tensor:
    """Standard normals from words of shape (blocks, n), shape (blocks, 4, n).

    Each pair of words makes two of them (Box and Muller 1958)::

        (-2 log((w + 1) / 2^32))^(1/2) (cos, sin)(2 pi w' / 2^32)

    They reach to 6.66 standard deviations, beyond which lie 3e-11 of the normal law.
    """
    # Half precision would round the angles to a few directions.
    precise = torch.promote_types(dtype, torch.float32)
    pairs = []
    for radial, angular in (words[:2], words[2:]):
        radius = (radial + 1).to(precise).mul_(UNIT).log_().mul_(-2.0).sqrt_()
        angle = angular.to(precise).mul_(2.0 * math.pi * UNIT)
        pairs += [radius * torch.cos(angle), radius * torch.sin(angle)]
    return torch.stack(pairs, 1).to(dtype)


@compilable
def draws(
    law: Callable[[Words, torch.dtype], Tensor],
    chains: Tensor,
    keys: Tensor,
    group: Tensor,
    blocks: Tensor,
    together: int,
    dtype: torch.dtype,
) -> Tensor:
    """Draws number ``together * group`` and the next ones of a law, (together, n, size).

    Args:
        law: `uniforms` or `normals`.
        chains: indices of the chains, (n,).
        keys: of `philox`.
        group: number of the group, in the upper half of the second word the kind of the draws;
            (1, 1).
        blocks: the blocks of one group, (together * size / 4, 1).
        together: draws in one group.
        dtype: of the draws.
    """
    # In this order of the counter the first two rounds are made on its short tensors.
    words = philox((chains & WORD, group, blocks, chains >> 32), keys)
    numbers = law(words, dtype).reshape(together, -1, len(chains))
    return numbers.transpose(1, 2).contiguous()


class Noise(Protocol):
    """Successive draws for a batch of ``n`` chains."""

    n: int

    def normal(self) -> Tensor:
        """Standard normal draw of shape (n, *shape)."""

    def uniform(self) -> Tensor:
        """Uniform draw on [0, 1) of shape (n,)."""


class ChainNoise:
    """Successive draws for the chains ``first .. first + n - 1`` of a run.

    Args:
        seed: integer in [0, 2^64) that names the run.
        n: number of chains.
        shape: shape of one sample.
        first: index of the first chain; indices are below 2^63.
        device, dtype: of the draws; torch's defaults if not given.

    Raises:
        ValueError: for a seed or a chain out of range.
    """

    def __init__(
        self,
        seed: int,
        n: int,
        shape: tuple[int, ...],
        first: int = 0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        seed = check_seed(seed)
        first = check_count("first", first, minimum=0)
        check_chains(first, n)
        self.n, self.shape = n, tuple(shape)
        self.dtype = dtype or torch.get_default_dtype()
        # A range that ends at 2^63 would overflow.
        self._chains = first + torch.arange(n, device=device)
        self.device = self._chains.device
        self._keys = round_keys((seed & WORD, seed >> 32), self.device)
        self._normal = self._draws(NORMAL, math.prod(self.shape))
        self._uniform = self._draws(UNIFORM, 1)

    def normal(self) -> Tensor:
        """Standard normal draw of shape (n, *shape)."""
        return next(self._normal).reshape(self.n, *self.shape)

    def uniform(self) -> Tensor:
        """Uniform draw on [0, 1) of shape (n,)."""
        return next(self._uniform).reshape(self.n)

    def _draws(self, kind: int, size: int) -> Iterator[Tensor]:
        """Successive draws of shape (n, size).

        As many are made at once as waste no word of their blocks: one, two or four.
        """
        together = 4 // math.gcd(4, size)
        blocks = torch.arange(together * size // 4, device=self.device)[:, None]
        law = uniforms if kind == UNIFORM else normals
        for group in count(kind):
            number = blocks.new_full((1, 1), group)
            yield from draws(
                law, self._chains, self._keys, number, blocks, together, self.dtype
            ).unbind()
