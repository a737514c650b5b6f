"""`compile=True`: the same samples up to rounding, or one warning where there is no compiler."""

import warnings
from typing import Any

import pytest
import torch

import rtk
from rtk import compiled
from tests.oracles import skewed


@pytest.fixture(autouse=True)
def forget() -> Any:
    compiled.compiler_works.cache_clear()
    yield
    compiled.compiler_works.cache_clear()


@pytest.mark.slow
def test_samples_are_those_of_eager_code() -> None:
    """Other sizes, steps and precisions reuse or renew the code; some chains may part ways at a
    Metropolis test, all others agree to rounding."""
    target = skewed()
    for method, dtype, n, chunk in (
        ("rtk-mala", torch.float32, 500, 120),
        ("rtk-mala", torch.float64, 77, None),
        ("rtk-uld", torch.float32, 500, 120),
        ("rtk-uld", torch.float64, 1, None),
        ("ddpm", torch.float32, 50, None),
    ):
        options: dict[str, Any] = {"nfe": 40, "segments": 4, "dtype": dtype, "chunk": chunk}
        if method == "rtk-mala":
            options |= {"log_prob": target.log_prob}
        eager, fused = (
            rtk.sample(target.score, 2, n, method, compile=wanted, **options)
            for wanted in (False, True)
        )
        assert fused.nfe == eager.nfe
        tolerance = 1e-3 if dtype == torch.float32 else 1e-9
        close = ((fused.samples - eager.samples).abs() < tolerance).all(1)
        assert float(close.double().mean()) > 0.98


def test_without_a_compiler_there_is_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("no C++ compiler found\nand much more")

    monkeypatch.setattr(torch, "compile", broken)
    target = skewed()
    with pytest.warns(rtk.SamplingWarning, match="no C\\+\\+ compiler found$") as caught:
        fallen = rtk.sample(target.score, 2, 20, nfe=12, compile=True)
    assert [item.filename for item in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error", rtk.SamplingWarning)
        again = rtk.sample(target.score, 2, 20, nfe=12, compile=True)
    assert fallen == again == rtk.sample(target.score, 2, 20, nfe=12)


def test_a_mark_changes_nothing_until_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def compile(function: Any, dynamic: bool) -> Any:
        made.append((function.__name__, dynamic))
        return lambda x: function(x) + 0.5

    monkeypatch.setattr(torch, "compile", compile)

    @compiled.compilable
    def double(x: float) -> float:
        return 2 * x

    assert double(3.0) == 6.0
    assert made == []
    with compiled.compiling(True):
        assert double(3.0) == 6.5
        with compiled.compiling(False):
            assert double(3.0) == 6.0
        assert double(1.0) == 2.5
    assert double(3.0) == 6.0
    assert made == [("double", True)]
