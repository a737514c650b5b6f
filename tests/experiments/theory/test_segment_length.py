"""B9: exact errors against the sampler's own law, budgets, and the numbers of known curves."""

import numpy as np
import pandas as pd
import pytest

import rtk
from experiments.theory import segment_length
from figures.tables import segment_length as segment_length_table
from rtk import metrics, segments
from rtk.laws import affine
from rtk.laws import gaussian as gaussian_law
from rtk.laws.gaussian import Gaussian
from rtk.samplers.reverse_transition import RTKULD


def test_theory_s_count() -> None:
    """L = 4: eta* = log(1 + 1/8) / 2 = 0.0589, so 85 segments on [0, 5]."""
    assert segment_length.theory_count(segment_length.gaussian_lipschitz()) == 85


def test_mild_bound_is_for_the_worst_time() -> None:
    """At t = 0 it is ``diam^2 / (4 v^2) - 1/v``; noise only lowers it."""
    mixture = segment_length.mild(10)
    distances = np.linalg.norm(mixture.means[:, None] - mixture.means[None], axis=-1)
    expected = distances.max() ** 2 / (4 * 0.25**2) - 4.0
    assert segment_length.mild_lipschitz(10) == pytest.approx(expected, rel=1e-6)


def test_affordable_counts() -> None:
    assert segment_length.affordable([1, 5, 60], theory=85, most=50) == [1, 5, 50]
    assert segment_length.affordable([1, 5, 60], theory=20, most=50) == [1, 5, 20]


def test_all_scores_are_spent() -> None:
    for nfe, count in ((400, 85), (100, 7), (33, 5), (10, 1)):
        steps = segment_length.inner_steps(nfe, count)
        assert len(steps) == count
        assert (steps + 1).sum() == nfe
        assert np.ptp(steps) <= 1


@pytest.mark.parametrize("family", ["uniform", "cubic"])
def test_errors_are_those_of_the_sampler(family: str) -> None:
    variances = np.tile(segment_length.VARIANCES, 2)
    mixture = rtk.GaussianMixture([1.0], np.zeros((1, 20)), variances[np.newaxis])
    target = Gaussian(np.zeros(20), variances)
    rows = [
        row for row in segment_length.gaussian_rows("rtk-uld", 20, 33, [5]) if row["segments"] == 5
    ]
    rows = [row for row in rows if row["family"] == family]
    assert {row["step"] for row in rows} == {"best", "coarse", "off", "default"}
    for row in rows:
        sampler = RTKULD(step_size=row["step_size"], data_variance=0.25)
        times = segment_length.FAMILIES[family](5)
        law, spent = affine.sample_law(mixture.score, 20, sampler, 33, segments=times)
        assert spent == row["nfe"] == 33
        distance = {"tv": gaussian_law.tv, "kl": gaussian_law.kl}[row["metric"]]
        assert row["value"] == pytest.approx(distance(law, target), rel=1e-5)


def test_the_best_step_is_better_than_its_neighbours() -> None:
    best = segment_length.best_step("rtk-uld", "uniform", 10, 50)
    target = Gaussian(np.zeros(10), segment_length.VARIANCES)

    def kl(step_size: float, nfe: int = 50) -> float:
        times = segments.uniform(10)
        law = segment_length.gaussian_samples("rtk-uld", times, nfe, step_size)
        return gaussian_law.kl(law, target)

    assert kl(best) < min(kl(1.1 * best), kl(best / 1.1))
    more = segment_length.best_step("rtk-uld", "uniform", 10, 410)
    assert kl(more, 410) < 0.2 * kl(best)


def test_simulated_rows_keep_the_budget() -> None:
    rows = segment_length.mixture_rows("rtk-mala", 10, 30, [1, 5], 64, seed=0)
    assert {row["segments"] for row in rows} == {1, 5, 10}
    assert all(0 < row["nfe"] <= 30 for row in rows)


def test_judge_prefers_exact_samples() -> None:
    """1000 draws of each: the gap is more than 5 standard errors. Fixed seeds."""
    mixture = segment_length.mild(10)
    reference = metrics.Reference.of(mixture, size=1)
    exact = reference.draw(1000, np.random.default_rng(0))
    good, bad = (segment_length.judge(x, reference) for x in (exact, 0.8 * exact))
    for name in ("radial_tv", "error"):
        gap = bad[name].value - good[name].value
        assert gap > 5 * np.hypot(bad[name].standard_error, good[name].standard_error)


def frame(best: int) -> pd.DataFrame:
    """Errors ``|log(K / best)| + 1`` for all methods; the theory asks for 80 segments."""
    columns = {"dimension": 10, "nfe_asked": 400, "standard_error": 0.0, "family": "uniform"}
    names = segment_length_table.NAMES
    rows = [
        {
            **columns,
            "target": target,
            "method": method,
            "step": step,
            "metric": segment_length_table.METRIC[target],
            "segments": count,
            "value": abs(np.log(count / best)) + 1.0,
        }
        for target, method, step in names
        for count in (1, 5, 20, 80)
    ]
    rows += [
        {**columns, "target": t, "method": "exact", "metric": "k_star", "segments": 80, "value": 80}
        for t in ("gaussian", "mild")
    ]
    cubic = [{**row, "family": "cubic", "value": 0.5 * row["value"]} for row in rows[:-2]]
    return pd.DataFrame(rows + cubic)


def test_loss_at_the_theory_s_count() -> None:
    """One if the theory is right, larger the further the best is from it."""
    right, wrong = (segment_length_table.numbers(frame(best)) for best in (80, 5))
    assert right["loss_at_k_star_uld_d10"] == 1.0
    assert right["best_k_uld_d10"] == right["k_star_d10"] == 80
    assert right["cubic_gain_uld_d10"] == 2.0
    assert right["one_over_best_uld_d10"] == pytest.approx(np.log(80) + 1)
    assert right["best_over_five_d10"] == pytest.approx(np.log(16) + 1)
    assert wrong["loss_at_k_star_uld_d10"] == pytest.approx(np.log(16) + 1)
    assert wrong["best_over_five_d10"] == 1.0
