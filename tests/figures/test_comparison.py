"""The comparison of samplers on invented errors, whose outcome is known."""

import itertools
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from figures.analysis import comparison
from figures.tables import comparison as comparison_table
from figures.tables import comparison_protocol

TARGETS = ("circle", "spiral", "tilted-5", "rings")
BUDGETS = (8, 20)
BATCHES = 5
FLOOR = 0.1


def invented(
    errors: Mapping[str, float],
    scatter: float = 0.02,
    changed: Mapping[tuple[str, str], float] = MappingProxyType({}),
) -> pd.DataFrame:
    """Errors of methods that scatter between the batches; ``changed`` by target and method.

    The sum of the scatter of the logarithms over batches is zero.
    """
    steps = scatter * np.linspace(-1.0, 1.0, BATCHES)
    rows = []
    for target, nfe, (method, error) in itertools.product(TARGETS, BUDGETS, errors.items()):
        value = changed.get((target, method), error)
        metrics = ("sliced_w2", "energy_distance")
        for metric in metrics if target == "rings" else ("mode_error", *metrics):
            values = [value, *(value * np.exp(steps))]
            rows += [
                {
                    "target": target,
                    "method": method,
                    "nfe_asked": nfe,
                    "metric": metric,
                    "batch": batch,
                    "value": each,
                    "standard_error": 0.01,
                    "nonfinite": 0,
                    "calibration_rows": 0,
                }
                for batch, each in enumerate(values)
            ]
    return pd.DataFrame(rows)


def floor() -> pd.DataFrame:
    return invented({"exact": FLOOR}).query("batch == 0 and nfe_asked == 8").assign(nfe_asked=0)


def cells(errors: dict[str, float], **options: object) -> pd.DataFrame:
    """The excesses of the judging metric."""
    frame = comparison.judged(invented(errors, **options))  # type: ignore[arg-type]
    return comparison.excesses(frame, comparison.judged(floor()))


def test_each_target_is_judged_by_one_metric() -> None:
    frame = comparison.judged(invented({"ddpm": 0.5}))
    found = frame.groupby("target")["metric"].unique().map(list).to_dict()
    assert found == {
        "circle": ["mode_error"],
        "spiral": ["mode_error"],
        "tilted-5": ["mode_error"],
        "rings": ["energy_distance"],
    }


def test_excesses_are_errors_of_all_chains_beyond_the_floor() -> None:
    table = cells({"ddpm": 0.5, "ddim": 0.105})
    assert len(table) == len(TARGETS) * len(BUDGETS)
    np.testing.assert_allclose(table["ddpm"], 0.4)
    np.testing.assert_allclose(table["ddim"], 0.01)


def test_floors_are_those_of_the_target() -> None:
    level = comparison.judged(floor())
    level.loc[level["target"] == "spiral", "value"] = 0.3
    frame = comparison.judged(invented({"ddpm": 0.5, "ddim": 0.5}))
    table = comparison.excesses(frame, level)
    np.testing.assert_allclose(table.loc["spiral"], 0.2)
    np.testing.assert_allclose(table.loc["circle"], 0.4)


def test_best_rival_is_that_of_the_cell() -> None:
    """On the spiral the best other method is DDIM at an excess of 0.05, elsewhere DDPM at 0.4."""
    table = cells({"rtk": 0.2, "ddpm": 0.5, "ddim": 0.9}, changed={("spiral", "ddim"): 0.15})
    ratio = comparison.best_rival_ratio(table, "rtk")
    np.testing.assert_allclose(ratio["spiral"], 0.1 / 0.05)
    np.testing.assert_allclose(ratio["circle"], 0.1 / 0.4)
    ratio = comparison.best_rival_ratio(table, "ddpm")
    np.testing.assert_allclose(ratio["circle"], 0.4 / 0.1)


def test_outcomes_are_decided_by_the_scatter_of_the_batches() -> None:
    """Errors in the ratio 1.25: sure with a scatter of 2 %, not with one of 40 %."""
    for scatter, expected in ((0.02, 1.0), (0.4, 0.0)):
        frame = comparison.judged(invented({"rtk": 0.2, "ddpm": 0.25}, scatter))
        signs = comparison.outcomes(comparison.log_errors(frame), "rtk", "ddpm")
        assert len(signs) == 8
        assert (signs == expected).all()
        assert (comparison.outcomes(comparison.log_errors(frame), "ddpm", "rtk") == -expected).all()


def test_outcomes_are_corrected_for_the_number_of_cells() -> None:
    """A difference whose p-value is between .05 / 8 and .05 decides one cell, but not eight."""
    scatter = 0.1
    steps = scatter * np.linspace(-1.0, 1.0, BATCHES)
    gap = 3.0 * np.sqrt(2.0 * steps.var(ddof=1) / BATCHES)
    p = stats.ttest_ind(steps, steps + gap, equal_var=False).pvalue
    assert 0.05 / 8 < p < 0.05
    frame = comparison.judged(invented({"rtk": 0.2, "ddpm": 0.2 * np.exp(gap)}, scatter))
    assert (comparison.outcomes(comparison.log_errors(frame), "rtk", "ddpm") == 0.0).all()
    one = frame[(frame["target"] == "circle") & (frame["nfe_asked"] == 8)]
    assert comparison.outcomes(comparison.log_errors(one), "rtk", "ddpm").tolist() == [1.0]


def test_duel_counts_wins_losses_and_ties() -> None:
    changed = {("spiral", "rtk"): 0.5, ("circle", "rtk"): 0.3}
    errors = {"rtk": 0.2, "ddpm": 0.3}
    frame = comparison.judged(invented(errors, changed=changed))
    table = comparison.excesses(frame, comparison.judged(floor()))
    found = comparison.duel(comparison.log_errors(frame), table, "rtk", "ddpm")
    assert (found.won, found.lost, found.tied) == (0.5, 0.25, 0.25)
    # Ratios of 0.1/0.2 on two targets, 0.2/0.2 on one and 0.4/0.2 on one.
    assert found.ratio == pytest.approx(0.75)
    assert found.low == pytest.approx(0.5)
    assert found.high == pytest.approx(2.0)
    mirrored = comparison.duel(comparison.log_errors(frame), table, "ddpm", "rtk")
    assert (mirrored.won, mirrored.lost) == (0.25, 0.5)


def test_methods_at_the_floor_tie() -> None:
    frame = comparison.judged(invented({"rtk": 0.1, "ddpm": 0.1001}))
    table = comparison.excesses(frame, comparison.judged(floor()))
    found = comparison.duel(comparison.log_errors(frame), table, "rtk", "ddpm")
    assert (found.won, found.lost, found.tied) == (0.0, 0.0, 1.0)
    assert [found.ratio, found.low, found.high] == pytest.approx([1.0, 1.0, 1.0])


def test_interval_of_the_median_covers_it() -> None:
    """30 targets of 4 cells with a common shift: 95 % cover, n = 100, 5 standard errors of 2.2 %.

    Cells that are drawn one by one, as if they were independent, would cover far less often.
    """
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        logs = generator.normal(size=(30, 1)) + 0.1 * generator.normal(size=(30, 4))
        index = pd.MultiIndex.from_product([range(30), range(4)], names=["target", "nfe_asked"])
        low, high = comparison.median_interval(pd.Series(np.exp(logs.ravel()), index))
        covered += low <= 1.0 <= high
    assert covered >= 95 - 11


def test_numbers_of_the_best_method() -> None:
    frame = invented({"rtk-uld": 0.2, "ddpm": 0.5, "dpm++2m": 0.21})
    found = comparison_table.numbers(frame, floor())
    assert (found["cells"], found["targets"], found["methods"]) == (8, 4, 3)
    assert (found["nfe_least"], found["nfe_most"]) == (8, 20)
    assert found["best_rival_better_rtk_uld"] == 0.0
    assert found["best_rival_median_rtk_uld"] == pytest.approx(0.1 / 0.11)
    assert found["best_rival_worse_ddpm"] == 1.0
    assert found["best_rival_largest_ddpm"] == pytest.approx(4.0)
    assert found["best_rival_median_ddpm_sliced_w2"] == pytest.approx(4.0)
    assert found["won_rtk_uld_over_ddpm"] == found["lost_ddpm_over_rtk_uld"] == 1.0
    assert found["ratio_rtk_uld_over_dpm_solver"] == pytest.approx(0.1 / 0.11)
    assert found["runs_with_failures"] == 0
    assert all(np.isfinite([*found.values()]))


def test_table_has_geometric_means_over_mixtures() -> None:
    changed = {("circle", "ddpm"): 0.1, ("spiral", "ddpm"): 0.2, ("tilted-5", "ddpm"): 0.4}
    table = comparison_table.table(invented({"ddpm": 9.0}, changed=changed), floor())
    assert list(table) == ["method", "NFE 8", "NFE 20"]
    assert table["method"].tolist() == ["exact sample", "DDPM"]
    np.testing.assert_allclose(table["NFE 8"], [0.1, 0.2])


def test_protocol_beside_tuned_settings() -> None:
    """The error of the modes is made of the two metrics that the protocol has."""
    parts = {"mode_weight_tv": 0.3, "radial_tv": 0.1, "sinkhorn": 7.0}

    def protocol(method: str, budgets: tuple[int, ...]) -> pd.DataFrame:
        return pd.DataFrame(
            {"target": target, "method": method, "nfe_asked": nfe, "metric": metric, "value": value}
            for target in ("circle", "chessboard")
            for nfe in budgets
            for metric, value in parts.items()
        )

    table = comparison_protocol.table(
        protocol("ddpm", (25, 55, 105)),
        protocol("exact", (0,)),
        invented({"ddpm": 0.05, "dpm++2m": 0.01}),
        floor(),
    )
    assert list(table) == [
        "target",
        "method",
        "published protocol, NFE 25",
        "published protocol, NFE 55",
        "tuned, NFE 20",
    ]
    assert table["target"].tolist() == ["circle", "circle"]
    assert table["method"].tolist() == ["DDPM", "exact sample"]
    np.testing.assert_allclose(table["published protocol, NFE 25"], 0.2)
    np.testing.assert_allclose(table["tuned, NFE 20"], [0.05, 0.1])


def test_open_cells_are_those_where_somebody_is_above_the_floor() -> None:
    """Standard errors are 0.01, the floor is 0.1; on the spiral the rival is at 0.5."""
    errors = {"calibrated": 0.11, "ddpm": 0.11, "ddim": 0.9}
    changed = {("spiral", "ddpm"): 0.5}
    frame = comparison.judged(invented(errors, changed=changed))
    level = comparison.judged(floor())
    found = comparison.open_cells(frame, level, "calibrated")
    assert found["spiral"].all()
    assert not found.drop("spiral").any()
    assert comparison.at_the_floor(frame, level, "calibrated", BUDGETS[0]) == 1.0
    assert comparison.at_the_floor(frame, level, "ddim", BUDGETS[0]) == 0.0
