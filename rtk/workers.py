"""Several chunks of chains at once: threads, each with one thread of torch's.

Torch's own threads share the work of a single operation. On small operations they mostly wait for
each other, and on a busy machine a run with two of them can take many times as long as with one.
Threads over chunks never wait.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def ordered_map(
    function: Callable[[Item], Answer], items: Iterable[Item], workers: int
) -> Iterator[Answer]:
    """``function`` of each item, in their order.

    One worker is the caller's thread, with as many threads of torch's as the caller has set. If the
    caller stops early, items that nobody has begun are left.
    """
    if workers == 1:
        yield from map(function, items)
        return
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(workers, initializer=lambda: torch.set_num_threads(1))
    try:
        yield from pool.map(function, items)
    finally:
        pool.shutdown(cancel_futures=True)
        # Torch would give one thread to every thread that the caller starts later.
        torch.set_num_threads(threads)
