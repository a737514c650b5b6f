"""B6: orders, floors and costs of the energy-difference estimators: which one to use when."""

import numpy as np
import pandas as pd

from figures import job
from figures.analysis import fit
from figures.analysis.frames import where

STEP = 0.4
NFE = 160
ACCURACY = 0.01
# Orders are fitted up to this step, where the invariant law is still near its limit.
LARGEST_STEP = 0.4
# The energy's error that a total variation needs is read off a line through these distances.
AROUND = (1e-3, 1e-1)

# Name, what it is, scores beyond those of the chain (None: no energy), and when to use it.
ESTIMATORS: list[tuple[str, str, int | None, str]] = [
    ("ula", "none (RTK-ULA)", None, "never better than the trapezoid rule"),
    ("exact", "exact", 0, "whenever log p is known"),
    ("trapezoid", "trapezoid", 0, "score only, few scores per segment"),
    ("gauss_1", "midpoint", 1, "no: Simpson's rule costs the same"),
    ("taylor", "Taylor (paper)", 1, "no: the trapezoid rule is better and free"),
    ("simpson", "Simpson", 1, "score only, many scores per segment"),
    ("gauss_2", "Gauss-Legendre 2", 2, "no: hardly better than Simpson's rule"),
    ("gauss_3", "Gauss-Legendre 3", 3, "only for distances far below 1e-4"),
]
SCORE_ONLY = [name for name, _, extra, _ in ESTIMATORS if extra is not None and name != "exact"]


def values(frame: pd.DataFrame, target: str, metric: str) -> pd.DataFrame:
    """Step sizes by methods."""
    chosen = where(frame, target=target, metric=metric)
    return chosen.pivot_table(index="step_size", columns="method", values="value")


def order(tv: pd.Series) -> fit.Line:
    """Power of the invariant law's distance in the step."""
    tv = tv[tv.index <= LARGEST_STEP]
    return fit.power_law(tv.index, tv)


def needed_energy_error(frame: pd.DataFrame) -> tuple[float, float]:
    """RMS error at which the TV is `ACCURACY`, on a power law through all rules, and the power."""
    errors = values(frame, "two-modes", "energy_error")[SCORE_ONLY].to_numpy().ravel()
    tv = values(frame, "two-modes", "tv")[SCORE_ONLY].to_numpy().ravel()
    used = (tv > AROUND[0]) & (tv < AROUND[1])
    line = fit.power_law(errors[used], tv[used])
    return float(np.exp((np.log(ACCURACY) - line.intercept) / line.slope)), line.slope


def at_equal_nfe(frame: pd.DataFrame, nfe: int) -> pd.DataFrame:
    """Error and standard error of the samples, per method."""
    chosen = where(frame, metric="error", nfe_asked=nfe)
    return chosen.set_index("method")[["value", "standard_error"]]


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    tv = values(frame, "two-modes", "tv")
    found: dict[str, float] = {}
    for name, _, _, _ in ESTIMATORS:
        found[f"floor_{name}"] = float(tv[name].loc[STEP])
        if name != "exact":
            found |= order(tv[name]).numbers(f"order_{name}")
    found["taylor_over_trapezoid"] = found["floor_taylor"] / found["floor_trapezoid"]
    found["trapezoid_over_simpson"] = found["floor_trapezoid"] / found["floor_simpson"]
    found["taylor_over_ula"] = found["floor_taylor"] / found["floor_ula"]
    found["simpson_over_ula"] = found["floor_simpson"] / found["floor_ula"]
    found["energy_error_for_tv_0p01"], found["tv_power_in_energy_error"] = needed_energy_error(
        frame
    )
    rejected = values(frame, "two-modes", "acceptance_error")[SCORE_ONLY].to_numpy()
    ratio = tv[SCORE_ONLY].to_numpy() / rejected
    found["tv_over_acceptance_error_min"] = ratio.min()
    found["tv_over_acceptance_error_max"] = ratio.max()
    for target, name in (("two-modes", "modes"), ("mild", "mild")):
        errors = values(frame, target, "energy_error")
        found |= {f"energy_error_{name}_{rule}": errors[rule].loc[STEP] for rule in SCORE_ONLY}
    equal = at_equal_nfe(frame, NFE)
    for name in equal.index:
        found[f"equal_nfe_error_{name}"] = equal["value"][name]
        found[f"equal_nfe_error_{name}_se"] = equal["standard_error"][name]
    extra = {name: count for name, _, count, _ in ESTIMATORS if count is not None}
    for nfe in sorted(set(frame["nfe_asked"]) - {0}):
        found[f"best_extra_nfe_at_{nfe}"] = extra[best(frame, nfe)[0]]
    found["best_extra_nfe_at_equal_nfe"] = extra[best(frame, NFE)[0]]
    found["best_lead_over_its_se"] = best(frame, NFE)[1]
    sample = at_equal_nfe(frame, 0)
    found["equal_nfe_error_sample"] = sample["value"]["sample"]
    found["equal_nfe_error_sample_se"] = sample["standard_error"]["sample"]
    return found


def best(frame: pd.DataFrame, nfe: int) -> tuple[str, float]:
    """The score-only estimator of the lowest error, and its lead over the next in standard errors.

    Those of the two as if independent, so a lower bound: they share their noise.
    """
    errors = at_equal_nfe(frame, nfe).loc[SCORE_ONLY].sort_values("value")
    lead = np.diff(errors["value"][:2]).item()
    return str(errors.index[0]), lead / float(np.hypot(*errors["standard_error"][:2]))


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per estimator."""
    found = numbers(frame)
    errors = values(frame, "two-modes", "energy_error").loc[STEP]
    return pd.DataFrame(
        {
            "estimator": label,
            "extra scores": "-" if extra is None else str(extra),
            "order": found.get(f"order_{name}"),
            "TV floor": found[f"floor_{name}"],
            "energy error": errors.get(name),
            f"error at {NFE} scores": found[f"equal_nfe_error_{name}"],
            "its s.e.": found[f"equal_nfe_error_{name}_se"],
            "use when": advice,
        }
        for name, label, extra, advice in ESTIMATORS
    )


if __name__ == "__main__":
    job.table(table, numbers)
