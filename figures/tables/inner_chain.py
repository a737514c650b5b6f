"""B3, one segment: the floors at which chains of fixed step stop, in print and as numbers."""

import pandas as pd

from experiments.workflow import job, results
from figures import style
from figures.analysis import fit

MODES = {
    "rtk-ula": "ula",
    "rtk-mala-taylor": "taylor",
    "rtk-mala-trapezoid": "trapezoid",
    "rtk-mala-simpson": "simpson",
    "rtk-mala": "exact",
}
# ULD's integrators on a Gaussian; ULA beside them.
GAUSSIAN = {
    "rtk-ula": "ula_gaussian",
    "rtk-uld": "uld",
    "rtk-uld-obabo": "obabo",
    "rtk-uld-ubu": "ubu",
    "rtk-uld-baoab": "baoab",
}
# Floors below are those of rounding, or of what is left of the start.
NONE = 1e-7


def floors(frame: pd.DataFrame, target: str, names: dict[str, str]) -> pd.DataFrame:
    """TV of the invariant law, one row per name and one column per step."""
    part = frame[(frame["metric"] == "tv_floor") & (frame["target"] == target)]
    part = part.pivot(index="method", columns="step_size", values="value")
    return part.loc[[*names]].rename(index=names)


def numbers(found: pd.DataFrame) -> dict[str, float]:
    """Floors at the largest step, and the exponents in the step of those that are none."""
    values = {f"{name}_floor": row.iloc[-1] for name, row in found.iterrows()}
    for name, row in found[found.max(axis=1) > NONE].iterrows():
        line = fit.power_law(found.columns, row)
        values |= {f"{name}_floor_power": line.slope}
        values |= {f"{name}_floor_power_low": line.low, f"{name}_floor_power_high": line.high}
    return values


def printed(found: pd.DataFrame, target: str, names: dict[str, str]) -> pd.DataFrame:
    table = found.rename(columns=lambda step: f"floor at step {step:g}").reset_index(drop=True)
    table.insert(0, "target", target)
    table.insert(1, "sampler", [style.look(method).label for method in names])
    return table


def main() -> None:
    snakemake = job.start()
    frame = results.read(snakemake.input.results)
    modes = floors(frame, "two-modes", MODES)
    gaussian = floors(frame, "gaussian", GAUSSIAN)
    results.write_numbers(numbers(modes) | numbers(gaussian), snakemake.output.numbers)
    tables = [printed(modes, "two modes", MODES), printed(gaussian, "Gaussian", GAUSSIAN)]
    results.write_csv(pd.concat(tables), snakemake.output.table)


if __name__ == "__main__":
    main()
