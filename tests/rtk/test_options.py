"""Start, first chain, chunks and callback of `rtk.sample`: parts of a run equal the whole."""

import pickle
from typing import Any

import pytest
import torch
from torch import Tensor

import rtk
from rtk import process, segments
from rtk.noise import ChainNoise
from rtk.segments import T_START
from tests.oracles import DOUBLE, PLAIN, gaussian, skewed

METHODS = rtk.methods()


def samples(n: int = 40, method: str = "rtk-mala", **options: Any) -> Tensor:
    return rtk.sample(skewed().score, 2, n, method, nfe=12, dtype=DOUBLE, **options).samples


@pytest.mark.parametrize("method", METHODS)
def test_first_names_the_chains_of_a_longer_run(method: str) -> None:
    whole = samples(200, method)
    for first, n in ((137, 1), (97, 10), (0, 5)):
        torch.testing.assert_close(samples(n, method, first=first), whole[first : first + n])


def test_an_image_can_be_drawn_again() -> None:
    score = rtk.GaussianMixture([1.0], torch.zeros(1, 6), 0.5).score

    def images(x: Tensor, t: float) -> Tensor:
        return score(x.flatten(1), t).reshape(x.shape)

    whole = rtk.sample(images, (1, 2, 3), 30, "ddpm", nfe=5).samples
    again = rtk.sample(images, (1, 2, 3), 1, "ddpm", nfe=5, first=17).samples
    torch.testing.assert_close(again, whole[17:18])


@pytest.mark.parametrize("shape", [2, (3, 28, 28)])
@pytest.mark.parametrize("chunk", [1, 4, 10])
def test_a_score_never_gets_more_rows_than_the_chunk(shape: Any, chunk: int) -> None:
    rows: list[int] = []

    def score(x: Tensor, t: float) -> Tensor:
        rows.append(len(x))
        return -x

    rtk.sample(score, shape, 11, "ddim", nfe=3, chunk=chunk)
    assert max(rows) == min(chunk, 11)
    assert sum(rows) == 33


@pytest.mark.parametrize("method", PLAIN)
def test_own_start(method: str) -> None:
    """The start that the run would have drawn gives the same run; another is carried as it is."""
    noise = ChainNoise(0, 40, (2,), dtype=DOUBLE)
    start = noise.normal()
    before = start.clone()
    torch.testing.assert_close(
        samples(method=method, x_init=start, chunk=7), samples(method=method)
    )
    assert torch.equal(start, before)


def test_own_start_and_time_are_where_the_flow_begins() -> None:
    """DDIM in many steps follows the probability flow of N(0, v), which scales x by sd(0)/sd(t)."""
    v, t = 0.3, 0.7
    start = torch.linspace(-2, 2, 9, dtype=DOUBLE).unsqueeze(1)
    result = rtk.sample(
        gaussian(0.0, v).score, 1, 9, "ddim", 400, dtype=DOUBLE, x_init=start, t_start=t
    )
    spread = process.alpha(t) ** 2 * v + process.variance(t)
    expected = start * (v / spread) ** 0.5
    torch.testing.assert_close(result.samples, expected, rtol=0.01, atol=0.0)


@pytest.mark.parametrize("method", METHODS)
def test_start_of_the_default_grid(method: str) -> None:
    extras: list[dict[str, Any]] = [{}, {"segments": 2}] if method in PLAIN else [{}]
    for extra in extras:
        result = rtk.sample(skewed().score, 2, 3, method, nfe=20, t_start=8.0, **extra)
        assert result.diagnostics.segments[0].t_hi == 8.0
        default = rtk.sample(skewed().score, 2, 3, method, nfe=20, **extra)
        assert default.diagnostics.segments[0].t_hi == T_START


def test_callback_sees_every_chunk_after_every_segment() -> None:
    seen: list[tuple[float, range]] = []
    last: dict[int, Tensor] = {}

    def callback(x: Tensor, t: float, chains: range) -> None:
        assert len(x) == len(chains)
        seen.append((t, chains))
        last.update(dict(zip(chains, x.clone(), strict=True)))
        x.zero_()

    times = segments.log_snr(3)
    drawn = samples(10, "ddpm", segments=times, chunk=4, first=5, callback=callback)
    ends = [*times[1:], 0.0]
    chunks = [range(5, 9), range(9, 13), range(13, 15)]
    assert seen == [(t, chains) for chains in chunks for t in ends]
    torch.testing.assert_close(drawn, torch.stack([last[chain] for chain in range(5, 15)]))
    torch.testing.assert_close(drawn, samples(10, "ddpm", segments=times, first=5))


def test_results_compare_and_travel() -> None:
    result = rtk.sample(skewed().score, 2, 5, "rtk-mala", nfe=12)
    again = pickle.loads(pickle.dumps(result))
    assert result == again
    assert result != rtk.sample(skewed().score, 2, 5, "rtk-mala", nfe=12, seed=1)
    assert result != "a result"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"first": -1}, "first must be at least 0, got -1"),
        ({"first": 0.5}, "first must be a whole number, got 0.5"),
        ({"t_start": 0.0}, "t_start must be positive and finite, got 0.0"),
        ({"t_start": "late"}, "t_start must be a number, got 'late'"),
        ({"t_start": 3.0, "segments": (3.0, 1.0)}, "t_start sets where a default grid begins"),
        ({"x_init": torch.zeros(3, 2)}, r"x_init must .* \(40, 2\), got \(3, 2\)"),
        ({"x_init": [0.0]}, "x_init must be a tensor .*, got list"),
        ({"x_init": torch.full((40, 2), torch.nan)}, "x_init must be finite"),
    ],
)
def test_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        samples(**options)
