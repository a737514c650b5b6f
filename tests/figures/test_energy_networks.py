"""C3: the figure and the table show each network's errors, and the numbers are the rows'."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer

from figures.plots import energy_networks as plot
from figures.tables import energy_networks as printed


def frame() -> pd.DataFrame:
    """Errors 1, 2 and 3 for the score network, 10 times as large for the energy network."""
    rows: list[dict[str, object]] = []
    for target, metric in (("circle", "mode_error"), ("mnist", "frechet_distance")):
        for factor, network in ((1.0, "score"), (10.0, "energy")):
            common = {"target": target, "network": network}
            for k, method in enumerate(("rtk-ula", "rtk-mala-trapezoid", "rtk-mala"), 1):
                if (network, method) == ("score", "rtk-mala"):
                    continue
                for nfe in (40, 80):
                    run = {**common, "part": "samples", "method": method, "nfe_asked": nfe}
                    values = {"value": factor * k * 40 / nfe, "standard_error": 0.1}
                    others = {"seconds": 2.0 + factor, "acceptance": math.nan if k == 1 else 0.5}
                    rows += [
                        {**run, "metric": metric, **values, **others},
                        {**run, "metric": "recall", "value": 99.0, **others},
                    ]
            about = {**common, "part": "networks", "method": f"{network}-network", "nfe_asked": 0}
            rows += [{**about, "metric": "antisymmetric", "t": t, "value": t} for t in (0.1, 1.0)]
            rows += [
                {**about, "metric": "denoising_loss", "sigma": s, "value": s} for s in (0.5, 2.0)
            ]
    return pd.DataFrame(rows)


def test_numbers_are_those_of_the_least_and_the_most_evaluations() -> None:
    found = printed.numbers(frame())
    assert found["nfe_least_mnist"] == 40
    assert found["nfe_most_circle"] == 80
    assert found["time_ratio_mnist"] == pytest.approx(12.0 / 3.0)
    assert found["error_rtk_ula_least_score_circle"] == 1.0
    assert found["error_rtk_mala_trapezoid_most_energy_mnist"] == 10.0
    assert found["acceptance_rtk_mala_most_energy_circle"] == 0.5
    assert found["antisymmetric_score_mnist"] == 0.1
    assert found["denoising_loss_energy_circle"] == 0.5
    assert "error_rtk_mala_most_score_circle" not in found
    assert "acceptance_rtk_ula_most_score_circle" not in found
    assert all(math.isfinite(value) for value in found.values())


def test_table_has_a_row_for_each_network() -> None:
    table = printed.table(frame()).set_index(["target", "score"])
    assert table.loc[("circle", "energy network"), "RTK-ULA"] == "5 ± 0.1"
    assert table.loc[("mnist", "score network"), "RTK-MALA (exact energy)"] == "–"
    assert table.loc[("circle", "score network"), "error of score"] == "–"
    assert len(table) == 4


def test_figure_has_a_point_for_each_error() -> None:
    figure = plot.draw(frame())
    left, right = figure.axes[:2]
    assert left.get_title() == "circle, NFE 40"
    assert right.get_title() == "circle, NFE 80"
    points = {
        drawn.get_label(): np.asarray(drawn.lines[0].get_xdata()).tolist()
        for drawn in right.containers
        if isinstance(drawn, ErrorbarContainer)
    }
    assert points["score network"] == [0.5, 1.0]
    assert points["energy network"] == pytest.approx([5.0, 10.0, 15.0])
    assert figure.axes[2].get_xlabel() == "Fréchet distance"
    plt.close(figure)
