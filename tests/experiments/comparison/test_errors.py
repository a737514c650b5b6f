"""Wrong scores: the measured size of their error, and that they are functions of (x, t) alone."""

import pytest
import torch

from experiments.comparison.errors import KINDS, WrongScore
from rtk import process, targets
from tests.oracles import DOUBLE

NAMES = ("uneven-2", "tilted-5", "overlapping-200", "rings")
TIMES = (0.001, 0.1, 1.0, 4.0)


def noise_error(wrong: WrongScore, x: torch.Tensor, t: float) -> torch.Tensor:
    """The predicted noise of the wrong score minus that of the target, (n, d)."""
    return -process.sigma(t) * (wrong(x, t) - wrong.target.score(x, t))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [0.03, 0.1])
def test_error_of_the_predicted_noise_has_its_size(name: str, kind: str, size: float) -> None:
    """Root mean square over 4000 fresh draws of p_t, within 6 %.

    The size is set by 1000 draws. The square of a field scatters by up to 1.5 times its mean, so
    the root has a standard error of up to 0.5 * 1.5 * (1/1000 + 1/4000)^(1/2) = 2.7 %.
    """
    target = targets.target(name)
    wrong = WrongScore(target, kind, size, seed=3)
    generator = torch.Generator().manual_seed(8)
    for t in TIMES:
        x = target.sample(4000, t, generator, DOUBLE)
        measured = float(noise_error(wrong, x, t).square().mean().sqrt())
        assert measured == pytest.approx(size, rel=0.06)


@pytest.mark.parametrize("kind", KINDS)
def test_error_depends_on_neither_the_batch_nor_the_order_of_the_calls(kind: str) -> None:
    target = targets.target("tilted-5")
    x = target.sample(64, 0.5, torch.Generator().manual_seed(0), DOUBLE)
    first, second = (WrongScore(target, kind, 0.1, seed=3) for _ in range(2))
    whole = first(x, 0.5)
    second(x[:7], 2.0)
    torch.testing.assert_close(second(x[5:9], 0.5), whole[5:9], rtol=1e-12, atol=1e-12)
    other = WrongScore(target, kind, 0.1, seed=4)(x, 0.5)
    # The multiple of the score has no randomness but that of the draws that set its size.
    assert float((other - whole).abs().max()) > (1e-6 if kind == "scaling" else 0.01)


def test_scaling_is_a_multiple_and_a_bias_is_constant() -> None:
    target = targets.target("tilted-5")
    x = target.sample(64, 0.5, torch.Generator().manual_seed(0), DOUBLE)
    ratio = WrongScore(target, "scaling", 0.1, 0)(x, 0.5) / target.score(x, 0.5)
    torch.testing.assert_close(ratio, torch.full_like(ratio, float(ratio[0, 0])))
    assert 1.05 < float(ratio[0, 0]) < 1.2
    error = noise_error(WrongScore(target, "bias", 0.1, 0), x, 0.5)
    torch.testing.assert_close(error, error[:1].expand_as(error))


@pytest.mark.parametrize(("kind", "alike"), [("smooth", True), ("rough", False)])
def test_smooth_and_rough_fields_differ_in_their_wavelength(kind: str, alike: bool) -> None:
    """Correlation of the error at points a tenth of the data's deviation apart, d = 20, n = 500.

    A Gaussian wave vector of wavelength L has ``E cos(w . h) = exp(-(2 pi |h| / L)^2 / (2 d))``;
    here ``|h|`` is a tenth of ``d^(1/2)`` deviations, so it is .988 for 4 and .04 for a quarter.
    """
    target = targets.target("crowd-20")
    wrong = WrongScore(target, kind, 0.1, seed=0)
    generator = torch.Generator().manual_seed(1)
    x = target.sample(500, 0.0, generator, DOUBLE)
    moved = x + 0.1 * torch.randn(x.shape, generator=generator, dtype=DOUBLE)
    a, b = wrong.error(x, 0.1), wrong.error(moved, 0.1)
    correlation = float((a * b).mean() / (a.square().mean() * b.square().mean()).sqrt())
    assert (correlation > 0.95) if alike else (abs(correlation) < 0.2)


def test_dtype_of_the_score_is_that_of_x() -> None:
    wrong = WrongScore(targets.target("tilted-5"), "smooth", 0.1, 0)
    assert wrong(torch.zeros(2, 5, dtype=torch.float32), 0.5).dtype == torch.float32


def test_unknown_kind_and_time_zero() -> None:
    target = targets.target("tilted-5")
    with pytest.raises(ValueError, match="unknown kind of error 'noise', expected one of"):
        WrongScore(target, "noise", 0.1, 0)
    with pytest.raises(ValueError, match="needs t > 0, got 0"):
        WrongScore(target, "bias", 0.1, 0)(torch.zeros(1, 5, dtype=DOUBLE), 0.0)
