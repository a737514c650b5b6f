"""The targets of tuning and those of the report, which must not have one in common."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from rtk.targets import Target

Array = NDArray[np.float64]


def check_disjoint(tuning: Iterable[str], report: Iterable[str]) -> None:
    """An error if a sampler would be judged on a target that its settings were tuned on."""
    shared = sorted({*tuning} & {*report})
    if shared:
        raise ValueError(
            f"the targets {', '.join(shared)} are both for tuning and for the report: settings "
            "would be judged where they were chosen"
        )


def draw(target: Target, n: int, seed: int) -> Array:
    """``n`` exact samples, shape (n, d)."""
    generator = torch.Generator().manual_seed(seed)
    return np.asarray(target.sample(n, 0.0, generator, torch.float64).numpy())
