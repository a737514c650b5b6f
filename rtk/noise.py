"""Randomness that belongs to the chain.

Chain number ``c`` gets the same numbers whatever the number of chains, the chunk it is computed in,
the process, the device and the precision. Consecutive chains form blocks, and each block has a
NumPy stream of its own, seeded by ``SeedSequence(seed, spawn_key=(block,))``. Every draw is made
for whole blocks, of which a batch of chains takes its part. Numbers are drawn in float64 and then
cast.
"""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rtk.checks import check_count

# A block is small enough that a single chain wastes little, large enough to amortise a NumPy call.
NUMBERS_PER_BLOCK = 4096


def chains_per_block(shape: tuple[int, ...]) -> int:
    """Number of consecutive chains that share a stream: a power of two, set by the shape alone."""
    size = max(1, int(np.prod(shape)))
    return 1 << max(0, (NUMBERS_PER_BLOCK // size).bit_length() - 1)


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
        seed: non-negative integer that names the run.
        n: number of chains.
        shape: shape of one sample.
        first: index of the first chain.
        device, dtype: of the draws; torch's defaults if not given.
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
        seed = check_count("seed", seed, minimum=0)
        first = check_count("first", first, minimum=0)
        self.n, self.shape, self.device = n, tuple(shape), device
        self.dtype = dtype or torch.get_default_dtype()
        self._block = chains_per_block(self.shape)
        self._offset = first % self._block
        blocks = range(first // self._block, -(-(first + n) // self._block))
        self._streams = [
            np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(block,)))
            for block in blocks
        ]

    def normal(self) -> Tensor:
        """Standard normal draw of shape (n, *shape)."""
        numbers = np.empty((len(self._streams), self._block, *self.shape))
        for stream, block in zip(self._streams, numbers, strict=True):
            stream.standard_normal(out=block)
        return self._tensor(numbers)

    def uniform(self) -> Tensor:
        """Uniform draw on [0, 1) of shape (n,)."""
        numbers = np.empty((len(self._streams), self._block))
        for stream, block in zip(self._streams, numbers, strict=True):
            stream.random(out=block)
        # In float32 the largest draws would round to 1.
        return self._tensor(numbers).clamp_max(1.0 - torch.finfo(self.dtype).eps / 2)

    def _tensor(self, numbers: NDArray[np.float64]) -> Tensor:
        chains = numbers.reshape(-1, *numbers.shape[2:])[self._offset : self._offset + self.n]
        return torch.from_numpy(chains).to(self.device, self.dtype)
