"""D1: chain-steps beside BlackJAX and diffrax, and what the article quotes of the benchmark."""

import pandas as pd

from experiments.benchmark.table import read
from experiments.workflow import job, results
from figures.analysis.benchmark import LABELS, RIVALS, cases, growth, per_round, speedup, spread
from figures.analysis.frames import where

ENOUGH = 10_000
"""Chains from which on the speeds were set as a goal."""
GOALS = {"": 2.5, "-compile": 5.0}
"""Times BlackJAX's speed that were aimed at, by form."""
HEADLINE = {"components": 6, "dimension": 10, "n": 100_000}
PIECES = {
    "normals": "normals",
    "uniforms": "uniforms",
    "score and density": "density",
    "tilt": "tilt",
    "proposal": "proposal",
    "proposal ratio": "ratio",
    "choice": "choice",
}
"""Names of the numbers of the profile."""


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per variant: CPU time at `ENOUGH` chains on each kernel, and the headline case."""
    rows = []
    for variant, label in LABELS.items():
        row: dict[str, object] = {"sampler": label}
        for case in cases(frame, 0):
            if case["n"] == ENOUGH:
                times = per_round(frame, "cpu_ns", part="chains", variant=variant, **case)
                row[f"m={case['components']}, d={case['dimension']}"] = f"{times.median():.0f}"
        for metric, title in (("cpu_ns", "10⁵ chains"), ("wall_ns", "wall, 10⁵ chains")):
            times = per_round(frame, metric, part="chains", variant=variant, **HEADLINE)
            row[title] = "{:.0f} ({:.0f} to {:.0f})".format(*spread(times))
        first = where(frame, part="chains", variant=variant, metric="first_seconds")["value"]
        row["first run (s)"] = f"{first.max():.1f}"
        rows.append(row)
    return pd.DataFrame(rows)


def speeds(frame: pd.DataFrame) -> dict[str, float]:
    """How many times the speed of its rival each sampler has, and how often the goals are met."""
    found: dict[str, float] = {}
    compared = cases(frame, ENOUGH)
    for ours, rival in RIVALS.items():
        for form in ("", "-workers", "-compile"):
            for precision in ("", "-float64"):
                ratios = [
                    speedup(frame, ours + form, rival + precision, "cpu_ns", **case).median
                    for case in compared
                ]
                name = f"{ours}{form}_over_{rival}{precision}".replace("-", "_")
                found |= {f"{name}_low": min(ratios), f"{name}_high": max(ratios)}
                if not precision and ours == "rtk-mala" and form in GOALS:
                    found[f"{name}_met"] = sum(ratio >= GOALS[form] for ratio in ratios)
            wall = speedup(frame, ours + form, rival, "wall_ns", **HEADLINE)
            found[f"{ours}{form}_wall".replace("-", "_")] = wall.median
    return found | {"cases": float(len(compared))}


def laws(frame: pd.DataFrame) -> dict[str, float]:
    """The largest errors over the kernels: in standard errors, and of the variance itself."""
    found: dict[str, float] = {}
    for variant in LABELS:
        rows = where(frame, part="law", variant=variant)
        values = rows.pivot_table(
            index=["components", "dimension"], columns="metric", values="value"
        )
        name = variant.replace("-", "_")
        for what in ("mean", "variance"):
            error = values[f"{what}_error"].abs()
            found[f"{name}_{what}_sigmas"] = (error / values[f"{what}_standard_error"]).max()
            found[f"{name}_{what}_error"] = error.max()
    return found


def others(frame: pd.DataFrame) -> dict[str, float]:
    """Overhead over a network, growth, memory, threads, first runs and the load."""
    ratios = where(frame, part="overhead").groupby("variant")["value"].median()
    found: dict[str, float] = {
        f"overhead_{name}".replace("-", "_"): value - 1.0 for name, value in ratios.items()
    }
    for variant in RIVALS:
        name = variant.replace("-", "_")
        found[f"{name}_growth_dimension"] = growth(frame, variant, dimension=(10, 300))
        found[f"{name}_growth_components"] = growth(frame, variant, components=(6, 160))
        found[f"{name}_growth_steps"] = growth(frame, variant, steps=(10, 160))
        peaks = where(frame, part="memory", variant=variant).set_index("steps")["value"]
        found[f"{name}_memory"] = peaks[peaks.index.max()] / peaks[peaks.index.min()]
    pairs = where(frame, part="threads", metric="wall_ns")
    for copies, name in ((1, "alone"), (2, "two_at_once")):
        times = where(pairs, copies=copies).groupby("variant")["value"].median()
        for variant in ("rtk-mala-threads", "rtk-mala-workers"):
            key = f"{variant}_{name}".replace("-", "_")
            found[key] = times[variant] / times["rtk-mala"]
        found[f"blackjax_threads_{name}"] = times["blackjax-threads"] / times["blackjax"]
    first = where(frame, part="chains", metric="first_seconds").groupby("variant")["value"].max()
    for variant in ("rtk-mala-compile", "blackjax", "diffrax"):
        found[f"{variant}_first".replace("-", "_")] = first[variant]
    return found | {"load": where(frame, part="chains")["load"].median()}


def profile(frame: pd.DataFrame) -> dict[str, float]:
    """Nanoseconds per chain of the pieces of a step."""
    found: dict[str, float] = {}
    for form, name in (("rtk-mala", "eager"), ("rtk-mala-compile", "compiled")):
        times = where(frame, part="profile", variant=form).groupby("metric")["value"].median()
        found |= {f"{name}_{short}": times[piece] for piece, short in PIECES.items()}
        found[f"{name}_step"] = times.sum()
    return found


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """What the article quotes."""
    return speeds(frame) | laws(frame) | others(frame) | profile(frame)


def main() -> None:
    snakemake = job.start()
    frame = read(snakemake.input.measured)
    results.write_csv(table(frame), snakemake.output.table)
    results.write_numbers(numbers(frame), snakemake.output.numbers)


if __name__ == "__main__":
    main()
