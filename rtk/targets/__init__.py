"""Targets: data laws whose scores and densities, and for mixtures kernels, are known exactly.

A new mixture is a function in `rtk.targets.mixtures` and a line in its table `MIXTURES`. Any other
target is a subclass of `Target` in a file of its own, and a line in `rtk.targets.registry`:

- ``score(x, t)`` and ``log_prob(x, t)`` begin with ``wide, a, s2 = self._prepare(x, t)``, which
  checks the arguments and returns ``x`` in float64 and the coefficients of the noising process.
  They end with ``.to(x.dtype)``.
- ``_draw(n, t, generator, dtype)``, the body of ``sample``, draws from the data law with
  `rtk.targets.base.normal`, and returns ``noised(data, t, generator)`` from the same file.
- ``BEYOND_MIXTURES`` in `rtk.targets.registry` maps the target's name to the class, whose arguments
  all have defaults. The tests in `tests/rtk/targets/test_contract.py` then hold for it too.
"""

from rtk.targets.base import Target
from rtk.targets.funnel import Funnel
from rtk.targets.gaussian_mixture import GaussianMixture
from rtk.targets.image_mixture import images
from rtk.targets.many_well import ManyWell
from rtk.targets.mixture_transition import MixtureTransition
from rtk.targets.mixtures import (
    MIXTURES,
    PAPER_DIMENSION,
    PAPER_VARIANCE,
    asymmetric,
    chessboard,
    circle,
    mixture,
    spiral,
    uneven,
)
from rtk.targets.registry import BEYOND_MIXTURES, TARGETS, target
from rtk.targets.rings import Rings
from rtk.targets.student_t import StudentT

__all__ = [
    "BEYOND_MIXTURES",
    "MIXTURES",
    "PAPER_DIMENSION",
    "PAPER_VARIANCE",
    "TARGETS",
    "Funnel",
    "GaussianMixture",
    "ManyWell",
    "MixtureTransition",
    "Rings",
    "StudentT",
    "Target",
    "asymmetric",
    "chessboard",
    "circle",
    "images",
    "mixture",
    "spiral",
    "target",
    "uneven",
]
