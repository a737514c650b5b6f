"""B4, beyond Gaussians: local exponents over three shapes, and score evaluations to TV 0.1."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from figures import job, style
from figures.analysis.frames import where
from figures.analysis.product_laws import exponents, metropolis_exponents, needed

EPS = 0.1
METROPOLIS = "rtk-mala"
CHAINS = ("rtk-ula", "rtk-lm", "rtk-uld")
"""Inner chains whose length has a logarithm."""
COLUMNS = {
    "exponent of 1/TV": "eps",
    "of d": "dimension",
    "without log: of 1/TV": "step_eps",
    "without log: of d": "step_dimension",
}


def over_shapes(frame: pd.DataFrame, method: str) -> pd.DataFrame:
    """The exponents of one sampler, one row per shape."""
    read: Callable[[pd.DataFrame], dict[str, float]] = (
        metropolis_exponents if method == METROPOLIS else exponents
    )
    parts = where(frame, method=method).groupby("target", sort=False)
    return pd.DataFrame([read(part) for _, part in parts])


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The smallest and the largest exponent of each sampler over the shapes."""
    result: dict[str, float] = {
        "largest_dimension": frame["dimension"].max(),
        "fewest_segments": frame["segments"].min(),
        "most_segments": frame["segments"].max(),
    }
    for method in frame["method"].unique():
        name, powers = style.identifier(method), over_shapes(frame, method)
        for what in powers.columns.intersection([*COLUMNS.values()]):
            if what.startswith("step") and method not in CHAINS:
                continue
            result[f"{name}_{what}_power_low"] = powers[what].min()
            result[f"{name}_{what}_power_high"] = powers[what].max()
        if method == METROPOLIS:
            result["rtk_mala_r_squared"] = powers["geometric"].min()
            lowest = where(frame, method=method, metric="tv").groupby("target")["value"].min()
            result["rtk_mala_lowest_tv"] = lowest.max()
    return result


def interval(values: pd.Series) -> str:
    """The smallest and the largest of some exponents."""
    low, high = (f"{end:.2f}" for end in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per sampler."""
    rows = []
    for method in frame["method"].unique():
        powers = over_shapes(frame, method)
        row: dict[str, object] = {"method": style.look(method).label}
        row |= {
            title: interval(powers[what]) if what in powers else ""
            for title, what in COLUMNS.items()
        }
        curves = where(frame, method=method, metric="tv")
        dimensions = sorted(frame["dimension"].unique())
        # Three dimensions leave the table its width.
        for dimension in dimensions[::-2][2::-1]:
            parts = where(curves, dimension=dimension).groupby("target")
            worst = np.max([needed(part, EPS) for _, part in parts] or [np.nan])
            row[f"NFE, d={dimension}"] = "" if np.isnan(worst) else f"{worst:.0f}"
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    job.table(table, numbers)
