"""The choice of rows of a table by the values of their columns."""

import pandas as pd
import pytest

from figures.analysis.frames import where

FRAME = pd.DataFrame({"method": ["a", "b", "a"], "eps": [0.1, 0.1, 0.2], "value": [3.0, 2.0, 1.0]})


def test_all_conditions_hold_and_the_order_stays() -> None:
    assert where(FRAME, method="a")["value"].tolist() == [3.0, 1.0]
    assert where(FRAME, method="a", eps=0.2)["value"].tolist() == [1.0]
    assert where(FRAME, method="b", eps=0.2).empty
    assert where(FRAME) is FRAME


def test_unknown_column() -> None:
    with pytest.raises(KeyError, match="metric"):
        where(FRAME, metric="tv")
