"""C1: distance of generated digits to the test images against NFE, in a classifier's features."""

import matplotlib.pyplot as plt

from experiments.workflow import job, results
from figures import style

PANELS = {
    "frechet_distance": "Fréchet distance\n(RTK-MNIST-CNN features)",
    "precision": "precision",
    "recall": "recall",
}


def main() -> None:
    snakemake = job.start()
    style.use()
    frame = results.read(*snakemake.input.results)
    floor = results.read(snakemake.input.floor).set_index("metric")["value"]
    figure, axes = plt.subplots(1, len(PANELS), figsize=(style.DOUBLE, 2.6))
    for panel, (metric, label) in zip(axes, PANELS.items(), strict=True):
        chosen = frame[frame["metric"] == metric]
        for method in style.METHODS:
            part = chosen[chosen["method"] == method].sort_values("nfe")
            if len(part):
                panel.errorbar(
                    part["nfe"], part["value"], part["standard_error"], **style.look(method).line
                )
        panel.axhline(
            floor[metric], color=style.look("exact").color, lw=0.8, ls=":", label="training images"
        )
        panel.set(xscale="log", xlabel="score evaluations (NFE)", ylabel=label)
        ticks = sorted(frame["nfe_asked"].unique())
        panel.set_xticks(ticks, [str(tick) for tick in ticks])
        panel.minorticks_off()
    axes[0].set_yscale("log")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    style.save(figure, snakemake.output.pdf)


if __name__ == "__main__":
    main()
