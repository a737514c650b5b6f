"""B6: the accuracy and the cost of each estimator of energy differences, and when to use it."""

import numpy as np
import pandas as pd

from figures import job
from figures.analysis import fit
from figures.analysis.frames import where

STEP = 0.4
NFE = 160
ACCURACY = 0.01
LARGEST_STEP = 0.4
"""Orders are fitted up to this step, where the invariant law is still near its limit."""
AROUND = (1e-3, 1e-1)
"""The error of the energy that a total variation allows is read off a power law through the
distances between these two."""

ESTIMATORS: list[tuple[str, str, int | None, str]] = [
    ("ula", "none (RTK-ULA)", None, "never: it is not better than the trapezoid rule"),
    ("exact", "exact", 0, "whenever log p is known"),
    ("trapezoid", "trapezoid", 0, "only scores, few per segment"),
    ("gauss_1", "midpoint", 1, "never: Simpson's rule costs the same"),
    ("taylor", "Taylor (paper)", 1, "never: the trapezoid rule is better at no cost"),
    ("simpson", "Simpson", 1, "only scores, many per segment"),
    ("gauss_2", "Gauss-Legendre 2", 2, "never: it is hardly better than Simpson's rule"),
    ("gauss_3", "Gauss-Legendre 3", 3, "only for distances far below 1e-4"),
]
"""Name in results, label, scores beyond those of the chain (None: no energy), when to use it."""
SCORE_ONLY = [name for name, _, extra, _ in ESTIMATORS if extra is not None and name != "exact"]


def values(frame: pd.DataFrame, target: str, metric: str) -> pd.DataFrame:
    """The values of a metric on one target, with step sizes in rows and methods in columns."""
    chosen = where(frame, target=target, metric=metric)
    return chosen.pivot_table(index="step_size", columns="method", values="value")


def order(tv: pd.Series) -> fit.Line:
    """The exponent of the step in the distance between the invariant law and the kernel."""
    tv = tv[tv.index <= LARGEST_STEP]
    return fit.power_law(tv.index, tv)


def needed_energy_error(frame: pd.DataFrame) -> tuple[float, float]:
    """The RMS error of the energy at which the total variation is `ACCURACY`, and an exponent.

    Both are read off one power law through all estimators and steps; the exponent is its power.
    """
    errors = values(frame, "two-modes", "energy_error")[SCORE_ONLY].to_numpy().ravel()
    tv = values(frame, "two-modes", "tv")[SCORE_ONLY].to_numpy().ravel()
    used = (tv > AROUND[0]) & (tv < AROUND[1])
    line = fit.power_law(errors[used], tv[used])
    return float(np.exp((np.log(ACCURACY) - line.intercept) / line.slope)), line.slope


def at_equal_nfe(frame: pd.DataFrame, nfe: int) -> pd.DataFrame:
    """The errors of the samples of each method, and their standard errors."""
    chosen = where(frame, metric="error", nfe_asked=nfe)
    return chosen.set_index("method")[["value", "standard_error"]]


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes."""
    tv = values(frame, "two-modes", "tv")
    result: dict[str, float] = {}
    for name, _, _, _ in ESTIMATORS:
        result[f"floor_{name}"] = float(tv[name].loc[STEP])
        if name != "exact":
            result |= order(tv[name]).numbers(f"order_{name}")
    result["taylor_over_trapezoid"] = result["floor_taylor"] / result["floor_trapezoid"]
    result["trapezoid_over_simpson"] = result["floor_trapezoid"] / result["floor_simpson"]
    result["taylor_over_ula"] = result["floor_taylor"] / result["floor_ula"]
    result["simpson_over_ula"] = result["floor_simpson"] / result["floor_ula"]
    result["energy_error_for_tv_0p01"], result["tv_power_in_energy_error"] = needed_energy_error(
        frame
    )
    rejected = values(frame, "two-modes", "acceptance_error")[SCORE_ONLY].to_numpy()
    ratio = tv[SCORE_ONLY].to_numpy() / rejected
    result["tv_over_acceptance_error_min"] = ratio.min()
    result["tv_over_acceptance_error_max"] = ratio.max()
    for target, name in (("two-modes", "modes"), ("mild", "mild")):
        errors = values(frame, target, "energy_error")
        result |= {f"energy_error_{name}_{rule}": errors[rule].loc[STEP] for rule in SCORE_ONLY}
    equal = at_equal_nfe(frame, NFE)
    for name in equal.index:
        result[f"equal_nfe_error_{name}"] = equal["value"][name]
        result[f"equal_nfe_error_{name}_se"] = equal["standard_error"][name]
    extra = {name: count for name, _, count, _ in ESTIMATORS if count is not None}
    for nfe in sorted(set(frame["nfe_asked"]) - {0}):
        result[f"best_extra_nfe_at_{nfe}"] = extra[best(frame, nfe)[0]]
    result["best_extra_nfe_at_equal_nfe"] = extra[best(frame, NFE)[0]]
    result["best_lead_over_its_se"] = best(frame, NFE)[1]
    sample = at_equal_nfe(frame, 0)
    result["equal_nfe_error_sample"] = sample["value"]["sample"]
    result["equal_nfe_error_sample_se"] = sample["standard_error"]["sample"]
    return result


def best(frame: pd.DataFrame, nfe: int) -> tuple[str, float]:
    """The score-only estimator with the smallest error, and by how much it leads the next one.

    The lead is in standard errors of a difference between independent runs. The runs share their
    noise, so this is a lower bound.
    """
    errors = at_equal_nfe(frame, nfe).loc[SCORE_ONLY].sort_values("value")
    lead = np.diff(errors["value"][:2]).item()
    return str(errors.index[0]), lead / float(np.hypot(*errors["standard_error"][:2]))


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per estimator, with its bias at one step and the error of samples at one cost."""
    result = numbers(frame)
    errors = values(frame, "two-modes", "energy_error").loc[STEP]
    return pd.DataFrame(
        {
            "estimator": label,
            "extra scores per step": "-" if extra is None else str(extra),
            "order": result.get(f"order_{name}"),
            "TV floor": result[f"floor_{name}"],
            "RMS energy error": errors.get(name),
            f"error at {NFE} scores": result[f"equal_nfe_error_{name}"],
            "standard error": result[f"equal_nfe_error_{name}_se"],
            "use when": advice,
        }
        for name, label, extra, advice in ESTIMATORS
    )


if __name__ == "__main__":
    job.table(table, numbers)
