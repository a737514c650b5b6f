"""The look of all figures: print widths, embedded fonts, and one line style for each method.

Baselines are dashed in cool colours. RTK samplers are solid in warm colours, and the adjusted ones
darken with the accuracy of their energies. Each method has a marker of its own, so that colour is
never the only difference. The hues of the main methods are those of Okabe and Ito (2008).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from experiments.workflow.results import atomic

SINGLE = 3.3
"""Width of a figure in one column of print, in inches."""
DOUBLE = 6.8
"""Width of a figure across the page, in inches."""

FACTORS = {1.0: (1, 2, 5), 0.5: (1, 2, 3, 5, 7), 0.0: tuple(range(1, 10))}
"""The labelled multiples of powers of ten, for a logarithmic axis of more decades than the key."""


@dataclass(frozen=True)
class Look:
    """How a method appears in legends and plots."""

    label: str
    color: str
    marker: str
    linestyle: str

    @property
    def heading(self) -> str:
        """The label, broken into lines for the title of a narrow panel."""
        label = self.label.replace(" (", "\n(").replace("++(", "++\n(").replace("SDE-", "SDE-\n")
        return label.replace("calibrated ", "calibrated\n")

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
    "ddpm-log-snr": Look("DDPM, log-SNR grid", "#1A3CFF", "$D$", "--"),
    "ddim-log-snr": Look("DDIM, log-SNR grid", "#7FE0D8", "$d$", "--"),
    "dpum": Look("DPUM", "#3F7F93", "$O$", "--"),
    "dpm++2m": Look("DPM-Solver++(2M)", "#009E73", "D", "--"),
    "dpm-v3": Look("DPM-Solver-v3", "#004B6B", "$3$", "--"),
    "dpm++3m": Look("DPM-Solver++(3M)", "#0B5D4E", "3", "--"),
    "unipc-2": Look("UniPC-2", "#6A8FD8", "4", "--"),
    "unipc-3": Look("UniPC-3", "#1F2F8F", "+", "--"),
    "heun": Look("Heun (EDM)", "#A9C6E8", "_", "--"),
    "restart": Look("Restart", "#4B0E6E", "$R$", "--"),
    "er-sde": Look("ER-SDE-Solver-3", "#B58BE0", "$E$", "--"),
    "analytic-ddpm": Look("Analytic-DDPM", "#B03A9E", "$A$", "--"),
    "gits": Look("GITS", "#7B5EA7", "1", "--"),
    "optimised-steps": Look("optimised time steps", "#00C2C7", "2", "--"),
    "dpm++2m-sde": Look("SDE-DPM-Solver++(2M)", "#3A4A52", "H", "--"),
    "ald": Look("ALD", "#7F7F7F", "x", "--"),
    "rtk-ula": Look("RTK-ULA", "#8C8C12", "^", "-"),
    "rtk-lm": Look("RTK-LM", "#FF0E30", "$L$", "-"),
    "rtk-uld": Look("RTK-ULD", "#E69F00", "v", "-"),
    "rtk-uld-obabo": Look("RTK-ULD (OBABO)", "#A8661C", "8", "-"),
    "rtk-uld-ubu": Look("RTK-ULD (UBU)", "#5A4A10", "X", "-"),
    "rtk-uld-baoab": Look("RTK-ULD (BAOAB)", "#CDB38B", "|", "-"),
    "rtk-uld-midpoint": Look("RTK-ULD (randomized midpoint)", "#A16256", "$M$", "-"),
    "rtk-hmc": Look("RTK-HMC", "#FD6F59", "$H$", "-"),
    "rtk-ghmc": Look("RTK-GHMC", "#AE0A02", "$G$", "-"),
    "rtk-mala-taylor": Look("RTK-MALA (Taylor)", "#F4A582", "<", "-"),
    "rtk-mala-trapezoid": Look("RTK-MALA (trapezoid)", "#D55E00", ">", "-"),
    "rtk-mala-simpson": Look("RTK-MALA (Simpson)", "#B2323F", "P", "-"),
    "rtk-mala-gauss-1": Look("RTK-MALA (midpoint)", "#B7A59A", "p", "-"),
    "rtk-mala-gauss-2": Look("RTK-MALA (Gauss 2)", "#3F5200", "h", "-"),
    "rtk-mala-gauss-3": Look("RTK-MALA (Gauss 3)", "#E2C400", "d", "-"),
    "rtk-mala": Look("RTK-MALA (exact energy)", "#5E0B15", "*", "-"),
    "calibrated": Look("calibrated flow", "#8E0FB5", "$C$", "-"),
    "rtk": Look("calibrated RTK", "#E6007A", ".", "-"),
}
"""The look of every method, by the name that it has in results."""
CALIBRATED = ("calibrated", "rtk")
"""The methods that are calibrated once for a score, and then used at all numbers of scores."""


COLOURS = "4C72B0 DD8452 55A868 C44E52 8172B3 937860 DA8BC3 8C8C8C CCB974 64B5CD"
THEME: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": ".15",
    "axes.labelcolor": ".15",
    "axes.prop_cycle": cycler("color", [f"#{colour}" for colour in COLOURS.split()]),
    "font.sans-serif": [
        *("Arial", "DejaVu Sans", "Liberation Sans", "Bitstream Vera Sans", "sans-serif")
    ],
    "grid.color": ".8",
    "legend.title_fontsize": 9.6,
    "lines.solid_capstyle": "round",
    "patch.edgecolor": "w",
    "patch.force_edgecolor": True,
    "patch.linewidth": 0.8,
    "text.color": ".15",
    "xtick.color": ".15",
    "xtick.major.size": 4.8,
    "xtick.minor.size": 3.2,
    "xtick.minor.width": 0.8,
    "ytick.color": ".15",
    "ytick.major.size": 4.8,
    "ytick.minor.size": 3.2,
    "ytick.minor.width": 0.8,
}
"""Seaborn's theme, ``set_theme(context="paper", style="ticks")``, where `OWN` does not change it.
It is copied, since loading seaborn takes a second in each job; a test compares the two."""
OWN: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
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
}
"""Our own parameters of matplotlib."""


def identifier(method: str) -> str:
    """The method in the name of a number, which has only letters, digits and underscores."""
    names = {"dpm++2m": "dpm_solver", "dpm++3m": "dpm_solver_3m", "dpm++2m-sde": "dpm_solver_sde"}
    return names.get(method, method.replace("-", "_"))


def look(method: str) -> Look:
    """The look of a method.

    Raises:
        ValueError: if there is no method of that name; the message lists those that there are.
    """
    if method not in METHODS:
        raise ValueError(f"no style for method {method!r}: the methods are {', '.join(METHODS)}")
    return METHODS[method]


def use() -> None:
    """Set the parameters of matplotlib for all figures that are drawn afterwards."""
    plt.rcParams.update(THEME | OWN)


def save(figure: Figure, pdf: str | Path) -> None:
    """Write a figure to the file ``pdf`` and to a `.png` file beside it, then close the figure.

    The labels of logarithmic axes are set by `label_log_axes`. The files do not say when or with
    which program they were made, so the same numbers give the same bytes.

    Raises:
        ValueError: if the name of the file does not end in `.pdf`.
    """
    pdf = Path(pdf)
    if pdf.suffix != ".pdf":
        raise ValueError(f"a figure is saved under a name that ends in .pdf, not {pdf.name!r}")
    label_log_axes(figure)
    with atomic(pdf) as unfinished:
        figure.savefig(unfinished, format="pdf", metadata={"CreationDate": None})
    figure.set_layout_engine("none")  # the layout is made, and takes as long as a file
    with atomic(pdf.with_suffix(".png")) as unfinished:
        figure.savefig(unfinished, format="png", metadata={"Software": None})
    plt.close(figure)


def label_log_axes(figure: Figure) -> None:
    """Give the logarithmic axes of a figure labels that can be read and do not overlap.

    An axis of less than two decades is labelled with decimals at the multiples of powers of ten
    that `FACTORS` has for its length. A longer axis keeps the powers of ten as its only labels. An
    axis whose ticks were placed one by one stays as it is, and so does an axis whose base is not
    ten.
    """
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            locator = axis.get_major_locator()
            if axis.get_scale() != "log" or isinstance(locator, FixedLocator):
                continue
            if getattr(axis.get_transform(), "base", None) != 10:
                continue
            axis.set_minor_formatter(NullFormatter())
            low, high = sorted(axis.get_view_interval())
            decades = np.log10(high / low)
            if decades < 2.0:
                factors = next(
                    factors for shortest, factors in FACTORS.items() if decades > shortest
                )
                axis.set_major_locator(LogLocator(subs=factors))
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
