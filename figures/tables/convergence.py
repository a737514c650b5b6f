"""B3: exponents of the score evaluations in the accuracy, and the numbers of the report."""

import numpy as np
import pandas as pd

from figures import job, style
from figures.analysis import fit
from figures.analysis.convergence import PREFIXES, curve, exponent, smallest_decades

# Distances below are those of rounding.
ROUNDING = 1e-11


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    path = frame[frame["study"] == "segment path"]
    path = path[path["value"] > ROUNDING]
    found = {
        "mala_segment_r_squared": fit.line(path["nfe"], np.log(path["value"])).r_squared,
        "mala_segment_lowest_tv": frame[frame["study"] == "segment path"]["value"].min(),
    }
    for method, name in PREFIXES.items():
        rule, best = (curve(frame, study, method) for study in ("rule", "optimised"))
        asked = rule.assign(eps=rule["asked"])
        found |= exponent(rule).numbers(f"{name}_power")
        found |= exponent(asked).numbers(f"{name}_power_asked")
        found |= exponent(best).numbers(f"{name}_power_optimised")
        found[f"smallest_eps_{name}"] = rule["eps"].min()
        found[f"{name}_rule_worst"] = (rule["eps"] / rule["asked"]).max()
    for method in ("rtk-uld", "rtk-ula"):
        rule = smallest_decades(curve(frame, "rule", method))
        # The mechanism without its logarithms: the inner step that a TV allows.
        steps = fit.power_law(1.0 / rule["eps"], 1.0 / rule["step_size"])
        found |= steps.numbers(f"{PREFIXES[method]}_step_power")
        line = exponent(curve(frame, "segment", method))
        found |= line.numbers(f"{PREFIXES[method]}_segment_power")
    rule, best = (curve(frame, study, "rtk-mala") for study in ("rule", "optimised"))
    segment = curve(frame, "segment", "rtk-mala")
    log = np.log(1.0 / rule["eps"])
    found["mala_log_r_squared"] = fit.line(log**2, rule["nfe"]).r_squared
    found["mala_log_power"] = fit.power_law(log, rule["nfe"]).slope
    log = np.log(1.0 / best["eps"])
    found["mala_log_r_squared_optimised"] = fit.line(log**2, best["nfe"]).r_squared
    found["mala_segment_log_r_squared"] = fit.line(
        np.log(1.0 / segment["eps"]), segment["nfe"]
    ).r_squared
    errors = frame[frame["metric"] == "grid_error"].set_index("eps")["value"]
    found["mala_grid_error"] = (errors / rule.set_index("asked")["eps"]).max()
    return found


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per sampler."""
    found, rows = numbers(frame), []
    for method, name in PREFIXES.items():
        row: dict[str, object] = {"sampler": style.look(method).label}
        for label, suffix in (("by rule", ""), ("optimised", "_optimised")):
            p, low, high = (found[f"{name}_power{suffix}{end}"] for end in ("", "_low", "_high"))
            row[f"exponent {label}"] = f"{p:.2f} ({low:.2f} to {high:.2f})"
        best = curve(frame, "optimised", method)
        for eps in (1e-2, 1e-4):
            near = best[np.isclose(best["eps"], eps)]["nfe"]
            row[f"least NFE at {eps:g}"] = f"{near.item():,}" if len(near) else ""
        row["smallest TV by rule"] = f"{found[f'smallest_eps_{name}']:.1e}"
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    job.table(table, numbers)
