"""Rows of a table of results."""

from typing import Any

import pandas as pd


def where(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """The rows in which each named column has the value given for it, in their order.

    Raises:
        KeyError: if the table has no column of that name.
    """
    for column, value in columns.items():
        frame = frame[frame[column] == value]
    return frame
