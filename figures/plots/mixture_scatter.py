"""A1: the first two coordinates of samples, samplers in columns and budgets in rows."""

import matplotlib.pyplot as plt

from experiments.workflow import job, results
from figures import style

SHOWN = ("ddpm", "ddim", "dpmpp-2m", "rtk-uld", "rtk-mala")
POINTS = 2500
WINDOW = 1.5


def main() -> None:
    snakemake = job.start()
    style.use()
    params = snakemake.params
    kept = {
        method: results.read_arrays(path)
        for method, path in zip(params.methods, snakemake.input.samples, strict=True)
        if method in SHOWN
    }
    exact = results.read_arrays(snakemake.input.exact)["exact"]
    budgets = params.nfe[:1] if len(params.nfe) < 3 else [params.nfe[0], params.nfe[2]]
    columns = ["exact", *(method for method in SHOWN if method in kept)]
    figure, axes = plt.subplots(
        len(budgets),
        len(columns),
        figsize=(style.DOUBLE, 1.2 * len(budgets) + 0.2),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for row, nfe in zip(axes, budgets, strict=True):
        for panel, method in zip(row, columns, strict=True):
            points = exact if method == "exact" else kept[method][f"nfe_{nfe}"]
            look = style.look(method)
            panel.scatter(
                *points[:POINTS].T, s=0.4, color=look.color, linewidths=0, rasterized=True
            )
            panel.set(xlim=(-WINDOW, WINDOW), ylim=(-WINDOW, WINDOW), aspect="equal")
            panel.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1])
        row[0].set_ylabel(f"NFE {nfe}")
    for panel, method in zip(axes[0], columns, strict=True):
        panel.set_title(style.look(method).label.replace(" (", "\n("), fontsize=7)
    style.save(figure, snakemake.output.pdf)


if __name__ == "__main__":
    main()
