"""The paper's Table 1 with the exponents that were measured here, and rates published later.

A bound is an upper bound on the score evaluations that bring the total variation to eps, up to
logarithms. The measured exponents have the theory's steps: on Gaussians those of B3 and B4, and on
products of three other laws the smallest and the largest local exponent. A dash stands where a
bound has no such exponent, or where no sampler of that kind is implemented here.
"""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from figures import job

DASH = "–"
PRODUCTS = {"uld": "rtk_uld", "mala": "rtk_mala"}
"""Names of RTK's samplers in the numbers of the products."""


class Bound(NamedTuple):
    """A published bound; `measured` is the name of its sampler in the numbers of B3 and B4."""

    method: str
    assumptions: str
    complexity: str
    in_d: str
    in_eps: str
    measured: str = ""


# The first four rows are the paper's Table 1 (arXiv 2405.16387).
BOUNDS = [
    Bound("DDPM, SDE discretised", "L2-accurate score", "d / ε²", "1", "2", "ddpm"),
    Bound("PF-ODE, underdamped corrector", "Lipschitz score", "√d / ε", "1/2", "1", "dpum"),
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
    Bound("FORS (2602.01338)", "L2-accurate score", "d₀ polylog(1 / ε)", DASH, "0 (log)"),
    Bound("Lower bound (2604.10857)", "adaptive score queries", "≥ √d", "1/2", DASH),
]


def measured(numbers: Mapping[str, float], name: str) -> str:
    """The exponent of a sampler as ``slope [low, high]``, or a dash if the name is empty."""
    if not name:
        return DASH
    slope, low, high = (numbers[f"{name}_power{ending}"] for ending in ("", "_low", "_high"))
    return f"{slope:.2f} [{low:.2f}, {high:.2f}]"


def over_shapes(numbers: Mapping[str, float], name: str, what: str) -> str:
    """The range of a local exponent over the laws that are not Gaussian, or a dash."""
    if not name:
        return DASH
    sampler = PRODUCTS.get(name, name)
    if f"{sampler}_{what}_power_low" not in numbers:
        return DASH
    low, high = (numbers[f"{sampler}_{what}_power_{end}"] for end in ("low", "high"))
    ends = dict.fromkeys((f"{low:.2f}", f"{high:.2f}"))
    return "–".join(ends)


def table(
    dimension: Mapping[str, float],
    convergence: Mapping[str, float],
    products: Mapping[str, float],
) -> pd.DataFrame:
    """One row per bound, from the numbers of B4 (in d), of B3 (in 1 / eps) and of the products."""
    return pd.DataFrame(
        [
            {
                "method": bound.method,
                "assumptions": bound.assumptions,
                "bound": bound.complexity,
                "d: theory": bound.in_d,
                "d: Gaussian": measured(dimension, bound.measured),
                "d: products": over_shapes(products, bound.measured, "dimension"),
                "1/ε: theory": bound.in_eps,
                "1/ε: Gaussian": measured(convergence, bound.measured),
                "1/ε: products": over_shapes(products, bound.measured, "eps"),
            }
            for bound in BOUNDS
        ]
    )


if __name__ == "__main__":
    job.table(table)
