"""From nodes to steps: predictions and corrections telescope to the fits of the whole."""

import numpy as np
import pytest
import torch

from rtk import process
from rtk.calibration.fit import coefficients
from rtk.calibration.moments import residuals_of
from rtk.calibration.solver import solver
from tests.rtk.calibration.cases import skewed_base, skewed_moments, skewed_pilot

NODES = [5, 8, 12, 17, 21]


@pytest.mark.parametrize("history", [1, 2, 4])
def test_a_prediction_and_its_correction_are_one_fit(history: int) -> None:
    """What the predictor added is taken back and replaced by the fit with the new residual."""
    moments = skewed_moments()
    steps = solver(skewed_base(), moments, 5.0, NODES, history).steps
    path = [0, *NODES]
    assert len(steps[0].corrector) == 1
    for k in range(2, len(path)):
        known = path[k:0:-1][: history + 1]
        whole, _ = coefficients(moments, path[k - 1], path[k], known)
        predicted = np.array(steps[k - 2].predictor)
        total = np.array(steps[k - 1].corrector)
        total[1 : 1 + len(predicted)] += predicted
        np.testing.assert_allclose(total, whole, rtol=1e-12, atol=1e-14)
        assert len(predicted) == min(history, k - 1)


@pytest.mark.parametrize("history", [1, 2, 4])
def test_the_steps_meet_and_have_no_noise(history: int) -> None:
    steps = solver(skewed_base(), skewed_moments(), 5.0, NODES, history).steps
    sigmas = skewed_pilot().sigmas
    assert [step.t_hi for step in steps] == [
        process.time_from_noise_level(sigmas[node]) for node in NODES
    ]
    assert [step.t_lo for step in steps[:-1]] == [step.t_hi for step in steps[1:]]
    assert steps[-1].t_lo == steps[-1].sigma_below == 0.0
    assert all(step.sigma_below == process.noise_level(step.t_lo) for step in steps)


def test_corrected_chains_are_nearer_to_the_pilot() -> None:
    """At the true residuals the correction leaves less than the prediction, in mean square."""
    base, moments, pilot = skewed_base(), skewed_moments(), skewed_pilot()
    residuals = residuals_of(pilot, base)
    steps = solver(base, moments, 5.0, NODES, 2).steps
    for k in range(1, len(NODES)):
        here, after = NODES[k - 1], NODES[k]
        known = [residuals[node] for node in NODES[k - 1 :: -1]]
        y = base.flow(pilot.y[here], pilot.sigmas[here], pilot.sigmas[after])
        for p, r in zip(steps[k - 1].predictor, known, strict=False):
            y = y + p * base.point(r)
        error = (y - pilot.y[after]).square().mean()
        for c, r in zip(steps[k].corrector, [residuals[after], *known], strict=False):
            y = y + c * base.point(r)
        assert float((y - pilot.y[after]).square().mean()) < 0.5 * float(error)
        assert torch.isfinite(y).all()
