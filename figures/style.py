"""One look for every figure: print widths, embedded fonts, and one line per method everywhere.

Baselines are dashed in cool colours, RTK samplers solid in warm ones that darken from the plain
Langevin chain to the Metropolis chain with exact energies. Each method has a marker of its own, so
that colour is never the only difference; hues are those of Okabe and Ito (2008), or shades of them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from experiments.workflow.results import atomic

SINGLE = 3.3
"""Width of a figure in one column of print, in inches."""
DOUBLE = 6.8
"""Width of a figure across the page, in inches."""


@dataclass(frozen=True)
class Look:
    """How one method appears in legends and plots."""

    label: str
    color: str
    marker: str
    linestyle: str

    @property
    def heading(self) -> str:
        """The label on two lines, for the head of a narrow column."""
        return self.label.replace(" (", "\n(")

    @property
    def line(self) -> dict[str, Any]:
        """Keywords of `Axes.plot` and `Axes.errorbar`."""
        return {
            "label": self.label,
            "color": self.color,
            "marker": self.marker,
            "linestyle": self.linestyle,
        }


METHODS = {
    "exact": Look("exact sample", "#000000", "", ":"),
    "ddpm": Look("DDPM", "#0072B2", "o", "--"),
    "ddim": Look("DDIM", "#56B4E9", "s", "--"),
    "dpm++2m": Look("DPM-Solver++(2M)", "#009E73", "D", "--"),
    "ald": Look("ALD", "#7F7F7F", "x", "--"),
    "rtk-ula": Look("RTK-ULA", "#F0C24B", "^", "-"),
    "rtk-uld": Look("RTK-ULD", "#E69F00", "v", "-"),
    "rtk-uld-obabo": Look("RTK-ULD (OBABO)", "#B8860B", "8", "-"),
    "rtk-uld-ubu": Look("RTK-ULD (UBU)", "#8A7A2F", "X", "-"),
    "rtk-uld-baoab": Look("RTK-ULD (BAOAB)", "#5C5421", "|", "-"),
    "rtk-mala-taylor": Look("RTK-MALA (Taylor)", "#F08A5D", "<", "-"),
    "rtk-mala-trapezoid": Look("RTK-MALA (trapezoid)", "#D55E00", ">", "-"),
    "rtk-mala-simpson": Look("RTK-MALA (Simpson)", "#A83232", "P", "-"),
    "rtk-mala-gauss-1": Look("RTK-MALA (midpoint)", "#C9A88F", "p", "-"),
    "rtk-mala-gauss-2": Look("RTK-MALA (Gauss 2)", "#8B7500", "h", "-"),
    "rtk-mala-gauss-3": Look("RTK-MALA (Gauss 3)", "#B5651D", "d", "-"),
    "rtk-mala": Look("RTK-MALA (exact energy)", "#5E0B15", "*", "-"),
}
"""The look of every method of the experiments, by the name it has in results."""


def identifier(method: str) -> str:
    """The method in the name of a number, which has only letters, digits and underscores."""
    return "dpm_solver" if method == "dpm++2m" else method.replace("-", "_")


def look(method: str) -> Look:
    """The look of a method; ValueError for a name that has none."""
    if method not in METHODS:
        raise ValueError(f"no style for method {method!r}: known are {', '.join(METHODS)}")
    return METHODS[method]


def use() -> None:
    """Set matplotlib's parameters for all figures drawn after it."""
    sns.set_theme(
        context="paper",
        style="ticks",
        font="DejaVu Sans",
        rc={
            "font.size": 8,
            "axes.titlesize": 8,
            "axes.labelsize": 8,
            "legend.fontsize": 7,
            "xtick.labelsize": 7,
            "ytick.labelsize": 7,
            "axes.linewidth": 0.6,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "lines.linewidth": 1.0,
            "lines.markersize": 3.5,
            "legend.frameon": False,
            "figure.constrained_layout.use": True,
            "figure.figsize": (SINGLE, 2.4),
            "savefig.dpi": 300,
            # TrueType outlines, embedded: text stays text, and every journal takes it.
            "pdf.fonttype": 42,
            "ps.fonttype": 42,
        },
    )


def save(figure: Figure, pdf: str | Path) -> None:
    """Write `figure` to the file `pdf` and to a `.png` beside it, then close it.

    The files say neither when nor with what they were made: the same numbers give the same bytes.
    """
    pdf = Path(pdf)
    if pdf.suffix != ".pdf":
        raise ValueError(f"a figure is saved under a name that ends in .pdf, not {pdf.name!r}")
    with atomic(pdf) as unfinished:
        figure.savefig(unfinished, format="pdf", metadata={"CreationDate": None})
    with atomic(pdf.with_suffix(".png")) as unfinished:
        figure.savefig(unfinished, format="png", metadata={"Software": None})
    plt.close(figure)
