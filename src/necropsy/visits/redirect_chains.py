"""Chains of redirects: a visit is a request and the redirects that its client followed. Long chains become several visits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

LONGEST: Final = 10
"""Redirects that a client follows (Go's net/http: 10; browsers: 20)."""


def followers(pairs: pa.Table) -> pa.Table:
    """Return the lines that followed a redirect, each with the first line of its visit and its position in the chain.

    ``pairs`` has ``number`` and ``follower``: a line that redirects, and the line that followed it. It holds all pairs of a
    client.
    """
    import numpy as np
    import pyarrow as pa

    number, follower = (pairs[name].to_numpy().astype(np.int64) for name in ("number", "follower"))
    order = np.argsort(number, kind="stable")
    number, follower = number[order], follower[order]
    root, place = places(number, follower)
    inside = place > 0
    return pa.table({"number": follower[inside], "root": root[inside], "place": place[inside]})


def places(number: NDArray[np.int64], follower: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each pair the first line of its visit, and the position of the follower in the chain.

    Parameters
    ----------
    number, follower
        Pairs of lines, sorted by ``number``; a line has one follower at most and follows one line at most.

    Returns
    -------
    The first line of the visit, and the position of the follower, 1 to ``LONGEST``; position 0: the chain was too long,
    and the follower begins another visit.
    """
    import numpy as np

    by_follower = np.argsort(follower)
    at = np.searchsorted(follower[by_follower], number)
    hit = np.minimum(at, max(0, number.size - 1))
    before = (
        np.where((at < number.size) & (follower[by_follower][hit] == number), by_follower[hit], -1)
        if number.size
        else at
    )
    # Pointer doubling: a bot that is sent back and forth all day makes a chain of thousands.
    depth, jump = (before >= 0).astype(np.int64), before.copy()
    while (jump >= 0).any():
        reached = jump >= 0
        depth[reached] += depth[jump[reached]]
        jump[reached] = jump[jump[reached]]
    place = (depth + 1) % (LONGEST + 1)
    root = np.arange(number.size)
    for back in range(1, LONGEST):
        further = place > back
        root[further] = before[root[further]]
    return number[root], place
