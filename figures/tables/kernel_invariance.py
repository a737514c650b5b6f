"""B11: total variations of the calibrated samplers in one dimension."""

import pandas as pd

from figures import job
from figures.analysis.frames import where

SHOWN = (1.0, 4.0)
"""Depths of the hops whose single hops are in the table."""


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """Total variations by method, depth and score evaluations, at the fewest and at the most."""
    few, many = frame["nfe_asked"].min(), where(frame, metric="samples")["nfe_asked"].max()
    found: dict[str, float] = {"nfe_few": few, "nfe_many": many}
    for name, nfe in (("few", few), ("many", many)):
        rows = where(frame, nfe_asked=nfe)
        for row in rows[rows["metric"].isin(["samples", "hop"])].to_dict("records"):
            method = "flow" if row["method"] == "calibrated" else f"tau_{row['tau']:g}"
            found[f"{row['metric']}_{method}_{name}".replace(".", "_")] = row["value"]
    found["start"] = where(frame, metric="start")["value"].iloc[0]
    pilot = where(frame, metric="pilot")
    return found | {"pilot": pilot["value"].item(), "pilot_levels": pilot["nfe"].item()}


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per number of score evaluations."""
    rows = []
    for nfe, part in where(frame, metric="samples").groupby("nfe_asked"):
        row = {"NFE": nfe, "flow": where(part, method="calibrated")["value"].item()}
        hops = where(part, method="rtk").sort_values("tau")
        row |= {f"tau = {tau:g}": v for tau, v in zip(hops["tau"], hops["value"], strict=True)}
        single = where(frame, metric="hop", nfe_asked=nfe)
        row |= {f"one hop, tau = {t:g}": where(single, tau=t)["value"].item() for t in SHOWN}
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    job.table(table, numbers)
