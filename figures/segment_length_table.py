"""B9: the best number of segments and what the theory's costs, as a table and as numbers.

The number of segments that the theory asks for may be out of reach of the budget; the nearest that
was measured then stands for it.
"""

import numpy as np
import pandas as pd

from experiments import job, results
from figures import style

PAPER_SEGMENTS = 5
# Names of (target, method): the Gaussian's RTK-ULD is exact and without noise, so comes first.
NAMES = {
    ("gaussian", "rtk-uld"): "uld",
    ("gaussian", "rtk-ula"): "ula",
    ("mild", "rtk-uld"): "uld_mixture",
    ("mild", "rtk-mala"): "mala",
    ("mild", "rtk-mala-trapezoid"): "mala_trapezoid",
}
METRIC = {"gaussian": "tv", "mild": "error"}


def curve(frame: pd.DataFrame, target: str, method: str, dimension: int) -> pd.DataFrame:
    """Error by number of segments on the uniform grid, at the largest budget."""
    part = frame[
        (frame["target"] == target)
        & (frame["method"] == method)
        & (frame["dimension"] == dimension)
        & (frame["metric"] == METRIC[target])
        & (frame["family"] == "uniform")
    ]
    part = part[part["nfe_asked"] == part["nfe_asked"].max()]
    return part.set_index("segments").sort_index()


def theory(frame: pd.DataFrame, target: str, dimension: int) -> int:
    found = frame[
        (frame["target"] == target)
        & (frame["dimension"] == dimension)
        & (frame["metric"] == "k_star")
    ]
    return int(found["value"].item())


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per target, method and dimension."""
    rows = []
    for (target, method), name in NAMES.items():
        for dimension in sorted(frame["dimension"].unique()):
            errors = curve(frame, target, method, dimension)
            if errors.empty:
                continue
            star = theory(frame, target, dimension)
            nearest = errors.index[np.abs(np.log(errors.index / star)).argmin()]
            best = errors["value"].idxmin()
            rows.append(
                {
                    "name": name,
                    "target": target,
                    "method": method,
                    "dimension": dimension,
                    "nfe": errors["nfe_asked"].iloc[0],
                    "best_k": best,
                    "best": errors["value"][best],
                    "best_error": errors["standard_error"][best],
                    "k_star": star,
                    "nearest": nearest,
                    "loss_at_k_star": errors["value"][nearest] / errors["value"][best],
                    "five_over_best": errors["value"][PAPER_SEGMENTS] / errors["value"][best],
                }
            )
    return pd.DataFrame(rows)


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in summary(frame).itertuples():
        where = f"{row.name}_d{row.dimension}"
        found[f"best_k_{where}"] = row.best_k
        found[f"loss_at_k_star_{where}"] = row.loss_at_k_star
        found[f"five_over_best_{where}"] = row.five_over_best
        found[f"best_error_{where}"] = row.best
        found[f"nearest_k_{where}"] = row.nearest
        mixture = "_mixture" if row.target == "mild" else ""
        found[f"k_star{mixture}_d{row.dimension}"] = row.k_star
        found[f"nfe{mixture}"] = row.nfe
    for row in frame[(frame["method"] == "exact") & (frame["metric"] == "error")].itertuples():
        found[f"floor_mixture_d{row.dimension}"] = row.value
    found["best_over_five_d10"] = found["five_over_best_uld_d10"]
    return found


def table(frame: pd.DataFrame) -> pd.DataFrame:
    rows = summary(frame)
    return pd.DataFrame(
        {
            "target": rows["target"],
            "method": [style.look(method).label for method in rows["method"]],
            "d": rows["dimension"],
            "NFE": rows["nfe"],
            "best K": rows["best_k"],
            "its error": [f"{error:.2g}" for error in rows["best"]],
            "K*": [
                f"{star}" if star == nearest else f"{star} ({nearest} measured)"
                for star, nearest in zip(rows["k_star"], rows["nearest"], strict=True)
            ],
            "error at K* / best": [f"{loss:.2g}" for loss in rows["loss_at_k_star"]],
            "at 5 / best": [f"{loss:.2g}" for loss in rows["five_over_best"]],
        }
    )


def main() -> None:
    snakemake = job.start()
    frame = results.read(snakemake.input.results)
    results.write_csv(table(frame), snakemake.output.table)
    results.write_numbers(numbers(frame), snakemake.output.numbers)


if __name__ == "__main__":
    main()
