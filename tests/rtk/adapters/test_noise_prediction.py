import math
import pickle
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import rtk
from rtk import segments
from rtk.adapters import NoisePredictionScore, from_noise_prediction
from tests.oracles import skewed
from tests.rtk.adapters.models import (
    DOUBLE,
    SCHEDULES,
    Array,
    DiscreteModel,
    Gaussian,
    coefficients,
    linear_schedule,
    log_snr_of,
)

TYPES = ("epsilon", "v_prediction", "sample")
TIMES = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 1.0, 2.0, 5.0]
POINTS = torch.linspace(-3, 3, 12, dtype=DOUBLE).reshape(3, 2, 2)
GAUSSIAN = Gaussian()
# All times of the tests and more: log-SNR falls evenly from t = 5e-7 to t = 6.
WIDE = 1 / (1 + np.exp(-2 * np.linspace(6.9, -6.0, 1000)))


def gaussian_score(
    prediction_type: str, alpha_bar: Array, dtype: torch.dtype | None = None
) -> NoisePredictionScore:
    """The adapter around a perfect model of the Gaussian."""
    model = DiscreteModel(lambda x, t: GAUSSIAN.predict(prediction_type, x, t), alpha_bar)
    return from_noise_prediction(model, alpha_bar, prediction_type, dtype=dtype)


def rounding(prediction_type: str, t: float, dtype: torch.dtype) -> float:
    """What rounding a prediction of size 4 costs at least, in the score."""
    a, s = coefficients(t)
    eps = 4.0 * torch.finfo(dtype).eps
    return {"epsilon": eps / s, "v_prediction": eps * a / s, "sample": eps * a / s**2}[
        prediction_type
    ]


@pytest.mark.parametrize("prediction_type", TYPES)
@pytest.mark.parametrize("t", TIMES)
def test_score_of_a_gaussian(prediction_type: str, t: float) -> None:
    """The prediction is the one at ``t`` itself, so only the formula of the score is tested."""
    model = lambda x, k: GAUSSIAN.predict(prediction_type, x, t)  # noqa: E731
    atol = 1e-12 + rounding(prediction_type, t, DOUBLE)
    score = from_noise_prediction(model, WIDE, prediction_type)
    expected = GAUSSIAN.score(POINTS, t)
    torch.testing.assert_close(score(POINTS, t), expected, rtol=1e-12, atol=atol)

    x = POINTS.float()
    atol = rounding(prediction_type, t, x.dtype)
    expected = GAUSSIAN.score(x.double(), t).float()
    model_32 = lambda x, k: GAUSSIAN.predict(prediction_type, x.double(), t).float()  # noqa: E731
    actual = from_noise_prediction(model_32, WIDE, prediction_type)(x, t)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=atol)
    actual = from_noise_prediction(model, WIDE, prediction_type, dtype=DOUBLE)(x, t)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("prediction_type", TYPES)
def test_score_of_a_gaussian_from_timesteps(prediction_type: str, name: str) -> None:
    """At times of the schedule and between them, where the model inverts the timestep."""
    score = gaussian_score(prediction_type, SCHEDULES[name])
    for t in [*score.times[::37], *np.geomspace(score.t_min, score.t_max, 40).tolist()]:
        expected = GAUSSIAN.score(POINTS, t)
        atol = 1e-10 + rounding(prediction_type, t, DOUBLE)
        torch.testing.assert_close(score(POINTS, t), expected, rtol=1e-10, atol=atol)


@pytest.mark.parametrize("name", SCHEDULES)
def test_times_of_the_schedule_are_their_timesteps_exactly(name: str) -> None:
    alpha_bar = SCHEDULES[name]
    score = gaussian_score("epsilon", alpha_bar)
    assert [score.timestep(t) for t in score.times] == list(range(1000))
    np.testing.assert_allclose(score.times, -np.log(alpha_bar) / 2, rtol=1e-12)
    assert (score.t_min, score.t_max) == (score.times[0], score.times[-1])


@pytest.mark.parametrize("name", SCHEDULES)
def test_timesteps_are_linear_in_log_snr(name: str) -> None:
    alpha_bar = SCHEDULES[name]
    score = gaussian_score("epsilon", alpha_bar)
    at = log_snr_of(alpha_bar)
    for k in (0, 1, 17, 500, 998):
        for fraction in (0.1, 0.5, 0.75):
            between = (1 - fraction) * at[k] + fraction * at[k + 1]
            t = 0.5 * math.log1p(math.exp(-2 * between))
            assert score.timestep(t) == pytest.approx(k + fraction, abs=1e-7)


@pytest.mark.parametrize("prediction_type", TYPES)
@pytest.mark.parametrize("method", ["ddpm", "dpm++2m", "rtk-uld"])
def test_samples_are_those_of_the_exact_score(method: str, prediction_type: str) -> None:
    mixture = skewed()

    def predict(x: Tensor, t: float) -> Tensor:
        a, s = coefficients(t)
        eps = -s * mixture.score(x, t)
        clean = (x - s * eps) / a
        return {"epsilon": eps, "v_prediction": a * eps - s * clean, "sample": clean}[
            prediction_type
        ]

    alpha_bar = linear_schedule()
    score = from_noise_prediction(DiscreteModel(predict, alpha_bar), alpha_bar, prediction_type)
    grid = segments.log_snr(10, score.t_max, score.t_min)
    own, wrapped = (
        rtk.sample(function, 2, 200, method, nfe=40, segments=grid, dtype=DOUBLE).samples
        for function in (mixture.score, score)
    )
    torch.testing.assert_close(wrapped, own, rtol=0, atol=1e-8)


class Recorder:
    """A model that answers ``eps = x`` and remembers what it was given."""

    def __init__(self) -> None:
        self.x = self.timestep = torch.empty(0)

    def __call__(self, x: Tensor, timestep: Tensor) -> Tensor:
        self.x, self.timestep = x, timestep
        return x.clone()


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("state", [torch.float32, DOUBLE])
def test_a_half_precision_model_serves_a_better_state(
    state: torch.dtype, half: torch.dtype
) -> None:
    model = Recorder()
    score = from_noise_prediction(model, linear_schedule(), dtype=half)
    x = POINTS.to(state)
    answer = score(x, score.times[997])
    assert (answer.dtype, model.x.dtype) == (state, half)
    # bfloat16 would have made 996 of it.
    assert model.timestep.tolist() == [997.0] * 3
    assert model.timestep.dtype == torch.float32
    s = coefficients(score.times[997])[1]
    torch.testing.assert_close(answer, x.to(half).to(state) * (-1 / s), rtol=1e-6, atol=0)


def test_only_the_prediction_is_rounded_for_a_half_precision_model() -> None:
    """Of ``score = -x - (a / s) v`` the ``x`` keeps its digits: here v = 0."""
    score = from_noise_prediction(
        lambda x, k: torch.zeros_like(x), linear_schedule(), "v_prediction", dtype=torch.bfloat16
    )
    assert torch.equal(score(POINTS, 0.5), -POINTS)


def test_timesteps_are_in_the_dtype_of_the_state() -> None:
    model = Recorder()
    for x in (POINTS, POINTS.float()):
        from_noise_prediction(model, linear_schedule())(x, 0.3)
        assert model.timestep.dtype == model.x.dtype == x.dtype


def test_integer_timesteps_are_the_nearest() -> None:
    model = Recorder()
    score = from_noise_prediction(model, linear_schedule(), integer_timesteps=True)
    for k, fraction in ((0, 0.0), (10, 0.3), (10, 0.7), (998, 0.9)):
        at = log_snr_of(linear_schedule())
        between = (1 - fraction) * at[k] + fraction * at[k + 1]
        score(POINTS, 0.5 * math.log1p(math.exp(-2 * between)))
        assert model.timestep.dtype == torch.int64
        assert model.timestep.tolist() == [k + round(fraction)] * 3


def test_integer_timesteps_look_up_a_table() -> None:
    """On a grid of the schedule's own times a table of embeddings loses nothing."""
    alpha_bar = linear_schedule()
    table = nn.Embedding.from_pretrained(torch.from_numpy(-0.5 * np.log(alpha_bar)).unsqueeze(1))

    def model(x: Tensor, timestep: Tensor) -> Tensor:
        return GAUSSIAN.predict("epsilon", x, float(table(timestep)[0]))

    score = from_noise_prediction(model, alpha_bar, integer_timesteps=True)
    grid = segments.check(score.times[999:0:-111])
    own, wrapped = (
        rtk.sample(function, 2, 50, "ddpm", nfe=20, segments=grid, dtype=DOUBLE).samples
        for function in (GAUSSIAN.score, score)
    )
    torch.testing.assert_close(wrapped, own, rtol=0, atol=1e-10)


def test_a_model_of_diffusers_returns_an_object() -> None:
    def wrapped(x: Tensor, timestep: Tensor) -> SimpleNamespace:
        return SimpleNamespace(sample=GAUSSIAN.predict("epsilon", x, 0.3))

    score = from_noise_prediction(wrapped, linear_schedule())
    torch.testing.assert_close(score(POINTS, 0.3), GAUSSIAN.score(POINTS, 0.3))


@pytest.mark.parametrize("prediction_type", TYPES)
def test_a_model_that_works_in_place_changes_nothing(prediction_type: str) -> None:
    def model(x: Tensor, timestep: Tensor) -> Tensor:
        answer = GAUSSIAN.predict(prediction_type, x, 0.3)
        x.zero_()
        return answer

    x = POINTS.clone()
    actual = from_noise_prediction(model, linear_schedule(), prediction_type)(x, 0.3)
    torch.testing.assert_close(actual, GAUSSIAN.score(POINTS, 0.3))
    assert torch.equal(x, POINTS)


def test_times_outside_of_the_schedule_raise() -> None:
    score = from_noise_prediction(Recorder(), linear_schedule())
    for t in (0.99 * score.t_min, 1.01 * score.t_max, 0.0, math.nan):
        with pytest.raises(ValueError, match=r"5\.00025e-05 <= t <= 5\.0\d*.* asked at t = "):
            score(POINTS, t)


def test_ends_up_to_rounding_are_the_ends() -> None:
    model = Recorder()
    score = from_noise_prediction(model, linear_schedule())
    for t, k in ((np.nextafter(score.t_min, 0), 0), (np.nextafter(score.t_max, 9), 999)):
        score(POINTS, t)
        assert model.timestep.tolist() == [k] * 3


def test_a_schedule_may_start_without_noise() -> None:
    """Timestep 0 is then the data; the others keep their index."""
    model = Recorder()
    score = from_noise_prediction(model, [1.0, 0.9, 0.5, 0.1])
    assert score.times[0] == 0.0
    assert score.t_min == score.times[1] == pytest.approx(-0.5 * math.log(0.9), rel=1e-14)
    assert [score.timestep(t) for t in score.times[1:]] == [1, 2, 3]
    with pytest.raises(ValueError, match=r"asked at t = 0\.01"):
        score(POINTS, 0.01)


@pytest.mark.parametrize("kind", [torch.tensor, np.array, list, tuple])
def test_forms_of_a_schedule(kind: Callable[[list[float]], object]) -> None:
    values = [0.9999, 0.5, 1e-4]
    score = from_noise_prediction(Recorder(), kind(values))  # type: ignore[arg-type]
    # torch.tensor makes float32 of them.
    rel = 1e-3 if kind is torch.tensor else 1e-14
    assert score.times == pytest.approx([-0.5 * math.log(value) for value in values], rel=rel)


def test_score_goes_between_processes() -> None:
    model = DiscreteModel(GAUSSIAN.score, linear_schedule())
    score = from_noise_prediction(model, linear_schedule(), "sample", dtype=torch.float32)
    again = pickle.loads(pickle.dumps(score))
    assert (again.times, again.dtype) == (score.times, score.dtype)
    assert torch.equal(again(POINTS, 0.3), score(POINTS, 0.3))


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ([0.9, 0.5, 0.5], "decrease strictly.*entry 2 is 0.5 after 0.5"),
        ([0.5, 0.9, 0.95], "entry 1 is 0.9 after 0.5"),
        ([0.9, 0.5, 0.0], "entry 2 is 0 after 0.5; a last entry of 0 .zero terminal SNR"),
        ([1.1, 0.9, 0.5], "entry 0 is 1.1"),
        ([0.9, -0.1], "entry 1 is -0.1"),
        ([0.9, 0.5, math.nan], "entry 2 is nan"),
        ([1.0, 1.0, 0.9, 0.5], "entry 1 is 1 after 1"),
        ([0.9], "at least two entries below 1, got shape .1,. and 1 such"),
        ([1.0, 0.9], "at least two entries below 1"),
        ([], "at least two entries below 1"),
        ([[0.9, 0.5]], "must have shape .K,."),
    ],
)
def test_schedules_are_checked(schedule: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_noise_prediction(Recorder(), schedule)  # type: ignore[arg-type]


@pytest.mark.parametrize("schedule", [SimpleNamespace(alphas_cumprod=[0.9, 0.5]), "linear", None])
def test_what_is_no_schedule_is_named(schedule: object) -> None:
    with pytest.raises(TypeError, match="alphas_cumprod must be the numbers alpha_bar_0"):
        from_noise_prediction(Recorder(), schedule)  # type: ignore[arg-type]


def test_arguments_are_checked() -> None:
    with pytest.raises(
        ValueError, match=r"one of \('epsilon', 'v_prediction', 'sample'\), got 'v'"
    ):
        from_noise_prediction(Recorder(), linear_schedule(), "v")
    with pytest.raises(TypeError, match="model must be a callable"):
        from_noise_prediction(None, linear_schedule())  # type: ignore[arg-type]


def test_a_model_that_also_predicts_variances_is_refused() -> None:
    score = from_noise_prediction(lambda x, k: torch.cat((x, x), 1), linear_schedule())
    with pytest.raises(ValueError, match=r"shape \(3, 4, 2\) on cpu, expected \(3, 2, 2\)"):
        score(POINTS, 0.3)
