"""The runs of C2 on a small mixture: settings, seeds, segments, and the floor."""

import json
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import rtk
from experiments.comparison import methods
from experiments.exact_images import sample
from experiments.exact_images.judge import Judge
from experiments.workflow import job
from rtk import segments, targets
from rtk.targets import GaussianMixture

DIMENSION, CHAINS, SEED = 16, 40, 5
POINTS = torch.randn((20, DIMENSION), generator=torch.Generator().manual_seed(0)).double()
H = 0.1


@pytest.fixture(scope="module")
def mixture() -> GaussianMixture:
    return targets.images(POINTS, H)


def params(**entries: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"chains": CHAINS, "nfe": [5, 9], **entries})


def test_methods_run_with_what_tuning_chose(mixture: GaussianMixture) -> None:
    """The samples are those of the comparison's own function with the candidate of each NFE."""
    ddim = {"sampler": {"method": "ddim"}, "candidates": {}}
    chosen = {"5": {"rule": "uniform", "t_end": 0.01}, "9": {"rule": "power", "t_end": 0.001}}
    runs = [
        *sample.run_methods(
            mixture, params(methods={"ddim": ddim}), {"ddim": {"chosen": chosen}}, SEED
        )
    ]
    assert [columns["nfe_asked"] for _, columns in runs] == [5, 9]
    for result, columns in runs:
        nfe = columns["nfe_asked"]
        assert columns["settings"] == json.dumps(chosen[str(nfe)])
        assert columns["part"] == "methods"
        expected = methods.run(
            mixture,
            {"method": "ddim"},
            chosen[str(nfe)],
            n=CHAINS,
            nfe=nfe,
            seed=job.derive_seed(SEED, "ddim", nfe),
            score=mixture.score,
        )
        assert torch.equal(result.samples, expected.samples)


def test_one_calibration_serves_both_methods(
    mixture: GaussianMixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    calibrate = rtk.calibrate

    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        return calibrate(*arguments)

    monkeypatch.setattr(rtk, "calibrate", counted)
    both = {name: {"sampler": {"method": name}} for name in ("calibrated", "rtk")}
    runs = [*sample.run_methods(mixture, params(methods=both, nfe=[8]), {}, SEED)]
    assert len(calls) == 1
    assert [columns["method"] for _, columns in runs] == ["calibrated", "rtk"]
    assert all(result.calibration is not None and result.calibration.rows for result, _ in runs)


def test_segments_are_varied_at_one_cost(mixture: GaussianMixture) -> None:
    """With 10 scores RTK-ULD can have 4 segments and RTK-MALA 3; 5 are too many for both.

    RTK-ULD spends two scores on a segment at least, RTK-MALA three, and one denoises.
    """
    samplers = [{"method": "rtk-uld", "step_size": 1.5}, {"method": "rtk-mala", "energy": "exact"}]
    sweep = {"samplers": samplers, "nfe": 10, "counts": [1, 3, 4, 5]}
    runs = [*sample.run_segments(mixture, params(sweep=sweep), SEED)]
    found = [(columns["method"], columns["segments"]) for _, columns in runs]
    assert found == [("rtk-uld", k) for k in (1, 3, 4)] + [("rtk-mala", k) for k in (1, 3)]
    for result, columns in runs:
        assert len(result.diagnostics.segments) == columns["segments"] + 1
        assert 8 <= result.nfe <= 10
    assert [columns["step"] for _, columns in runs[:3]] == [1.5] * 3
    assert all(math.isnan(columns["step"]) for _, columns in runs[3:])
    result, columns = runs[1]
    expected = rtk.sample(
        mixture.score,
        DIMENSION,
        CHAINS,
        method="rtk-uld",
        nfe=10,
        step_size=1.5,
        data_variance=H**2,
        segments=segments.power(3, t_end=sample.T_END),
        seed=job.derive_seed(SEED, "segments", json.dumps(samplers[0]), 3),
    )
    assert torch.equal(result.samples, expected.samples)


def test_acceptance_is_that_of_the_last_segment(mixture: GaussianMixture) -> None:
    """And not that of the one before; a method without a Metropolis test has none."""
    options: dict[str, Any] = {"method": "rtk-mala", "energy": "exact", "seed": 1}
    options |= {"log_prob": mixture.log_prob, "data_variance": H**2, "segments": [5.0, 1.0, 0.001]}
    tested = rtk.sample(mixture.score, DIMENSION, CHAINS, nfe=20, **options)
    chains = [s.acceptance for s in tested.diagnostics.segments if s.acceptance is not None]
    assert len(chains) == 2
    assert chains[0] != chains[1]
    assert sample.last_acceptance(tested.diagnostics) == chains[1]
    free = rtk.sample(mixture.score, DIMENSION, CHAINS, nfe=5, method="ddpm")
    assert math.isnan(sample.last_acceptance(free.diagnostics))


def test_the_floor_is_a_mean_over_independent_sets(mixture: GaussianMixture) -> None:
    judge = Judge(mixture, np.arange(20) % 3, None)
    found = sample.floor(judge, CHAINS, SEED)
    sets = [judge(sample.draw(mixture, CHAINS, job.derive_seed(SEED, k))) for k in range(8)]
    values = [one["radius_w1"].value for one in sets]
    assert found["radius_w1"].value == pytest.approx(np.mean(values))
    assert found["radius_w1"].standard_error == pytest.approx(np.std(values, ddof=1) / 8**0.5)
    assert len({*values}) == 8
