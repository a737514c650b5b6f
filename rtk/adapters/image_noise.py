"""The randomness of a batch of images whose generators the caller has chosen.

A pipeline of diffusers draws the initial noise itself. Of each generator one more number is drawn,
the seed of a `rtk.noise.ChainNoise`, so that an image depends on its own generator alone.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from rtk.noise import ChainNoise

Generators = Generator | Sequence[Generator] | None


class ImageNoise:
    """Successive draws for a batch; the first normal one is the initial noise of the pipeline.

    The further draws are those of ``rtk.sample(..., x_init=initial, seed=seed)`` with the `seed_of`
    the generator; of each image for itself if there is a list of generators.

    Args:
        initial: shape (n, *shape); its precision and device are those of all draws.
    """

    def __init__(self, initial: Tensor) -> None:
        self.n, self.shape = len(initial), tuple(initial.shape[1:])
        self._initial: Tensor | None = initial
        self._like = initial
        self._generators: Generators = None
        self._is_seeded = False
        self._parts: list[ChainNoise] = []

    def seed(self, generators: Generators) -> None:
        """Where later draws come from: one generator for the batch, or one for each image.

        Without a generator the seed is drawn from torch's global one.

        Raises:
            ValueError: for another number of generators than of images.
        """
        if isinstance(generators, Sequence):
            if len(generators) == 1:
                generators = generators[0]
            elif len(generators) != self.n:
                raise ValueError(
                    f"generator is a list of {len(generators)} for {self.n} images, expected one "
                    "for each image"
                )
        self._generators, self._is_seeded = generators, True

    def normal(self) -> Tensor:
        """Standard normal draw of shape (n, *shape)."""
        if self._initial is not None:
            initial, self._initial = self._initial, None
            return initial
        return torch.cat([part.normal() for part in self._chains()])

    def uniform(self) -> Tensor:
        """Uniform draw on [0, 1) of shape (n,)."""
        return torch.cat([part.uniform() for part in self._chains()])

    def _chains(self) -> list[ChainNoise]:
        if not self._is_seeded:
            raise ValueError(
                "the method draws noise before its first score evaluation, when a scheduler does "
                'not know the generators yet; of the RTK methods, those with warm_start="gaussian" '
                "do so"
            )
        if not self._parts:
            generators = self._generators
            one_each = isinstance(generators, Sequence)
            for generator in generators if isinstance(generators, Sequence) else (generators,):
                self._parts.append(
                    ChainNoise(
                        seed_of(generator),
                        1 if one_each else self.n,
                        self.shape,
                        device=self._like.device,
                        dtype=self._like.dtype,
                    )
                )
                # The initial noise stands for the first draw.
                self._parts[-1].normal()
        return self._parts


def seed_of(generator: Generator | None) -> int:
    """The next number of a generator as a seed, in [0, 2^63)."""
    device = None if generator is None else generator.device
    return int(torch.randint(2**63 - 1, (), generator=generator, device=device))
