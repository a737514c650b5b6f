"""A1: marginal accuracy against NFE, in the published definition."""

from experiments import job, results
from figures import mixture_curves, style


def main() -> None:
    snakemake = job.start()
    style.use()
    figure = mixture_curves.curves(
        results.read(*snakemake.input.results),
        results.read(*snakemake.input.floor),
        "halved_marginal_accuracy",
        r"marginal accuracy $1-\frac{1}{2}\,\overline{\mathrm{TV}}$",
    )
    style.save(figure, snakemake.output.pdf)


if __name__ == "__main__":
    main()
