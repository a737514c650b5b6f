"""A2 to A4: how samplers are compared over cells, a cell being a target at one NFE.

NFE is the number of score evaluations per sample. The size of a difference is a ratio of errors
beyond the floor of exact samples (`experiments.comparison.excess`). Whether there is one is decided
by the scatter between batches of chains.
"""

import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from experiments.comparison.excess import excess
from figures import style
from figures.analysis.frames import where
from figures.analysis.significance import signs

METRICS = {
    "mode_error": "error of the modes $J$",
    "sliced_w2": "sliced $W_2$ distance",
    "energy_distance": "energy distance (root)",
}
"""The metrics with their labels. The first is for mixtures only."""

HIGHLIGHTED = (
    "ddpm",
    "ddim",
    "dpm++2m",
    "unipc-3",
    "rtk-uld",
    "rtk-mala",
    "calibrated",
    "rtk",
)
"""The methods that figures show in colour; all others are grey."""

CELL = ["target", "nfe_asked"]
BETTER, WORSE = 0.8, 1.25
"""Ratios of errors from which on a method counts as clearly better or worse than another."""
RESAMPLES = 2000


def judged(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the metric that each target is judged by.

    It is the error of the modes on mixtures, and the energy distance on other targets.
    """
    mixtures = {*where(frame, metric="mode_error")["target"]}
    metric = np.where(frame["target"].isin(mixtures), "mode_error", "energy_distance")
    return frame[frame["metric"] == metric]


def methods_of(frame: pd.DataFrame) -> list[str]:
    """The methods of a table of results but the exact samples, in the order of the style."""
    present = {*frame["method"]}
    return [method for method in style.METHODS if method in present and method != "exact"]


def excesses(frame: pd.DataFrame, floor: pd.DataFrame) -> pd.DataFrame:
    """``max(error - floor, 0.1 floor)``, one row per cell and one column per method.

    Args:
        frame: rows of one metric for each target.
        floor: the rows of exact samples with these metrics.
    """
    errors = where(frame, batch=0).pivot(index=CELL, columns="method", values="value")
    level = where(floor, batch=0).set_index("target")["value"]
    floors = level.loc[errors.index.get_level_values("target")].to_numpy()[:, None]
    values = np.where(errors.isna(), np.nan, excess(errors.fillna(0.0), floors))
    return pd.DataFrame(values, errors.index, errors.columns)


def in_floors(frame: pd.DataFrame, floor: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The error of the modes divided by its floor: geometric means, a row per group.

    Args:
        frame: rows of the methods, of which those of the error of the modes count.
        floor: rows of exact samples.
        by: the columns that make the groups; the mean is over all others.
    """
    rows = where(frame, metric="mode_error", batch=0)
    level = where(floor, metric="mode_error").set_index("target")["value"]
    rows = rows.assign(value=rows["value"] / rows["target"].map(level))
    return rows.groupby(by)["value"].agg(stats.gmean).reset_index()


def best_rival_ratio(table: pd.DataFrame, method: str) -> pd.Series:
    """The excess of a method divided by that of the best rival of each cell.

    The rival may be another one in each cell, as if an oracle had chosen it. The two calibrated
    methods are no rivals of each other.
    """
    same = {method, *(style.CALIBRATED if method in style.CALIBRATED else ())}
    rivals = [name for name in table.columns if name not in same]
    return (table[method] / table[rivals].min(axis=1)).dropna()


def above_the_floor(frame: pd.DataFrame, floor: pd.DataFrame) -> pd.DataFrame:
    """Whether an error is above that of exact samples by two standard errors of the difference.

    One row per cell and one column per method; False where a method did not run.
    """
    rows = where(frame, batch=0)
    level = where(floor, batch=0).set_index("target").loc[rows["target"]]
    spread = np.hypot(rows["standard_error"].to_numpy(), level["standard_error"].to_numpy())
    above = rows["value"].to_numpy() - level["value"].to_numpy() > 2.0 * spread
    return rows.assign(above=above).pivot(index=CELL, columns="method", values="above").eq(True)


def open_cells(frame: pd.DataFrame, floor: pd.DataFrame, method: str) -> pd.Series:
    """The cells that are not settled: the method, or the best rival, is above the floor.

    In all others neither can be told from exact samples, and their ratio is noise.
    """
    table, above = excesses(frame, floor), above_the_floor(frame, floor)
    rivals = [name for name in table.columns if name not in {method, *style.CALIBRATED}]
    best = table[rivals].idxmin(axis=1)
    place = above.columns.get_indexer(pd.Index(best))
    rival = above.loc[best.index].to_numpy()[np.arange(len(best)), place]
    return above.loc[best.index, method] | rival


def at_the_floor(frame: pd.DataFrame, floor: pd.DataFrame, method: str, nfe: int) -> float:
    """Fraction of the targets on which a method cannot be told from exact samples at one NFE."""
    above = above_the_floor(frame, floor).xs(nfe, level="nfe_asked")
    return float(1.0 - above[method].mean())


def log_errors(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Method -> logarithms of the errors of its batches, a row per cell and a column per batch.

    Args:
        frame: rows of one metric for each target.
    """
    batches = frame[frame["batch"] > 0]
    batches = batches.assign(value=np.log(batches["value"]))
    return {
        str(method): rows.pivot(index=CELL, columns="batch", values="value")
        for method, rows in batches.groupby("method")
    }


def outcomes(errors: dict[str, pd.DataFrame], first: str, second: str) -> pd.Series:
    """Of each cell 1 if the method ``first`` wins against ``second``, -1 if it loses, else 0.

    A cell is decided by `signs` on the `log_errors`, over all cells of the pair.
    """
    cells = errors[first].index.intersection(errors[second].index)
    a, b = (errors[method].loc[cells].to_numpy() for method in (first, second))
    return pd.Series(signs(b, a), cells)


class Duel(NamedTuple):
    """How one method does against another over the cells that both have.

    Attributes:
        won, lost, tied: fractions of the cells.
        ratio: the median ratio of their excesses; below 1 the first one has the smaller errors.
        low, high: its 95 % bootstrap interval over targets.
    """

    won: float
    lost: float
    tied: float
    ratio: float
    low: float
    high: float


def duel(errors: dict[str, pd.DataFrame], table: pd.DataFrame, first: str, second: str) -> Duel:
    """The method ``first`` against ``second``, from `log_errors` and `excesses`."""
    decided = outcomes(errors, first, second)
    won, lost = float((decided > 0).mean()), float((decided < 0).mean())
    ratio = (table[first] / table[second]).dropna()
    return Duel(won, lost, 1.0 - won - lost, float(ratio.median()), *median_interval(ratio))


def duels(frame: pd.DataFrame, floor: pd.DataFrame) -> dict[tuple[str, str], Duel]:
    """All ordered pairs of methods."""
    table, errors = excesses(frame, floor), log_errors(frame)
    pairs = itertools.permutations(methods_of(frame), 2)
    return {pair: duel(errors, table, *pair) for pair in pairs}


def median_interval(ratio: pd.Series, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the median over cells, by the bootstrap over targets.

    Targets are drawn with replacement, and each brings all its cells (Efron 1979). The cells of one
    target are not independent, so that they are not drawn one by one.
    """
    values = ratio.unstack("nfe_asked").to_numpy()
    generator = np.random.default_rng(seed)
    drawn = generator.integers(len(values), size=(RESAMPLES, len(values)))
    medians = np.nanmedian(values[drawn].reshape(RESAMPLES, -1), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return float(low), float(high)
