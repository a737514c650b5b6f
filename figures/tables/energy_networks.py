"""C3: score networks and energy networks, what they are like and what RTK makes of them."""

import pandas as pd

from figures import job, style
from figures.analysis.energy_networks import NETWORKS, budgets, errors
from figures.analysis.frames import where

TIME = 0.1
"""OU time of the columns about the networks; all scales have it."""
SIGMA = 0.5
"""Noise level of the loss."""


def about(frame: pd.DataFrame, target: str, network: str) -> dict[str, float]:
    """The measures of one network at `TIME` and `SIGMA`; those that it has not are left out."""
    rows = where(frame, part="networks", target=target, network=network)
    rows = rows[(rows["t"] == TIME) | (rows["sigma"] == SIGMA)]
    return {
        str(metric): float(value) for metric, value in rows.set_index("metric")["value"].items()
    }


def time_ratio(samples: pd.DataFrame) -> float:
    """How many times longer samplers take with the energy network, the median over the runs."""
    seconds = samples.pivot_table("seconds", ["method", "nfe_asked"], "network").dropna()
    return float((seconds["energy"] / seconds["score"]).median())


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per target and network: the network, and errors at the largest number of scores."""
    rows = []
    for target in frame["target"].unique():
        samples = errors(frame, target, budgets(frame, target)[-1])
        for network in samples["network"].unique():
            own = about(frame, target, network)
            row: dict[str, object] = {"target": target, "score": NETWORKS[network]}
            for title, metric in (
                ("antisymmetric", "antisymmetric"),
                ("error of score", "score_error"),
                ("loss", "denoising_loss"),
            ):
                row[title] = f"{own[metric]:.3f}" if metric in own else "–"
            for method in dict.fromkeys(samples["method"]):
                cells = where(samples, network=network, method=method)
                row[style.look(method).label] = (
                    f"{cells['value'].item():.3g} ± {cells['standard_error'].item():.1g}"
                    if len(cells)
                    else "–"
                )
            rows.append(row)
    return pd.DataFrame(rows)


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """What the article quotes, with the target and the network at the end of each name."""
    found: dict[str, float] = {}
    for target in frame["target"].unique():
        ends = budgets(frame, target)
        found |= {f"nfe_least_{target}": float(ends[0]), f"nfe_most_{target}": float(ends[-1])}
        samples = where(frame, part="samples", target=target)
        found[f"time_ratio_{target}"] = time_ratio(samples)
        for network in samples["network"].unique():
            end = style.identifier(f"{network}-{target}")
            found |= {f"{k}_{end}": v for k, v in about(frame, target, network).items()}
            for place, nfe in (("least", ends[0]), ("most", ends[-1])):
                rows = where(errors(frame, target, nfe), network=network).set_index("method")
                for method, row in rows.iterrows():
                    name = f"{style.identifier(str(method))}_{place}_{end}"
                    found[f"error_{name}"] = row["value"]
                    found[f"standard_error_{name}"] = row["standard_error"]
                    if row["acceptance"] == row["acceptance"]:
                        found[f"acceptance_{name}"] = row["acceptance"]
    return found


if __name__ == "__main__":
    job.table(table, numbers)
