"""What a row of the table of refusals is, and how one is tried."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest


class Row(NamedTuple):
    """One wrong use.

    Attributes:
        name: what is wrong, in a few words.
        do: what is done, given an empty folder.
        error: the class of the error; a subclass does not count.
        words: parts of the message, among them what was wrong and what was expected.
    """

    name: str
    do: Callable[[Path], Any]
    error: type[BaseException]
    words: tuple[str, ...]


def refused(row: Row, folder: Path) -> None:
    """Check that what the row does ends in its error, whose message has all of its words."""
    with pytest.raises(row.error) as caught:
        row.do(folder)
    assert caught.type is row.error
    message = str(caught.value)
    missing = [word for word in row.words if word not in message]
    assert not missing, f"{missing} not in: {message}"
