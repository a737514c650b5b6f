"""The methods "calibrated" and "rtk" of `rtk.sample`: they calibrate the model if need be."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from rtk.calibration.calibration import Calibration, calibrate
from rtk.samplers.calibrated import Calibrated
from rtk.score import Score
from rtk.segments import T_START


@dataclass(frozen=True)
class CalibratedFlow:
    """The calibrated solver of the probability flow; it has no noise but that of the start.

    Args:
        calibration: of the model; by default it is calibrated with the seed 0.
    """

    calibration: Calibration | None = None
    method: ClassVar[str] = "calibrated"

    def __post_init__(self) -> None:
        if self.calibration is not None and not isinstance(self.calibration, Calibration):
            kind = type(self.calibration).__name__
            raise TypeError(f"calibration must come from rtk.calibrate, got {kind}")

    def fit(
        self,
        score: Score,
        shape: tuple[int, ...],
        nfe: int,
        t_start: float | None,
        device: torch.device,
        dtype: torch.dtype,
    ) -> tuple[Calibrated, Calibration]:
        """The sampler for ``nfe`` scores per chain, and the calibration."""
        begin = T_START if t_start is None else t_start
        calibration = self.calibration or calibrate(
            score, shape, device=device, dtype=dtype, t_start=begin
        )
        return calibration.fit(score, shape, nfe, t_start, device, dtype, self.method)


class CalibratedKernels(CalibratedFlow):
    """Calibrated kernels: as `CalibratedFlow`, with noise if the score is found to need it.

    Where noise costs little (`rtk.Calibration.adds_noise`) it is added in any case, since a test on
    a few chains cannot find small errors of the score.
    """

    method: ClassVar[str] = "rtk"
