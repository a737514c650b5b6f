"""B3, one segment: the floors at which chains of fixed step stop, in print and as numbers."""

import pandas as pd

from figures import job, style
from figures.analysis import fit
from figures.analysis.frames import where

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
    part = where(frame, metric="tv_floor", target=target)
    part = part.pivot(index="method", columns="step_size", values="value")
    return part.loc[[*names]].rename(index=names)


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """What the article quotes, of both targets."""
    modes, gaussian = floors(frame, "two-modes", MODES), floors(frame, "gaussian", GAUSSIAN)
    return floor_numbers(modes) | floor_numbers(gaussian)


def floor_numbers(found: pd.DataFrame) -> dict[str, float]:
    """Floors at the largest step, and the exponents in the step of those that are none."""
    values = {f"{name}_floor": row.iloc[-1] for name, row in found.iterrows()}
    for name, row in found[found.max(axis=1) > NONE].iterrows():
        values |= fit.power_law(found.columns, row).numbers(f"{name}_floor_power")
    return values


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per sampler on either target, one column per step."""
    parts = {"two modes": ("two-modes", MODES), "Gaussian": ("gaussian", GAUSSIAN)}
    return pd.concat(
        labelled(floors(frame, target, names), title, names)
        for title, (target, names) in parts.items()
    )


def labelled(found: pd.DataFrame, target: str, names: dict[str, str]) -> pd.DataFrame:
    """Floors in print: target and sampler as the first columns."""
    table = found.rename(columns=lambda step: f"floor at step {step:g}").reset_index(drop=True)
    table.insert(0, "target", target)
    table.insert(1, "sampler", [style.look(method).label for method in names])
    return table


if __name__ == "__main__":
    job.table(table, numbers)
