"""Samplers on mixtures of images: what counts as right, on invented errors."""

import itertools
import json
import math

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from figures.analysis.exact_images import first_right, floor_of, right, scatter_of_radius
from figures.plots import exact_images as plot
from figures.tables import exact_images as printed

TARGETS = ("mnist", "fashion_mnist")
METHODS = ("ddpm", "dpm++2m", "rtk-mala", "calibrated")
FLOORS = {
    "radius": 1.0,
    "radius_w1": 0.004,
    "class_tv": 0.07,
    "frechet_distance": 8.0,
    "kernel_distance": 0.1,
}
ERROR = 0.01


def rows(part: str, method: str, nfe: int, **values: float) -> list[dict[str, object]]:
    """One run on every target, with the values of exact samples where no other is given."""
    segments = int(values.pop("segments", 3))
    step = values.pop("step", math.nan)
    common = {"part": part, "method": method, "nfe_asked": nfe, "segments": segments, "step": step}
    common |= {"dimension": 800, "images": 10, "chains": 40, "width": 0.1}
    common |= {"last_acceptance": 0.02 if method == "rtk-mala" else math.nan}
    common |= {"settings": json.dumps({"step": str(step)})}
    return [
        {**common, "target": target, "metric": metric, "standard_error": ERROR}
        | {"value": values.get(metric, FLOORS[metric])}
        for target, metric in itertools.product(TARGETS, FLOORS)
    ]


def frame(*more: dict[str, object], **of_ddpm_at_20: float) -> pd.DataFrame:
    """All methods are wrong at NFE 5 and 10; all are exact at 20 and 40 but DDPM as given at 20."""
    table = [*more, *rows("exact", "exact", 0)]
    for method, nfe in itertools.product(METHODS, (5, 10, 20, 40)):
        values = {"radius_w1": 0.5} if nfe <= 10 else {}
        if (method, nfe) == ("ddpm", 20):
            values = of_ddpm_at_20
        table += rows("methods", method, nfe, **values)
    return pd.DataFrame(table)


def sweep() -> list[dict[str, object]]:
    """RTK-ULD has one class with one segment, is right with 5 and has wrong radii with 19."""
    table = []
    for segments, values in ((1, {"class_tv": 0.8}), (5, {}), (19, {"radius_w1": 0.3})):
        table += rows("segments", "rtk-uld", 40, segments=segments, **values)
        table += rows("segments", "rtk-uld", 40, segments=segments, step=1.5, radius_w1=0.4)
    return [row for row in table if row["target"] == "mnist"]


def learned() -> pd.DataFrame:
    values = {"exact": 3.0, "ddpm": 30.0, "dpm++2m": 40.0, "calibrated": 50.0}
    return pd.DataFrame(
        {
            "target": target,
            "method": method,
            "nfe_asked": nfe,
            "metric": "frechet_distance",
            "value": value + (nfe == 10),
            "standard_error": 1.0,
        }
        for target in TARGETS
        for method, value in values.items()
        for nfe in ((0,) if method == "exact" else (5, 10, 40))
    )


def test_scatter_of_radius() -> None:
    assert scatter_of_radius(800) == 0.05


def test_the_floor_is_that_of_exact_samples() -> None:
    assert floor_of(frame(), "mnist", "class_tv") == 0.07


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, 20),
        ({"radius_w1": 0.049}, 20),
        ({"radius_w1": 0.051}, 40),
        # Two standard errors of the difference are .0283.
        ({"class_tv": 0.098}, 20),
        ({"class_tv": 0.099}, 40),
        # The distances in features do not decide.
        ({"frechet_distance": 100.0}, 20),
    ],
)
def test_radii_and_classes_decide_what_is_right(values: dict[str, float], expected: int) -> None:
    first = first_right(frame(**values), "mnist")
    assert first == {"ddpm": expected, "dpm++2m": 20, "rtk-mala": 20, "calibrated": 20}


def test_a_method_that_is_never_right_has_no_number() -> None:
    table = frame()
    table.loc[(table["method"] == "ddpm") & (table["metric"] == "class_tv"), "value"] = 0.5
    assert first_right(table, "mnist")["ddpm"] == 0
    numbers = printed.of_methods(table, "mnist")
    assert numbers["right_at_some"] == 3
    assert numbers["methods"] == 4
    assert numbers["first_right_dpm_solver"] == 20
    assert numbers["last_acceptance_rtk_mala_most"] == 0.02


def test_runs_of_the_sweep_are_right_or_wrong() -> None:
    table = pd.DataFrame([*sweep(), *rows("exact", "exact", 0)])
    part = table[table["part"] == "segments"]
    assert right(part, table, "mnist").groupby("segments").sum().to_dict() == {1: 0, 5: 1, 19: 0}


def test_numbers_of_the_sweep() -> None:
    numbers = printed.numbers(frame(*sweep()), learned())
    assert numbers["segments_runs"] == 6
    assert numbers["segments_right"] == 1
    assert numbers["best_segments_rtk_uld"] == 5
    assert numbers["least_class_tv_rtk_uld"] == 0.8
    assert numbers["most_radius_w1_rtk_uld"] == 0.3
    assert numbers["best_radius_w1_rtk_uld_wide"] == 0.4


def test_excess_beside_a_learned_score() -> None:
    """Each experiment has its own floor; at 10 the learned distances are larger by one."""
    table = frame(*sweep())
    chosen = (table["method"] == "ddpm") & (table["nfe_asked"] == 10)
    table.loc[chosen & (table["metric"] == "frechet_distance"), "value"] = 12.5
    numbers = printed.numbers(table, learned())
    assert numbers["excess_exact_ddpm_10_mnist"] == 4.5
    assert numbers["excess_learned_ddpm_10_mnist"] == 28.0
    assert numbers["excess_exact_dpm_solver_40_fashion_mnist"] == 0.0
    # The learned excesses are 27, 37 and 47, the exact ones 0. The errors are those of the two
    # floors and thirds of those of three methods with each score.
    assert numbers["network_adds_mnist"] == pytest.approx(37.0)
    error = math.sqrt(0.01**2 + 1.0**2 + (3 * 0.01**2 + 3 * 1.0**2) / 9.0)
    assert numbers["network_adds_error_mnist"] == pytest.approx(error)
    assert numbers["excess_learned_dpm_solver_40_fashion_mnist"] == 37.0


def test_printed_table() -> None:
    """Means over two equal targets are the values."""
    table = printed.table(frame(*sweep()), learned())
    assert table["method"].tolist()[:2] == ["exact sample", "DDPM"]
    exact, ddpm = table.iloc[0], table.iloc[1]
    assert exact["NFE 10"] == pytest.approx(0.004)
    assert ddpm["NFE 10"] == pytest.approx(0.5)
    assert ddpm["class TV, NFE 10"] == pytest.approx(0.07)
    assert ddpm["Fréchet / floor, NFE 10"] == pytest.approx(1.0)
    assert ddpm["kernel, NFE 10"] == pytest.approx(0.1)
    assert len(table) == 1 + len(METHODS)


def test_figure_of_a_collection_without_features() -> None:
    """A user's folder has no classifier, so its panel of the Fréchet distance stays empty."""
    table = frame(*sweep())
    has = (table["target"] == "mnist") | ~table["metric"].str.endswith("distance")
    figure = plot.draw(table[has], {"mnist": "MNIST", "fashion_mnist": "my folder"})
    used = [panel.axison for panel in figure.axes]
    plt.close(figure)
    assert used == [True] * 4 + [True, True, False, True]
