"""Tables that are made from results: when a method counts as ahead, and what the jobs took."""

import numpy as np
import pandas as pd
import pytest

from figures import style
from figures.analysis import published
from figures.tables import calibration as calibration_table
from figures.tables import compute as compute_table
from figures.tables import images as images_table
from figures.tables import images_published, mixture_order, mixture_steps
from figures.tables import mixtures as mixtures_table

METHODS = [*mixtures_table.RTK, "ddpm", "ddim", "dpm++2m", "ddpm-log-snr"]


def mixtures(better: str, by: float, error: float = 0.01) -> pd.DataFrame:
    """Equal values of all methods on one target at two NFE, except that one is better by ``by``."""
    return pd.DataFrame(
        {
            "target": "circle",
            "method": method,
            "nfe_asked": nfe,
            "metric": metric,
            "value": 0.5 + by * (method == better),
            "standard_error": error,
        }
        for method in METHODS
        for nfe in (25, 55)
        for metric in (mixtures_table.ACCURACY, mixtures_table.WEIGHTS)
    )


def test_higher_accuracy_is_ahead() -> None:
    numbers = mixtures_table.numbers(mixtures("rtk-mala", 0.2))
    assert numbers["cells"] == 2
    assert numbers["mala_above_ddpm"] == numbers["rtk_above_dpm_solver"] == 2
    assert numbers["mala_above_uld_at_most"] == numbers["targets"] == 1
    assert numbers["uld_above_ddpm"] == numbers["dpm_solver_above_all_rtk"] == 0
    assert numbers["taylor_behind_mala_largest"] == pytest.approx(0.2)
    assert mixtures_table.numbers(mixtures("dpm++2m", 0.2))["dpm_solver_above_all_rtk"] == 2


def test_lower_accuracy_is_not_ahead() -> None:
    numbers = mixtures_table.numbers(mixtures("rtk-mala", -0.2))
    assert numbers["mala_above_ddpm"] == numbers["mala_above_uld_at_most"] == 0


def test_two_standard_errors_of_the_difference_decide() -> None:
    """Two values have the standard error .01, so their difference has .0141."""
    assert mixtures_table.numbers(mixtures("rtk-mala", 0.027))["mala_above_ddpm"] == 0
    assert mixtures_table.numbers(mixtures("rtk-mala", 0.029))["mala_above_ddpm"] == 2


def test_equal_inner_steps() -> None:
    """In 5 segments 25 exact scores make 4 steps each, and 55 with Taylor's energies make 5."""
    frame = mixtures("rtk-mala", 0.0)
    for method, nfe, value in (("rtk-mala", 25, 0.8), ("rtk-mala-taylor", 55, 0.7)):
        frame.loc[(frame["method"] == method) & (frame["nfe_asked"] == nfe), "value"] = value
    numbers = mixtures_table.numbers(frame)
    assert numbers["taylor_behind_mala_at_equal_steps"] == pytest.approx(0.1)
    assert numbers["taylor_behind_mala_largest"] == pytest.approx(0.3)


def runs_of_mixtures(shift: float) -> pd.DataFrame:
    """RTK-MALA above all others by ``shift`` in five runs, but not in the third of one case."""
    return pd.DataFrame(
        {
            "target": target,
            "method": method,
            "nfe_asked": nfe,
            "metric": f"{mixture_order.RUN}{k}",
            "value": 0.5
            + 0.001 * ((7 * k + len(method)) % 5)
            + shift * (method == "rtk-mala") * (1 - 2 * ((target, nfe, k) == ("spiral", 55, 3))),
            "standard_error": 0.01,
        }
        for method in METHODS
        for target in ("circle", "spiral")
        for nfe in (25, 55)
        for k in range(1, 6)
    )


def test_order_between_runs() -> None:
    """One bad run hides one case, which is decided as soon as that run is left out."""
    frame = runs_of_mixtures(0.1)
    whole = frame[frame["metric"] == f"{mixture_order.RUN}1"].assign(
        metric=mixture_order.ACCURACY, standard_error=0.001
    )
    numbers = mixture_order.numbers(pd.concat([frame, whole]))
    assert numbers["mala_above_ddpm_cases"] == 4
    assert numbers["mala_above_ddpm"] == numbers["mala_above_ddpm_least"] == 3
    assert numbers["mala_above_ddpm_largest"] == 4
    assert numbers["mala_above_uld_at_most_cases"] == 2
    assert numbers["mala_above_uld_at_most"] == 1
    assert numbers["dpm_solver_above_mala"] == numbers["dpm_solver_above_mala_largest"] == 0
    assert numbers["runs"] == 5
    # Five equally likely values 0 ... 4 thousandths have the variance 2, or 2.5 with n - 1.
    assert numbers["spread_ratio_median"] == pytest.approx((2.5 / 5) ** 0.5)


def test_printed_order() -> None:
    table = mixture_order.table(runs_of_mixtures(0.1))
    first = table.iloc[0]
    assert (first["ahead"], first["of"]) == ("RTK-MALA (exact energy)", "DDPM")
    assert (first["cases"], first["decided so"], first["one run left out"]) == (4, 3, "3–4")


def test_share_of_the_grid() -> None:
    """RTK-MALA is .2 above DDPM, which makes up .05 or .15 of it on the other grid."""
    frame = mixtures("rtk-mala", 0.2)
    for nfe, value in ((25, 0.55), (55, 0.65)):
        frame.loc[(frame["method"] == "ddpm-log-snr") & (frame["nfe_asked"] == nfe), "value"] = (
            value
        )
    numbers = mixtures_table.numbers(frame)
    assert numbers["grid_share_least"] == pytest.approx(0.25)
    assert numbers["grid_share_largest"] == pytest.approx(0.75)
    assert numbers["mala_above_ddpm_log_snr"] == 2
    assert numbers["ddpm_log_snr_above_mala"] == 0


def test_differences_from_published_values() -> None:
    """On `circle` DDPM is published with .746 at 25; at 55 there is no published value."""
    frame = mixtures("ddpm", 0.241)
    compared = published.compared(frame)
    ddpm = compared[compared["method"] == "ddpm"]
    assert ddpm["difference"].tolist() == pytest.approx([-0.005])
    numbers = calibration_table.numbers(frame)
    assert numbers["compared"] == 5
    assert numbers["notable"] == 4
    assert numbers["gap_rtk_mala_largest"] == pytest.approx(0.5 - 0.936)
    printed = calibration_table.table(frame).set_index("method").loc["DDPM"]
    assert list(printed[["NFE 25, published", "NFE 25, ours"]]) == ["0.746", "0.741"]


def test_printed_mixtures() -> None:
    table = mixtures_table.table(mixtures("rtk-mala", 0.2))
    assert list(table.columns) == [
        "method",
        "circle, NFE 25",
        "circle, NFE 55",
        "circle, weights",
    ]
    shown = [method for method in style.METHODS if method in METHODS]
    assert table["method"].tolist() == [style.look(method).label for method in shown]


def distances(lower: str, by: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": method,
            "nfe_asked": nfe,
            "metric": metric,
            "value": 30.0 - by * (method == lower),
            "standard_error": 1.0,
            "calibration_rows": 0 if method != "rtk" else 700,
        }
        for method in ("ddpm", "dpm++2m", "rtk-uld", "rtk-mala-trapezoid", "rtk")
        for nfe in (5, 10)
        for metric in (*images_table.METRICS, "copying")
    )


@pytest.mark.parametrize(("by", "below", "above"), [(5.0, 2, 0), (-5.0, 0, 2), (2.5, 0, 0)])
def test_lower_distance_is_ahead(by: float, below: int, above: int) -> None:
    floor = distances("", 0.0).iloc[: len(images_table.METRICS) + 1]
    numbers = images_table.numbers(distances("rtk-uld", by), floor)
    assert numbers["uld_below_ddpm"] == below
    assert numbers["ddpm_below_uld"] == above
    assert numbers["mala_below_ddpm"] == 0
    assert numbers["training_images"] == numbers["copying_floor"] == 30.0
    assert numbers["copying_most"] == 30.0 + max(0.0, -by)


def test_calibrated_samplers_are_set_beside_the_best_rival() -> None:
    """RTK-ULD is the best rival where low values are good, and the others where high ones are."""
    floor = distances("", 0.0).iloc[: len(images_table.METRICS) + 1]
    numbers = images_table.numbers(distances("rtk-uld", 4.0), floor)
    assert numbers["frechet_distance_rtk_10"] == 30.0
    assert numbers["frechet_distance_rivals"] == numbers["kernel_distance_rivals"] == 26.0
    assert numbers["precision_rivals"] == numbers["precision_ddpm_40"] == 30.0
    assert numbers["rows_rtk"] == 700
    assert numbers["rows_calibrated"] == 0


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("results/data/mixtures/circle/ddpm.parquet", "mixtures"),
        ("results/smoke/data/inner_chain.parquet", "inner_chain"),
        ("data/results/data/mnist/ddpm.npz", "mnist"),
    ],
)
def test_experiment_of_a_file(path: str, expected: str) -> None:
    assert compute_table.experiment(path) == expected


def test_short_experiments_share_the_last_row() -> None:
    """Minutes: a has 0.2 + 0.4, b 0.3 and c 0.1, so that b and c are below one half."""
    origins = pd.DataFrame(
        {"experiment": name, "wall_seconds": 60 * minutes, "peak_memory_mb": 9.0, "device": "cpu"}
        for name, minutes in (("b", 0.3), ("a", 0.2), ("c", 0.1), ("a", 0.4))
    )
    table = compute_table.table(origins).set_index("experiment")
    assert table.index.tolist() == ["a", compute_table.OTHERS]
    assert table["jobs"].tolist() == [2, 2]
    assert table["thread minutes"].tolist() == pytest.approx([0.6, 0.4])
    assert table["longest job (minutes)"].tolist() == pytest.approx([0.4, 0.3])


def test_best_step_in_hindsight() -> None:
    """The step with the highest accuracy is kept, with the weights of that step."""
    cases = {"method": "rtk-mala", "nfe_asked": 25}
    frame = pd.DataFrame(
        {"target": target, **cases, "metric": published.METRIC, "value": 0.9}
        for target in ("circle", "spiral")
    )
    steps = pd.DataFrame(
        {"target": target, **cases, "step_size": step, "metric": metric, "value": value}
        for target in ("circle", "spiral")
        for step, accuracy, weights in ((0.1, 0.93, 0.2), (0.2, 0.94, 0.6), (0.4, 0.92, 0.1))
        for metric, value in (
            (published.METRIC, accuracy),
            (mixture_steps.WEIGHTS, weights),
        )
    )
    numbers = mixture_steps.numbers(frame, steps)
    assert numbers["steps"] == 3
    assert numbers["compared"] == numbers["notable"] == 2
    assert numbers["notable_of_best"] == 1
    assert numbers["gap_circle_25_largest"] == pytest.approx(0.94 - 0.936)
    assert numbers["gap_spiral_25_least"] == pytest.approx(0.94 - 0.96)
    assert numbers["weights_least"] == numbers["weights_largest"] == 0.6
    assert [*mixture_steps.table(frame, steps)["step"]] == [0.2, 0.2]


def test_calibrated_methods_stand_beside_the_best_rival_at_each_number() -> None:
    """Rivals' best: 20 at 5 scores, 10 at 10 and 20. Ahead, level within two errors, behind."""
    value = pd.DataFrame(
        {"ddpm": [20.0, 30.0, 10.0], "ddim": [25.0, 10.0, 12.0], "rtk": [5.0, 12.0, 40.0]},
        index=[5, 10, 20],
    )
    error = pd.DataFrame({"ddpm": 3.0, "ddim": 1.0, "rtk": 4.0}, index=value.index)
    found = images_table.beside_the_best(value, error)
    assert found == {"rtk_ahead_of_all": 1.0, "rtk_behind_any": 1.0}
    value.loc[10, "rtk"] = 10.0 + 2.01 * np.hypot(1.0, 4.0)  # beyond the errors of ddim, not ddpm
    assert images_table.beside_the_best(value, error)["rtk_behind_any"] == 2.0
    value.loc[5, "rtk"] = 20.0 - 2.01 * np.hypot(
        1.0, 4.0
    )  # but within those of ddpm, the best here
    assert images_table.beside_the_best(value, error)["rtk_ahead_of_all"] == 0.0


def test_published_protocol_is_judged_against_ddpm_in_it() -> None:
    """DDPM has 50, 40 and 30. Two errors of a difference are 2.8, so 28 is not ahead of 30."""
    values = {"ddpm": [50.0, 40.0, 30.0], "rtk-uld": [20.0, 45.0, 28.0]}
    values["rtk-mala-trapezoid"] = [20.0, 30.0, 20.0]
    frame = pd.DataFrame(
        {"method": method, "nfe_asked": nfe, "value": value, "metric": "frechet_distance"}
        for method, column in values.items()
        for nfe, value in zip((5, 10, 40), column, strict=True)
    ).assign(standard_error=1.0)
    tuned = frame.assign(value=frame["value"] - 5.0)
    numbers = images_published.numbers(tuned, frame)
    assert (numbers["cells"], numbers["uld_below_ddpm"], numbers["ddpm_below_uld"]) == (3, 1, 1)
    assert (numbers["mala_below_ddpm"], numbers["ddpm_below_mala"]) == (3, 0)
    assert (numbers["rtk_uld_most"], numbers["rtk_uld_most_tuned"]) == (28.0, 23.0)
    table = images_published.table(tuned, frame).set_index(["protocol", "method"])
    assert table.loc[("published", "DDPM"), "NFE 40"] == "30.0 ± 1.0"
    assert table.loc[("tuned", "RTK-ULD"), "NFE 5"] == "15.0 ± 1.0"
