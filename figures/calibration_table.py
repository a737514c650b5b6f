"""A1: our numbers on `circle` beside those of a prototype and of the published curves.

Published values are read off the paper's figure 2 and its public settings, so are orientation.
"""

import pandas as pd

from experiments import job, results

TARGET = "circle"
METRIC = "halved_marginal_accuracy"
# method, NFE, prototype's value, published value
EXPECTED = [
    ("exact", 0, 0.994, None),
    ("ddpm", 25, None, 0.746),
    ("ddpm", 105, None, 0.767),
    ("ddpm", 205, 0.795, 0.793),
    ("ddpm", 505, 0.857, 0.856),
    ("dpmpp-2m", 25, 0.989, None),
    ("rtk-ula", 25, None, 0.945),
    ("rtk-ula", 505, None, 0.958),
    ("rtk-uld", 25, None, 0.938),
    ("rtk-uld", 505, None, 0.985),
    ("rtk-mala-taylor", 25, None, 0.941),
    ("rtk-mala-taylor", 505, None, 0.972),
    ("rtk-mala", 25, None, 0.936),
    ("rtk-mala", 505, None, 0.991),
]


def main() -> None:
    snakemake = job.start()
    frame = results.read(*snakemake.input.results, *snakemake.input.floor)
    frame = frame[(frame["target"] == TARGET) & (frame["metric"] == METRIC)]
    measured = frame.set_index(["method", "nfe_asked"])
    expected = pd.DataFrame(EXPECTED, columns=["method", "nfe_asked", "prototype", "published"])
    expected = expected.set_index(["method", "nfe_asked"])
    table = expected.join(measured[["nfe", "value", "standard_error"]], how="inner")
    table = table.rename(columns={"value": "measured"}).reset_index()
    results.write_csv(table, snakemake.output.table)


if __name__ == "__main__":
    main()
