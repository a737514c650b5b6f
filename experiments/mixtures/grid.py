"""The segments of a method, as the configuration asks for them."""

from typing import Any

from rtk import segments


def grid(rule: str, nfe: int, count: int | None = None, **options: Any) -> segments.Times:
    """The times of the segments that the configuration asks for.

    Args:
        rule: name of a function of `rtk.segments`.
        nfe: number of score evaluations.
        count: number of segments. If it is None there is one for each score evaluation, except for
            the last one if the grid ends above 0, as that denoises.
        **options: other arguments of the rule.
    """
    make = getattr(segments, rule)
    if count is None:
        count = nfe if make(1, **options)[-1] == 0.0 else nfe - 1
    times: segments.Times = make(count, **options)
    return times
