"""B8: the metrics, the brute-force scores, and who is said to have won."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from scipy import stats

import rtk
from experiments.beyond_mixtures import dense_rule
from experiments.beyond_mixtures import sample as beyond_mixtures
from experiments.beyond_mixtures.sample import cells, judge, noised, score_errors
from figures.analysis.beyond_mixtures import PANELS, PRIMARY
from figures.tables.beyond_mixtures import duels, numbers, table
from rtk.targets import BEYOND_MIXTURES

NAMES = [*BEYOND_MIXTURES]
CONFIG = Path(__file__).parents[3] / "experiments" / "config"
PROTOCOL = yaml.safe_load((CONFIG / "protocol.yaml").read_text(encoding="utf-8"))["beyond_mixtures"]
METHODS = PROTOCOL["methods"]


def exact(name: str, n: int, seed: int = 0) -> np.ndarray:
    generator = torch.Generator().manual_seed(seed)
    return BEYOND_MIXTURES[name]().sample(n, 0.0, generator, torch.float64).numpy()


@pytest.mark.parametrize("name", NAMES)
def test_cells_have_the_probabilities_that_they_claim(name: str) -> None:
    """Chi-square of 5000 exact samples at 5 sigma; cells expected fewer than 5 times are joined."""
    x = exact(name, 5000)
    for metric, (cell, masses) in cells(name).items():
        assert masses.sum() == pytest.approx(1.0)
        counts, expected = np.bincount(cell(x), minlength=len(masses)), 5000 * masses
        rare = expected < 5
        counts = np.append(counts[~rare], counts[rare].sum() if rare.any() else [])
        expected = np.append(expected[~rare], expected[rare].sum() if rare.any() else [])
        assert stats.chisquare(counts, expected).pvalue > 2.9e-7, metric


@pytest.mark.parametrize("name", NAMES)
def test_metrics_see_a_wrong_law(name: str) -> None:
    """Another scale, or wells with swapped masses, is far above what exact samples score."""
    x, y = exact(name, 1000), exact(name, 1000, seed=1)
    wrong = -x if name == "many_well" else 0.5 * x
    for metric, value in judge(name, wrong, y).items():
        floor = judge(name, x, y)[metric]
        if metric not in ("tail_tv", "sliced_w2"):
            assert value.value > floor.value + 5 * np.hypot(
                value.standard_error, floor.standard_error
            ), metric


def test_samples_that_are_not_finite_count_against_the_sampler() -> None:
    x = exact("rings", 1000)
    x[::4] = np.nan
    judged = judge("rings", x, exact("rings", 1000, seed=1))
    assert judged["radial_tv"].value >= 0.25
    assert judged["ring_tv"].value >= 0.25
    assert np.isfinite(judged["energy_distance"].value)


@pytest.mark.parametrize("name", NAMES)
def test_scores_agree_with_brute_force(name: str) -> None:
    """Nodes by the ten thousand; a score of the other sign would be wrong by a factor of 2."""
    generator = torch.Generator().manual_seed(0)
    for score, log_prob in score_errors(name, [0.01, 1.0], 2, generator).values():
        assert score < 1e-6
        assert log_prob < 1e-6
    x = noised(BEYOND_MIXTURES[name](), 2, 0.5, generator)
    _, brute = dense_rule.RULES[name](x.numpy(), 0.5)
    error = np.linalg.norm(-BEYOND_MIXTURES[name]().score(x, 0.5).numpy() - brute, axis=1)
    np.testing.assert_allclose(error, 2 * np.linalg.norm(brute, axis=1), rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_samplers_reach_the_rings(method: str) -> None:
    """Every sampler's rings after 40 scores; with the score reversed no sample is on them.

    TV of the ring weights of 256 chains, below 0.25 where exact ones score 0.03.
    """
    rings = BEYOND_MIXTURES["rings"]()
    options = METHODS[method]
    log_prob = rings.log_prob if options.get("energy") == "exact" else None
    result = rtk.sample(rings.score, 10, 256, nfe=40, seed=3, log_prob=log_prob, **options)
    x = result.samples.double().numpy()
    judged = judge("rings", x, exact("rings", 256))
    assert judged["ring_tv"].value < 0.25
    # Off the rings lie less than 1 % of exact samples.
    radius = beyond_mixtures.plane_radius(x)
    away = np.abs(radius[:, None] - np.array([1.0, 2.0, 3.0])).min(axis=1)
    assert (away > 0.3).mean() < 0.25


def test_methods_are_the_samplers_that_they_are_called() -> None:
    assert METHODS == {
        "ddpm": {"method": "ddpm"},
        "ddim": {"method": "ddim"},
        "dpm++2m": {"method": "dpm++2m"},
        "rtk-uld": {"method": "rtk-uld"},
        "rtk-mala-trapezoid": {"method": "rtk-mala", "energy": "trapezoid"},
        "rtk-mala": {"method": "rtk-mala", "energy": "exact"},
    }


def test_metrics_of_the_figure_are_measured() -> None:
    for target, (_, shown) in PANELS.items():
        assert list(shown) == list(cells(target))
        assert PRIMARY[target] == next(iter(cells(target)))


# --- wins and losses, from invented measurements ---

VALUES = {
    "exact": 0.02,
    "ddpm": 0.20,
    "ddim": 0.30,
    "dpm++2m": 0.05,
    "rtk-uld": 0.10,
    "rtk-mala-trapezoid": 0.40,
    "rtk-mala": 0.01,
}


def invented(error: float = 0.01, **changed: float) -> pd.DataFrame:
    values = VALUES | {name.replace("_", "-"): value for name, value in changed.items()}
    own: list[dict[str, object]] = [
        {
            "target": target,
            "method": method,
            "nfe_asked": nfe,
            "metric": PRIMARY[target],
            "value": value,
            "standard_error": error,
            "nonfinite": 0,
        }
        for target in NAMES
        for method, value in values.items()
        for nfe in ((0, 0) if method == "exact" else (20, 100))
    ]
    errors: list[dict[str, object]] = [
        {"target": target, "method": "exact", "nfe_asked": 0, "metric": metric, "value": size}
        for target in NAMES
        for metric in ("score_error", "log_prob_error")
        for size in (1e-9, 2e-9)
    ]
    return pd.DataFrame(own + errors)


def test_a_win_is_a_lower_error_of_the_better_sampler_that_needs_only_scores() -> None:
    quoted = numbers(invented(), 100)
    assert quoted["cells"] == 8
    assert (quoted["rtk_wins"], quoted["rtk_losses"]) == (8, 0)
    assert (quoted["rtk_wins_dpm_solver"], quoted["rtk_losses_dpm_solver"]) == (0, 8)


def test_a_difference_within_two_errors_is_neither() -> None:
    frame = invented(error=0.1)
    assert duels(frame, "ddpm") == {"wins": 0, "losses": 0}


def test_swapped_methods_swap_the_verdict() -> None:
    quoted = numbers(invented(ddpm=0.10, rtk_uld=0.20), 100)
    assert (quoted["rtk_wins"], quoted["rtk_losses"]) == (0, 8)


def test_numbers_are_those_of_their_cell() -> None:
    frame = invented()
    row = (frame["method"] == "rtk-uld") & (frame["target"] == "rings")
    frame.loc[row & (frame["nfe_asked"] == 100), ["value", "standard_error"]] = 0.123, 0.004
    frame.loc[row & (frame["nfe_asked"] == 20), "nonfinite"] = 3
    quoted = numbers(frame, 100)
    assert quoted["rtk_uld_rings_100"] == 0.123
    assert quoted["rtk_uld_rings_100_se"] == 0.004
    assert quoted["ddpm_rings_100"] == 0.20
    assert quoted["dpm_solver_funnel_100"] == 0.05
    assert quoted["rtk_mala_trapezoid_student_100"] == 0.40
    assert quoted["rtk_mala_many_well_100"] == 0.01
    assert quoted["rtk_uld_rings_most"] == 0.123
    assert quoted["rtk_uld_rings_least"] == 0.10
    assert (quoted["nfe_least"], quoted["nfe_most"], quoted["nfe_100"]) == (20, 100, 100)
    assert quoted["rtk_wins_below_100"] == 4
    assert quoted["floor_rings"] == pytest.approx(0.02)
    assert quoted["score_error_funnel"] == quoted["score_error_largest"] == 2e-9
    assert quoted["failures"] == 1
    assert np.isfinite([*quoted.values()]).all()


def test_table_for_print() -> None:
    printed = table(invented(), 100)
    assert list(printed) == ["sampler", "NFE", "funnel", "many-well", "rings", "Student's t"]
    assert len(printed) == 13
    assert printed.loc[printed["sampler"] == "DDPM", "rings"].tolist() == ["0.200 ± 0.010"] * 2
