"""B2: how many segments RTK needs and how many steps DDPM, by accuracy and dimension."""

import numpy as np
import pandas as pd

from figures import job
from figures.analysis import fit
from figures.analysis.convergence import smallest_decades
from figures.analysis.frames import where
from figures.analysis.segment_count import CURVES, curves


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes."""
    by_eps, by_dimension = curves(frame, "eps"), curves(frame, "dimension")
    straight = fit.line(np.log10(1.0 / by_eps["eps"]), by_eps["rtk"])
    result = {"rtk_log_r_squared": straight.r_squared, "rtk_segments_per_decade": straight.slope}
    small = smallest_decades(by_eps, 2.0)
    (near,) = np.flatnonzero(np.isclose(by_eps["eps"], 0.01))
    for name in CURVES:
        result |= fit.power_law(1.0 / small["eps"], small[name]).numbers(f"{name}_power")
        growth = fit.power_law(by_dimension["dimension"], by_dimension[name])
        result |= growth.numbers(f"{name}_dimension_power")
        result[f"k_{name}_at_0p01"] = by_eps[name].iloc[near]
    mixtures = where(frame, sweep="mixture")
    for metric, name in (("segments", "k_theory"), ("lipschitz", "lipschitz")):
        part = where(mixtures, metric=metric)
        values = zip(part["target"], part["value"], strict=True)
        result |= {f"{name}_{target}": value for target, value in values}
    return result


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each power of ten of the total variation, then for every other dimension."""
    by_eps, by_dimension = curves(frame, "eps"), curves(frame, "dimension")
    decade = np.log10(by_eps["eps"])
    whole = by_eps[np.isclose(decade, decade.round())]
    rows = pd.concat((whole[::-1], by_dimension[::2]))
    return rows.rename(columns=CURVES | {"eps": "TV", "dimension": "dimension d"})


if __name__ == "__main__":
    job.table(table, numbers)
