"""Chains of redirects: a visit is a request and the redirects that its client followed. Long chains become several visits.

A client whose cookie does not come back is sent round and round: ``/`` → ``/sso`` → ``/callback`` → ``/`` … Each of these
requests may start a session, as none brings one, so that each of them is a visit of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

LONGEST: Final = 10
"""Redirects that a client follows (Go's net/http: 10; browsers: 20)."""
ROUNDS: Final = 3
"""Times that one page redirects in one chain from which its client is sent round: a login comes back to its page once."""
TIMES: Final = 10
"""Chains of one client that come back to a page and never arrive anywhere, from which its client is sent round."""


def followers(pairs: pa.Table) -> pa.Table:
    """Return the lines that followed a redirect, each with the first line of its visit and its position in the chain.

    ``pairs`` has ``number`` and ``follower``: a line that redirects, and the line that followed it; ``flow``, their client;
    ``from_pattern``, the page that redirects; and ``onward``, 1 where the follower redirects, too. It holds all pairs of a
    client.
    """
    import numpy as np
    import pyarrow as pa

    number, follower, flow, page, onward = (
        pairs[name].to_numpy().astype(np.int64) for name in ("number", "follower", "flow", "from_pattern", "onward")
    )
    order = np.argsort(number, kind="stable")
    number, follower = number[order], follower[order]
    straight = ~_round(number, follower, flow[order], page[order], onward[order] == 1)
    number, follower = number[straight], follower[straight]
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

    before = _before(number, follower)
    depth, _ = _chained(before)
    place = (depth + 1) % (LONGEST + 1)
    root = np.arange(number.size)
    for back in range(1, LONGEST):
        further = place > back
        root[further] = before[root[further]]
    return number[root], place


def _before(number: NDArray[np.int64], follower: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each pair, the pair whose follower redirects here; -1 where a chain begins."""
    import numpy as np

    if not number.size:
        return number
    by_follower = np.argsort(follower)
    at = np.searchsorted(follower[by_follower], number)
    hit = np.minimum(at, number.size - 1)
    return np.where((at < number.size) & (follower[by_follower][hit] == number), by_follower[hit], -1)


def _chained(before: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each pair, how many are before it in its chain, and the first of these."""
    import numpy as np

    # Pointer doubling: a bot that is sent back and forth all day makes a chain of thousands.
    depth, jump, first = (before >= 0).astype(np.int64), before.copy(), np.arange(before.size)
    while (jump >= 0).any():
        reached = jump >= 0
        first[reached] = first[jump[reached]]
        depth[reached] += depth[jump[reached]]
        jump[reached] = jump[jump[reached]]
    return depth, first


def _round(
    number: NDArray[np.int64],
    follower: NDArray[np.int64],
    flow: NDArray[np.int64],
    page: NDArray[np.int64],
    onward: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Mark the pairs of a page that sends its client round again and again."""
    import numpy as np

    if not number.size:
        return np.zeros(0, dtype=bool)
    before = _before(number, follower)
    _, chain = _chained(before)
    is_last = np.ones(number.size, dtype=bool)
    is_last[before[before >= 0]] = False
    arrives = np.zeros(number.size, dtype=bool)
    arrives[chain[is_last & ~onward]] = True  # the page that it asked for is shown in the end
    order = np.lexsort((page, chain))
    begins = np.ones(order.size, dtype=bool)
    begins[1:] = (np.diff(chain[order]) != 0) | (np.diff(page[order]) != 0)
    first, rounds = order[begins], np.bincount(np.cumsum(begins) - 1)
    most = np.zeros(number.size, np.int64)  # by the first pair of a chain: times that one page comes in it
    np.maximum.at(most, chain[first], rounds)
    _, place = np.unique(np.rec.fromarrays([flow, page]), return_inverse=True)
    each = np.zeros(int(place.max()) + 1, np.int64)
    np.maximum.at(each, place, most[chain])
    lost = (most[chain[first]] > 1) & ~arrives[chain[first]]
    result: NDArray[np.bool_] = ((each >= ROUNDS) | (np.bincount(place[first], lost, each.size) >= TIMES))[place]
    return result
