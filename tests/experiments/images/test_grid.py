"""The keywords of `rtk.sample` that a method of C1 takes from the configuration."""

import json
from pathlib import Path
from typing import Any

import pytest

import rtk
from experiments.images import grid as images
from rtk import segments
from tests.oracles import gaussian

NORMAL = gaussian(0.0, 1.0)


def test_method_without_a_grid_chooses_its_times() -> None:
    sampler: dict[str, Any] = {"method": "dpm++2m", "t_start": 3.0}
    assert images.keywords(sampler, {}, NORMAL.score, 10) == sampler
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
    keywords = images.keywords(sampler, grid, NORMAL.score, 10)
    times = keywords.pop("segments")
    assert keywords == sampler
    assert tuple(times) == tuple(segments.log_snr(count, t_start=3.0, t_end=images.T_END))
    fewer = images.keywords(sampler, {**grid, "count": 2}, NORMAL.score, 10)["segments"]
    assert len(fewer) == 3


def test_candidate_has_options_of_the_sampler_beside_the_grid() -> None:
    candidate = {"rule": "karras", "t_start": 2.0, "t_end": 0.01, "step_size": 0.7}
    keywords = images.keywords({"method": "rtk-uld"}, candidate, NORMAL.score, 10)
    assert tuple(keywords.pop("segments")) == tuple(segments.karras(4, t_start=2.0, t_end=0.01))
    assert keywords == {"method": "rtk-uld", "step_size": 0.7}


@pytest.mark.parametrize(
    ("nfe", "nearest"), [(4, 5), (6, 5), (8, 10), (10, 10), (15, 20), (80, 20)]
)
def test_settings_are_those_of_the_nearest_number_of_evaluations(
    nfe: int, nearest: int, tmp_path: Path
) -> None:
    """Nearest as a ratio: 15 is 1.5 times 10 and three quarters of 20."""
    file = tmp_path / "tuned.json"
    file.write_text(
        json.dumps({"chosen": {k: {"t_start": k} for k in (5, 10, 20)}}), encoding="utf-8"
    )
    assert images.chosen(file, nfe) == {"t_start": nearest}
