import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rtk import process
from tests.oracles import DOUBLE, gaussian

TIMES = st.floats(1e-6, 15.0)
EXAMPLES = settings(max_examples=50, deadline=None, derandomize=True)


@EXAMPLES
@given(TIMES)
def test_signal_and_noise_keep_unit_variance(t: float) -> None:
    assert process.alpha(t) ** 2 + process.variance(t) == pytest.approx(1.0, rel=1e-14)
    assert process.sigma(t) ** 2 == pytest.approx(process.variance(t), rel=1e-14)


@EXAMPLES
@given(TIMES, TIMES)
def test_two_noisings_are_one(s: float, t: float) -> None:
    assert process.alpha(s + t) == pytest.approx(process.alpha(s) * process.alpha(t), rel=1e-12)
    again = process.alpha(t) ** 2 * process.variance(s) + process.variance(t)
    assert process.variance(s + t) == pytest.approx(again, rel=1e-12)


@pytest.mark.parametrize("t", [1e-14, 1e-7, 1e-3, 0.5, 5.0, 20.0])
def test_coefficients_have_all_their_digits(t: float) -> None:
    exact = mpmath.mpf(t)
    with mpmath.workdps(40):
        variance = 1 - mpmath.exp(-2 * exact)
        log_snr = -mpmath.log(mpmath.exp(2 * exact) - 1) / 2
    assert process.variance(t) == pytest.approx(float(variance), rel=1e-14)
    assert process.log_snr(t) == pytest.approx(float(log_snr), rel=1e-14, abs=1e-14)


@EXAMPLES
@given(TIMES)
def test_log_snr_is_log_alpha_over_sigma(t: float) -> None:
    expected = math.log(process.alpha(t) / process.sigma(t))
    assert process.log_snr(t) == pytest.approx(expected, rel=1e-8, abs=1e-8)


@EXAMPLES
@given(TIMES)
def test_clocks_are_inverse(t: float) -> None:
    assert process.time_from_log_snr(process.log_snr(t)) == pytest.approx(t, rel=1e-9)
    assert process.time_from_alpha(process.alpha(t)) == pytest.approx(t, rel=1e-9, abs=1e-15)


@EXAMPLES
@given(st.floats(-15.0, 15.0))
def test_log_snr_of_its_time(log_snr: float) -> None:
    again = process.log_snr(process.time_from_log_snr(log_snr))
    assert again == pytest.approx(log_snr, rel=1e-9, abs=1e-9)


def test_time_of_a_discrete_schedule() -> None:
    alpha_bar = 0.37
    t = process.time_from_alpha(math.sqrt(alpha_bar))
    assert t == pytest.approx(-0.5 * math.log(alpha_bar), rel=1e-14)
    assert process.variance(t) == pytest.approx(1 - alpha_bar, rel=1e-13)
    assert process.time_from_alpha(1.0) == 0.0


@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.0001, math.nan, math.inf])
def test_time_from_alpha_rejects(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha must lie in"):
        process.time_from_alpha(alpha)


@pytest.mark.parametrize("t", [1e-3, 0.4, 3.0])
def test_denoise_is_the_conditional_mean_of_a_gaussian(t: float) -> None:
    mean, v = 0.7, 0.3
    x = torch.linspace(-3, 3, 7, dtype=DOUBLE).unsqueeze(1)
    # Cov(x_0, x_t) = a v and Var x_t = a^2 v + s^2.
    a, s2 = math.exp(-t), 1 - math.exp(-2 * t)
    expected = mean + a * v / (a**2 * v + s2) * (x - a * mean)
    actual = process.denoise(x, gaussian(mean, v).score(x, t), t)
    torch.testing.assert_close(actual, expected, rtol=1e-12, atol=1e-12)


@EXAMPLES
@given(st.floats(0.0, 6.0), st.floats(1e-4, 6.0), st.floats(-3.0, 3.0), st.floats(-3.0, 3.0))
def test_posterior_is_gaussian_conditioning(t_lo: float, eta: float, x: float, x_0: float) -> None:
    t_hi = t_lo + eta
    # Given x_0, (x_lo, x_hi) is Gaussian: x_hi = e x_lo + noise of variance 1 - e^2.
    e = math.exp(-(t_hi - t_lo))
    prior = -math.expm1(-2 * t_lo)
    joint = np.array([[prior, e * prior], [e * prior, -math.expm1(-2 * t_hi)]])
    gain = joint[0, 1] / joint[1, 1]
    mean = math.exp(-t_lo) * x_0 + gain * (x - math.exp(-t_hi) * x_0)
    # 1 / precision rather than a difference, which would cancel.
    variance = 0.0 if prior == 0 else 1 / (1 / prior + e**2 / -math.expm1(-2 * (t_hi - t_lo)))

    row = torch.tensor([[x]], dtype=DOUBLE)
    got_mean, got_variance = process.posterior(row, torch.full_like(row, x_0), t_hi, t_lo)
    assert got_mean.item() == pytest.approx(mean, rel=1e-9, abs=1e-9)
    assert got_variance == pytest.approx(variance, rel=1e-9, abs=1e-14)


def test_posterior_at_zero_is_the_data() -> None:
    x = torch.randn(4, 2, dtype=DOUBLE)
    mean, variance = process.posterior(x, 2 * x, 0.3, 0.0)
    torch.testing.assert_close(mean, 2 * x)
    assert variance == 0.0
