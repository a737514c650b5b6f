"""A1: coordinate 2 around one cluster, where a wrong width or a leftover of noise shows.

The window holds the highest cluster of the exact sample; densities are those of all kept samples.
"""

import matplotlib.pyplot as plt
import numpy as np

from experiments.workflow import job, results
from figures import style

SHOWN = ("ddpm", "dpmpp-2m", "rtk-ula", "rtk-uld", "rtk-mala")
HALF_WIDTH = 0.35
BINS = 28


def main() -> None:
    snakemake = job.start()
    style.use()
    params = snakemake.params
    exact = results.read_arrays(snakemake.input.exact)["exact"][:, 1]
    counts, edges = np.histogram(exact, 60)
    peak = int(np.argmax(np.where(edges[:-1] >= np.median(exact), counts, 0)))
    centre = float(edges[peak : peak + 2].mean())
    bins = np.linspace(centre - HALF_WIDTH, centre + HALF_WIDTH, BINS + 1)
    budgets = params.nfe[:1] if len(params.nfe) < 3 else [params.nfe[0], params.nfe[2]]
    figure, axes = plt.subplots(
        1, len(budgets), figsize=(style.DOUBLE, 2.4), sharey=True, squeeze=False
    )
    reference = np.histogram(exact, bins)[0] / (len(exact) * np.diff(bins))
    for panel, nfe in zip(axes[0], budgets, strict=True):
        panel.stairs(reference, bins, fill=True, color="0.85", label="exact sample")
        for method, path in zip(params.methods, snakemake.input.samples, strict=True):
            if method not in SHOWN:
                continue
            values = results.read_arrays(path)[f"nfe_{nfe}"][:, 1]
            density = np.histogram(values, bins)[0] / (len(values) * np.diff(bins))
            look = style.look(method)
            panel.stairs(density, bins, color=look.color, ls=look.linestyle, label=look.label)
        panel.set(xlabel=r"$x_2$", title=f"{params.target}, NFE {nfe}")
    axes[0, 0].set_ylabel("density")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center")
    style.save(figure, snakemake.output.pdf)


if __name__ == "__main__":
    main()
