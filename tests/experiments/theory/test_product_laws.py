"""The product study: its samplers' laws, the error of its grids, and its exponents."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

import rtk
from experiments.theory import factors, product_laws
from experiments.theory.factors import SHAPES
from experiments.theory.product_laws import CHAINS, SOLVERS, Settings
from figures.analysis.product_laws import exponents, metropolis_exponents, needed
from figures.tables import product_laws as product_table
from rtk import process
from rtk.kernel import ReverseTransition
from rtk.laws import reverse_transition
from rtk.laws.grid import Grid
from rtk.laws.reverse_transition import Widths
from rtk.mcmc.mala import mala
from rtk.noise import ChainNoise
from rtk.samplers.reverse_transition import RTKMALA
from tests.oracles import DOUBLE
from tests.rtk.laws.cases import assert_samples

SETTINGS = Settings([1, 2, 64], [16], [0.35], [2, 4], cells=512, mala_cells=64)


@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_cells(shape: str, method: str) -> None:
    """The grid leaves a relative error below 1e-3 in every dimension."""
    fine = replace(SETTINGS, cells=2 * SETTINGS.cells)
    coarse, finer = (product_laws.variations(shape, method, 16, s) for s in (SETTINGS, fine))
    assert coarse == pytest.approx(finer, rel=1e-3)


@pytest.mark.parametrize(("method", "order"), [("ddpm", 1), ("ddim", 1), ("dpm++2m", 2)])
@pytest.mark.parametrize("shape", SHAPES)
def test_order(shape: str, method: str, order: int) -> None:
    """Twice the scores divide the TV by ``2^p``, within 15 %: the samples approach the target."""
    (coarse, *_), (fine, *_) = (
        product_laws.variations(shape, method, nfe, SETTINGS) for nfe in (64, 128)
    )
    assert coarse / fine == pytest.approx(2.0**order, rel=0.15)


def test_every_score_is_used() -> None:
    """As many steps as scores, down to 0."""
    times = product_laws.times(16)
    assert len(times) == 17
    assert times[-2:] == pytest.approx([product_laws.T_END, 0.0])


@pytest.mark.parametrize("method", CHAINS)
@pytest.mark.parametrize("shape", SHAPES)
def test_narrower_cells(shape: str, method: str) -> None:
    """The grids of RTK's chains leave a relative error below 1e-4 in every dimension."""
    sampler = product_laws.chain(shape, method, 0.35)
    coarse, finer = (
        product_laws.chain_variations(shape, sampler, SETTINGS, Widths().scaled(factor))
        for factor in (1.0, 0.75)
    )
    assert coarse == pytest.approx(finer, rel=1e-4)


@pytest.mark.parametrize("method", CHAINS)
def test_chain_in_the_plane(method: str) -> None:
    """The TV of a chain in two dimensions, from all cells of the plane, to 1e-3."""
    factor, sampler = SHAPES["skewed"], product_laws.chain("skewed", method, 0.35)
    ends, edge = factors.theory_times(factor, product_laws.RTK_START), factors.edge(factor)
    law, coarse = reverse_transition.sample_law(factor.score, sampler, ends, edge)
    grid = Grid(-edge, edge, 1200)
    p = np.maximum(grid.spacing * reverse_transition.resampled(law, coarse, grid.centres), 0.0)
    q = product_laws.target_law(factor, grid)
    line, plane, _ = product_laws.chain_variations("skewed", sampler, SETTINGS)
    assert line == pytest.approx(0.5 * np.abs(p - q).sum(), rel=1e-3)
    assert plane == pytest.approx(0.5 * np.abs(np.outer(p, p) - np.outer(q, q)).sum(), rel=1e-3)


def test_mala_in_one_dimension() -> None:
    """Means of four functions of n = 100 000 samples of `rtk.sample`, to 5 standard errors."""
    factor, steps = SHAPES["skewed"], 2
    ends = factors.theory_times(factor, product_laws.RTK_START)
    sampler = RTKMALA(
        step_size=1.0,
        inner_steps=steps,
        warm_start="gaussian",
        data_variance=factors.narrowest(factor),
    )
    result = rtk.sample(
        factor.score,
        1,
        100_000,
        sampler,
        (steps + 1) * (len(ends) - 1),
        log_prob=factor.log_prob,
        segments=ends,
        seed=0,
        dtype=DOUBLE,
    )
    grid = Grid(-factors.edge(factor), factors.edge(factor), 128)
    law = product_laws.mala_laws("skewed", [steps], grid)[steps]
    assert_samples(result.samples.squeeze(1).numpy(), law, grid)


@pytest.mark.parametrize("shape", SHAPES)
def test_mala_is_geometric(shape: str) -> None:
    """Two further inner steps divide the TV by the same, to 10 %; the grid changes it by 5 %."""
    steps = [2, 4, 6]
    coarse, fine = (product_laws.mala_variations(shape, steps, cells) for cells in (64, 128))
    first, second = -np.diff(np.log(fine))
    assert first > 2.0
    assert second == pytest.approx(first, rel=0.1)
    assert coarse == pytest.approx(fine, rel=0.05)


@pytest.mark.parametrize(("method", "low", "high"), [("rtk-lm", 4.0, 20.0), ("rtk-uld", 0.8, 1.0)])
def test_what_the_error_of_a_chain_is(method: str, low: float, high: float) -> None:
    """Twice the inner steps lower RTK-LM's TV, which is that of its starts, and not RTK-ULD's."""
    sampler = product_laws.chain("skewed", method, 0.2)
    longer = replace(sampler, inner_steps=2 * (sampler.inner_steps or 0))
    once, twice = (
        product_laws.chain_variations("skewed", each, SETTINGS) for each in (sampler, longer)
    )
    assert low < once[-1] / twice[-1] < high


@pytest.mark.parametrize(("shape", "dimension"), [("bimodal", 1), ("heavy-shouldered", 16)])
def test_accepted_step(shape: str, dimension: int) -> None:
    """A step of `rtk.mcmc.mala` from the kernel accepts half of n = 40 000, to 5 standard errors.

    With z from the target and x from the noising process, z given x has the law of the kernel.
    """
    n, factor = 40_000, SHAPES[shape]
    t_hi, t_lo = factors.theory_times(factor, product_laws.RTK_START)[-2:]
    generator = torch.Generator().manual_seed(0)
    z = factor.sample(n * dimension, generator=generator, dtype=DOUBLE).reshape(n, dimension)
    noise = torch.randn(z.shape, generator=generator, dtype=DOUBLE)
    x = process.alpha(t_hi) * z + process.variance(t_hi) ** 0.5 * noise

    def score(z: Tensor, t: float) -> Tensor:
        return factor.score(z.reshape(-1, 1), t).reshape(z.shape)

    def log_prob(z: Tensor, t: float) -> Tensor:
        return factor.log_prob(z.reshape(-1, 1), t).reshape(z.shape).sum(1)

    kernel = ReverseTransition(score, x, t_hi, t_lo, log_prob)
    step_size = product_laws.accepted_step(shape, dimension)
    step_size /= product_laws.curvature(factor, kernel)
    draws = ChainNoise(0, n, (dimension,), dtype=DOUBLE)
    _, accepted = mala(kernel, z, 1, step_size, draws)
    assert abs(float(accepted.mean()) - 0.5) <= 5.0 * 0.5 / n**0.5


def test_rows_have_what_was_asked_for() -> None:
    """Every sampler on every shape, and the score evaluations of the chains."""
    rows = pd.DataFrame(product_laws.rows(replace(SETTINGS, dimensions=[1, 4]), 0))
    assert rows.groupby("method").size().to_dict() == {
        **dict.fromkeys([*SOLVERS, *CHAINS], 6),
        "rtk-mala": 12,
    }
    chains = rows[rows["segments"].notna()]
    extra = chains["method"] == "rtk-mala"
    assert (chains["nfe"] == chains["segments"] * (chains["inner_steps"] + extra)).all()
    assert rows["value"].between(0.0, 4.0).all()


def test_exponents_of_a_power_law() -> None:
    """``TV = d^(1/2) / NFE^2 / 100``: exponents 1/2 and 1/4; a TV at a row and one out of range.

    The step is ``NFE^-4``, of which the exponents are 2 and 1.
    """
    frame = pd.DataFrame(
        [
            {"dimension": d, "nfe": n, "value": 0.01 * math.sqrt(d) / n**2 * 16, "step_size": n**-4}
            for d in (1, 16, 10_000_000)
            for n in (4, 8, 16)
        ]
    )
    costs = {"eps": 0.5, "dimension": 0.25, "last": 16.0}
    assert exponents(frame) == pytest.approx(costs | {"step_eps": 2.0, "step_dimension": 1.0})
    without = frame.assign(step_size=math.nan)
    assert exponents(without) == pytest.approx(costs | {"step_eps": 0.5, "step_dimension": 0.25})
    one = frame[frame["dimension"] == 1]
    assert needed(one, 0.16 / 36.0) == pytest.approx(6.0)
    assert math.isnan(needed(one, 1.0))


def test_a_single_dimension_has_no_exponent() -> None:
    frame = pd.DataFrame(
        [{"dimension": 1, "nfe": n, "value": 1.0 / n, "step_size": 1.0 / n} for n in (8, 16)]
    )
    found = exponents(frame)
    assert found["eps"] == pytest.approx(1.0)
    assert math.isnan(found["dimension"])


def test_exponents_of_a_geometric_chain() -> None:
    """``TV = e^-k`` after k of the inner steps at ``k + 1`` scores; steps that fall as d^(-1/3)."""
    chains = [
        {"metric": "tv", "nfe": k + 1, "inner_steps": k, "dimension": 1, "value": math.exp(-k)}
        for k in (1, 3, 7)
    ]
    steps = [
        {"metric": "step_size", "dimension": d, "value": 2.0 * d ** (-1 / 3)} for d in (1, 8, 64)
    ]
    found = metropolis_exponents(pd.DataFrame(chains + steps))
    expected = {"eps": math.log(2.0) / 4.0, "dimension": 1 / 3, "last": 64.0, "geometric": 1.0}
    assert found == pytest.approx(expected)


def test_table_has_the_range_over_the_shapes() -> None:
    """Two shapes with exponents 1/2 and 1 of one chain."""
    frame = pd.DataFrame(
        [
            {"target": shape, "method": "rtk-uld", "metric": "tv", "segments": 5.0}
            | {"dimension": d, "nfe": n, "step_size": 1.0 / n, "value": d**0.5 * 0.1 / n**order}
            for shape, order in (("a", 1), ("b", 2))
            for d in (1, 2, 4)
            for n in (4, 8)
        ]
        + [
            {"target": shape, "method": "rtk-mala", "metric": metric, "segments": 5.0}
            | {"dimension": k, "nfe": k, "inner_steps": k, "value": 0.1**k}
            for shape in "ab"
            for metric in ("tv", "step_size")
            for k in (1, 2, 3)
        ]
    )
    (chain, _) = product_table.table(frame).to_dict("records")
    assert chain["exponent of 1/TV"] == "0.50 to 1.00"
    assert chain["of d"] == "0.25 to 0.50"
    quoted = product_table.numbers(frame)
    assert quoted["rtk_uld_step_dimension_power_low"] == pytest.approx(0.25)
    assert quoted["rtk_uld_eps_power_high"] == pytest.approx(1.0)
    assert quoted["rtk_mala_lowest_tv"] == pytest.approx(1e-3)
