"""The registry, and how a target is added to it."""

import pytest
import torch
from torch import Tensor

from rtk.targets import BEYOND_MIXTURES, MIXTURES, TARGETS, Target, registry, target
from rtk.targets.base import DType, Generator, noised, normal
from tests.oracles import DOUBLE


class Normal(Target):
    """``N(0, I)``, written as the docstring of `rtk.targets` says: noise leaves it as it is."""

    def __init__(self, dimension: int = 3) -> None:
        super().__init__(dimension)

    def score(self, x: Tensor, t: float) -> Tensor:
        wide, a, s2 = self._prepare(x, t)
        return (-wide / (a**2 + s2)).to(x.dtype)

    def log_prob(self, x: Tensor, t: float) -> Tensor:
        wide, _, _ = self._prepare(x, t)
        return torch.distributions.Normal(0.0, 1.0).log_prob(wide).sum(1).to(x.dtype)

    def _draw(self, n: int, t: float, generator: Generator, dtype: DType) -> Tensor:
        return noised(normal((n, self.dimension), generator, dtype), t, generator)


def test_a_target_is_added_by_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.TARGETS, "normal", Normal)
    added = target("normal")
    x = added.sample(5, 0.4, torch.Generator().manual_seed(0), DOUBLE)
    torch.testing.assert_close(added.score(x, 0.4), -x)
    (single,) = added.log_prob(torch.zeros(1, 3), 0.4)
    assert single.item() == pytest.approx(-1.5 * 1.8378770664093453)
    with pytest.raises(ValueError, match=r"x must have shape \(n, 3\)"):
        added.score(torch.zeros(1, 2), 0.4)


def test_every_name_has_a_target() -> None:
    assert [*TARGETS] == [*MIXTURES, *BEYOND_MIXTURES]
    for name in TARGETS:
        assert isinstance(target(name), Target)


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"unknown target 'moon', expected one of \['circle'.*'r"):
        target("moon")
