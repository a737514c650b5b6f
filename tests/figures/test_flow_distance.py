"""C4's figure, table and numbers, on invented distances."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from figures.plots import flow_distance as plot
from figures.tables import flow_distance as printed

DISTANCES = {
    # At NFE 5, 10 and 20; the calibrated flow is nearer, level within two errors, and farther.
    "ddim": [0.5, 0.4, 0.3],
    "dpm++2m": [0.4, 0.25, 0.1],
    "calibrated": [0.1, 0.2, 0.2],
}
ERROR = 0.02


def frame(*targets: str) -> pd.DataFrame:
    rows = [
        {"target": target, "method": method, "nfe_asked": nfe, "nfe": nfe, "value": value}
        for target in targets
        for method, values in DISTANCES.items()
        for nfe, value in zip((5, 10, 20), values, strict=True)
    ]
    rows += [
        {"target": t, "method": "exact", "nfe_asked": 0, "nfe": 0, "value": 0.01} for t in targets
    ]
    return pd.DataFrame(rows).assign(standard_error=ERROR, metric="flow_distance")


def test_the_calibrated_flow_stands_beside_the_best_rival() -> None:
    numbers = printed.numbers(frame("mnist", "cifar10"))
    assert numbers["cells"] == 6
    assert numbers["nearer"] == numbers["farther"] == 2
    assert numbers["ratio_median"] == pytest.approx(0.8)
    assert numbers["ratio_largest"] == pytest.approx(2.0)
    assert numbers["calibrated_5_mnist"] == 0.1
    assert numbers["dpm_solver_10_cifar10"] == 0.25
    assert numbers["solution_mnist"] == 0.01
    assert "ddim_20_mnist" not in numbers


def test_the_table_has_a_row_for_each_data_set_and_method() -> None:
    table = printed.table(frame("mnist", "cifar10")).set_index(["data", "method"])
    assert len(table) == 8
    assert table.loc[("mnist", "the flow with half the steps"), "NFE 20"] == "0.010 ± 0.020"
    assert table.loc[("cifar10", "DDIM"), "NFE 5"] == "0.500 ± 0.020"


def test_the_figure_shows_the_first_images_of_every_cell_and_the_flow() -> None:
    """Every picture is of one level, which says whose it is."""
    names = ["exact", *(f"{method}_{nfe}" for method in DISTANCES for nfe in (5, 10, 20))]
    kept = {name: np.full((6, 8, 8), k, np.uint8) for k, name in enumerate(names)}
    kept["exact"][4:] = 99  # beyond the first four, which are shown
    figure = plot.draw(frame("mnist"), {"mnist": kept})
    curves, *pictures = figure.axes
    levels = [{*np.asarray(panel.images[0].get_array()).flat} for panel in pictures]
    shown = [panel.get_title() for panel in pictures[:4]]
    methods = ["ddim", "dpm++2m", "calibrated"]
    expected = [{names.index(f"{method}_{nfe}")} for nfe in (5, 10, 20) for method in methods]
    for k in (3, 7, 11):
        expected.insert(k, {0})
    assert levels == expected
    assert shown[-1] == "the flow"
    assert len(curves.lines) >= 4
    plt.close(figure)
