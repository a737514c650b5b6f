"""B1: curvature of the learned score by time, and the number of segments the theory asks for."""

import numpy as np
import pandas as pd

from experiments.workflow import job, results


def segments_theory(t: pd.Series, eta_star: pd.Series) -> float:
    """``int dt / eta*(t)`` over the times given, by the trapezoid rule in log t."""
    return float(np.trapezoid(t / eta_star, np.log(t)))


def main() -> None:
    snakemake = job.start()
    frame = results.read(snakemake.input.results)
    found = frame.pivot_table(index="t", columns="metric", values="value").reset_index()
    table = found.rename(
        columns={
            "smallest": "smallest eigenvalue",
            "largest": "largest eigenvalue",
            "lipschitz": "L",
            "eta_star": "eta*",
            "antisymmetric": "antisymmetric part",
        }
    )
    columns = ["t", "smallest eigenvalue", "largest eigenvalue", "L", "eta*", "antisymmetric part"]
    results.write_csv(table[columns], snakemake.output.table)
    skew = frame[frame["metric"] == "antisymmetric"]
    worst = skew.iloc[skew["value"].argmax()]
    numbers = {
        "lipschitz_largest": found["lipschitz"].max(),
        "lipschitz_smallest": found["lipschitz"].min(),
        "eta_star_smallest": found["eta_star"].min(),
        "eta_star_largest": found["eta_star"].max(),
        "segments_theory": segments_theory(found["t"], found["eta_star"]),
        # What the constant segment of the smallest time would ask for.
        "segments_constant": (found["t"].max() - found["t"].min()) / found["eta_star"].min(),
        "largest_eigenvalue": found["largest"].max(),
        "antisymmetric_largest": worst["value"],
        "antisymmetric_largest_se": worst["standard_error"],
        "residual_largest": (
            frame.loc[frame["metric"] == "lipschitz", "standard_error"].to_numpy()
            / found["lipschitz"].to_numpy()
        ).max(),
    }
    results.write_numbers(numbers, snakemake.output.numbers)


if __name__ == "__main__":
    main()
