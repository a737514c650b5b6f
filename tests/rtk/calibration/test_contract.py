"""What calibrated methods promise as a whole: counting, exactness, laws, refusals, invariances."""

import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import Tensor

import rtk
from rtk import process
from rtk.calibration import kernels
from rtk.laws.affine import sample_law
from rtk.noise import ChainNoise
from rtk.samplers.calibrated import Calibrated
from tests.oracles import (
    DOUBLE,
    FITTED,
    CountingScore,
    assert_average,
    assert_moments,
    mixture_moments,
    mixture_of,
    skewed,
)
from tests.rtk.calibration.cases import noisy, rotated, skewed_calibration

NFE = [1, 2, 3, 5, 17, 80]


def samples(n: int = 40, method: str = "calibrated", **options: Any) -> Tensor:
    """Of the skewed mixture, with noise in the method "rtk"."""
    given: dict[str, Any] = {"nfe": 7, "dtype": DOUBLE, **options}
    if "calibration" not in given:
        given["calibration"] = noisy(skewed_calibration())
    return rtk.sample(skewed().score, 2, n, method, **given).samples


# Counting.


@pytest.mark.parametrize("nfe", NFE)
@pytest.mark.parametrize("method", FITTED)
def test_scores_are_counted(method: str, nfe: int) -> None:
    """Rows of the calibration, of its solver, and of the chains are those that the score saw."""
    score = CountingScore(skewed().score)
    calibration = noisy(rtk.calibrate(score, 2))
    assert score.rows == calibration.rows > 1000
    for n in (17, 5):
        before, rows = score.rows, calibration.rows
        result = rtk.sample(score, 2, n, method, nfe, calibration=calibration)
        assert result.calibration is calibration
        assert score.rows - before == calibration.rows - rows + n * result.nfe
        assert result.nfe == min(nfe, len(calibration.solvers[made(calibration)].steps)) <= nfe
        assert result.nfe >= min(nfe, 20)
        assert sum(segment.nfe for segment in result.diagnostics.segments) == result.nfe
        assert torch.isfinite(result.samples).all()
    # The second run found its solver.
    assert calibration.rows == rows


def made(calibration: rtk.Calibration) -> tuple[str, int]:
    (key,) = calibration.solvers
    return key


@pytest.mark.parametrize("method", FITTED)
def test_a_model_is_calibrated_if_need_be(method: str) -> None:
    """With the seed 0, whatever the seed of the samples."""
    score = CountingScore(skewed().score)
    result = rtk.sample(score, 2, 30, method, nfe=9, seed=6, dtype=DOUBLE)
    assert result.calibration is not None
    assert score.rows == result.calibration.rows + 30 * 9
    again = samples(30, method, nfe=9, seed=6, calibration=skewed_calibration())
    assert torch.equal(again, result.samples)


def test_a_break_even() -> None:
    """At 10 scores instead of 30, 1000 rows are worth 50 samples, and 1001 are worth 51."""
    calibration = dataclasses.replace(skewed_calibration(), rows=1000)
    assert calibration.break_even(10, 30) == 50
    assert dataclasses.replace(calibration, rows=1001).break_even(10, 30) == 51
    with pytest.raises(ValueError, match="rival must be above nfe=10 for a break-even, got 10"):
        calibration.break_even(10, 10)
    with pytest.raises(TypeError, match=r"rival must be a whole number, got 20\.5"):
        calibration.break_even(10, 20.5)  # type: ignore[arg-type]


# Exactness on Gaussians.


@pytest.mark.parametrize("nfe", [1, 2, 5, 10])
@pytest.mark.parametrize("method", FITTED)
def test_the_law_of_a_gaussian_is_exact(method: str, nfe: int) -> None:
    """By propagation of the law, to rounding; with noise in every hop of "rtk"."""
    mean, variances = [0.7, -0.4, 0.1], [0.02, 0.5, 4.0]
    target = mixture_of([1.0], [mean], torch.tensor([variances], dtype=DOUBLE))
    calibration = rtk.calibrate(target.score, 3, dtype=DOUBLE)
    assert not calibration.needs_noise
    solver = noisy(calibration).solver(nfe, target.score, method, dtype=DOUBLE)
    has_noise = any(step.sigma_below < sigma for step, sigma in after(solver))
    assert has_noise == (method == "rtk" and nfe > 1)
    law, spent = sample_law(target.score, 3, axes(solver), nfe)
    assert spent == nfe
    assert law.mean == pytest.approx(mean, abs=1e-9)
    assert law.variance == pytest.approx(variances, rel=1e-9)


def after(solver: Calibrated) -> list[tuple[Any, float]]:
    """Each step with the noise level of the next node, but for rounding."""
    return [(step, math.sqrt(math.expm1(2.0 * step.t_lo)) * (1.0 - 1e-9)) for step in solver.steps]


def axes(solver: Calibrated) -> Calibrated:
    """The sampler with a diagonal base in the place of one whose directions are the axes."""
    basis = solver.base.basis
    assert basis is not None
    order = basis.abs().argmax(0)
    torch.testing.assert_close(basis.abs().amax(0), torch.ones(len(order), dtype=DOUBLE))
    variances = torch.empty_like(solver.base.variances)
    variances[order] = solver.base.variances
    return dataclasses.replace(
        solver, base=dataclasses.replace(solver.base, variances=variances, basis=None)
    )


@pytest.mark.parametrize("nfe", [1, 3])
@pytest.mark.parametrize("method", FITTED)
def test_a_full_covariance_in_rotated_coordinates(method: str, nfe: int) -> None:
    """n = 50 000: means and covariances to 5 standard errors."""
    target = rotated()
    calibration = noisy(rtk.calibrate(target.score, 4, dtype=DOUBLE))
    drawn = rtk.sample(
        target.score, 4, 50_000, method, nfe, 1, dtype=DOUBLE, calibration=calibration
    )
    assert_moments(drawn.samples, target.means[0].numpy(), target.covariances[0].numpy())


# The law of a mixture.


@pytest.mark.parametrize("method", FITTED)
def test_the_law_of_a_mixture(method: str) -> None:
    """n = 50 000 at 40 scores: moments and weights to 5 standard errors and what 128 chains miss.

    The bias allowed is 0.01; "rtk" has noise in every hop.
    """
    target = skewed()
    drawn = samples(50_000, method, nfe=40, seed=3)
    assert_moments(drawn, *mixture_moments(target), bias=0.01)
    assert_average(target.responsibilities(drawn, 0.0), target.weights.numpy(), bias=0.004)


def test_an_exact_score_needs_no_noise_and_a_wrong_one_does() -> None:
    assert not skewed_calibration().needs_noise

    def rippled(x: Tensor, t: float) -> Tensor:
        return skewed().score(x, t) + 0.5 / process.sigma(t) * torch.sin(4.0 * x.flip(1))

    assert rtk.calibrate(rippled, 2, dtype=DOUBLE).needs_noise
    plain, other = (samples(method=m, nfe=7, calibration=skewed_calibration()) for m in FITTED)
    assert torch.equal(plain, other)
    assert not torch.allclose(samples(method="rtk", nfe=7), plain)


def test_noise_that_costs_little_is_added_in_any_case() -> None:
    """From 20 scores on, unless the narrowest part of the data is too narrow to be seen."""
    calibration = skewed_calibration()
    assert [calibration.adds_noise(nfe) for nfe in (1, 8, 19, 20, 40)] == [
        *[False] * 3,
        *[True] * 2,
    ]
    thin = dataclasses.replace(calibration.trial, width=0.01 * calibration.rms)
    assert not dataclasses.replace(calibration, trial=thin).adds_noise(40)


@pytest.mark.parametrize("seed", [2**63, 2**64 - 1])
def test_the_largest_seeds(seed: int) -> None:
    """The noise of the fit has a seed of its own, which must be one too."""
    calibration = rtk.calibrate(skewed().score, 2, seed=seed, dtype=DOUBLE)
    assert torch.isfinite(samples(method="rtk", calibration=noisy(calibration))).all()


# Dimensions and shapes.


@pytest.mark.parametrize("method", FITTED)
def test_images_have_the_samples_of_flat_points(method: str) -> None:
    target = mixture_of([0.4, 0.6], [[1.0] * 16, [-0.5] * 16], torch.tensor([0.3, 0.1]))

    def images(x: Tensor, t: float) -> Tensor:
        assert x.shape[1:] == (1, 4, 4)
        return target.score(x.flatten(1), t).reshape(x.shape)

    flat = noisy(rtk.calibrate(target.score, 16, dtype=DOUBLE))
    image = noisy(rtk.calibrate(images, (1, 4, 4), dtype=DOUBLE))
    one = rtk.sample(target.score, 16, 20, method, 6, dtype=DOUBLE, calibration=flat).samples
    two = rtk.sample(images, (1, 4, 4), 20, method, 6, dtype=DOUBLE, calibration=image).samples
    assert two.shape == (20, 1, 4, 4)
    torch.testing.assert_close(two.flatten(1), one, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("method", FITTED)
def test_one_dimension(method: str) -> None:
    target = mixture_of([0.3, 0.7], [[-1.5], [1.0]], torch.tensor([0.15, 0.3]))
    calibration = noisy(rtk.calibrate(target.score, 1))
    drawn = rtk.sample(target.score, 1, 20_000, method, 30, calibration=calibration).samples
    assert_moments(drawn.double(), *mixture_moments(target), bias=0.01)


def test_many_dimensions_with_a_full_base() -> None:
    """784 coordinates of very different widths and two modes; n = 500 weights to 5 sigma."""
    widths = torch.logspace(-3, 0.5, 784, dtype=DOUBLE)
    means = torch.zeros(2, 784, dtype=DOUBLE)
    means[:, :50] = torch.tensor([[0.4], [-0.4]])
    target = rtk.GaussianMixture(torch.tensor([0.3, 0.7]), means, widths.expand(2, -1))
    result = rtk.sample(target.score, 784, 500, "calibrated", 10, dtype=DOUBLE)
    assert result.calibration is not None
    assert_average(target.responsibilities(result.samples, 0.0)[:, 0], 0.3, bias=0.02)
    expected = (widths + 0.16 * 0.84 * (torch.arange(784) < 50)).numpy()
    deviation = result.samples.var(0).numpy() / expected - 1.0
    assert abs(deviation).max() < 5.5 * math.sqrt(2.0 / 500) + 0.05


def test_more_dimensions_than_principal_directions() -> None:
    """1500 coordinates, three of them wide; n = 300: variances to 5 sigma, at 2 scores."""
    variances = torch.full((1500,), 0.01, dtype=DOUBLE)
    variances[:3] = torch.tensor([4.0, 2.0, 1.0])
    target = rtk.GaussianMixture([1.0], torch.full((1, 1500), 0.3), variances[None])
    result = rtk.sample(target.score, 1500, 300, "calibrated", 2, dtype=DOUBLE)
    error = 5.0 * math.sqrt(2.0 / 300)
    found = (result.samples - 0.3).square()
    assert float((found[:, :3].mean(0) / variances[:3] - 1.0).abs().max()) < error
    assert abs(float(found[:, 3:].mean()) / 0.01 - 1.0) < error / math.sqrt(1497)


# What a run may vary.


@pytest.mark.parametrize("method", FITTED)
def test_an_own_start_replaces_the_draws_of_the_base(method: str) -> None:
    """The start that the run would have drawn gives the same run; another is carried as it is."""
    calibration = noisy(skewed_calibration())
    solver = calibration.solver(7, skewed().score, method, dtype=DOUBLE)
    start = solver.initial(ChainNoise(0, 40, (2,), dtype=DOUBLE).normal(), 5.0)
    expected = samples(method=method)
    torch.testing.assert_close(samples(method=method, x_init=start, chunk=7), expected)
    assert not torch.allclose(samples(method=method, x_init=2.0 * start), expected)


@pytest.mark.parametrize("method", FITTED)
def test_single_and_half_precision(method: str) -> None:
    double = samples(100, method, calibration=noisy(skewed_calibration()))
    calibration = noisy(rtk.calibrate(skewed().score, 2))
    single = samples(100, method, dtype=torch.float32, calibration=calibration)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), double, rtol=0.0, atol=0.01)

    def half(x: Tensor, t: float) -> Tensor:
        return skewed().score(x, t).to(torch.bfloat16)

    drawn = rtk.sample(half, 2, 2000, method, 12).samples
    assert drawn.dtype == torch.float32
    mean, _ = mixture_moments(skewed())
    assert_average(drawn, mean, bias=0.05)


@pytest.mark.parametrize("method", FITTED)
def test_autograd_of_the_caller_makes_no_difference(method: str) -> None:
    factor = torch.ones((), dtype=DOUBLE, requires_grad=True)

    def score(x: Tensor, t: float) -> Tensor:
        assert not torch.is_grad_enabled()
        return factor * skewed().score(x, t)

    expected = samples(method=method)
    for mode in (torch.enable_grad, torch.no_grad, torch.inference_mode):
        with mode():
            calibration = noisy(rtk.calibrate(score, 2, dtype=DOUBLE))
            result = rtk.sample(score, 2, 40, method, 7, dtype=DOUBLE, calibration=calibration)
        assert torch.equal(result.samples, expected)
        assert not result.samples.requires_grad
        assert not calibration.starts.is_inference()
        # What was made in one mode is used in another.
        again = rtk.sample(score, 2, 40, method, 7, dtype=DOUBLE, calibration=calibration)
        assert torch.equal(again.samples, expected)


@pytest.mark.parametrize("method", FITTED)
def test_a_default_device_makes_no_difference(method: str) -> None:
    """The points of a calibration stay on the CPU, and the score's where it was asked for."""

    def score(x: Tensor, t: float) -> Tensor:
        assert torch.zeros(1).device == x.device
        return skewed().score(x, t)

    with torch.device("meta"):
        calibration = noisy(rtk.calibrate(score, 2, device="cpu", dtype=DOUBLE))
        for nfe in (3, 7):
            calibration.solver(nfe, score, method, device="cpu", dtype=DOUBLE)
    assert torch.equal(samples(method=method, calibration=calibration), samples(method=method))


def test_randomness_of_a_calibration_is_its_own() -> None:
    torch.manual_seed(1)
    one = rtk.calibrate(skewed().score, 2, dtype=DOUBLE)
    number = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(number, torch.rand(1))
    assert one.consistency == skewed_calibration().consistency
    other = rtk.calibrate(skewed().score, 2, seed=1, dtype=DOUBLE)
    assert other.consistency != one.consistency
    assert not torch.equal(other.starts, one.starts)


def test_the_noise_of_hops_does_not_repeat_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first draws against the pilot's: the correlation of 128 numbers to 5 standard errors."""
    draws: list[Tensor] = []

    def fit(model: Any, base: Any, t_start: Any, levels: Any, finest: Any, *rest: Any) -> Any:
        start, generator = rest
        draws.append(torch.randn(start.shape, generator=generator, dtype=DOUBLE))
        return skewed_calibration().solver(3, skewed().score, dtype=DOUBLE)

    monkeypatch.setattr(kernels, "fit", fit)
    calibration = noisy(skewed_calibration())
    calibration.solver(7, skewed().score, "rtk", dtype=DOUBLE)
    half = len(calibration.starts) // 2
    both = torch.stack([draws[0][:half].flatten(), calibration.starts[:half].flatten()])
    assert abs(float(torch.corrcoef(both)[0, 1])) < 5.0 / math.sqrt(2 * half)


def test_a_log_density_is_ignored_and_a_callback_is_served() -> None:
    seen = []
    calibration = skewed_calibration()
    result = rtk.sample(
        skewed().score,
        2,
        10,
        calibration,
        7,
        log_prob=skewed().log_prob,
        callback=lambda x, t, chains: seen.append((t, chains)),
        chunk=6,
    )
    assert result.diagnostics.log_prob_evaluations == 0
    times = [segment.t_lo for segment in result.diagnostics.segments]
    assert seen == [(t, rows) for rows in (range(6), range(6, 10)) for t in times]
    assert times[-1] == 0.0


def test_the_calibration_is_a_method() -> None:
    """It is the method "calibrated"; the two names take it as an option."""
    calibration = skewed_calibration()
    own = rtk.sample(skewed().score, 2, 40, calibration, 7, dtype=DOUBLE).samples
    assert torch.equal(own, samples(calibration=calibration))


# Where the chains begin.


def test_the_start_of_a_calibration() -> None:
    calibration = rtk.calibrate(skewed().score, 2, dtype=DOUBLE, t_start=7.0)
    for given in (None, 7.0):
        result = rtk.sample(skewed().score, 2, 5, calibration, 4, dtype=DOUBLE, t_start=given)
        assert result.diagnostics.segments[0].t_hi == 7.0
    for t_start in (5.0, 3.0):
        with pytest.raises(ValueError, match=f"begins at t_start=7, not {t_start:g}"):
            rtk.sample(skewed().score, 2, 5, calibration, 4, dtype=DOUBLE, t_start=t_start)
    result = rtk.sample(skewed().score, 2, 5, "calibrated", 4, t_start=6.0)
    assert result.diagnostics.segments[0].t_hi == 6.0
    assert isinstance(result.calibration, rtk.Calibration)
    assert result.calibration.t_start == 6.0


# Refusals.


@pytest.mark.parametrize("method", FITTED)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"segments": 5}, "chooses its own segments, which end at time 0: leave out segments="),
        ({"segments": (5.0, 1.0, 0.1)}, "chooses its own segments"),
        ({"denoise": True}, "chooses its own segments"),
        ({"nfe": 0}, "nfe must be at least 1, got 0"),
        ({"nfe": 2.5}, "nfe must be a whole number"),
        ({"t_start": -1.0}, "t_start must be positive"),
        ({"x_init": torch.zeros(3, 2)}, "x_init must be"),
        ({"step_size": 1.0}, r"no option \['step_size'\], expected one of \['calibration'\]"),
        ({"calibration": 3}, "calibration must come from rtk.calibrate, got int"),
        ({"nonfinite": "drop"}, '"raise" or "keep"'),
    ],
)
def test_refusals_cost_no_score(method: str, options: dict[str, Any], message: str) -> None:
    score = CountingScore(skewed().score)
    with pytest.raises((ValueError, TypeError), match=message):
        rtk.sample(score, 2, 10, method, **options)
    assert score.rows == 0


def test_no_denoising_step_may_be_asked_for() -> None:
    assert torch.equal(samples(denoise=False), samples())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.solver(0, skewed().score), "nfe must be at least 1, got 0"),
        (lambda c: c.solver(5, None), "score must be a callable"),
        (
            lambda c: c.solver(5, skewed().score, "rtk-uld"),
            r"method must be one of \('calibrated', 'rtk'\), got 'rtk-uld'",
        ),
        (lambda c: rtk.sample(skewed().score, 3, 5, c), r"shape \(2,\), got \(3,\)"),
        (lambda c: rtk.sample(skewed().score, 2, 5, c, friction=1.0), "belong into the sampler"),
        (lambda c: rtk.calibrate(skewed().score, 0), "shape must"),
        (lambda c: rtk.calibrate(skewed().score, 2, seed=-1), "seed must be at least 0"),
        (lambda c: rtk.calibrate(skewed().score, 2, t_start=0.0), "t_start must be positive"),
        (lambda c: rtk.calibrate(3, 2), "score must be a callable"),  # type: ignore[arg-type]
        (lambda c: rtk.calibrate(lambda x, t: x[:, :1], 2), "score returned shape"),
    ],
)
def test_wrong_arguments(call: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        call(skewed_calibration())


@pytest.mark.parametrize("method", FITTED)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_score_that_is_not_finite_cannot_be_calibrated(method: str, value: float) -> None:
    def torn(x: Tensor, t: float) -> Tensor:
        return torch.where((x[:, :1] > 1.0) & (t < 1.0), value, skewed().score(x, t))

    with pytest.raises(FloatingPointError, match=r"not finite at \d+ of 128 points at t = 0\.\d+"):
        rtk.sample(torn, 2, 16, method)


@pytest.mark.parametrize("method", FITTED)
def test_chains_that_stop_being_finite_are_named(method: str) -> None:
    """A score that was fine when it was calibrated, and fails now."""

    def torn(x: Tensor, t: float) -> Tensor:
        return torch.where((x[:, :1] > 1.0) & (t < 1.0), torch.nan, skewed().score(x, t))

    options: dict[str, Any] = {"calibration": noisy(skewed_calibration()), "dtype": DOUBLE}
    whole = rtk.sample(skewed().score, 2, 16, method, 7, **options).samples
    with pytest.raises(rtk.NonFiniteError, match="of the 16 chains"):
        rtk.sample(torn, 2, 16, method, 7, **options)
    kept = rtk.sample(torn, 2, 16, method, 7, nonfinite="keep", **options)
    lost = torch.nonzero(~torch.isfinite(kept.samples).all(1)).flatten().tolist()
    assert 0 < len(lost) < 16
    assert sorted(kept.diagnostics.nonfinite) == lost
    others = [chain for chain in range(16) if chain not in lost]
    torch.testing.assert_close(kept.samples[others], whole[others])


def test_a_module_in_training_mode_is_warned_of() -> None:
    class Network(torch.nn.Module):
        def forward(self, x: Tensor, t: float) -> Tensor:
            return skewed().score(x, t)

    with pytest.warns(rtk.SamplingWarning, match="training mode") as caught:
        rtk.calibrate(Network(), 2)
    assert caught[0].filename == __file__
