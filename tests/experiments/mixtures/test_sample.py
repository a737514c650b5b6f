"""A1: the segments that a configuration asks for."""

from experiments.mixtures.sample import grid
from rtk import segments


def test_grid_without_a_count_spends_all_scores() -> None:
    assert grid("uniform", nfe=7) == segments.uniform(7)
    assert grid("log_snr", nfe=7) == segments.log_snr(6)
    assert grid("uniform", nfe=7, count=3) == segments.uniform(3)
