"""The samplers as a scheduler of diffusers, against diffusers' own and against `rtk.sample`."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import rtk
from rtk.adapters.image_noise import seed_of
from rtk.adapters.noise_prediction import from_noise_prediction
from rtk.samplers.base import initial
from tests.oracles import skewed
from tests.rtk.adapters.models import DOUBLE, Gaussian

pytest.importorskip("diffusers")

import diffusers

from rtk.adapters.diffusers import RTKScheduler, calibrate, from_model
from rtk.adapters.diffusers_model import clamped
from tests.rtk.adapters.pipelines import (
    SHAPE,
    STABLE_DIFFUSION,
    ExactModel,
    PromptedGaussian,
    generators,
    network,
    pipeline,
)

GRID = [999, 930, 860, 790, 700, 600, 480, 350, 220, 120, 60, 30]
METHODS = [name for name in rtk.methods() if name not in ("calibrated", "rtk")]


def drive(scheduler: Any, model: Any, x: Tensor, generator: Any = None) -> Tensor:
    """The loop of a pipeline from given noise, in the precision of the noise."""
    takes_generator = {} if generator is None else {"generator": generator}
    with torch.no_grad():
        for t in scheduler.timesteps:
            answer = model(scheduler.scale_model_input(x, t), t).sample
            x = scheduler.step(answer, t, x, **takes_generator).prev_sample
    return x


def noise(n: int = 3) -> Tensor:
    return torch.randn(n, *SHAPE, generator=torch.Generator().manual_seed(5), dtype=DOUBLE)


# Scores


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("t", [0.01, 0.3, 2.0])
def test_a_model_becomes_its_score(prediction_type: str, t: float) -> None:
    config = diffusers.DDIMScheduler(prediction_type=prediction_type).config
    score = from_model(ExactModel(prediction_type=prediction_type), config)
    x = noise(20)
    exact = skewed().score(x.flatten(1), t).reshape(x.shape)
    torch.testing.assert_close(score(x, t), exact, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "config",
    [
        {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
        {"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 300},
        {"trained_betas": [0.1, 0.2, 0.3], "num_train_timesteps": 3},
    ],
)
@pytest.mark.parametrize("kind", ["DDPMScheduler", "DDIMScheduler", "DPMSolverMultistepScheduler"])
def test_the_schedule_is_that_of_the_configuration(config: dict[str, Any], kind: str) -> None:
    scheduler = getattr(diffusers, kind)(**config)
    score = from_model(lambda x, k: x, scheduler.config)
    assert score.times == from_noise_prediction(lambda x, k: x, scheduler.alphas_cumprod).times
    ours = RTKScheduler.from_config(scheduler.config)
    assert ours._score.times == score.times


# Against the schedulers of diffusers


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
def test_ddim_is_that_of_diffusers(prediction_type: str) -> None:
    theirs = diffusers.DDIMScheduler(
        prediction_type=prediction_type, clip_sample=False, timestep_spacing="trailing"
    )
    # Its arithmetic is as precise as its schedule, whose numbers stay the same.
    theirs.alphas_cumprod = theirs.alphas_cumprod.double()
    theirs.final_alpha_cumprod = theirs.final_alpha_cumprod.double()
    theirs.set_timesteps(10)
    ours = RTKScheduler.from_config(
        theirs.config, method="ddim", segments=theirs.timesteps.tolist()
    )
    ours.set_timesteps(10)
    assert ours.timesteps.tolist() == theirs.timesteps.tolist()
    model = ExactModel(prediction_type=prediction_type)
    # Measured: 4e-16.
    expected = drive(theirs, model, noise())
    torch.testing.assert_close(drive(ours, model, noise()), expected, rtol=0, atol=1e-14)


def test_dpm_solver_is_that_of_diffusers() -> None:
    theirs = diffusers.DPMSolverMultistepScheduler(final_sigmas_type="zero")
    theirs.set_timesteps(timesteps=GRID)
    ours = RTKScheduler.from_config(theirs.config, method="dpm++2m", segments=GRID)
    ours.set_timesteps(len(GRID))
    model = ExactModel()
    expected = drive(theirs, model, noise())
    # Its noise levels are in float32. Measured: 2e-7.
    torch.testing.assert_close(drive(ours, model, noise()), expected, rtol=0, atol=1e-6)
    other = RTKScheduler.from_config(theirs.config, method="ddim", segments=GRID)
    other.set_timesteps(len(GRID))
    assert (drive(other, model, noise()) - expected).abs().max() > 1e-2


# Against rtk.sample


@pytest.mark.parametrize("method", METHODS)
def test_samples_are_those_of_rtk_sample(method: str) -> None:
    """The same noise and seed give the same samples; the timesteps travel in float32.

    Measured: at most 3e-7.
    """
    model = ExactModel()
    scheduler = RTKScheduler.from_config(
        diffusers.DDPMScheduler().config, method=method, segments=4
    )
    scheduler.set_timesteps(30)
    actual = drive(scheduler, model, noise(), *generators(3))
    calls = len(model.calls)
    score = from_model(model, diffusers.DDPMScheduler().config)
    expected = rtk.sample(
        score,
        SHAPE,
        3,
        method,
        nfe=30,
        seed=seed_of(*generators(3)),
        x_init=noise(),
        segments=rtk.segments.log_snr(4, score.t_max, score.t_min),
        dtype=DOUBLE,
    )
    assert calls == len(scheduler.timesteps) == expected.nfe
    torch.testing.assert_close(actual, expected.samples, rtol=0, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 7, 20])
def test_every_inference_step_is_one_evaluation(steps: int) -> None:
    for method, least in (("ddim", 2), ("dpm++2m", 2), ("rtk-uld", 4)):
        if steps < least:
            continue
        pipe = pipeline(ExactModel())
        pipe.scheduler = RTKScheduler.from_config(pipe.scheduler.config, method=method)
        pipe(1, num_inference_steps=steps, output_type="pt")
        assert len(pipe.unet.calls) == steps


@pytest.mark.parametrize("kind", ["DDPMPipeline", "DDIMPipeline"])
@pytest.mark.parametrize("method", ["dpm++2m", "rtk-uld", "rtk-mala"])
def test_an_image_depends_on_its_own_generator_alone(kind: str, method: str) -> None:
    pipe = pipeline(ExactModel(), kind)
    pipe.scheduler = RTKScheduler.from_config(pipe.scheduler.config, method=method)

    def images(*seeds: int) -> Any:
        return pipe(len(seeds), generators(*seeds), num_inference_steps=12, output_type="pt").images

    together = images(1, 2, 3)
    assert (together[0] - together[1]).abs().max() > 1e-3
    # The pipeline cuts what is outside of its colours.
    assert bool(((together > 0) & (together < 1)).flatten(1).any(1).all())
    torch.testing.assert_close(images(2)[0], together[1], rtol=0, atol=1e-5)
    torch.testing.assert_close(images(3, 2)[0], together[2], rtol=0, atol=1e-5)


def test_one_generator_serves_a_batch() -> None:
    model = ExactModel()
    scheduler = RTKScheduler.from_config(diffusers.DDPMScheduler().config, method="rtk-ula")

    def samples(n: int, generator: Any) -> Tensor:
        scheduler.set_timesteps(20)
        return drive(scheduler, model, noise(3)[:1].expand(n, *SHAPE), generator)

    several = samples(3, *generators(7))
    assert (several[0] - several[1]).abs().max() > 1e-3
    torch.testing.assert_close(samples(1, generators(7))[0], several[0])
    with pytest.raises(ValueError, match="list of 2 for 3 images"):
        samples(3, generators(1, 2))


def test_half_precision_samples_are_computed_in_float32() -> None:
    """Where the noise is always predicted as 0, ``x_0 = x / a``, which is rounded once."""
    scheduler = RTKScheduler.from_config(diffusers.DDPMScheduler().config, method="ddim")
    scheduler.set_timesteps(30)
    start = x = noise(50).to(torch.float16)
    for t in scheduler.timesteps:
        x = scheduler.step(torch.zeros_like(x), t, x).prev_sample
    assert x.dtype == torch.float16
    exact = start.double() / diffusers.DDPMScheduler().alphas_cumprod[-1].double().sqrt()
    torch.testing.assert_close(x.double(), exact, rtol=1.01 * 2**-11, atol=0)


# Guidance


def stable_diffusion() -> Any:
    """A pipeline whose guided law is known, with means in the place of prompts."""
    pytest.importorskip("transformers")
    pipe = diffusers.StableDiffusionPipeline(
        unet=PromptedGaussian(),
        vae=diffusers.AutoencoderKL(
            block_out_channels=(2, 2, 2, 2),
            norm_num_groups=1,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
        ),
        scheduler=diffusers.PNDMScheduler(**STABLE_DIFFUSION, steps_offset=1),
        text_encoder=None,
        tokenizer=None,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


NEGATIVE, PROMPT, SCALE = -0.2, 0.4, 5.0
GUIDED_MEAN = NEGATIVE + SCALE * (PROMPT - NEGATIVE)
PROMPTS = {
    "prompt_embeds": torch.full((1, 3, 8), PROMPT),
    "negative_prompt_embeds": torch.full((1, 3, 8), NEGATIVE),
    "guidance_scale": SCALE,
    "num_images_per_prompt": 2,
    "output_type": "latent",
}


def guided(unet: Any) -> Any:
    """The guided prediction, from its definition."""

    def model(x: Tensor, timestep: Tensor) -> Tensor:
        negative, prompted = (
            unet(x, timestep, torch.full((len(x), 3, 8), mean))[0] for mean in (NEGATIVE, PROMPT)
        )
        return negative + SCALE * (prompted - negative)

    return model


@pytest.mark.parametrize("method", ["dpm++2m", "rtk-uld"])
def test_guided_samples_are_those_of_the_guided_score(method: str) -> None:
    pipe = stable_diffusion()
    pipe.scheduler = RTKScheduler.from_config(pipe.scheduler.config, method=method, segments=2)
    actual = pipe(generator=generators(4, 5), num_inference_steps=11, **PROMPTS).images
    calls = pipe.unet.rows
    # Two images, each with and without its prompt.
    assert calls == [4] * len(pipe.scheduler.timesteps)
    score = from_model(guided(pipe.unet), pipe.scheduler.config)
    for k, generator in enumerate(generators(4, 5)):
        # The pipeline draws the latents from the generator; its next draw is the seed.
        start = torch.randn(1, 4, 2, 2, generator=generator)
        expected = rtk.sample(
            score,
            (4, 2, 2),
            1,
            method,
            nfe=11,
            seed=seed_of(generator),
            x_init=start,
            segments=rtk.segments.log_snr(2, score.t_max, score.t_min),
        )
        assert expected.nfe == len(pipe.scheduler.timesteps)
        torch.testing.assert_close(actual[k : k + 1], expected.samples, rtol=0, atol=1e-5)


@pytest.mark.parametrize("method", ["calibrated", "rtk"])
def test_guided_samples_of_a_calibrated_solver(method: str) -> None:
    """The pipeline passes its latents twice, once for each half of the guidance."""
    pipe = stable_diffusion()
    calibration = calibrate(pipe, [5], method=method, model=guided(pipe.unet))
    pipe.scheduler = RTKScheduler.from_config(
        pipe.scheduler.config, method=method, calibration=calibration
    )
    pipe.unet.rows.clear()
    actual = pipe(generator=generators(4, 5), num_inference_steps=5, **PROMPTS).images
    assert pipe.unet.rows == [4] * 5
    # The flow of a Gaussian carries the noise xi to m + v^(1/2) xi.
    noise = torch.cat([torch.randn(1, 4, 2, 2, generator=each) for each in generators(4, 5)])
    torch.testing.assert_close(actual, GUIDED_MEAN + 0.3**0.5 * noise, rtol=0, atol=1e-4)


# Calibration


@pytest.fixture(scope="module")
def calibration() -> rtk.Calibration:
    return calibrate(pipeline(ExactModel()), [8], method="calibrated")


def flow_error(method: str, model: Any, steps: int, **options: Any) -> float:
    """Root mean square distance to where the probability flow carries the same noise."""
    ends = []
    for name, count, extra in ((method, steps, options), ("dpm++2m", 150, {})):
        scheduler = RTKScheduler.from_config(diffusers.DDPMScheduler().config, method=name, **extra)
        scheduler.set_timesteps(count)
        ends.append(drive(scheduler, model, noise(200)))
    return float((ends[0] - ends[1]).square().mean().sqrt())


def test_a_calibrated_solver_is_nearer_to_the_flow(calibration: rtk.Calibration) -> None:
    model = ExactModel()
    # Measured: 0.0056 and 0.127.
    ours = flow_error("calibrated", model, 8, calibration=calibration)
    assert ours < 0.1 * flow_error("dpm++2m", model, 8)


def test_calibrated_samples_are_those_of_rtk_sample(calibration: rtk.Calibration) -> None:
    config = diffusers.DDPMScheduler().config
    model = ExactModel()
    score = from_model(model, config)
    solver = calibration.solvers["calibrated", 8]
    expected = rtk.sample(
        lambda x, t: score(x, min(max(t, score.t_min), score.t_max)),
        SHAPE,
        3,
        calibration,
        nfe=8,
        x_init=initial(solver, noise(), calibration.t_start),
        dtype=DOUBLE,
    ).samples
    scheduler = RTKScheduler.from_config(config, method="calibrated", calibration=calibration)
    scheduler.set_timesteps(8)
    torch.testing.assert_close(drive(scheduler, model, noise()), expected, rtol=0, atol=1e-6)


def test_a_pipeline_that_does_not_scale_its_input(calibration: rtk.Calibration) -> None:
    """The first of nine evaluations is not used; the others are those of eight."""
    pipe = pipeline(ExactModel())
    config = pipe.scheduler.config
    known = {"method": "rtk", "calibration": calibration}
    pipe.scheduler = RTKScheduler.from_config(config, **known)
    with pytest.raises(ValueError, match="scales_input=False"):
        pipe(2, generators(1, 2), num_inference_steps=8)
    pipe.unet.calls.clear()
    pipe.scheduler = RTKScheduler.from_config(config, **known, scales_input=False)
    images = pipe(2, generators(1, 2), num_inference_steps=9, output_type="np").images
    assert len(pipe.unet.calls) == 9
    start = torch.cat([torch.randn(1, *SHAPE, generator=g) for g in generators(1, 2)])
    scheduler = RTKScheduler.from_config(config, **known)
    scheduler.set_timesteps(8)
    expected = (drive(scheduler, pipe.unet, start) / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
    torch.testing.assert_close(torch.as_tensor(images), expected, rtol=0, atol=1e-4)


def test_times_beyond_the_schedule_are_its_ends(calibration: rtk.Calibration) -> None:
    score = from_model(ExactModel(), diffusers.DDPMScheduler().config)
    x = noise()
    for t, end in ((1e-6, score.t_min), (20.0, score.t_max), (0.3, 0.3)):
        assert torch.equal(clamped(score)(x, t), score(x, end))
    # The calibrated solver goes to lower noise levels than this schedule has.
    betas = {"num_train_timesteps": 50, "beta_start": 0.2, "beta_end": 0.2}
    config = diffusers.DDPMScheduler(**betas).config
    scheduler = RTKScheduler.from_config(config, method="calibrated", calibration=calibration)
    scheduler.set_timesteps(8)
    assert scheduler.timesteps[-1] == 0.0


# Configurations


def parameters(scheduler: Any) -> dict[str, Any]:
    return {name: value for name, value in scheduler.config.items() if name[0] != "_"}


def test_the_configuration_is_saved_and_read(tmp_path: Path, calibration: rtk.Calibration) -> None:
    calibration.save(tmp_path / "model.safetensors")
    changes = (
        {"method": "rtk-uld", "segments": 3, "options": {"friction": 1.5}},
        {"method": "rtk", "calibration": str(tmp_path / "model.safetensors")},
    )
    for change in changes:
        config = diffusers.DDIMScheduler(prediction_type="sample").config
        ours = RTKScheduler.from_config(config, **change)
        ours.save_pretrained(tmp_path)
        again = RTKScheduler.from_pretrained(tmp_path)
        assert parameters(again) == parameters(ours)
        assert again.config.prediction_type == "sample"
        for scheduler in (ours, again):
            scheduler.set_timesteps(8)
        assert torch.equal(again.timesteps, ours.timesteps)
    # What it does not use comes back with the scheduler that does.
    back = diffusers.DDIMScheduler.from_config(ours.config)
    assert back.config.prediction_type == "sample"


def test_a_pipeline_is_saved_and_read(tmp_path: Path) -> None:
    pipe = pipeline(network())
    pipe.scheduler = RTKScheduler.from_config(pipe.scheduler.config, method="rtk-ula", segments=2)
    pipe.save_pretrained(tmp_path)
    again = diffusers.DDPMPipeline.from_pretrained(tmp_path)
    again.set_progress_bar_config(disable=True)
    images = [
        each(1, generators(3), num_inference_steps=9, output_type="np").images
        for each in (pipe, again)
    ]
    assert (images[0] == images[1]).all()


def test_a_calibration_without_a_file_is_not_saved(
    tmp_path: Path, calibration: rtk.Calibration
) -> None:
    config = diffusers.DDPMScheduler().config
    scheduler = RTKScheduler.from_config(config, method="rtk", calibration=calibration)
    with pytest.raises(ValueError, match=r"calibration\.save"):
        scheduler.save_pretrained(tmp_path)


# Autograd


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_autograd_is_the_callers_between_steps(mode: Any) -> None:
    """Also after a run that was given up in the middle."""
    scheduler = RTKScheduler.from_config(diffusers.DDPMScheduler().config, method="rtk-uld")
    with mode():
        before = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        for _ in range(2):
            scheduler.set_timesteps(8)
            x = noise()
            for t in scheduler.timesteps[:5]:
                x = scheduler.step(0.1 * x, t, x).prev_sample
                assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before
        del scheduler
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before
    assert torch.is_grad_enabled()


# Refusals


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"method": "dpm"}, ValueError, "unknown method 'dpm'"),
        ({"method": "rtk-uld", "options": {"nfe": 3}}, ValueError, "no option"),
        ({"method": "rtk"}, TypeError, "needs calibration="),
        ({"method": "ddim", "calibration": "FILE"}, ValueError, "takes no calibration"),
        ({"method": "rtk", "calibration": "FILE"}, FileNotFoundError, "no calibration file"),
        ({"prediction_type": "flow_prediction"}, ValueError, "prediction_type must be one of"),
        ({"rescale_betas_zero_snr": True}, ValueError, "zero terminal SNR"),
    ],
)
def test_configurations_are_checked(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        RTKScheduler.from_config(diffusers.DDPMScheduler().config, **changes)


@pytest.mark.parametrize("kind", ["FlowMatchEulerDiscreteScheduler", "EDMEulerScheduler"])
def test_other_kinds_of_models_are_refused(kind: str) -> None:
    config = getattr(diffusers, kind)().config
    for use in (RTKScheduler.from_config, lambda config: from_model(lambda x, k: x, config)):
        with pytest.raises(ValueError, match=r"configuration has no .*Flow matching and EDM"):
            use(config)
    with pytest.raises(TypeError, match="expected the configuration"):
        from_model(lambda x, k: x, diffusers.DDPMScheduler())


@pytest.mark.parametrize(
    ("changes", "steps", "message"),
    [
        ({"method": "rtk-uld", "segments": 5}, 7, "num_inference_steps=7: nfe=7 is below"),
        ({"method": "ddim", "segments": [999, 500]}, 1, "expected at least 2"),
        ({"method": "ddim", "segments": [500, 999]}, 5, "decreasing"),
        ({"method": "ddim", "segments": [1000, 500]}, 5, "must be at most 999, got 1000"),
        ({"method": "rtk-mala", "options": {"energy": "exact"}}, 20, "log_prob"),
        (
            {"method": "rtk-uld", "options": {"warm_start": "gaussian"}},
            20,
            "noise before its first",
        ),
        ({"method": "ddim"}, 0, "must be at least 1"),
    ],
)
def test_runs_are_checked(changes: dict[str, Any], steps: int, message: str) -> None:
    scheduler = RTKScheduler.from_config(diffusers.DDPMScheduler().config, **changes)
    with pytest.raises(ValueError, match=message):
        scheduler.set_timesteps(steps)


def test_calibrations_are_checked(calibration: rtk.Calibration) -> None:
    config = diffusers.DDPMScheduler().config
    scheduler = RTKScheduler.from_config(config, method="calibrated", calibration=calibration)
    with pytest.raises(ValueError, match=r"no solver for 11 .*\.calibrate\(pipe, \[11\]\)"):
        scheduler.set_timesteps(11)
    scheduler.set_timesteps(8)
    with pytest.raises(ValueError, match=r"shape \(1, 1, 2\), got \(1, 4, 4\)"):
        scheduler.scale_model_input(torch.zeros(2, 1, 4, 4), scheduler.timesteps[0])


def test_steps_are_checked() -> None:
    scheduler = RTKScheduler.from_config(diffusers.DDPMScheduler().config, method="ddim")
    x = noise()
    with pytest.raises(ValueError, match="call set_timesteps"):
        scheduler.step(x, 999, x)
    scheduler.set_timesteps(3)
    first, second, _ = scheduler.timesteps
    with pytest.raises(ValueError, match="image to image"):
        scheduler.add_noise(x, x, first)
    with pytest.raises(ValueError, match="belong to DDIM"):
        scheduler.step(x, first, x, eta=0.5)
    with pytest.raises(ValueError, match="taken in order"):
        scheduler.step(x, second, x)
    with pytest.raises(ValueError, match=r"expected \(3, 1, 1, 2\)"):
        scheduler.step(x[:, :, :, :1], first, x)
    scheduler.set_timesteps(3)
    y = scheduler.step(x, first, x, return_dict=False)[0]
    with pytest.raises(ValueError, match="inpainting"):
        scheduler.step(x, second, y + 0.1)
    scheduler.set_timesteps(3)
    y = scheduler.step(x, first, x).prev_sample
    y += 0.1
    with pytest.raises(ValueError, match="inpainting"):
        scheduler.step(x, second, y)
    scheduler.set_timesteps(3)
    for t in scheduler.timesteps:
        x = scheduler.step(0.1 * x, t, x).prev_sample
    with pytest.raises(ValueError, match="all steps are done"):
        scheduler.step(x, 0, x)


def test_samples_that_are_not_finite_are_named() -> None:
    scheduler = RTKScheduler.from_config(diffusers.DDPMScheduler().config, method="ddim")
    scheduler.set_timesteps(1 + 1)
    x = noise()
    answer = torch.zeros_like(x)
    answer[1] = torch.nan
    y = scheduler.step(answer, scheduler.timesteps[0], x).prev_sample
    with pytest.raises(rtk.NonFiniteError, match="1 of the 3 chains"):
        scheduler.step(torch.zeros_like(y), scheduler.timesteps[1], y)


# The optional package


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    return done.stdout


def test_the_package_is_optional() -> None:
    code = "import sys, rtk, rtk.adapters; print({'diffusers', 'greenlet'} & {*sys.modules})"
    assert python(code).strip() == "set()"


@pytest.mark.parametrize("name", ["diffusers", "greenlet"])
def test_a_missing_package_is_named(name: str) -> None:
    code = (
        f"import sys, rtk; sys.modules[{name!r}] = None\n"
        "try: rtk.adapters.diffusers\n"
        "except ImportError as error: print(error)"
    )
    assert f"needs the package {name}: pip install diffusers greenlet" in python(code)


def test_gaussians_have_their_own_score() -> None:
    """A schedule of three timesteps, written out."""
    config = {"trained_betas": [0.1, 0.2, 0.3], "beta_schedule": "linear"}
    law = Gaussian()
    score = from_model(
        lambda x, k: law.predict("epsilon", x, score.times[1]),
        config | {"prediction_type": "epsilon"},
    )
    t = score.times[1]
    assert t == pytest.approx(-0.5 * torch.tensor(0.9 * 0.8).log().item(), rel=1e-6)
    torch.testing.assert_close(score(noise(), t), law.score(noise(), t), rtol=1e-9, atol=1e-9)
