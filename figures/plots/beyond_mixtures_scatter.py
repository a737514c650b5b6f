"""B8: the first two coordinates of samples, targets in rows and samplers in columns."""

import matplotlib.pyplot as plt

from experiments.workflow import job, results
from figures import style
from figures.plots.beyond_mixtures import PANELS

# Half-widths of the windows: x_1 and x_2.
WINDOWS = {"funnel": (10.0, 20.0), "many_well": (3.0, 3.0), "rings": (4.0, 4.0)}
WINDOWS["student"] = (8.0, 8.0)


def main() -> None:
    snakemake = job.start()
    style.use()
    samples = [results.read_arrays(path) for path in snakemake.input.samples]
    methods = [method for method in style.METHODS if method in samples[0]]
    figure, axes = plt.subplots(
        len(samples), len(methods), figsize=(style.DOUBLE, 1.02 * len(samples) + 0.3), squeeze=False
    )
    for row, target, sample in zip(axes, snakemake.params.targets, samples, strict=True):
        wide, high = WINDOWS[target]
        for panel, method in zip(row, methods, strict=True):
            color = style.look(method).color
            panel.scatter(*sample[method].T, s=0.5, color=color, linewidths=0, rasterized=True)
            panel.set(xlim=(-wide, wide), ylim=(-high, high), xticks=[], yticks=[])
        row[0].set_ylabel(PANELS[target][0])
    for panel, method in zip(axes[0], methods, strict=True):
        panel.set_title(style.look(method).label.replace(" (", "\n("))
        panel.title.set_fontsize(6.5)
    style.save(figure, snakemake.output.pdf)


if __name__ == "__main__":
    main()
