"""A1: published accuracies, ours, and ours with the published count and the best step."""

import pandas as pd

from figures import job, style
from figures.analysis.frames import where
from figures.analysis.published import CASE, METRIC, NOTABLE, beside

WEIGHTS = "mode_weight_tv"


def best(steps: pd.DataFrame) -> pd.DataFrame:
    """Of each case the row of the step with the highest accuracy, and its error of the weights."""
    accuracy, weights = where(steps, metric=METRIC), where(steps, metric=WEIGHTS)
    rows = accuracy.loc[accuracy.groupby(CASE)["value"].idxmax()]
    keys = [*CASE, "step_size"]
    return rows.merge(weights[[*keys, "value"]], on=keys, suffixes=("", "_of_weights"))


def with_best(frame: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    """The rows of `published.beside` of these cases, with the best step's beside them."""
    columns = [*CASE, "value", "step_size", "value_of_weights"]
    found = best(steps)[columns].rename(columns={"value": "best"})
    rows = beside(frame).merge(found, on=CASE)
    return rows.assign(difference_of_best=rows["best"] - rows["published"])


def numbers(frame: pd.DataFrame, steps: pd.DataFrame) -> dict[str, float]:
    """How far the best step's values are from the published ones.

    ``gap_TARGET_NFE_least`` and ``_largest`` are the ends of the differences, best less published.
    """
    table = with_best(frame, steps)
    result: dict[str, float] = {
        "steps": steps["step_size"].nunique(),
        "compared": len(table),
        "notable": (table["difference"].abs() > NOTABLE).sum(),
        "notable_of_best": (table["difference_of_best"].abs() > NOTABLE).sum(),
        "weights_least": table["value_of_weights"].min(),
        "weights_largest": table["value_of_weights"].max(),
    }
    for (target, nfe), rows in table.groupby(["target", "nfe_asked"]):
        result[f"gap_{target}_{nfe}_least"] = rows["difference_of_best"].min()
        result[f"gap_{target}_{nfe}_largest"] = rows["difference_of_best"].max()
    return result


def table(frame: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    """One row per case."""
    rows = with_best(frame, steps)
    return pd.DataFrame(
        {
            "mixture": rows["target"],
            "method": [style.look(method).label for method in rows["method"]],
            "NFE": rows["nfe_asked"],
            "published": rows["published"].map("{:.3f}".format),
            "ours": rows["value"].map("{:.3f}".format, na_action="ignore"),
            "best step": rows["best"].map("{:.3f}".format),
            "step": rows["step_size"],
            "weights": rows["value_of_weights"].map("{:.2f}".format),
        }
    )


if __name__ == "__main__":
    job.table(table, numbers)
