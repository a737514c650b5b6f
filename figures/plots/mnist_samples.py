"""C1: digits made by each sampler (columns) at each budget (rows), the first chains of each run."""

import matplotlib.pyplot as plt
import numpy as np

from experiments.workflow import job, results
from figures import style

ROWS, COLUMNS = 2, 4


def main() -> None:
    snakemake = job.start()
    style.use()
    params = snakemake.params
    figure, axes = plt.subplots(
        len(params.nfe),
        len(params.methods),
        figsize=(style.DOUBLE, 0.78 * len(params.nfe) + 0.3),
        squeeze=False,
    )
    for column, (method, path) in enumerate(
        zip(params.methods, snakemake.input.samples, strict=True)
    ):
        kept = results.read_arrays(path)
        for row, nfe in enumerate(params.nfe):
            panel = axes[row, column]
            digits = kept[f"nfe_{nfe}"][: ROWS * COLUMNS]
            tiles = digits.reshape(ROWS, COLUMNS, *digits.shape[1:]).swapaxes(1, 2)
            picture = tiles.reshape(ROWS * digits.shape[1], -1)
            panel.imshow(np.asarray(picture), cmap="gray", vmin=0, vmax=255, aspect="auto")
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
            if column == 0:
                panel.set_ylabel(f"NFE {nfe}")
            if row == 0:
                panel.set_title(style.look(method).label.replace(" (", "\n("), fontsize=7)
    style.save(figure, snakemake.output.pdf)


if __name__ == "__main__":
    main()
