"""A1: marginal accuracies on the paper's mixtures, measured here and in the published curves.

The published values are read off the paper's figures, to about the width of a line.
"""

import pandas as pd

from figures import job, style
from figures.analysis.published import NOTABLE, compared


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """How many values were compared, and how far ours lie from the published ones.

    ``gap_METHOD_least`` and ``_largest`` are the ends of the differences of a method.
    """
    table = compared(frame)
    result: dict[str, float] = {
        "compared": len(table),
        "notable": (table["difference"].abs() > NOTABLE).sum(),
    }
    for method, part in table.groupby("method"):
        name = style.identifier(str(method))
        result[f"gap_{name}_least"] = part["difference"].min()
        result[f"gap_{name}_largest"] = part["difference"].max()
    return result


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per mixture and method: published values by number of scores, with ours beside."""
    rows = compared(frame)
    cells = pd.DataFrame({"mixture": rows["target"], "method": rows["method"]}).drop_duplicates()
    for nfe, part in rows.groupby("nfe_asked"):
        part = part.set_index(["target", "method"])
        for name, source in (("published", "published"), ("ours", "value")):
            values = part[source].map("{:.3f}".format).rename(f"NFE {nfe}, {name}")
            cells = cells.join(values, on=["mixture", "method"])
    cells["method"] = [style.look(method).label for method in cells["method"]]
    return cells


if __name__ == "__main__":
    job.table(table, numbers)
