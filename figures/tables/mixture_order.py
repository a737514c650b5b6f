"""A1: the order of the samplers on the paper's mixtures, decided between runs.

The chains of a sampler at one number of score evaluations (NFE) are cut into runs, which are
independent. A case is a mixture at one NFE. One method is ahead of another in a case if Welch's
t-test between their runs says so after Holm's correction over the cases. That is done with all runs
and with each run left out in turn.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from figures import job, style
from figures.analysis.significance import signs

ACCURACY = "halved_marginal_accuracy"
RUN = "accuracy_of_run_"
CASE = ["target", "nfe_asked"]
ORDERS = {
    "mala_above_ddpm": ("rtk-mala", "ddpm", False),
    "uld_above_ddpm": ("rtk-uld", "ddpm", False),
    "taylor_above_ddpm": ("rtk-mala-taylor", "ddpm", False),
    "mala_above_uld_at_most": ("rtk-mala", "rtk-uld", True),
    "uld_above_ula_at_most": ("rtk-uld", "rtk-ula", True),
    "mala_above_ddpm_log_snr": ("rtk-mala", "ddpm-log-snr", False),
    "ddpm_log_snr_above_mala": ("ddpm-log-snr", "rtk-mala", False),
    "mala_above_dpm_solver": ("rtk-mala", "dpm++2m", False),
    "dpm_solver_above_mala": ("dpm++2m", "rtk-mala", False),
}
"""The first method, the second, and whether only the cases of the largest NFE count."""


def runs(frame: pd.DataFrame, method: str, at_most: bool) -> NDArray[np.float64]:
    """The accuracies of a method in its runs, shape (cases, runs)."""
    rows = frame[(frame["method"] == method) & frame["metric"].str.startswith(RUN)]
    if at_most:
        rows = rows[rows["nfe_asked"] == rows["nfe_asked"].max()]
    values: NDArray[np.float64] = rows.pivot(
        index=CASE, columns="metric", values="value"
    ).to_numpy()
    return values


def ahead(first: NDArray[np.float64], second: NDArray[np.float64]) -> list[int]:
    """The number of cases in which the first is ahead: with all runs, then without each of them."""
    pairs = [(first, second)]
    pairs += [(np.delete(first, k, 1), np.delete(second, k, 1)) for k in range(first.shape[1])]
    return [int((signs(a, b) > 0).sum()) for a, b in pairs]


def counts(frame: pd.DataFrame) -> dict[str, list[int]]:
    """For each order the number of its cases, and then the numbers of `ahead`."""
    result = {}
    for name, (first, second, at_most) in ORDERS.items():
        values = runs(frame, first, at_most), runs(frame, second, at_most)
        result[name] = [len(values[0]), *ahead(*values)]
    return result


def spreads(frame: pd.DataFrame) -> pd.Series:
    """The standard error between runs of each method and case, divided by the one of all chains.

    The latter is that of the estimate from all chains, which the other tables print.
    """
    index = [*CASE, "method"]
    between = frame[frame["metric"].str.startswith(RUN)].groupby(index)["value"].sem()
    within = frame[frame["metric"] == ACCURACY].set_index(index)["standard_error"]
    ratio: pd.Series = (between / within).dropna()
    return ratio


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The counts of each order: its cases, with all runs, and the ends with one run left out."""
    ratio = spreads(frame)
    result: dict[str, float] = {
        "spread_ratio_median": ratio.median(),
        "runs": frame[frame["metric"].str.startswith(RUN)]["metric"].nunique(),
    }
    for name, (cases, all_runs, *left_out) in counts(frame).items():
        result[f"{name}_cases"], result[name] = cases, all_runs
        result[f"{name}_least"], result[f"{name}_largest"] = min(left_out), max(left_out)
    return result


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per order, with the counts of `numbers`."""
    rows = []
    for name, (cases, all_runs, *left_out) in counts(frame).items():
        first, second, at_most = ORDERS[name]
        rows.append(
            {
                "ahead": style.look(first).label,
                "of": style.look(second).label,
                "NFE": "largest" if at_most else "all",
                "cases": cases,
                "decided so": all_runs,
                "one run left out": f"{min(left_out)}–{max(left_out)}",
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    job.table(table, numbers)
