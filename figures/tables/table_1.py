"""The paper's Table 1 with the exponents that were measured here, and the rates that came later.

Complexities are upper bounds on score evaluations to total variation eps, up to logarithms. The
measured exponents are those of the theory's steps on Gaussians (B3, B4); where nothing of the kind
is implemented here there is a dash.
"""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from figures import job

DASH = "–"


class Bound(NamedTuple):
    """A published bound; ``measured`` names its sampler in the numbers of B3 and B4."""

    method: str
    assumptions: str
    complexity: str
    in_d: str
    in_eps: str
    measured: str = ""


# The first four rows are the paper's Table 1 (arXiv 2405.16387).
BOUNDS = [
    Bound("DDPM, SDE discretised", "L2-accurate score", "d / ε²", "1", "2", "ddpm"),
    Bound("PF-ODE, underdamped corrector", "Lipschitz score", "√d / ε", "1/2", "1"),
    Bound("RTK-ULD", "Lipschitz score", "√d / ε", "1/2", "1", "uld"),
    Bound("RTK-MALA", "and accurate energies", "d² log(d / ε)", "2", "0 (log)", "mala"),
    Bound("Randomised midpoint (2406.00924)", "Lipschitz score", "d^(5/12) / ε", "5/12", "1"),
    Bound("DDPM (2409.18959)", "L2-accurate score", "d / ε", "1", "1", "ddpm"),
    Bound("Accelerated (2410.23285)", "L2-accurate score", "d^(5/4) / √ε", "5/4", "1/2"),
    Bound(
        "Midpoint, reduced (2512.24152)", "log-concave parts", "d^(1/3) poly(1 / ε)", "1/3", DASH
    ),
    Bound(
        "Exact, reduced (2512.24152)", "log-concave parts", "√d polylog(1 / ε)", "1/2", "0 (log)"
    ),
    Bound("FORS (2602.01338)", "L2-accurate score", "d polylog(1 / ε)", "1", "0 (log)"),
    Bound("Lower bound (2604.10857)", "adaptive score queries", "≥ √d", "1/2", DASH),
]


def measured(numbers: Mapping[str, float], name: str) -> str:
    """``slope [low, high]`` of a sampler's exponent, a dash if it has no name."""
    if not name:
        return DASH
    slope, low, high = (numbers[f"{name}_power{ending}"] for ending in ("", "_low", "_high"))
    return f"{slope:.2f} [{low:.2f}, {high:.2f}]"


def table(dimension: Mapping[str, float], convergence: Mapping[str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "method": bound.method,
                "assumptions": bound.assumptions,
                "bound": bound.complexity,
                "d: theory": bound.in_d,
                "d: measured": measured(dimension, bound.measured),
                "1/ε: theory": bound.in_eps,
                "1/ε: measured": measured(convergence, bound.measured),
            }
            for bound in BOUNDS
        ]
    )


if __name__ == "__main__":
    job.table(table)
