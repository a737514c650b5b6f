"""Tidy rows of a table: one row per metric."""

from collections.abc import Mapping
from typing import Any, Protocol

Row = dict[str, Any]


class Estimate(Protocol):
    """A number and its standard error, as `rtk.metrics.Estimate` has them."""

    @property
    def value(self) -> float: ...

    @property
    def standard_error(self) -> float: ...


def rows(measured: Mapping[str, Estimate | tuple[float, float]], **columns: Any) -> list[Row]:
    """One row per metric, with its value, its standard error, and the columns that all share.

    Args:
        measured: metric -> estimate, or the pair of a value and its standard error.
        **columns: values of the other columns, the same in every row.
    """
    return [{**columns, "metric": metric, **_columns(each)} for metric, each in measured.items()]


def _columns(measured: Estimate | tuple[float, float]) -> Row:
    if isinstance(measured, tuple):
        value, standard_error = measured
    else:
        value, standard_error = measured.value, measured.standard_error
    return {"value": value, "standard_error": standard_error}
