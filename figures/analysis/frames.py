"""Choice of rows from a table of results."""

from typing import Any

import pandas as pd


def where(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """The rows in which every named column has the given value, in their order.

    Raises:
        KeyError: if the table has no column of that name.
    """
    for column, value in columns.items():
        frame = frame[frame[column] == value]
    return frame
