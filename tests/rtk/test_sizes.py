"""Large runs fit into memory, and extreme times and covariances keep their digits."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import rtk
from rtk import segments
from rtk.kernel import ReverseTransition
from rtk.noise import ChainNoise
from rtk.samplers.base import smoothness
from tests.oracles import DOUBLE, PLAIN, gaussian, mixture_of

ROOT = Path(__file__).parents[2]
MEBIBYTE = 2**20

RUN = """
import resource, sys
import rtk
n, d, nfe = map(int, sys.argv[2:])
# The score of N(0, I) needs no memory of its own.
result = rtk.sample(lambda x, t: -x, d, n, sys.argv[1], nfe=nfe)
assert result.samples.shape == (n, d) and result.nfe <= nfe
kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(1024 * kibibytes)
"""


def peak(method: str, n: int, d: int, nfe: int) -> int:
    """The peak of the resident memory, in bytes, of a process that makes one run."""
    run = subprocess.run(
        [sys.executable, "-c", RUN, method, *map(str, (n, d, nfe))],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return int(run.stdout)


@pytest.fixture(scope="module")
def idle() -> int:
    """The peak of a run of one chain: the packages alone, about 0.3 GiB."""
    return peak("ddpm", 1, 1, 2)


def test_ten_million_chains_take_the_memory_of_their_samples(idle: int) -> None:
    """4 bytes a chain for the samples in float32, once more for the chunks, and half as much spare.

    With the packages it is a tenth of 4 GiB.
    """
    n = 10_000_000
    assert peak("ddpm", n, 1, 3) - idle < 12 * n + 32 * MEBIBYTE


@pytest.mark.parametrize(
    "method",
    ["ddpm", *(pytest.param(name, marks=pytest.mark.slow) for name in ("rtk-uld", "rtk-mala"))],
)
def test_ten_thousand_evaluations_take_no_more_memory(method: str, idle: int) -> None:
    assert peak(method, 2, 2, 10_000) - idle < 100 * MEBIBYTE


@pytest.mark.parametrize("method", ["ddpm", "dpm++2m", "rtk-uld"])
def test_many_dimensions(method: str) -> None:
    """N(0, 1/4 I) in 4096 dimensions: 16 samples have the mean square of 65 536 on the line.

    These samplers treat every coordinate in the same way, so both are means of 65 536 squares, with
    a standard error of 0.55 % each; 5 of that of the difference.
    """
    squares = []
    for d, n in ((4096, 16), (1, 16 * 4096)):
        target = rtk.GaussianMixture([1.0], torch.zeros(1, d), 0.25)
        options: dict[str, Any] = {"data_variance": 0.25} if method.startswith("rtk") else {}
        samples = rtk.sample(target.score, d, n, method, nfe=50, seed=d, **options).samples
        squares.append(float(samples.square().mean()))
    assert squares[0] == pytest.approx(squares[1], rel=5 * math.sqrt(2) * 0.0055)


@pytest.mark.parametrize("energy", ["exact", "trapezoid"])
def test_metropolis_in_many_dimensions(energy: str) -> None:
    """In 4096 dimensions the default step is accepted, from draws of the kernel itself.

    The rate of 16 chains in 20 steps has a standard error of at most 2.8 %. Optimal scaling makes
    it 0.574 for a long chain; 5 standard errors, and 0.1 for a default of another constant.
    """
    d, v, t_hi, t_lo = 4096, 0.25, 0.5, 0.3
    target = rtk.GaussianMixture([1.0], torch.zeros(1, d), v)
    x = target.sample(16, t_hi, torch.Generator().manual_seed(0), DOUBLE)
    z = target.reverse_transition(x, t_hi, t_lo).sample(torch.Generator().manual_seed(1))
    kernel = ReverseTransition(target.score, x, t_hi, t_lo, target.log_prob)
    curvature = smoothness(t_lo, v) + kernel.tilt_precision
    noise = ChainNoise(0, 16, (d,), dtype=DOUBLE)
    _, info = rtk.RTKMALA(energy=energy).run(kernel, z, 20, curvature, noise)
    assert info.acceptance is not None
    assert float(info.acceptance.mean()) == pytest.approx(0.574, abs=0.1 + 5 * 0.028)


@pytest.mark.parametrize("end", [1e-8, 0.0])
@pytest.mark.parametrize("method", PLAIN)
def test_segments_that_end_at_the_data(method: str, end: float) -> None:
    """N(1, 0.09): the mean and the variance of 4000 chains in float32 down to t = 1e-8 or 0.

    Standard errors are 0.0047 for the mean and 2.2 % for the variance; 5 of them, and a bias of
    10 % of the spread for 200 score evaluations.
    """
    target = gaussian(1.0, 0.09)
    inner: dict[str, Any] = {"data_variance": 0.09} if method.startswith(("rtk", "ald")) else {}
    count = 20 if inner else 90
    times = (*segments.log_snr(count, 5.0, 1e-4), end)
    x = rtk.sample(
        target.score, 1, 4000, method, nfe=200, segments=times, denoise=False, **inner
    ).samples
    assert float(x.mean()) == pytest.approx(1.0, abs=0.03 + 5 * 0.0047)
    assert float(x.var()) / 0.09 == pytest.approx(1.0, abs=0.2 + 5 * 0.022)


@pytest.mark.parametrize("t", [0.0, 1e-8, 1e-3])
def test_nearly_singular_covariances(t: float) -> None:
    """Eigenvalues from 1e-12 to 1 along a diagonal: densities and scores by hand, to 1e-3.

    The covariance is known to 1e-16, so its smallest eigenvalue is to 1e-4.
    """
    small, turn = 1e-12, torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=DOUBLE) / math.sqrt(2)
    target = mixture_of([1.0], [[0.0, 0.0]], (turn * torch.tensor([1.0, small])) @ turn.T[None])
    variances = math.exp(-2 * t) * torch.tensor([1.0, small], dtype=DOUBLE) - math.expm1(-2 * t)
    along = torch.tensor([[1.0, 0.0], [0.3, 1e-6], [-1.0, -2e-6]], dtype=DOUBLE)
    x = along @ turn.T
    density = -0.5 * (along.square() / variances + torch.log(2 * math.pi * variances)).sum(1)
    torch.testing.assert_close(target.log_prob(x, t), density, rtol=1e-3, atol=1e-3)
    score = -along / variances @ turn.T
    torch.testing.assert_close(target.score(x, t), score, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("t_lo", [1e-8, 1e-4])
def test_kernels_of_nearly_singular_covariances(t_lo: float) -> None:
    """The exact kernel's score and that of its definition agree; its draws are finite."""
    narrow = torch.tensor([[[1.0, 1.0], [1.0, 1.0 + 4e-12]]], dtype=DOUBLE)
    target = mixture_of([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], narrow)
    assert 1e-12 / 2 < float(target.variances.min()) < 4e-12
    x = torch.tensor([[0.3, 1e-6]], dtype=DOUBLE)
    law = target.reverse_transition(x, 0.5, t_lo)
    z = law.sample(torch.Generator().manual_seed(0)).requires_grad_()
    assert bool(torch.isfinite(z).all())
    exact = torch.autograd.grad(law.log_prob(z).sum(), z)[0]
    kernel = ReverseTransition(target.score, x, 0.5, t_lo)
    torch.testing.assert_close(kernel.grad(z.detach()), -exact, rtol=1e-6, atol=1e-6)
