"""B3, one segment: the floors at which chains of fixed step stop, in print and as numbers."""

import pandas as pd

from experiments import job, results
from figures import fit, style

PREFIXES = {
    "rtk-ula": "ula",
    "rtk-mala-taylor": "taylor",
    "rtk-mala-trapezoid": "trapezoid",
    "rtk-mala-simpson": "simpson",
    "rtk-mala": "exact",
}


def floors(frame: pd.DataFrame) -> pd.DataFrame:
    """TV of the invariant law, one row per method and one column per step."""
    part = frame[frame["metric"] == "tv_floor"]
    return part.pivot(index="method", columns="step_size", values="value").loc[[*PREFIXES]]


def numbers(found: pd.DataFrame) -> dict[str, float]:
    """Floors at the largest step, and their exponents in the step."""
    largest = found.columns.max()
    values = {f"{name}_floor": found[largest].loc[method] for method, name in PREFIXES.items()}
    for method, name in PREFIXES.items():
        # With exact energies the floor is rounding.
        if method != "rtk-mala":
            line = fit.power_law(found.columns, found.loc[method])
            values |= {f"{name}_floor_power": line.slope}
            values |= {f"{name}_floor_power_low": line.low, f"{name}_floor_power_high": line.high}
    return values


def main() -> None:
    snakemake = job.start()
    found = floors(results.read(snakemake.input.results))
    results.write_numbers(numbers(found), snakemake.output.numbers)
    printed = found.rename(columns=lambda step: f"floor at step {step:g}")
    printed.insert(0, "sampler", [style.look(method).label for method in found.index])
    results.write_csv(printed, snakemake.output.table)


if __name__ == "__main__":
    main()
