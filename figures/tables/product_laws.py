"""B4, beyond Gaussians: local exponents on three shapes, and score evaluations to TV 0.1."""

import pandas as pd

from figures import job, style
from figures.analysis.frames import where
from figures.analysis.product_laws import exponents, needed

EPS = 0.1


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The smallest and the largest exponent of each solver over the shapes."""
    result: dict[str, float] = {"largest_dimension": frame["dimension"].max()}
    for method, rows in frame.groupby("method", sort=False):
        name = style.identifier(str(method))
        of_shapes = pd.DataFrame([exponents(part) for _, part in rows.groupby("target")])
        for what in ("eps", "dimension"):
            result[f"{name}_{what}_power_low"] = of_shapes[what].min()
            result[f"{name}_{what}_power_high"] = of_shapes[what].max()
    return result


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per shape and solver."""
    rows = []
    for (shape, method), part in frame.groupby(["target", "method"], sort=False):
        powers = exponents(part)
        row = {
            "shape": shape,
            "method": style.look(str(method)).label,
            "exponent of 1/TV": powers["eps"],
            "exponent of d": powers["dimension"],
            "read at d": int(powers["last"]),
        }
        # Every second dimension leaves the table its width.
        dimensions = sorted(part["dimension"].unique())[::2]
        row |= {f"NFE, d={d}": needed(where(part, dimension=d), EPS) for d in dimensions}
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    job.table(table, numbers)
