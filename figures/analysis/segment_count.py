"""B2: the numbers of RTK's segments and of DDPM's steps, beside each other."""

import pandas as pd

CURVES = {
    "rtk": "RTK, exact kernels",
    "ddpm": "DDPM, best grid",
    "ddpm_uniform": "DDPM, uniform grid",
}
"""What is counted: names in the numbers, and labels in print."""


def curves(frame: pd.DataFrame, sweep: str) -> pd.DataFrame:
    """The counts along a sweep over "eps" or "dimension", a column for each of `CURVES`.

    The count for DDPM's best grid is the smallest over the three grids of the study.
    """
    rows = frame[frame["sweep"] == sweep]
    keys = ["dimension", "eps"]
    ddpm = rows[rows["method"] == "ddpm"]
    return (
        pd.DataFrame(
            {
                "rtk": rows[rows["method"] == "rtk-exact"].set_index(keys)["value"],
                "ddpm": ddpm.groupby(keys)["value"].min(),
                "ddpm_uniform": ddpm[ddpm["settings"] == "uniform"].set_index(keys)["value"],
            }
        )
        .astype(int)
        .sort_index()
        .reset_index()
    )
