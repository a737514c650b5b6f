"""A1 beside A2: the error of the modes in the published protocol, and with tuned settings.

The published protocol has grids uniform in t and, for RTK, five segments with untuned steps. Its
samples are more, so that its floor is lower.
"""

import pandas as pd

from figures import job, style
from figures.analysis.comparison import methods_of
from figures.analysis.frames import where

METHODS = ("ddpm", "ddim", "rtk-uld", "rtk-mala")
NEAR = (20, 40)
"""NFE of the tuned runs, as far as they have them, near the smallest ones of the protocol."""
PARTS = ["mode_weight_tv", "radial_tv"]


def protocol_errors(frame: pd.DataFrame) -> pd.Series:
    """``J = (mode-weight TV + radial TV) / 2`` in the protocol, by target, method and NFE."""
    rows = frame[frame["metric"].isin(PARTS)]
    return rows.groupby(["target", "method", "nfe_asked"])["value"].mean()


def table(
    protocol: pd.DataFrame, protocol_floor: pd.DataFrame, frame: pd.DataFrame, floor: pd.DataFrame
) -> pd.DataFrame:
    """One row per target and method, and one of exact samples for each target.

    Args:
        protocol, protocol_floor: rows of the published protocol, and of its exact samples.
        frame, floor: rows of the comparison, and of its exact samples.
    """
    published = protocol_errors(pd.concat([protocol, protocol_floor]))
    budgets = sorted(protocol["nfe_asked"].unique())[:2]
    fair = where(pd.concat([frame, floor]), metric="mode_error", batch=0)
    tuned = fair.set_index(["target", "method", "nfe_asked"])["value"]
    asked = [nfe for nfe in NEAR if nfe in {*frame["nfe_asked"]}]
    targets = [name for name in protocol["target"].unique() if name in {*frame["target"]}]
    lines = []
    for target in targets:
        for method in [*(m for m in METHODS if m in methods_of(frame)), "exact"]:
            line = {"target": target, "method": style.look(method).label}
            for title, values, all_nfe in (
                ("published protocol", published, budgets),
                ("tuned", tuned, asked),
            ):
                line |= {
                    f"{title}, NFE {nfe}": values[target, method, 0 if method == "exact" else nfe]
                    for nfe in all_nfe
                }
            lines.append(line)
    return pd.DataFrame(lines)


if __name__ == "__main__":
    job.table(table)
