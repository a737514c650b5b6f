"""B4: score evaluations in the smallest and the largest dimension, and fitted exponents."""

import pandas as pd

from figures import job, style
from figures.analysis import fit
from figures.analysis.dimension import EPS, costs, exponent
from figures.analysis.frames import where

SHORT = {
    "rtk-mala": "mala",
    "rtk-uld": "uld",
    "rtk-ula": "ula",
    "ddpm": "ddpm",
    "ddim": "ddim",
    "dpum": "dpum",
}
ENDINGS = {"theory": "", "optimised": "_optimised", "third": "_third"}


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes."""
    result: dict[str, float] = {
        "smallest_dimension": frame["dimension"].min(),
        "largest_dimension": frame["dimension"].max(),
    }
    for (method, rule), rows in costs(frame).items():
        name = f"{SHORT[method]}_power"
        result |= exponent(rows).numbers(name + ENDINGS[rule])
        # The upper half of the range, where logarithms weigh less.
        half = rows.tail(max(3, len(rows) // 2))
        result |= exponent(half).numbers(f"{name}{ENDINGS[rule]}_last")
        result[f"{SHORT[method]}_nfe_largest{ENDINGS[rule]}"] = rows["value"].iloc[-1]
        if method in ("rtk-uld", "rtk-ula", "rtk-mala"):
            # The segments, K ~ log(d / eps), and the inner chain have a logarithm each.
            for part, logs in (("segment", 1), ("bare", 2)):
                cost = rows["value"] / rows["segments"] ** logs
                line = fit.power_law(rows["dimension"], cost)
                result |= line.numbers(f"{name}_{part}{ENDINGS[rule]}")
        if (method, rule) == ("rtk-mala", "optimised"):
            steps = fit.power_law(rows["dimension"], rows["step_size"])
            result |= steps.numbers("mala_step_power")
    return result | single_segment(frame)


def single_segment(frame: pd.DataFrame) -> dict[str, float]:
    """The exponents of the steps that MALA takes on one kernel, from each of its starts."""
    part = where(frame, metric="steps", eps=EPS)
    result: dict[str, float] = {}
    for (rule, start), rows in part.groupby(["rule", "start"]):
        if rule in ("theory", "optimised"):
            name = f"mala_{start}_steps_power{ENDINGS[str(rule)]}"
            result |= exponent(rows).numbers(name)
    return result


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per method and rule for the step, with the costs at both ends of the range."""
    rules = {"theory": "theory", "optimised": "best", "third": "1.1 d^(-1/3)"}
    rows = []
    for (method, rule), part in costs(frame).items():
        line = exponent(part)
        ends = part.iloc[[0, -1]]
        low, high = (f"NFE at d = {d}" for d in ends["dimension"])
        rows.append(
            {
                "method": style.look(method).label,
                "step": rules[rule],
                low: f"{ends['value'].iloc[0]:.0f}",
                high: f"{ends['value'].iloc[1]:.0f}",
                "exponent": f"{line.slope:.2f}",
                "95 % interval": f"{line.low:.2f} to {line.high:.2f}",
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    job.table(table, numbers)
