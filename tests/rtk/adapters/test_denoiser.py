import math
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

import rtk
from rtk import process, segments
from rtk.adapters import from_denoiser
from tests.oracles import skewed
from tests.rtk.adapters.models import DOUBLE, Gaussian

TIMES = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 1.0, 2.0, 5.0]
POINTS = torch.linspace(-3, 3, 12, dtype=DOUBLE).reshape(3, 2, 2)
GAUSSIAN = Gaussian()


def rounding(t: float, dtype: torch.dtype) -> float:
    """What rounding a denoised estimate of size 4 costs at least: ``eps |D| / s^2``."""
    return 4.0 * torch.finfo(dtype).eps / -math.expm1(-2 * t)


@pytest.mark.parametrize("t", TIMES)
def test_score_of_a_gaussian(t: float) -> None:
    score = from_denoiser(GAUSSIAN.denoise)
    expected = GAUSSIAN.score(POINTS, t)
    atol = 1e-12 + rounding(t, DOUBLE)
    torch.testing.assert_close(score(POINTS, t), expected, rtol=1e-12, atol=atol)


@pytest.mark.parametrize("t", TIMES)
def test_score_of_a_gaussian_in_float32(t: float) -> None:
    x = POINTS.float()
    expected = GAUSSIAN.score(x.double(), t).float()
    actual = from_denoiser(GAUSSIAN.denoise)(x, t)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=rounding(t, x.dtype))
    # A denoiser in double precision has all digits to give, whatever the state is in.
    actual = from_denoiser(GAUSSIAN.denoise, dtype=DOUBLE)(x, t)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("t", TIMES)
def test_tweedie_returns_what_the_denoiser_said(t: float) -> None:
    """The digits that the score loses near the data are of no account to the denoised estimate."""
    score = from_denoiser(GAUSSIAN.denoise)
    for x in (POINTS, POINTS.float()):
        a, s = math.exp(-t), math.sqrt(-math.expm1(-2 * t))
        said = GAUSSIAN.denoise(x / a, torch.full((3,), s / a, dtype=DOUBLE))
        atol = 16 * torch.finfo(x.dtype).eps / a
        torch.testing.assert_close(process.denoise(x, score(x, t), t), said, rtol=0, atol=atol)


def test_the_denoiser_is_asked_as_it_was_trained() -> None:
    asked: list[tuple[Tensor, Tensor]] = []

    def denoise(y: Tensor, sigma: Tensor) -> Tensor:
        asked.append((y, sigma))
        return y

    t, x0, eps = 0.3, POINTS, POINTS.flip(0)
    a, s = math.exp(-t), math.sqrt(1 - math.exp(-2 * t))
    from_denoiser(denoise)(a * x0 + s * eps, t)
    ((y, sigma),) = asked
    assert sigma.shape == (3,)
    torch.testing.assert_close(sigma, torch.full((3,), s / a, dtype=DOUBLE), rtol=1e-14, atol=0)
    torch.testing.assert_close(y, x0 + sigma[0] * eps, rtol=1e-14, atol=1e-14)


def test_noise_levels_become_times() -> None:
    score = from_denoiser(GAUSSIAN.denoise, sigma_min=0.002, sigma_max=80.0)
    for t, sigma in ((score.t_min, 0.002), (score.t_max, 80.0)):
        assert math.sqrt(1 - math.exp(-2 * t)) / math.exp(-t) == pytest.approx(sigma, rel=1e-9)
    grid = segments.log_snr(7, score.t_max, score.t_min)
    assert all(score(POINTS, t).isfinite().all() for t in grid)
    # Other grids meet their ends up to rounding.
    score(POINTS, np.nextafter(score.t_max, 9))
    score(POINTS, np.nextafter(score.t_min, 0))
    for t in (0.99 * score.t_min, 1.01 * score.t_max, 0.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"2e-06 <= t <= 4\.3821.*asked at t = "):
            score(POINTS, t)


def test_all_times_but_zero_by_default() -> None:
    score = from_denoiser(GAUSSIAN.denoise)
    assert (score.t_min, score.t_max) == (0.0, math.inf)
    for t in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="t > 0"):
            score(POINTS, t)


@pytest.mark.parametrize("method", ["ddpm", "dpm++2m", "rtk-uld"])
def test_samples_are_those_of_the_exact_score(method: str) -> None:
    mixture = skewed()

    def denoise(y: Tensor, sigma: Tensor) -> Tensor:
        """Tweedie's formula for the mixture noised in the variance-exploding way."""
        variance = sigma[0].item() ** 2
        a = (1 + variance) ** -0.5
        return y + variance * a * mixture.score(a * y, 0.5 * math.log1p(variance))

    score = from_denoiser(denoise, 0.02, 80.0)
    grid = segments.log_snr(10, score.t_max, score.t_min)
    own, wrapped = (
        rtk.sample(function, 2, 200, method, nfe=40, segments=grid, dtype=DOUBLE).samples
        for function in (mixture.score, score)
    )
    torch.testing.assert_close(wrapped, own, rtol=0, atol=1e-8)


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_a_half_precision_denoiser_serves_a_float32_state(half: torch.dtype) -> None:
    seen: list[torch.dtype] = []

    def denoise(y: Tensor, sigma: Tensor) -> Tensor:
        seen.extend((y.dtype, sigma.dtype))
        return GAUSSIAN.denoise(y, sigma)

    for x in (POINTS.float(), POINTS):
        score = from_denoiser(denoise, dtype=half)(x, 0.4)
        assert score.dtype == x.dtype
        # eps |y| for the rounding of what goes in, eps |D| of what comes out, over s^2.
        atol = 2 * torch.finfo(half).eps * 4 / -math.expm1(-0.8)
        torch.testing.assert_close(score, GAUSSIAN.score(x, 0.4), rtol=0, atol=atol)
    assert seen == [half, torch.float32] * 2


def test_arithmetic_is_float32_even_for_a_half_precision_state() -> None:
    x = POINTS.to(torch.bfloat16)
    score = from_denoiser(GAUSSIAN.denoise, dtype=torch.float32)(x, 1e-2)
    assert score.dtype == x.dtype
    expected = GAUSSIAN.score(x.double(), 1e-2)
    torch.testing.assert_close(score.double(), expected, rtol=2**-8, atol=1e-3)


def test_a_denoiser_that_works_in_place_changes_nothing() -> None:
    def denoise(y: Tensor, sigma: Tensor) -> Tensor:
        answer = GAUSSIAN.denoise(y, sigma)
        y.clamp_(-0.1, 0.1)
        return answer

    x = POINTS.clone()
    torch.testing.assert_close(from_denoiser(denoise)(x, 0.4), GAUSSIAN.score(POINTS, 0.4))
    assert torch.equal(x, POINTS)


def test_score_goes_between_processes() -> None:
    score = from_denoiser(GAUSSIAN.denoise, 0.01, 10.0)
    again = pickle.loads(pickle.dumps(score))
    assert (again.t_min, again.t_max) == (score.t_min, score.t_max)
    assert torch.equal(again(POINTS, 0.3), score(POINTS, 0.3))


@pytest.mark.parametrize("levels", [(-0.1, 1.0), (1.0, 1.0), (2.0, 1.0), (0.0, math.nan)])
def test_noise_levels_are_checked(levels: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="0 <= sigma_min < sigma_max"):
        from_denoiser(GAUSSIAN.denoise, *levels)


def test_arguments_are_checked() -> None:
    with pytest.raises(TypeError, match="model must be a callable"):
        from_denoiser("network")  # type: ignore[arg-type]
    for dtype in ("float16", torch.int64):
        with pytest.raises(TypeError, match=r"floating-point torch\.dtype"):
            from_denoiser(GAUSSIAN.denoise, dtype=dtype)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="x must be a floating-point tensor"):
        from_denoiser(GAUSSIAN.denoise)(torch.zeros(2, 2, dtype=torch.int64), 0.3)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (torch.zeros(3, 4, 2), ValueError, r"shape \(3, 4, 2\) on cpu, expected \(3, 2, 2\)"),
        (torch.zeros(3, 2, 2, device="meta"), ValueError, "on meta, expected"),
        ((torch.zeros(3, 2, 2),), TypeError, "model returned tuple, expected a tensor"),
        (None, TypeError, "model returned NoneType"),
        (SimpleNamespace(sample=1.0), TypeError, "model returned float"),
    ],
)
def test_wrong_answers_are_named(answer: object, error: type[Exception], message: str) -> None:
    score = from_denoiser(lambda y, sigma: answer)  # type: ignore[arg-type, return-value]
    with pytest.raises(error, match=message):
        score(POINTS, 0.3)
