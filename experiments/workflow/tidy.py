"""Rows of a table of results: one row per metric."""

from collections.abc import Mapping
from typing import Any, Protocol

Row = dict[str, Any]


class Estimate(Protocol):
    """An object with a number and its standard error, such as `rtk.metrics.Estimate`."""

    @property
    def value(self) -> float: ...

    @property
    def standard_error(self) -> float: ...


def rows(measured: Mapping[str, Estimate | tuple[float, float]], **columns: Any) -> list[Row]:
    """One row per metric, with its value, its standard error, and the columns that all rows share.

    Args:
        measured: for each metric its estimate, or the pair of its value and its standard error.
        **columns: the values of the other columns, which are the same in every row.
    """
    return [{**columns, "metric": metric, **_columns(each)} for metric, each in measured.items()]


def _columns(measured: Estimate | tuple[float, float]) -> Row:
    if isinstance(measured, tuple):
        value, standard_error = measured
    else:
        value, standard_error = measured.value, measured.standard_error
    return {"value": value, "standard_error": standard_error}
