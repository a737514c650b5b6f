"""B5: how errors of the score and of the energy difference grow into errors of the samples."""

from typing import Any

import numpy as np
import pandas as pd

from figures import job, style
from figures.analysis import fit
from figures.analysis.frames import where

ABOVE_FLOOR, BELOW = 3.0, 0.3
"""Exponents are fitted where the added error dominates: where the total variation is above this
multiple of its value without an error, and below this value."""
BROKEN = 0.1
"""The total variation at which a sampler counts as broken."""
ROUNDING = 1e-9
"""Smaller distances are rounding errors."""

SETTINGS = {
    "gaussian": "Gaussian, chain",
    "two-modes": "two modes, chain",
    "segment": "two modes, segment",
}
CHAINS = ("ddpm", "ddim", "dpm++2m", "rtk-ula", "rtk-uld", "rtk-mala-simpson")
Case = tuple[str, str, str, str]
"""Target, method, place of the error ("score" or "energy"), and kind of the error."""
SHOWN: list[Case] = [
    *(("gaussian", method, "score", "constant") for method in CHAINS),
    ("two-modes", "rtk-mala-simpson", "score", "wave"),
    ("two-modes", "rtk-mala", "energy", "consistent"),
    ("segment", "rtk-mala-trapezoid", "score", "constant"),
    ("segment", "rtk-mala-simpson", "score", "constant"),
    ("segment", "rtk-mala", "score", "constant"),
    ("segment", "rtk-mala", "energy", "consistent"),
    ("segment", "rtk-mala", "energy", "noise"),
]


def curve(frame: pd.DataFrame, case: Case) -> pd.DataFrame:
    """The distances of one case, with sizes of the error in rows and metrics in columns."""
    columns = dict(zip(("target", "method", "place", "error"), case, strict=True))
    return where(frame, **columns).pivot_table(index="eps", columns="metric", values="value")


def slope(frame: pd.DataFrame, case: Case) -> fit.Line | None:
    """The exponent of the error in the total variation to the target, where the error dominates.

    None if fewer than three sizes of the error lie there.
    """
    tv = curve(frame, case)["tv"]
    floor = curve(frame, (*case[:2], "none", "none"))["tv"].iloc[0]
    tv = tv[(tv > max(ABOVE_FLOOR * floor, ROUNDING)) & (tv < BELOW)]
    return fit.power_law(tv.index, tv) if len(tv) >= 3 else None


def amplification(frame: pd.DataFrame, case: Case) -> float:
    """The total variation between the samples with and without the smallest error, per unit."""
    distance = curve(frame, case)["tv_clean"]
    return float(distance.iloc[0] / distance.index[0])


def break_point(frame: pd.DataFrame, case: Case) -> float:
    """The size of the error at which the total variation to the target reaches `BROKEN`.

    A power law interpolates between two sizes. If the smallest size already reaches it, that size
    is returned, and NaN if none does.
    """
    tv = curve(frame, case)["tv"]
    if not tv.max() >= BROKEN:
        return np.nan
    k = int(np.argmax(tv >= BROKEN))
    around = tv.iloc[max(0, k - 1) : k + 1]
    logs = np.interp(np.log(BROKEN), np.log(around), np.log(around.index.to_numpy()))
    return float(np.exp(logs))


def worst(frame: pd.DataFrame, case: Case) -> tuple[float, str]:
    """The largest amplification over all kinds of error at the same place, and its kind."""
    target, method, place, _ = case
    kinds = set(where(frame, target=target, method=method, place=place)["error"]) - {"none"}
    return max((amplification(frame, (target, method, place, kind)), kind) for kind in kinds)


def row(frame: pd.DataFrame, case: Case) -> dict[str, Any]:
    """The row of one case in the table."""
    target, method, place, error = case
    line = slope(frame, case)
    largest, kind = worst(frame, case)
    return {
        "setting": SETTINGS[target],
        "sampler": style.look(method).label,
        "added error": f"{place}, {error}",
        "exponent": None if line is None else line.slope,
        "TV / error": amplification(frame, case),
        "largest TV / error": largest,
        "its error": kind if largest > ROUNDING else "none",
        "error at TV 0.1": break_point(frame, case),
    }


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes."""
    cases: dict[str, Case] = {
        "score_uld": ("gaussian", "rtk-uld", "score", "constant"),
        "score_mala": ("gaussian", "rtk-mala-simpson", "score", "constant"),
        "score_ula": ("gaussian", "rtk-ula", "score", "constant"),
        "score_ddpm": ("gaussian", "ddpm", "score", "constant"),
        "score_dpm_solver": ("gaussian", "dpm++2m", "score", "constant"),
        "score_mala_modes": ("two-modes", "rtk-mala-simpson", "score", "wave"),
        "energy_mala": ("two-modes", "rtk-mala", "energy", "consistent"),
        "energy_mala_segment": ("segment", "rtk-mala", "energy", "consistent"),
        "score_mala_segment": ("segment", "rtk-mala-simpson", "score", "constant"),
    }
    result: dict[str, float] = {}
    for name, case in cases.items():
        if line := slope(frame, case):
            result |= line.numbers(f"slope_{name}")
        if np.isfinite(point := break_point(frame, case)):
            result[f"break_{name}"] = point
        result[f"amplification_{name}"] = worst(frame, case)[0]
        result[f"amplification_constant_{name}"] = amplification(frame, case)
    bounded = where(frame, target="gaussian", method="ddpm")
    bounded = bounded.pivot_table(index=["error", "eps"], columns="metric", values="value").dropna()
    result["girsanov_bound_ratio_max"] = (bounded["tv_clean"] / bounded["bound"]).max()
    for name, method in (("uld", "rtk-uld"), ("ddpm", "ddpm"), ("dpm_solver", "dpm++2m")):
        kinds = [curve(frame, ("gaussian", method, "score", k)) for k in ("noise", "constant")]
        noise, constant = (table["tv_clean"].loc[0.1] for table in kinds)
        result[f"noise_over_constant_{name}"] = noise / constant
    half = where(frame, target="segment", eps=0.5, place="score")
    exact, simpson = (
        half[half["method"] == method].pivot_table(index="error", columns="metric", values="value")
        for method in ("rtk-mala", "rtk-mala-simpson")
    )
    result["tv_exact_energy_score_error_half"] = exact["tv"].max()
    result["tv_simpson_energy_score_error_half"] = simpson["tv"].max()
    gap = curve(frame, ("segment", "rtk-mala", "none", "none"))["gap"].iloc[0]
    result["gap_ratio_score_error_half_min"] = exact["gap"].min() / gap
    result["gap_ratio_score_error_half_max"] = exact["gap"].max() / gap
    energy_noise = curve(frame, ("segment", "rtk-mala", "energy", "noise"))["tv"]
    consistent = curve(frame, cases["energy_mala_segment"])["tv"]
    result["energy_noise_over_consistent_segment"] = energy_noise.loc[0.1] / consistent.loc[0.1]
    return result


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each case of `SHOWN`."""
    return pd.DataFrame([row(frame, case) for case in SHOWN])


if __name__ == "__main__":
    job.table(table, numbers)
