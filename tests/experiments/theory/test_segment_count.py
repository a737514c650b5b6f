"""B2: counts of segments from closed forms."""

import math

import numpy as np
import pytest

from experiments.theory import segment_count
from experiments.theory.segment_count import PAIR, ddpm_steps, distance, rtk_segments
from rtk import segments
from rtk.laws import closed_form as gaussian_steps
from rtk.laws.gaussian import Gaussian


def test_number_of_exact_kernels_does_not_matter() -> None:
    """Exact kernels compose, so the only error is that of the start."""
    whole = gaussian_steps.law(gaussian_steps.exact_kernel, PAIR, [2.0, 0.0])
    cut = gaussian_steps.law(gaussian_steps.exact_kernel, PAIR, np.linspace(2.0, 0.0, 40))
    np.testing.assert_allclose(cut.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(cut.variance, whole.variance, rtol=1e-12)


def test_lipschitz_constant() -> None:
    times = np.linspace(0.0, 5.0, 1001)[:, np.newaxis]
    spread = np.exp(-2 * times) * PAIR.variance - np.expm1(-2 * times)
    assert (1 / spread).max() == pytest.approx(segment_count.LIPSCHITZ)


def test_start_and_stop_errors_meet_what_is_asked() -> None:
    for error in (segment_count.start_error, segment_count.stop_error):
        for eps in (0.1, 1e-4):
            t = segment_count.time_at(error, eps, 10)
            assert error(t, 10) == pytest.approx(eps, rel=1e-6)
    assert segment_count.start_error(3.0, 2) < segment_count.start_error(2.0, 2)
    assert segment_count.stop_error(0.2, 2) > segment_count.stop_error(0.1, 2)


def test_distance_is_that_of_all_coordinates() -> None:
    """For small shifts TV grows as the root of the number of coordinates."""
    law = Gaussian(PAIR.mean + 1e-4, PAIR.variance)
    assert distance(law, 200) == pytest.approx(10 * distance(law, 2), rel=1e-3)


def test_rtk_counts_grow_with_the_logarithm_and_ddpm_s_with_a_power() -> None:
    kernels = [rtk_segments(eps, 10) for eps in (1e-1, 1e-2, 1e-3)]
    assert kernels[1] - kernels[0] == pytest.approx(kernels[2] - kernels[1], abs=1)
    assert kernels[0] < kernels[1] < 2 * kernels[0] + 1
    # The start's error falls as exp(-2T) on the way: half a decade of T for a decade of eps.
    per_decade = 0.5 * math.log(10.0) / segments.critical_length(segment_count.LIPSCHITZ)
    assert kernels[2] - kernels[1] == pytest.approx(per_decade, abs=1)
    for grid in segment_count.GRIDS:
        steps = [ddpm_steps(grid, eps, 10) for eps in (1e-1, 1e-2)]
        assert steps[0] > kernels[0]
        assert steps[1] > 8 * steps[0]


def test_counts_grow_slower_with_the_dimension_for_rtk() -> None:
    kernels = [rtk_segments(0.01, d) for d in (2, 128)]
    steps = [ddpm_steps("log-SNR", 0.01, d) for d in (2, 128)]
    assert kernels[1] < 2 * kernels[0]
    assert steps[1] > 4 * steps[0]
