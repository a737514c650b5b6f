"""B4: the fitted exponents in the dimension, as a table and as numbers."""

import pandas as pd

from experiments.workflow import job, results
from figures import style
from figures.analysis import fit
from figures.plots.dimension import EPS, costs, exponent

SHORT = {
    "rtk-mala": "mala",
    "rtk-uld": "uld",
    "rtk-ula": "ula",
    "ddpm": "ddpm",
    "ddim": "ddim",
}
ENDINGS = {"theory": "", "optimised": "_optimised", "third": "_third"}


def named(name: str, line: fit.Line, ending: str = "") -> dict[str, float]:
    """The slope and its interval: ``name + ending``, ``..._low``, ``..._high``."""
    values = {"": line.slope, "_low": line.low, "_high": line.high}
    return {f"{name}{ending}{suffix}": value for suffix, value in values.items()}


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    found: dict[str, float] = {
        "smallest_dimension": frame["dimension"].min(),
        "largest_dimension": frame["dimension"].max(),
    }
    for (method, rule), rows in costs(frame).items():
        name = f"{SHORT[method]}_power"
        found |= named(name, exponent(rows), ENDINGS[rule])
        # The upper half of the range, where logarithms weigh less.
        half = rows.tail(max(3, len(rows) // 2))
        found |= named(name, exponent(half), f"{ENDINGS[rule]}_last")
        found[f"{SHORT[method]}_nfe_largest{ENDINGS[rule]}"] = rows["value"].iloc[-1]
        if method in ("rtk-uld", "rtk-ula", "rtk-mala"):
            # The segments, K ~ log(d / eps), and the inner chain have a logarithm each.
            for part, logs in (("segment", 1), ("bare", 2)):
                cost = rows["value"] / rows["segments"] ** logs
                line = fit.power_law(rows["dimension"], cost)
                found |= named(f"{name}_{part}", line, ENDINGS[rule])
        if (method, rule) == ("rtk-mala", "optimised"):
            found |= named("mala_step_power", fit.power_law(rows["dimension"], rows["step_size"]))
    return found | single_segment(frame)


def single_segment(frame: pd.DataFrame) -> dict[str, float]:
    """Exponents of MALA's steps on one kernel to TV 0.01 from either start."""
    part = frame[(frame["metric"] == "steps") & (frame["eps"] == EPS)]
    found: dict[str, float] = {}
    for (rule, start), rows in part.groupby(["rule", "start"]):
        if rule in ("theory", "optimised"):
            found |= named(f"mala_{start}_steps_power", exponent(rows), ENDINGS[str(rule)])
    return found


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per method and rule: cost at both ends of the range, exponent, interval."""
    rules = {"theory": "theory", "optimised": "optimised", "third": "1.1 d^(-1/3)"}
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


def main() -> None:
    snakemake = job.start()
    frame = results.read(snakemake.input.results)
    results.write_csv(table(frame), snakemake.output.table)
    results.write_numbers(numbers(frame), snakemake.output.numbers)


if __name__ == "__main__":
    main()
