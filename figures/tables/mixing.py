"""B1: how fast the inner chain of RTK-MALA mixes, by the length of the segment."""

import pandas as pd

from experiments.theory import two_modes
from figures import job
from figures.analysis.frames import where
from figures.analysis.mixing import TITLES, path_cost, values

INNER_CHAIN_MODE = 1.0
HEADLINE = "circle"
"""The target in ten dimensions whose numbers have no suffix. It is one of the paper's."""


def one_dimension(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers of the two modes in one dimension."""
    modes = where(frame, mode=INNER_CHAIN_MODE)
    worst = values(modes, "gap_worst")
    result = {
        "mode_deviation": two_modes.VARIANCE**0.5,
        "mode_far": frame["mode"].max(),
        "gap_at_eta_star": worst[1.0],
        "gap_ratio_at_eta_star": worst[1.0] / worst[0.1],
        "gap_drop_10": worst[10.0] / worst[1.0],
        "gap_drop_30": worst[30.0] / worst[1.0],
        "gap_drop_100": worst[100.0] / worst[1.0],
        "best_ratio_two_modes": path_cost(modes, "steps_mean").idxmin(),
    }
    for mode, part in frame.dropna(subset="mode").groupby("mode"):
        worst, name = values(part, "gap_worst"), f"mode_{mode:g}".replace(".", "_")
        result[f"gap_drop_30_{name}"] = worst[30.0] / worst[1.0]
        result[f"gap_drop_100_{name}"] = worst[100.0] / worst[1.0]
        result[f"best_ratio_{name}"] = path_cost(part, "steps_mean").idxmin()
        result[f"best_ratio_worst_{name}"] = path_cost(part, "steps_worst").idxmin()
    return result


def ten_dimensions(part: pd.DataFrame, suffix: str) -> dict[str, float]:
    """The numbers of one target in ten dimensions."""
    time = where(part, metric="autocorrelation").set_index("ratio")
    resolved = values(part, "resolved") > 0
    result = {
        f"best_ratio_d10{suffix}": path_cost(part, "autocorrelation")[resolved].idxmin(),
        f"resolved_up_to{suffix}": resolved[resolved].index.max(),
    }
    for name, ratio in (("eta_star", 1.0), ("30", 30.0), ("300", 300.0)):
        result[f"autocorrelation_at_{name}{suffix}"] = time["value"][ratio]
        result[f"autocorrelation_at_{name}{suffix}_se"] = time["standard_error"][ratio]
    return result


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per length: the gap at the worst noisy end, and the autocorrelation time.

    A time that the run was too short to resolve is a lower estimate and has a sign.
    """
    columns = {}
    for mode, part in frame.dropna(subset="mode").groupby("mode"):
        columns[f"spectral gap, modes at ±{mode:g}"] = values(part, "gap_worst")
    for target, part in frame[frame["mode"].isna()].groupby("target"):
        time = values(part, "autocorrelation").map("{:.4g}".format)
        columns[f"time in steps, {TITLES[str(target)]}"] = time.where(
            values(part, "resolved") > 0, "≥ " + time
        )
    return pd.DataFrame(columns).rename_axis("η / η*").reset_index()


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes."""
    result = one_dimension(frame)
    for target, part in frame[frame["mode"].isna()].groupby("target"):
        result |= ten_dimensions(part, "" if target == HEADLINE else f"_{target}")
    return result


if __name__ == "__main__":
    job.table(table, numbers)
