"""The samplers of this package as a scheduler of diffusers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import ConfigMixin, SchedulerMixin
from diffusers.configuration_utils import register_to_config
from diffusers.schedulers.scheduling_utils import KarrasDiffusionSchedulers, SchedulerOutput
from torch import Tensor

from rtk import segments as grids
from rtk.adapters.diffusers_model import check_config, clamped, from_model
from rtk.adapters.image_noise import Generators, ImageNoise
from rtk.adapters.inversion import Finished, Inverted, Request, ask, without_autograd
from rtk.adapters.noise_prediction import NoisePredictionScore
from rtk.calibration.calibration import METHODS as CALIBRATED
from rtk.calibration.calibration import Calibration
from rtk.checks import check_count
from rtk.plan import Plan, make_plan
from rtk.sampler import make_sampler, run
from rtk.samplers.base import Problem, Sampler
from rtk.score import CountedScore, NonFiniteError


@dataclass
class _Progress:
    """A run in the middle.

    Attributes:
        chains: the suspended sampler.
        event: its request, or its end.
        expected: the sample that the pipeline was given.
        done: steps so far.
    """

    chains: Inverted[Any]
    event: Request | Finished[Any]
    expected: Tensor
    done: int = 0


class RTKScheduler(SchedulerMixin, ConfigMixin):  # type: ignore[misc]
    """Any method of `rtk.sample` in a pipeline of diffusers.

    ::

        pipe.scheduler = RTKScheduler.from_config(pipe.scheduler.config, method="rtk-uld")
        images = pipe(num_inference_steps=40, generator=generators).images

    ``num_inference_steps`` is the number of score evaluations, one call of the model each; a method
    may use fewer (`timesteps` are those that it uses). With a list of generators an image depends
    on its own generator alone. The sampler's times must be known before it runs, and it must see
    the samples that it returned, so pipelines that begin in the middle (image to image) or change
    samples on the way (inpainting) are refused. The arithmetic is in float32 or better.

    Args:
        num_train_timesteps, beta_start, beta_end, beta_schedule, trained_betas,
        rescale_betas_zero_snr, prediction_type: of the model, as in `diffusers.DDPMScheduler`.
        method: a name from `rtk.methods`.
        segments: number of segments, uniform in log-SNR between the ends of the schedule, or the
            decreasing timesteps at which the path is cut; by default a number that fits
            ``num_inference_steps``. The methods "calibrated" and "rtk" have their own.
        options: fields of the method, such as ``{"step_size": 0.5}``.
        calibration: of the methods "calibrated" and "rtk": what `calibrate` returned, or the path
            of the file where it was saved. Only a path can be saved with the scheduler.
        scales_input: whether the pipeline passes its samples through `scale_model_input`, as those
            with prompts do. `DDPMPipeline` and `DDIMPipeline` do not. A calibrated solver begins
            elsewhere than at the pipeline's noise, so there say False: the first evaluation, made
            at the noise, is then not used.
    """

    _compatibles = [item.name for item in KarrasDiffusionSchedulers]  # noqa: RUF012
    order = 1
    init_noise_sigma = 1.0

    @register_to_config
    def __init__(
        self,
        num_train_timesteps: int = 1000,
        beta_start: float = 0.0001,
        beta_end: float = 0.02,
        beta_schedule: str = "linear",
        trained_betas: list[float] | None = None,
        rescale_betas_zero_snr: bool = False,
        prediction_type: str = "epsilon",
        method: str = "rtk-uld",
        segments: int | list[int] | None = None,
        options: dict[str, Any] | None = None,
        calibration: str | Calibration | None = None,
        scales_input: bool = True,
    ) -> None:
        # The model's answers come from outside, so the model of this score suspends the sampler.
        self._score = from_model(ask, self.config)
        self._calibration = _calibration(method, calibration)
        self._sampler: Sampler | None = None
        if self._calibration is None:
            self._sampler = make_sampler(method, options or {})
        elif options or segments is not None:
            raise ValueError(f"method {method!r} has its own segments and takes no options")
        if isinstance(calibration, Calibration):
            # An object cannot stand in the file of a configuration.
            self.register_to_config(calibration=None)
        self.num_inference_steps: int | None = None
        self.timesteps = torch.arange(num_train_timesteps).flip(0)
        self._plan: Plan | None = None
        self._progress: _Progress | None = None
        self._is_scaled = False
        # Only a calibrated solver begins elsewhere than at the pipeline's noise.
        self._first_is_unused = self._calibration is not None and not scales_input

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], return_unused_kwargs: bool = False, **changes: Any
    ) -> Any:
        """The scheduler for the model of another scheduler's configuration, with ``changes``."""
        check_config(config)
        return super().from_config(config, return_unused_kwargs, **changes)

    def save_config(self, save_directory: str | Path, **options: Any) -> None:
        """Write the configuration; a ValueError if it contains a calibration without a file."""
        if self._calibration is not None and self.config.calibration is None:
            raise ValueError(
                "a calibration is not part of a scheduler's configuration: save it with "
                'calibration.save("FILE"), and give RTKScheduler calibration="FILE"'
            )
        super().save_config(save_directory, **options)

    def set_timesteps(
        self, num_inference_steps: int, device: str | torch.device | None = None
    ) -> None:
        """Prepare a run of ``num_inference_steps`` score evaluations per sample, at most.

        Raises:
            ValueError: if these are too few for the method and its segments.
        """
        nfe = check_count("num_inference_steps", num_inference_steps)
        try:
            self._plan = self._make_plan(nfe - self._first_is_unused)
            timesteps = self._rehearse(self._plan)
        except ValueError as error:
            raise ValueError(
                f"method {self.config.method!r} cannot sample with num_inference_steps={nfe}"
                f"{' of which the first is not used' if self._first_is_unused else ''}: {error}"
            ) from error
        if self._first_is_unused:
            timesteps = [self._score.timestep(self._plan.crossings[0].t_hi), *timesteps]
        self.num_inference_steps = nfe
        self.timesteps = torch.tensor(timesteps, dtype=torch.float32, device=device)
        self._progress, self._is_scaled = None, False

    @without_autograd()
    def scale_model_input(self, sample: Tensor, timestep: float | Tensor | None = None) -> Tensor:
        """The first point of a calibrated solver from the pipeline's noise; else the sample."""
        if self._progress is not None or self._calibration is None or self._first_is_unused:
            return sample
        first = Inverted(self._chains(ImageNoise(_precise(sample))))
        request = first.start()
        first.close()
        assert isinstance(request, Request)
        self._is_scaled = True
        return request.x.to(sample.dtype)

    @without_autograd()
    def step(
        self,
        model_output: Tensor,
        timestep: float | Tensor,
        sample: Tensor,
        eta: float = 0.0,
        use_clipped_model_output: bool | None = None,
        generator: Generators = None,
        return_dict: bool = True,
    ) -> SchedulerOutput | tuple[Tensor]:
        """The next point at which the model is to be asked or, at the end, the samples.

        Args:
            model_output: the prediction, with guidance if there is any, (n, *shape).
            timestep: the one of `timesteps` that is next.
            sample: what the pipeline began with or what the last step returned, (n, *shape).
            eta, use_clipped_model_output: of DDIM, not supported.
            generator: of the method's noise: one, or one for each image.
            return_dict: return an object rather than a tuple.

        Raises:
            ValueError: for another timestep or sample than these, or a method that fails.
            NonFiniteError: if samples are not finite.
        """
        if eta or use_clipped_model_output:
            raise ValueError("eta and use_clipped_model_output belong to DDIM: leave them out")
        if self._progress is None:
            self._progress = self._begin(sample, generator)
        progress = self._progress
        self._check_place(progress, timestep, sample)
        if progress.done > 0 or not self._first_is_unused:
            answer = model_output.to(_precise(sample).dtype, copy=True)
            progress.event = progress.chains.send(answer)
        progress.done += 1
        if isinstance(progress.event, Finished):
            x, bad = progress.event.result.samples, progress.event.result.bad
            if bad:
                raise NonFiniteError(bad, len(x))
        else:
            x = progress.event.x
        progress.expected = x.to(sample.dtype)
        previous = progress.expected.clone()
        return SchedulerOutput(prev_sample=previous) if return_dict else (previous,)

    def add_noise(self, *arguments: Any, **named: Any) -> Tensor:
        """Refused: pipelines that need it begin in the middle or change samples on the way."""
        raise ValueError(
            "RTKScheduler samples from noise to data only: pipelines that begin with an image, as "
            "image to image and inpainting do, are not supported"
        )

    def __len__(self) -> int:
        return int(self.config.num_train_timesteps)

    def _make_plan(self, nfe: int) -> Plan:
        nfe = check_count("the number of score evaluations", nfe)
        if self._calibration is not None:
            solver = self._calibration.solver(nfe, _not_prepared(nfe), self.config.method)
            return make_plan(clamped(self._score), solver, nfe)
        assert self._sampler is not None
        times = _times(self.config.segments, self._sampler, nfe, self._score)
        return make_plan(self._score, self._sampler, nfe, segments=times)

    def _rehearse(self, plan: Plan) -> list[float]:
        """The timesteps of a run: those of a chain whose model always answers 0."""
        shape = (1,) if self._calibration is None else self._calibration.shape
        noise = ImageNoise(torch.zeros(1, *shape, dtype=torch.float64))
        rehearsal = Inverted(lambda: run(plan, noise))
        event = rehearsal.start()
        noise.seed(torch.Generator().manual_seed(0))
        timesteps = []
        while isinstance(event, Request):
            timesteps.append(event.timestep)
            event = rehearsal.send(torch.zeros_like(event.x))
        return timesteps

    def _begin(self, sample: Tensor, generator: Generators) -> _Progress:
        if not (self._calibration is None or self._first_is_unused or self._is_scaled):
            raise ValueError(
                f"method {self.config.method!r} begins elsewhere than at the pipeline's noise, and "
                "this pipeline does not pass it through scale_model_input: give RTKScheduler "
                "scales_input=False; the first of the score evaluations is then not used"
            )
        noise = ImageNoise(_precise(sample))
        chains = Inverted(self._chains(noise))
        event = chains.start()
        noise.seed(generator)
        return _Progress(chains, event, sample)

    def _chains(self, noise: ImageNoise) -> Any:
        """The function that samples from the plan."""
        if self._plan is None:
            raise ValueError("call set_timesteps before the first step")
        plan, shape = self._plan, noise.shape
        if self._calibration is not None and shape != self._calibration.shape:
            raise ValueError(
                f"the calibration is for samples of shape {self._calibration.shape}, got {shape}"
            )
        return lambda: run(plan, noise)

    def _check_place(self, progress: _Progress, timestep: float | Tensor, sample: Tensor) -> None:
        if progress.done == len(self.timesteps):
            raise ValueError("all steps are done: call set_timesteps before the next run")
        expected = float(self.timesteps[progress.done])
        if float(timestep) != expected:
            raise ValueError(
                f"step {progress.done} is at timestep {expected:g}, got {float(timestep):g}: all "
                "timesteps must be taken in order, so pipelines that begin in the middle, such as "
                "image to image, are not supported"
            )
        # Samples that are no longer finite are named at the end of the run.
        same = sample.shape == progress.expected.shape and torch.allclose(
            sample, progress.expected, rtol=0.0, atol=0.0, equal_nan=True
        )
        if not same:
            raise ValueError(
                "the sample is not the one that the last step returned: pipelines that change it "
                "between steps, such as inpainting, are not supported"
            )


def _calibration(method: str, given: str | Path | Calibration | None) -> Calibration | None:
    """The calibration that a method needs, read if it is a path."""
    if method not in CALIBRATED:
        if given is not None:
            raise ValueError(f"method {method!r} takes no calibration, only {CALIBRATED} do")
        return None
    if isinstance(given, (str, Path)):
        return Calibration.load(given)
    if not isinstance(given, Calibration):
        raise TypeError(
            f"method {method!r} needs calibration=, what rtk.adapters.diffusers.calibrate returned "
            f"or the path where it was saved, got {given!r}"
        )
    return given


def _times(
    segments: int | list[int] | None, sampler: Sampler, nfe: int, score: NoisePredictionScore
) -> grids.Times:
    """OU times of the segments; at `segments` see `RTKScheduler`."""
    if isinstance(segments, (list, tuple)):
        highest = len(score.times) - 1
        for k in segments:
            if not 0 <= check_count("each timestep of segments", k, minimum=0) <= highest:
                raise ValueError(f"timesteps of segments must be at most {highest}, got {k}")
        return tuple(score.times[k] for k in segments)
    if segments is None:
        # The samplers know how many segments suit them; the ends are those of the model.
        segments = len(sampler.default_times(nfe, Problem(CountedScore(score)))) - 1
    return grids.log_snr(check_count("segments", segments), score.t_max, score.t_min)


def _not_prepared(nfe: int) -> Any:
    """In the place of the score of a calibration that has no solver for ``nfe`` evaluations."""

    def refuse(x: Tensor, t: float) -> Tensor:
        raise ValueError(
            f"the calibration has no solver for {nfe} score evaluations: make it with "
            f"rtk.adapters.diffusers.calibrate(pipe, [{nfe}])"
        )

    return refuse


def _precise(sample: Tensor) -> Tensor:
    """A copy in float32 or better."""
    return sample.to(torch.promote_types(sample.dtype, torch.float32), copy=True)
