"""Every fault changes the law or the samples of what it names, in each form in which it stands.

The control, the short step, changes the samples and leaves the law that a long chain reaches.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import rtk
from experiments.mutants import faults
from experiments.mutants.faults import FAULTS
from experiments.mutants.plant import planted
from experiments.theory import (
    dimension,
    energy_estimators,
    factors,
    product_laws,
    robustness,
    segment_count,
    two_modes,
)
from rtk import segments
from rtk.kernel import ReverseTransition
from rtk.laws import acceptance, affine, closed_form, radial, reverse_transition
from rtk.laws import grid as grid_law
from rtk.laws.gaussian import Gaussian
from rtk.samplers.base import Sampler
from rtk.samplers.ddpm import DDPM
from rtk.samplers.reverse_transition import RTKULA, RTKULD

TARGET = Gaussian([1.0, -0.5], [0.5, 1.5])
MIXTURE = rtk.GaussianMixture([1.0], [[1.0, -0.5]], [[0.5, 1.5]])
TIMES = (1.0, 0.5, 0.25, 0.01)
GRID = grid_law.Grid(-4.0, 4.0, 80)
STEP = 0.4 / (3.0 * two_modes.LIPSCHITZ)

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def of_law(law: Gaussian) -> Numbers:
    return np.stack((law.mean, law.variance))


def read_off(method: str) -> Numbers:
    """The law of a sampler, read off its code."""
    samplers: dict[str, Sampler] = {
        "ddpm": DDPM(),
        "rtk-ula": RTKULA(data_variance=0.5, inner_steps=3),
        "rtk-uld": RTKULD(data_variance=0.5, inner_steps=3),
    }
    sampler = samplers[method]
    law, _ = affine.sample_law(MIXTURE.score, 2, sampler, 100, segments=TIMES, denoise=False)
    return of_law(law)


def in_closed_form(method: str) -> Numbers:
    if method == "ddpm":
        return of_law(closed_form.law(closed_form.PLAIN_STEPS[method], TARGET, TIMES))
    step = closed_form.RTK_STEPS[method]

    def steps(target: Gaussian, times: object) -> closed_form.Steps:
        size = {"rtk-ula": 0.2, "rtk-uld": 0.5}[method]
        return step(target, times, size, 3, closed_form.ddpm)

    return of_law(closed_form.law(steps, TARGET, TIMES))


def matrix(energy: str = "exact") -> Numbers:
    return grid_law.mala_matrix(two_modes.kernel(), GRID, STEP, energy)


def samples(method: str, energy: str | None = None) -> Numbers:
    options: dict[str, Any] = {} if energy is None else {"energy": energy}
    result = rtk.sample(
        two_modes.TARGET.score,
        1,
        50,
        method=method,
        nfe=30,
        segments=3,
        log_prob=two_modes.TARGET.log_prob if energy == "exact" else None,
        data_variance=two_modes.VARIANCE,
        **options,
    )
    return result.samples.numpy()


def radial_matrix() -> Numbers:
    return radial.mala_matrix(grid_law.Grid(0.0, 8.0, 60), 2, 0.2)


FACTOR = factors.SHAPES["skewed"]


def transition_law(edge: float = 6.0) -> Numbers:
    """The law of RTK-ULD on a law that is not Gaussian, between ``-edge`` and ``edge``."""
    sampler = product_laws.chain("skewed", "rtk-uld", 0.4)
    law, _ = reverse_transition.sample_law(FACTOR.score, sampler, (0.3, 0.1, 0.0), edge)
    return law


def accepted() -> Numbers:
    """How often RTK-MALA accepts, in one dimension and in four."""
    nodes, fine = grid_law.Grid(-6.0, 6.0, 20), grid_law.Grid(-6.0, 6.0, 60)
    masses = nodes.law(FACTOR.log_prob(nodes.points, 0.3).numpy())
    kernel = ReverseTransition(FACTOR.score, nodes.points, 0.3, 0.1, FACTOR.log_prob)
    return np.array(
        [acceptance.expected_acceptance(kernel, masses, fine, 0.1, d) for d in (1, 4)]
    )


def error_laws() -> Numbers:
    return robustness.chain_laws([("energy", "consistent", 0.5)], grid_law.Grid(-4.0, 4.0, 40))


CHANGED: dict[str, list[Callable[[], Numbers]]] = {
    "kernel width": [
        lambda: read_off("rtk-uld"),
        lambda: in_closed_form("rtk-uld"),
        matrix,
        transition_law,
        accepted,
        lambda: samples("rtk-mala", "exact"),
    ],
    "gradient's sign": [
        lambda: read_off("rtk-uld"),
        lambda: in_closed_form("rtk-uld"),
        matrix,
        accepted,
        lambda: samples("rtk-ula"),
    ],
    "inverted ratio": [matrix, radial_matrix, accepted, lambda: samples("rtk-mala", "exact")],
    "no test": [matrix, radial_matrix, lambda: samples("rtk-mala", "taylor")],
    "double noise": [
        *(lambda m=m: read_off(m) for m in ("ddpm", "rtk-ula", "rtk-uld")),
        *(lambda m=m: in_closed_form(m) for m in ("ddpm", "rtk-ula", "rtk-uld")),
        matrix,
        lambda: transition_law(9.0),
        lambda: samples("rtk-mala", "exact"),
    ],
    "short step": [
        *(lambda m=m: read_off(m) for m in ("rtk-ula", "rtk-uld")),
        *(lambda m=m: in_closed_form(m) for m in ("rtk-ula", "rtk-uld")),
        matrix,
        radial_matrix,
        transition_law,
        lambda: samples("rtk-mala", "exact"),
    ],
    **{
        name: [lambda: read_off("rtk-uld"), lambda: in_closed_form("rtk-uld"), transition_law]
        for name in ("ULD's covariance", "ULA for ULD")
    },
    "DDPM's variance": [lambda: read_off("ddpm"), lambda: in_closed_form("ddpm")],
    "slow DDPM": [lambda: read_off("ddpm"), lambda: in_closed_form("ddpm")],
    "exact for DDPM": [lambda: in_closed_form("ddpm")],
    "shifted score": [
        *(lambda m=m: read_off(m) for m in ("ddpm", "rtk-ula", "rtk-uld")),
        *(lambda m=m: in_closed_form(m) for m in ("ddpm", "rtk-ula", "rtk-uld")),
        matrix,
        transition_law,
        lambda: robustness.true_score(torch.ones(1, 2), 0.5).numpy(),
    ],
    "fewer scores": [lambda: matrix("simpson"), lambda: matrix("taylor")],
    "Simpson for Taylor": [lambda: matrix("taylor")],
    "Taylor's fraction": [lambda: matrix("taylor")],
    "squared error": [error_laws],
    "short segments": [lambda: np.array(segments.from_lipschitz(2.0))],
    "long segments": [lambda: np.array(segments.from_lipschitz(2.0))],
    "late start": [lambda: np.array(dimension.end_time(4.0, 0.01))],
    "no logarithm": [lambda: np.array(float(segment_count.rtk_segments(0.01, 2)))],
}
"""What each fault changes: in the sampler, and in every second derivation of it."""


def test_every_fault_is_examined() -> None:
    assert CHANGED.keys() == FAULTS.keys()


@pytest.mark.parametrize(
    ("name", "compute"),
    [(name, compute) for name, each in CHANGED.items() for compute in each],
    ids=[f"{name}-{k}" for name, each in CHANGED.items() for k in range(len(each))],
)
def test_a_fault_changes_what_it_names(name: str, compute: Callable[[], Numbers]) -> None:
    """What is not random is the same before and after; the fault changes it by more than 1e-6."""
    before = compute()
    with planted(FAULTS[name]):
        wrong = compute()
    assert wrong.shape != before.shape or np.abs(wrong - before).max() > 1e-6
    np.testing.assert_array_equal(compute(), before)


BOTH = [
    (name, method)
    for name in FAULTS
    for method in ("ddpm", "rtk-ula", "rtk-uld")
    if name != "exact for DDPM" and (name, method) != ("slow DDPM", "ddpm")
]
"""Faults and samplers that have the same law in both derivations.

One fault of DDPM, which is also the warm start of RTK here, is planted in closed form alone. One is
relative to the length of DDPM's step, which is another one there.
"""


@pytest.mark.parametrize(("name", "method"), BOTH)
def test_both_derivations_have_the_same_fault(name: str, method: str) -> None:
    """The law that is read off the sampler is that in closed form, with every fault, to 1e-8."""
    with planted(FAULTS[name]):
        read, closed = read_off(method), in_closed_form(method)
    np.testing.assert_allclose(read, closed, rtol=1e-8)


def test_the_control_leaves_the_invariant_law() -> None:
    """MALA with a shorter step has the same invariant law, to rounding."""
    right = grid_law.stationary(matrix())
    with planted(FAULTS["short step"]):
        np.testing.assert_allclose(grid_law.stationary(matrix()), right, atol=1e-10)


@pytest.mark.parametrize("name", ["inverted ratio", "no test", "double noise"])
def test_faults_of_the_chain_move_the_invariant_law(name: str) -> None:
    """The TV between both laws is above 0.01."""
    right = grid_law.stationary(matrix())
    with planted(FAULTS[name]):
        assert grid_law.tv(grid_law.stationary(matrix()), right) > 0.01


def test_simpson_for_taylor_is_simpson() -> None:
    simpson = matrix("simpson")
    with planted(FAULTS["Simpson for Taylor"]):
        np.testing.assert_array_equal(matrix("taylor"), simpson)


def test_fewer_scores_make_simpson_the_trapezoid_rule() -> None:
    trapezoid = matrix("trapezoid")
    with planted(FAULTS["fewer scores"]):
        np.testing.assert_allclose(matrix("simpson"), trapezoid, atol=1e-15)
    assert energy_estimators.ESTIMATORS["simpson"].extra_nfe == 1


def test_segments_are_shorter_and_longer_by_their_factors() -> None:
    right = segments.critical_length(1.0)
    for name, factor in (("short segments", faults.SHORT), ("long segments", faults.LONG)):
        with planted(FAULTS[name]):
            assert segments.critical_length(1.0) == factor * right
