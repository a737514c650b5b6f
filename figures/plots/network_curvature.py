"""B1: the curvature of the learned score of MNIST, against time.

Left: extreme eigenvalues of the symmetric part of its Jacobian. Middle: the length of a segment
that the theory allows. Right: the size of the antisymmetric part, which a true score lacks.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from figures import job, style


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study."""
    values = frame.pivot_table(index="t", columns="metric", values="value")
    errors = frame.pivot_table(index="t", columns="metric", values="standard_error")
    t = values.index.to_numpy()
    figure, axes = plt.subplots(1, 3, figsize=(style.DOUBLE, 2.4))
    axes[0].axhline(0.0, color="0.6", linewidth=0.6)
    axes[0].plot(t, values["largest"], "v-", color="#D55E00", label="largest")
    axes[0].plot(t, values["smallest"], "o-", color="#0072B2", label="smallest")
    axes[0].plot(t, 1.0 / np.expm1(-2.0 * t), ":", color="0.4", label=r"point mass, $-1/s_t^2$")
    axes[0].set(xscale="log", ylabel="eigenvalue, symmetric part")
    axes[0].set_yscale("symlog", linthresh=1.0)
    axes[0].set_yticks([-10000, -1000, -100, -10, -1, 0, 1, 10, 100, 1000])
    axes[0].set_ylim(-2e4, 3e3)
    axes[0].legend(loc="lower right", borderaxespad=0.0)
    axes[1].plot(t, values["eta_star"], "o-", color="#0072B2", label=r"$\eta^*(t)$")
    axes[1].plot(t, t, ":", color="0.4", label="$t$")
    axes[1].set(xscale="log", yscale="log", ylabel="length of the segment")
    axes[1].legend()
    axes[2].errorbar(t, values["antisymmetric"], errors["antisymmetric"], fmt="o-", color="#0072B2")
    axes[2].set(xscale="log", ylabel="antisymmetric part, relative", ylim=(0, None))
    for panel in axes:
        panel.set_xlabel("time $t$")
    return figure


if __name__ == "__main__":
    job.plot(draw)
