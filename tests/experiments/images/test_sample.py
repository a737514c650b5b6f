"""The keywords of `rtk.sample` that a method of C1 takes from the configuration."""

from typing import Any

import pytest

import rtk
from experiments.images import sample
from rtk import segments
from tests.oracles import gaussian

NORMAL = gaussian(0.0, 1.0)


def test_method_without_a_grid_chooses_its_times() -> None:
    sampler: dict[str, Any] = {"method": "dpm++2m", "t_start": 3.0}
    assert sample.keywords(sampler, None, NORMAL.score, 10) == sampler
    result = rtk.sample(NORMAL.score, 1, 4, nfe=10, **sampler)
    assert result.nfe == 10


@pytest.mark.parametrize(
    ("sampler", "count"),
    [
        ({"method": "ddpm"}, 9),
        # Two inner steps, and the score of the warm start.
        ({"method": "rtk-uld", "inner_steps": 2, "step_size": 1.0}, 3),
        ({"method": "ddpm", "denoise": True}, 9),  # `denoise` is no option of the sampler
    ],
)
def test_grid_has_as_many_segments_as_the_scores_suffice_for(
    sampler: dict[str, Any], count: int
) -> None:
    grid = {"rule": "log_snr", "t_start": 3.0}
    keywords = sample.keywords(sampler, grid, NORMAL.score, 10)
    times = keywords.pop("segments")
    assert keywords == sampler
    assert tuple(times) == tuple(segments.log_snr(count, t_start=3.0, t_end=sample.T_END))
    fewer = sample.keywords(sampler, {**grid, "count": 2}, NORMAL.score, 10)["segments"]
    assert len(fewer) == 3
