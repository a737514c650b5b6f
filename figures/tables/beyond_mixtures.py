"""B8: each target's own metric for every sampler, and the numbers that the report quotes."""

import pandas as pd

from figures import job, style
from figures.analysis.beyond_mixtures import PANELS, PRIMARY

SCORE_ONLY = ("rtk-uld", "rtk-mala-trapezoid")
SIGNIFICANT = 2.0
"""Combined standard errors by which a win or a loss must differ."""


def judged(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of each target's own metric."""
    return frame[frame["metric"] == frame["target"].map(PRIMARY)]


def duels(frame: pd.DataFrame, baseline: str) -> dict[str, int]:
    """Cells (target, NFE) in which the better score-only RTK sampler beats a baseline, or loses.

    `frame` has the rows of `judged`.
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
    """What the text quotes: single values at the NFE `headline`, the least and the most."""
    own = judged(frame)
    sampled = own[own["method"] != "exact"]
    budgets = {
        "least": int(sampled["nfe_asked"].min()),
        "most": int(sampled["nfe_asked"].max()),
        str(headline): headline,
    }
    exact = own[own["method"] == "exact"].groupby("target")["value"]
    found = {f"floor_{target}": float(value) for target, value in exact.mean().items()}
    found |= {f"floor_{target}_se": float(value) for target, value in exact.sem().items()}
    for suffix, budget in budgets.items():
        found[f"nfe_{suffix}"] = float(budget)
        for row in sampled[sampled["nfe_asked"] == budget].itertuples():
            name = f"{str(row.method).replace('-', '_')}_{row.target}_{suffix}"
            found |= {name: float(str(row.value)), f"{name}_se": float(str(row.standard_error))}
    for metric in ("score_error", "log_prob_error"):
        errors = frame[frame["metric"] == metric].groupby("target")["value"].max()
        found |= {f"{metric}_{target}": float(value) for target, value in errors.items()}
        found[f"{metric}_largest"] = float(errors.max())
    for baseline, suffix in (("ddpm", ""), ("dpmpp-2m", "_2m")):
        found |= {f"rtk_{k}{suffix}": float(v) for k, v in duels(own, baseline).items()}
        few = duels(own[own["nfe_asked"] < headline], baseline)
        found |= {f"rtk_{k}{suffix}_below_{headline}": float(v) for k, v in few.items()}
    found["cells"] = float(sampled.groupby(["target", "nfe_asked"]).ngroups)
    found["failures"] = float((sampled["nonfinite"] > 0).sum())
    return found


def table(frame: pd.DataFrame, headline: int) -> pd.DataFrame:
    """Value and standard error: samplers at the least budget and ``headline`` by targets."""
    budgets = [frame.loc[frame["nfe_asked"] > 0, "nfe_asked"].min(), headline]
    own = judged(frame)
    floor = own[own["method"] == "exact"].groupby("target")["value"]
    lines = [
        {"sampler": "exact sample", "NFE": "-"}
        | {
            PANELS[str(target)][0]: _with_error(part.mean(), float(part.std()))
            for target, part in floor
        }
    ]
    for budget in budgets:
        part = own[own["nfe_asked"] == budget].set_index(["method", "target"])
        for method in (m for m in style.METHODS if m in part.index.get_level_values(0)):
            values = part.loc[method]
            lines.append(
                {"sampler": style.look(method).label, "NFE": str(budget)}
                | {
                    PANELS[str(target)][0]: _with_error(row["value"], row["standard_error"])
                    for target, row in values.iterrows()
                }
            )
    return pd.DataFrame(lines).rename(columns=lambda title: title.replace("$", ""))


def _with_error(value: float, error: float) -> str:
    return f"{value:.3f} ± {error:.3f}"


if __name__ == "__main__":
    job.table(table, numbers)
