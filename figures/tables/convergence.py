"""B3: what accuracy costs each sampler: exponents, and score evaluations at two accuracies."""

import numpy as np
import pandas as pd

from figures import job, style
from figures.analysis import fit
from figures.analysis.convergence import PREFIXES, curve, exponent, smallest_decades
from figures.analysis.frames import where

ROUNDING = 1e-11
"""Smaller distances are rounding errors."""


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes."""
    path = where(frame, study="segment path")
    path = path[path["value"] > ROUNDING]
    result = {
        "mala_segment_r_squared": fit.line(path["nfe"], np.log(path["value"])).r_squared,
        "mala_segment_lowest_tv": where(frame, study="segment path")["value"].min(),
    }
    for method, name in PREFIXES.items():
        rule, best = (curve(frame, study, method) for study in ("rule", "optimised"))
        asked = rule.assign(eps=rule["asked"])
        result |= exponent(rule).numbers(f"{name}_power")
        result |= exponent(asked).numbers(f"{name}_power_asked")
        result |= exponent(best).numbers(f"{name}_power_optimised")
        result[f"smallest_eps_{name}"] = rule["eps"].min()
        result[f"{name}_rule_worst"] = (rule["eps"] / rule["asked"]).max()
    for method in ("rtk-uld", "rtk-ula"):
        rule = smallest_decades(curve(frame, "rule", method))
        # The mechanism without its logarithms: the inner step that a TV allows.
        steps = fit.power_law(1.0 / rule["eps"], 1.0 / rule["step_size"])
        result |= steps.numbers(f"{PREFIXES[method]}_step_power")
        line = exponent(curve(frame, "segment", method))
        result |= line.numbers(f"{PREFIXES[method]}_segment_power")
    rule, best = (curve(frame, study, "rtk-mala") for study in ("rule", "optimised"))
    segment = curve(frame, "segment", "rtk-mala")
    log = np.log(1.0 / rule["eps"])
    result["mala_log_r_squared"] = fit.line(log**2, rule["nfe"]).r_squared
    result["mala_log_power"] = fit.power_law(log, rule["nfe"]).slope
    log = np.log(1.0 / best["eps"])
    result["mala_log_r_squared_optimised"] = fit.line(log**2, best["nfe"]).r_squared
    result["mala_segment_log_r_squared"] = fit.line(
        np.log(1.0 / segment["eps"]), segment["nfe"]
    ).r_squared
    errors = frame[frame["metric"] == "grid_error"].set_index("eps")["value"]
    result["mala_grid_error"] = (errors / rule.set_index("asked")["eps"]).max()
    return result


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per sampler; a cost is empty where that accuracy was not asked for."""
    result, rows = numbers(frame), []
    for method, name in PREFIXES.items():
        row: dict[str, object] = {"sampler": style.look(method).label}
        for label, suffix in (("settings by rule", ""), ("cheapest settings", "_optimised")):
            p, low, high = (result[f"{name}_power{suffix}{end}"] for end in ("", "_low", "_high"))
            row[f"exponent, {label}"] = f"{p:.2f} ({low:.2f} to {high:.2f})"
        best = curve(frame, "optimised", method)
        for eps in (1e-2, 1e-4):
            near = best[np.isclose(best["eps"], eps)]["nfe"]
            row[f"smallest NFE at TV {eps:g}"] = f"{near.item():,}" if len(near) else ""
        row["smallest TV by rule"] = f"{result[f'smallest_eps_{name}']:.1e}"
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    job.table(table, numbers)
