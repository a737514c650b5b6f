"""A1: Sinkhorn cost of the first two coordinates against NFE."""

from experiments import job, results
from figures import mixture_curves, style


def main() -> None:
    snakemake = job.start()
    style.use()
    figure = mixture_curves.curves(
        results.read(*snakemake.input.results),
        results.read(*snakemake.input.floor),
        "sinkhorn",
        "Sinkhorn cost (coordinates 1, 2)",
    )
    for panel in figure.axes:
        panel.set_yscale("log")
    style.save(figure, snakemake.output.pdf)


if __name__ == "__main__":
    main()
