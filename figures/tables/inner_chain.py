"""B3, one segment: the distances to the kernel below which chains of fixed step do not get."""

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
# The integrators of ULD are compared on a Gaussian, with ULA beside them.
GAUSSIAN = {
    "rtk-ula": "ula_gaussian",
    "rtk-uld": "uld",
    "rtk-uld-obabo": "obabo",
    "rtk-uld-ubu": "ubu",
    "rtk-uld-baoab": "baoab",
}
ROUNDING = 1e-7
"""Smaller floors are rounding errors, or what is left of the start of the chain."""


def floors(frame: pd.DataFrame, target: str, names: dict[str, str]) -> pd.DataFrame:
    """Distances of the invariant laws to the kernel: one row per name, one column per step."""
    rows = where(frame, metric="tv_floor", target=target)
    by_step = rows.pivot(index="method", columns="step_size", values="value")
    return by_step.loc[[*names]].rename(index=names)


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """What the article quotes, of both targets."""
    modes, gaussian = floors(frame, "two-modes", MODES), floors(frame, "gaussian", GAUSSIAN)
    return floor_numbers(modes) | floor_numbers(gaussian)


def floor_numbers(result: pd.DataFrame) -> dict[str, float]:
    """The floors at the largest step, and their exponents in the step if they are not rounding."""
    values = {f"{name}_floor": row.iloc[-1] for name, row in result.iterrows()}
    for name, row in result[result.max(axis=1) > ROUNDING].iterrows():
        values |= fit.power_law(result.columns, row).numbers(f"{name}_floor_power")
    return values


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per sampler on either target, one column per step."""
    parts = {"two modes": ("two-modes", MODES), "Gaussian": ("gaussian", GAUSSIAN)}
    return pd.concat(
        labelled(floors(frame, target, names), title, names)
        for title, (target, names) in parts.items()
    )


def labelled(result: pd.DataFrame, target: str, names: dict[str, str]) -> pd.DataFrame:
    """The floors of one target as a part of the table, with target and sampler in front."""
    table = result.rename(columns=lambda step: f"floor at step {step:g}").reset_index(drop=True)
    table.insert(0, "target", target)
    table.insert(1, "sampler", [style.look(method).label for method in names])
    return table


if __name__ == "__main__":
    job.table(table, numbers)
