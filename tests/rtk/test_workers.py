"""Threads over chunks: the same samples and counts, one callback at a time, nothing left behind."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

import rtk
from rtk.workers import ordered_map
from tests.oracles import DOUBLE, skewed


@pytest.mark.parametrize("method", ["rtk-mala", "rtk-uld", "ddpm", "dpm++2m"])
def test_samples_and_counts_do_not_depend_on_workers(method: str) -> None:
    target = skewed()

    def run(workers: int) -> rtk.Result:
        return rtk.sample(
            target.score, 2, 100, method, nfe=12, dtype=DOUBLE, chunk=9, workers=workers
        )

    assert run(3) == run(1)
    assert run(1).nfe == sum(segment.nfe for segment in run(1).diagnostics.segments) > 0


def test_callbacks_come_one_at_a_time() -> None:
    inside, most, seen = 0, 0, []

    def callback(x: Tensor, t: float, chains: range) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.002)
        seen.append(chains.start)
        inside -= 1

    rtk.sample(lambda x, t: -x, 2, 16, "ddpm", nfe=3, chunk=2, workers=4, callback=callback)
    assert most == 1
    assert sorted(seen) == sorted([*range(0, 16, 2)] * 3)


def test_order_and_threads_of_torch() -> None:
    before = torch.get_num_threads()
    threads = 2
    torch.set_num_threads(threads)

    def function(k: int) -> tuple[int, int, int]:
        time.sleep(0.01 * (k % 3))
        return k, threading.get_ident(), torch.get_num_threads()

    answers = [*ordered_map(function, range(12), 3)]
    assert [k for k, _, _ in answers] == [*range(12)]
    assert 1 < len({thread for _, thread, _ in answers}) <= 3
    assert {inner for _, _, inner in answers} == {1}
    assert torch.get_num_threads() == threads
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == threads
    assert {thread for _, thread, _ in ordered_map(function, range(3), 1)} == {
        threading.get_ident()
    }
    torch.set_num_threads(before)


def test_an_error_stops_what_nobody_has_begun() -> None:
    begun = []

    def function(k: int) -> None:
        begun.append(k)
        time.sleep(0.01)
        if k == 1:
            raise FloatingPointError("here")

    with pytest.raises(FloatingPointError, match="here"):
        list(ordered_map(function, range(500), 2))
    assert len(begun) < 20


def test_chains_that_are_not_finite_are_named() -> None:
    def score(x: Tensor, t: float) -> Tensor:
        return torch.where(x[:, :1] > 1.5, torch.nan, -x)

    def bad(workers: int) -> dict[int, float]:
        options = {"nfe": 3, "chunk": 8, "workers": workers, "nonfinite": "keep"}
        return rtk.sample(score, 2, 200, "ddpm", **options).diagnostics.nonfinite  # type: ignore[arg-type]

    assert bad(3) == bad(1) != {}
    with pytest.raises(rtk.NonFiniteError):
        rtk.sample(score, 2, 200, "ddpm", nfe=3, chunk=8, workers=3)


@pytest.mark.parametrize(("workers", "error"), [(0, ValueError), (1.5, TypeError)])
def test_workers_are_a_positive_number(workers: int, error: type[Exception]) -> None:
    with pytest.raises(error, match="workers"):
        rtk.sample(lambda x, t: -x, 2, 4, "ddpm", nfe=3, workers=workers)
