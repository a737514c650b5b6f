"""Calibrate a model: once, from a few chains, for any number of score evaluations."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rtk import diagnostics
from rtk.calibration import base as bases
from rtk.calibration import consistency, file, kernels, moments, pilot, selection
from rtk.calibration.model import Model, default_device
from rtk.calibration.moments import Moments
from rtk.calibration.selection import Trial
from rtk.checks import (
    check_count,
    check_device,
    check_dtype,
    check_positive,
    check_seed,
    check_shape,
)
from rtk.gaussian_base import GaussianBase
from rtk.samplers.calibrated import Calibrated, Step
from rtk.score import CountedScore, Score
from rtk.segments import T_START, check_ends

METHODS = ("calibrated", "rtk")
VALUES = ("shape", "t_start", "seed", "finest", "rms", "consistency", "rows")
"""What of a calibration is saved as it is."""


@dataclass(eq=False)
class Calibration:
    """What was learned of a model; `calibrate` makes it.

    The solver for a number of score evaluations is made when it is first asked for. That costs more
    score evaluations, and the solver is kept.

    Attributes:
        shape: of one sample.
        t_start: OU time at which the chains begin.
        seed: of the pilot.
        base: the Gaussian whose flow is exact.
        moments: inner products along the pilot.
        trial: chains of the pilot on which solvers are tried.
        starts: the pilot's chains at ``t_start``, in the coordinates ``y = x / a_t``, (chains, d).
        finest: the pilot's lowest noise level.
        rms: the spread of the data per coordinate.
        consistency: in standard errors, how far the score is from that of the flow's own end points
            (`rtk.calibration.consistency`); negative if the noise estimate is too large.
        rows: score evaluations so far, each of one point.
        solvers: (method, number of score evaluations) -> solver.
    """

    shape: tuple[int, ...]
    t_start: float
    seed: int
    base: GaussianBase
    moments: Moments
    trial: Trial
    starts: Tensor
    finest: float
    rms: float
    consistency: float
    rows: int = 0
    solvers: dict[tuple[str, int], Calibrated] = field(default_factory=dict)

    @property
    def needs_noise(self) -> bool:
        """Whether the score is so far from consistent that "rtk" adds noise at any price."""
        return abs(self.consistency) > consistency.CRITICAL

    def adds_noise(self, nfe: int) -> bool:
        """Whether "rtk" adds noise: if the score needs it, and where it costs little."""
        cheap = kernels.noise_is_cheap(nfe, self.rms, self.trial.width)
        return nfe >= kernels.FEWEST and (self.needs_noise or cheap)

    def solver(
        self,
        nfe: int,
        score: Score,
        method: str = "calibrated",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> Calibrated:
        """The sampler for ``nfe`` score evaluations per chain, at most.

        Args:
            nfe: at least 1. Beyond the number of the pilot's levels nothing is gained, and less is
                spent.
            score: the score that was calibrated; it is evaluated if this solver is not known yet.
            method: "calibrated", the probability flow without noise, or "rtk", which samples
                reverse transition kernels if `adds_noise` says so and is the same otherwise.
            device, dtype: of the points that the score takes; torch's defaults if not given.
        """
        nfe = check_count("nfe", nfe)
        if method not in METHODS:
            raise ValueError(f"method must be one of {METHODS}, got {method!r}")
        if not self.adds_noise(nfe):
            method = "calibrated"
        if (method, nfe) not in self.solvers:
            model = make_model(score, self.shape, device, dtype)
            with _plain_torch():
                fit = self._flow if method == "calibrated" else self._kernels
                self.solvers[method, nfe] = fit(model, nfe)
                self.rows += model.score.evaluations
        return self.solvers[method, nfe]

    def save(self, path: str | Path) -> None:
        """Write the calibration, with the solvers that were made, as a safetensors file."""
        solvers = [
            {"method": method, "nfe": nfe, "steps": [dataclasses.astuple(s) for s in solver.steps]}
            for (method, nfe), solver in self.solvers.items()
        ]
        moments = {name: torch.from_numpy(part) for name, part in vars(self.moments).items()}
        parts = {"base": vars(self.base), "trial": vars(self.trial), "moments": moments}
        tensors = {
            f"{folder}.{name}": value
            for folder, part in parts.items()
            for name, value in part.items()
            if isinstance(value, Tensor)
        }
        values = {name: getattr(self, name) for name in VALUES}
        values |= {"width": self.trial.width, "solvers": solvers}
        file.write(path, tensors | {"starts": self.starts}, values)

    @classmethod
    def load(cls, path: str | Path) -> "Calibration":
        """The calibration of a file that `save` wrote.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if the file is damaged, or no calibration.
        """
        tensors, values = file.read(path)
        try:
            return cls._of(tensors, values)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path} does not hold what Calibration.save writes, expected all of it: {error!r}"
            ) from error

    @classmethod
    def _of(cls, tensors: dict[str, Tensor], values: dict[str, Any]) -> "Calibration":
        """The calibration of the parts that `save` writes."""

        def part(folder: str) -> dict[str, Tensor]:
            prefix = f"{folder}."
            return {
                name.removeprefix(prefix): value
                for name, value in tensors.items()
                if name.startswith(prefix)
            }

        base = GaussianBase(**part("base"))
        moments = {name: value.numpy() for name, value in part("moments").items()}
        trial = Trial(**part("trial"), width=values.pop("width"))
        solvers = {
            (entry["method"], entry["nfe"]): Calibrated(
                base, values["t_start"], tuple(Step.of(step) for step in entry["steps"])
            )
            for entry in values.pop("solvers")
        }
        return cls(
            base=base,
            moments=Moments(**moments),
            trial=trial,
            starts=tensors["starts"],
            solvers=solvers,
            **values | {"shape": tuple(values["shape"])},
        )

    def fit(
        self,
        score: Score,
        shape: tuple[int, ...],
        nfe: int,
        t_start: float | None,
        device: torch.device,
        dtype: torch.dtype,
        method: str = "calibrated",
    ) -> "tuple[Calibrated, Calibration]":
        """The sampler that `rtk.sample` runs if the calibration is its method."""
        if shape != self.shape:
            raise ValueError(f"the calibration is for samples of shape {self.shape}, got {shape}")
        if t_start not in (None, self.t_start):
            raise ValueError(f"the calibration begins at t_start={self.t_start:g}, not {t_start:g}")
        return self.solver(nfe, score, method, device, dtype), self

    def break_even(self, nfe: int, rival: int) -> int:
        """Samples from which on ``nfe`` scores each and `rows` are fewer than ``rival`` each."""
        nfe, rival = check_count("nfe", nfe), check_count("rival", rival)
        if rival <= nfe:
            raise ValueError(f"rival must be above nfe={nfe} for a break-even, got {rival}")
        return math.ceil(self.rows / (rival - nfe))

    def _flow(self, model: Model, nfe: int) -> Calibrated:
        return selection.select(model, self.trial, self.base, self.moments, self.t_start, nfe)

    def _kernels(self, model: Model, nfe: int) -> Calibrated:
        levels = kernels.levels(nfe, self.base, self.rms, self.trial.width)
        # Another seed than the pilot's, as the noise must not repeat the start of the chains.
        generator = torch.Generator().manual_seed((self.seed + 1) % 2**64)
        return kernels.fit(
            model,
            self.base,
            self.t_start,
            levels,
            self.finest,
            self.starts[: kernels.chains(self.starts.shape[1])],
            generator,
        )


def calibrate(
    score: Score,
    shape: int | Sequence[int],
    seed: int = 0,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    *,
    t_start: float = T_START,
    progress: bool = False,
) -> Calibration:
    """Calibrate a model.

    A pilot of 128 chains is carried accurately along the probability flow. From it follow a
    Gaussian base, and the inner products from which the solver for any number of score evaluations
    is fitted. It takes about ten thousand score evaluations and nothing but linear algebra beside
    them. Memory is that of the pilot, about ``levels * 128 * d`` numbers of 8 bytes, eight times
    at its peak, with some fifty levels.

    Args:
        score: ``(x, t) -> grad log p_t(x)``, as for `rtk.sample`.
        shape: shape of one sample; an int d means (d,).
        seed: of the pilot.
        device, dtype: of the points that the score takes; torch's defaults if not given.
        t_start: OU time at which the chains begin; there ``p_t`` must be close to ``N(0, I)``.
        progress: show a progress bar.

    Returns:
        The calibration, for ``rtk.sample(..., method=calibration)``.

    Raises:
        ValueError, TypeError: as `rtk.sample`.
        FloatingPointError: if the score is not finite along the pilot, or that of no data.

    Warns:
        SamplingWarning: if the score is a torch module in training mode.
    """
    seed, t_start = check_seed(seed), check_positive("t_start", t_start)
    check_ends(t_start, 0.0)
    model = make_model(score, check_shape(shape), device, dtype)
    diagnostics.warn_of_training(score, depth=2)
    with _plain_torch():
        generator = torch.Generator().manual_seed(seed)
        run = pilot.run(model, t_start, generator, progress)
        base = bases.fit(model, run, generator)
        if not bool(torch.isfinite(base.mean).all() and torch.isfinite(base.variances).all()):
            raise FloatingPointError(
                f"no Gaussian can be fitted to chains that begin at t_start={t_start:g} and end "
                f"with a spread of {run.rms:.3g}, so that the model cannot be calibrated. "
                "Expected data of about unit scale, and p_t close to N(0, I) at t_start"
            )
        return Calibration(
            shape=model.shape,
            t_start=t_start,
            seed=seed,
            base=base,
            moments=moments.of(run, base),
            trial=Trial.of(run),
            starts=run.y[0],
            finest=run.sigmas[-1],
            rms=run.rms,
            consistency=consistency.statistic(model, run.ends, run.rms, generator),
            rows=model.score.evaluations,
        )


@contextmanager
def _plain_torch() -> Iterator[None]:
    """Neither autograd nor the caller's default device; a calibration works on the CPU."""
    with torch.inference_mode(False), torch.no_grad(), default_device(torch.device("cpu")):
        yield


def make_model(
    score: Score,
    shape: tuple[int, ...],
    device: torch.device | str | None,
    dtype: torch.dtype | None,
) -> Model:
    return Model(CountedScore(score), shape, check_device(device), check_dtype(dtype))
