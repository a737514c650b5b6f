"""B8: the metric by which each target is judged, for every sampler at two budgets.

A budget is a number of score evaluations per sample.
"""

import pandas as pd

from figures import job, style
from figures.analysis.beyond_mixtures import PANELS, PRIMARY

SCORE_ONLY = ("rtk-uld", "rtk-mala-trapezoid")
SIGNIFICANT = 2.0
"""A win or a loss differs by more than this many standard errors of the difference."""


def judged(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the metric by which each target is judged."""
    return frame[frame["metric"] == frame["target"].map(PRIMARY)]


def duels(frame: pd.DataFrame, baseline: str) -> dict[str, int]:
    """The number of cases in which score-only RTK wins against a baseline, and in which it loses.

    A case is a target at one budget. The better one of the two score-only RTK samplers counts.

    Args:
        frame: the rows that `judged` returns.
        baseline: the name of the other method.
    """
    wins = losses = 0
    for _, cell in frame[frame["method"] != "exact"].groupby(["target", "nfe_asked"]):
        cell = cell.set_index("method")
        best = cell.loc[list(SCORE_ONLY)].sort_values("value").iloc[0]
        rival = cell.loc[baseline]
        error = (best["standard_error"] ** 2 + rival["standard_error"] ** 2) ** 0.5
        wins += bool(best["value"] < rival["value"] - SIGNIFICANT * error)
        losses += bool(best["value"] > rival["value"] + SIGNIFICANT * error)
    return {"wins": wins, "losses": losses}


def numbers(frame: pd.DataFrame, headline: int) -> dict[str, float]:
    """The numbers that the article quotes: values at the budget ``headline``, the smallest and the
    largest one, and counts over all budgets."""
    rows = judged(frame)
    sampled = rows[rows["method"] != "exact"]
    budgets = {
        "least": int(sampled["nfe_asked"].min()),
        "most": int(sampled["nfe_asked"].max()),
        str(headline): headline,
    }
    exact = rows[rows["method"] == "exact"].groupby("target")["value"]
    result = {f"floor_{target}": float(value) for target, value in exact.mean().items()}
    result |= {f"floor_{target}_se": float(value) for target, value in exact.sem().items()}
    for suffix, budget in budgets.items():
        result[f"nfe_{suffix}"] = float(budget)
        for row in sampled[sampled["nfe_asked"] == budget].itertuples():
            name = f"{style.identifier(str(row.method))}_{row.target}_{suffix}"
            result |= {name: float(str(row.value)), f"{name}_se": float(str(row.standard_error))}
    for metric in ("score_error", "log_prob_error"):
        errors = frame[frame["metric"] == metric].groupby("target")["value"].max()
        result |= {f"{metric}_{target}": float(value) for target, value in errors.items()}
        result[f"{metric}_largest"] = float(errors.max())
    for baseline, suffix in (("ddpm", ""), ("dpm++2m", "_dpm_solver")):
        result |= {f"rtk_{k}{suffix}": float(v) for k, v in duels(rows, baseline).items()}
        below = duels(rows[rows["nfe_asked"] < headline], baseline)
        result |= {f"rtk_{k}{suffix}_below_{headline}": float(v) for k, v in below.items()}
    result["cells"] = float(sampled.groupby(["target", "nfe_asked"]).ngroups)
    result["failures"] = float((sampled["nonfinite"] > 0).sum())
    return result


def table(frame: pd.DataFrame, headline: int) -> pd.DataFrame:
    """Values and standard errors: a row per sampler and budget, a column per target.

    The budgets are the smallest one and ``headline``. After the value of exact samples stands the
    standard deviation over repeated samples.
    """
    budgets = [frame.loc[frame["nfe_asked"] > 0, "nfe_asked"].min(), headline]
    rows = judged(frame)
    floor = rows[rows["method"] == "exact"].groupby("target")["value"]
    lines = [
        {"sampler": "exact sample", "NFE": "-"}
        | {
            PANELS[str(target)].title: _with_error(part.mean(), float(part.std()))
            for target, part in floor
        }
    ]
    for budget in budgets:
        part = rows[rows["nfe_asked"] == budget].set_index(["method", "target"])
        for method in (m for m in style.METHODS if m in part.index.get_level_values(0)):
            values = part.loc[method]
            lines.append(
                {"sampler": style.look(method).label, "NFE": str(budget)}
                | {
                    PANELS[str(target)].title: _with_error(row["value"], row["standard_error"])
                    for target, row in values.iterrows()
                }
            )
    return pd.DataFrame(lines).rename(columns=lambda title: title.replace("$", ""))


def _with_error(value: float, error: float) -> str:
    return f"{value:.3f} ± {error:.3f}"


if __name__ == "__main__":
    job.table(table, numbers)
