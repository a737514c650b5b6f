"""Which method is ahead: Holm's correction, and Welch's test between runs."""

import numpy as np
import pytest
from scipy import stats

from figures.analysis import significance


def test_holm_against_its_definition() -> None:
    """Sorted: 4 * .005 = .02, 3 * .01 = .03, 2 * .03 = .06, and .04, which is lifted to .06."""
    np.testing.assert_allclose(
        significance.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02]
    )
    np.testing.assert_allclose(significance.holm([0.9, 0.8]), [1.0, 1.0])


def test_holm_controls_the_family_wise_error() -> None:
    """Families of 20 uniform p-values, n = 4000: at most 5 % plus 5 standard errors of .0034."""
    p = np.random.default_rng(0).uniform(size=(4000, 20))
    wrong = np.mean([(significance.holm(row) < 0.05).any() for row in p])
    assert 0.03 < wrong < 0.05 + 5 * 0.0034


def test_signs_of_one_case_are_those_of_welchs_test() -> None:
    """With one case there is nothing to correct: scipy's test from the samples decides."""
    rng = np.random.default_rng(1)
    decided = 0
    for shift in np.linspace(0.0, 3.0, 40):
        a, b = rng.normal(shift, 1.0, (1, 5)), rng.normal(0.0, 2.0, (1, 7))
        p = stats.ttest_ind(a[0], b[0], equal_var=False).pvalue
        expected = np.sign(a.mean() - b.mean()) if p < 0.05 else 0.0
        assert significance.signs(a, b)[0] == expected
        assert significance.signs(b, a)[0] == -expected
        decided += p < 0.05
    assert 0 < decided < 40


def test_more_cases_need_more_evidence() -> None:
    """A difference that decides alone does not among twenty cases without one."""
    rng = np.random.default_rng(2)
    clear = np.array([[0.0, 0.1, -0.1, 0.05, -0.05]])
    shifted = clear + 0.12
    assert stats.ttest_ind(clear[0], shifted[0], equal_var=False).pvalue == pytest.approx(
        0.04, abs=0.015
    )
    assert significance.signs(shifted, clear).tolist() == [1.0]
    noise = rng.normal(0.0, 1.0, (2, 19, 5))
    many = [np.vstack([part, rest]) for part, rest in zip((shifted, clear), noise, strict=True)]
    assert significance.signs(*many)[0] == 0.0


def test_equal_runs_are_not_decided() -> None:
    assert significance.signs(np.ones((3, 5)), np.ones((3, 5))).tolist() == [0.0] * 3
