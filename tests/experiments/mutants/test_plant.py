"""Faults are there while they are planted, and are gone afterwards."""

import contextlib
import types

import pytest

from experiments.mutants.faults import FAULTS
from experiments.mutants.plant import Fault, Place, planted, watched


def less_one(right: object, value: int) -> int:
    assert callable(right)
    return int(right(value)) - 1


@pytest.fixture
def code() -> types.SimpleNamespace:
    """A module with a function, a dictionary with it, and a class with a method."""

    class Adder:
        def add(self, value: int) -> int:
            return value + 10

    def double(value: int) -> int:
        return 2 * value

    return types.SimpleNamespace(double=double, table={"double": double}, Adder=Adder)


def faults(code: types.SimpleNamespace) -> dict[str, Fault]:
    return {
        "double": Fault("", (Place(code, "double", less_one),)),
        "table": Fault("", (Place(code.table, "double", less_one),)),
        "add": Fault("", (Place(code.Adder, "add", lambda right, self, v: right(self, v) - 1),)),
    }


def results(code: types.SimpleNamespace) -> dict[str, int]:
    return {
        "double": code.double(4),
        "table": code.table["double"](4),
        "add": code.Adder().add(4),
    }


@pytest.mark.parametrize("name", ["double", "table", "add"])
def test_a_fault_changes_its_own_place_and_leaves(code: types.SimpleNamespace, name: str) -> None:
    right = {"double": 8, "table": 8, "add": 14}
    with planted(faults(code)[name]):
        assert results(code) == right | {name: right[name] - 1}
    assert results(code) == right
    with contextlib.suppress(ZeroDivisionError), planted(faults(code)[name]):
        raise ZeroDivisionError
    assert results(code) == right


def test_watching_changes_nothing_and_tells_what_is_called(code: types.SimpleNamespace) -> None:
    with watched(faults(code)) as called:
        assert code.double(4) == 8
        assert code.Adder().add(4) == 14
    assert called == {"double", "add"}
    code.table["double"](4)
    assert called == {"double", "add"}


def test_two_faults_at_one_place_are_both_seen(code: types.SimpleNamespace) -> None:
    one = faults(code)["double"]
    with watched({"one": one, "two": one}) as called:
        code.double(1)
    assert called == {"one", "two"}


@pytest.mark.parametrize("name", FAULTS)
def test_every_place_is_there_and_is_restored(name: str) -> None:
    """A name that another one has replaced would make the fault one that changes nothing."""
    right = [place.get() for place in FAULTS[name].places]
    with planted(FAULTS[name]):
        for place, function in zip(FAULTS[name].places, right, strict=True):
            assert place.get() is not function
    assert [place.get() for place in FAULTS[name].places] == right
