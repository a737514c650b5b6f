"""B3 over whole chains: costs as counted by the sampler, and the rates that are claimed."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import rtk
from experiments.theory import convergence, gaussian, two_modes
from experiments.theory.convergence import (
    GAUSSIAN,
    Run,
    cheapest,
    modes_chains,
    modes_run,
    while_it_helps,
)
from experiments.theory.search import log_snr_grid
from figures.analysis import convergence as convergence_table
from figures.analysis import fit
from rtk.laws.grid import Grid
from tests.oracles import DOUBLE

CELLS = Grid(-6.8, 6.8, 50)


def gaussian_mixture() -> rtk.GaussianMixture:
    mean, variance = torch.from_numpy(GAUSSIAN.mean), torch.from_numpy(GAUSSIAN.variance)
    return rtk.GaussianMixture(torch.ones(1), mean.unsqueeze(0), variance.unsqueeze(0))


def test_cost_is_what_the_samplers_count() -> None:
    target, count, steps = gaussian_mixture(), 3, 4
    times = convergence.grid(gaussian.LIPSCHITZ, count)
    for method in ("rtk-uld", "rtk-ula"):
        options: dict[str, Any] = {
            "inner_steps": steps,
            "data_variance": 0.25,
            "warm_start": "gaussian",
        }
        made = rtk.sample(
            target.score,
            10,
            2,
            method,
            100,
            segments=list(times),
            step_size=0.1,
            dtype=DOUBLE,
            **options,
        )
        (run,) = convergence.run_rtk(method, times, 0.1, steps, [count])
        assert run.nfe == made.nfe
    for method in ("ddpm", "ddim", "dpm++2m"):
        times = log_snr_grid(3.0, 0.01, 6)
        made = rtk.sample(target.score, 10, 2, method, 100, segments=list(times[:-1]), dtype=DOUBLE)
        assert convergence.run_plain(method, times).nfe == made.nfe


def test_mala_over_whole_chains_agrees_with_simulation() -> None:
    """40 000 chains: NFE, and the TV of the histogram within 5 sigma of that on the grid.

    Few steps, so that the law is far from the target. In 25 cells of two the TV of a sample of n is
    at most 1/2 sum_i sqrt(p_i / n) < 1/2 sqrt(25 / n) = 0.0125 above that of its law, on average,
    and its standard deviation at most 1/2 sqrt(1 / n) = 0.0025.
    """
    chains, count, steps = 40_000, 6, 1
    times = convergence.grid(two_modes.LIPSCHITZ, count)
    made = rtk.sample(
        two_modes.TARGET.score,
        1,
        chains,
        "rtk-mala",
        100,
        3,
        two_modes.TARGET.log_prob,
        dtype=DOUBLE,
        segments=list(times),
        step_size=1.0,
        inner_steps=steps,
        warm_start="gaussian",
        data_variance=two_modes.VARIANCE,
    )
    variations = modes_chains("rtk-mala", [(count, steps)], 1.0, 1, CELLS)
    tv = variations[count, steps]
    assert made.nfe == modes_run("rtk-mala", (count, steps), tv, 1.0).nfe
    assert tv > 0.05
    edges = np.linspace(CELLS.low, CELLS.high, 26)
    counts = np.histogram(made.samples.flatten().numpy(), edges)[0] / chains
    fine = torch.linspace(CELLS.low, CELLS.high, 5001, dtype=DOUBLE).unsqueeze(1)
    density = two_modes.TARGET.log_prob(fine, 0.0).exp().numpy()
    target = density[:-1].reshape(25, 200).sum(1) / density.sum()
    sampled = 0.5 * np.abs(counts - target).sum()
    # Wide bins hide little of the distance: laws and target are smooth on their scale.
    assert 0.9 * tv - 5 * 0.0025 <= sampled <= tv + 0.0125 + 5 * 0.0025


def test_mala_needs_logarithmically_many_and_uld_inversely_many() -> None:
    """A thousandth of the TV: less than thrice the cost for MALA, about a thousandfold for ULD."""
    asked = {eps: convergence.mala_rule(eps) for eps in (1.0, 0.2)}
    tv = modes_chains("rtk-mala", asked.values(), 1.0, 1, CELLS)
    mala = [modes_run("rtk-mala", run, tv[run], 1.0) for run in asked.values()]
    uld = [convergence.rtk_rule("rtk-uld", eps) for eps in (0.3, 3e-4)]
    slopes = [
        math.log(runs[1].nfe / runs[0].nfe) / math.log(runs[0].tv / runs[1].tv)
        for runs in (mala, uld)
    ]
    assert mala[1].tv < 1e-2 * mala[0].tv
    assert 0.0 < slopes[0] < 0.5
    assert 0.9 < slopes[1] < 1.6


def test_rules_keep_their_promise() -> None:
    for eps in (0.3, 0.03):
        for method in ("rtk-uld", "rtk-ula"):
            assert convergence.rtk_rule(method, eps).tv <= eps
        for method in ("ddpm", "ddim", "dpm++2m"):
            run = convergence.plain_rule(method, eps, most=100_000)
            assert run is None or run.tv <= eps
        run = convergence.corrected_rule(eps, most=100_000)
        assert run is not None
        assert run.tv <= eps
        # Segments of length 1 / L, each with twice d^(1/2) / eps steps.
        t_start = convergence.start_time(eps, 10, convergence.GAUSSIAN_MOMENT)
        count = math.ceil(t_start * gaussian.LIPSCHITZ)
        assert run.nfe == 2 * math.ceil(math.sqrt(10) / eps) * count
    assert convergence.plain_rule("ddpm", 0.03, most=1000) is None
    assert convergence.corrected_rule(0.03, most=1000) is None


def test_one_segment_of_mala_converges_geometrically() -> None:
    runs = [run for run in convergence.mala_segment(1.0, 30, CELLS) if run.tv > 1e-11]
    straight = fit.line([run.nfe for run in runs], np.log([run.tv for run in runs]))
    assert straight.r_squared > 0.999
    assert straight.slope < -0.5
    floors = [convergence.gaussian_segment("rtk-uld", h, round(200 / h)).tv for h in (0.1, 0.01)]
    assert floors[0] / floors[1] == pytest.approx(10, rel=0.1)


def test_cheapest() -> None:
    runs = [Run(5, 0.2, ""), Run(3, 0.3, ""), Run(9, 0.01, ""), Run(7, 0.05, "")]
    best = cheapest(runs, [0.25, 0.05, 1e-3])
    assert {eps: run.nfe for eps, run in best.items()} == {0.25: 5, 0.05: 7}


def test_while_it_helps() -> None:
    runs = [Run(k, tv, "") for k, tv in enumerate((0.9, 0.89, 0.05, 0.01, 0.0099, 0.001))]
    assert [run.nfe for run in while_it_helps(runs)] == [0, 1, 2, 3, 4]


def test_exponents_of_the_table() -> None:
    """The rule's are taken over what was reached, the optimised ones' over what was asked."""
    eps = 10.0 ** -np.arange(0.0, 6.1, 0.5)
    common = {"method": "rtk-uld", "metric": "tv", "eps": eps}
    frame = pd.concat(
        [
            pd.DataFrame(common | {"study": "rule", "value": eps**2, "nfe": 100 * eps**-3}),
            pd.DataFrame(common | {"study": "optimised", "value": eps, "nfe": 7 * eps**-1.2}),
        ]
    )
    rule, best = (
        convergence_table.curve(frame, study, "rtk-uld") for study in ("rule", "optimised")
    )
    assert convergence_table.exponent(rule).slope == pytest.approx(1.5)
    assert convergence_table.exponent(best).slope == pytest.approx(1.2)
    assert len(convergence_table.smallest_decades(best)) == 7
