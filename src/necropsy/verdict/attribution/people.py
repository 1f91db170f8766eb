"""People and machines with a browser's name: a browser brings its cookie back, so most of its visits create nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MANY: Final = 1.7
"""Births per client within one lifetime of a session that are more than one browser's; a login may add one."""
_PER_VISIT: Final = 0.45
"""Share of such a client's visits that create."""
_ENOUGH: Final = 8
"""Visits of a client that tell by themselves; of those with fewer, all that have one User-Agent tell together."""
_NEARLY_ALL: Final = 0.75
"""Share of the visits of one User-Agent that create, for those clients."""
_APART: Final = 0.2
"""Least ratio to that of the other browsers."""
_AGENT_BIRTHS: Final = 25.0
_OTHER_PAGES: Final = 5
"""Pages beside those that create sessions, from which a client that asks them often is many people behind one address."""
_OFTEN: Final = 0.4
_HARDLY: Final = 0.15
"""Births per visit of one client's page below which the page is one that a cookie was brought to."""
_TOO_MANY: Final = 3.0
"""Sessions of people per client from which the clients are no single visitors."""


def machines(
    client: NDArray[np.int32],
    births: NDArray[np.float64],
    agent: NDArray[np.int32],
    page: NDArray[np.int32],
    lifetimes: float,
    coverage: float,
) -> NDArray[np.bool_]:
    """Tell, visit by visit, which browsers are machines.

    Parameters
    ----------
    client
        Client of each visit, numbered from 0.
    births
        Expected births of each visit.
    agent
        Number of the visit's User-Agent; -1: it has none, and is one of many for all that is known.
    page
        Number of the visit's page.
    lifetimes
        Lifetimes of a session in the time looked at, at least 1.
    coverage
        Share of all births that could be read.
    """
    if not client.size:
        return np.zeros(0, dtype=bool)
    many = int(client.max()) + 1
    made = np.bincount(client, births, minlength=many)
    visits = np.bincount(client, minlength=many)
    is_machine = (visits >= _ENOUGH) & (made >= _MANY * max(1.0, lifetimes))
    is_machine &= made >= _PER_VISIT * coverage * visits
    is_machine &= ~_is_shared(client, births, page, visits)
    result = is_machine[client]
    # What is left of each User-Agent: many clients of few visits.
    left = ~result & (agent >= 0)
    kinds = max(1, int(agent.max()) + 1)
    by_agent = np.bincount(agent[left], births[left], minlength=kinds)
    asked = np.bincount(agent[left], minlength=kinds)
    share = by_agent / np.maximum(asked, 1)
    others = (by_agent.sum() - by_agent) / np.maximum(asked.sum() - asked, 1)
    robots = (by_agent >= _AGENT_BIRTHS) & (share >= _NEARLY_ALL * coverage) & (share >= others + _APART * coverage)
    widened: NDArray[np.bool_] = result | (robots[agent] & (agent >= 0))
    return widened


def _is_shared(
    client: NDArray[np.int32], births: NDArray[np.float64], page: NDArray[np.int32], visits: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """By client: whether many of its visits bring a cookie, to many pages: an office, or a proxy before the log."""
    pair, number = np.unique(client.astype(np.int64) * (int(page.max()) + 1) + page, return_inverse=True)
    count = np.bincount(number)
    keeps = np.bincount(number, births) < _HARDLY * count
    owner = pair // (int(page.max()) + 1)
    pages = np.bincount(owner[keeps], minlength=visits.size)
    asked = np.bincount(owner[keeps], count[keeps], minlength=visits.size)
    shared: NDArray[np.bool_] = (pages >= _OTHER_PAGES) & (asked >= _OFTEN * visits)
    return shared


def identify_visitors(births: float, clients: int) -> bool:
    """Whether clients are single visitors: not where an office or a proxy before the log lends many its address."""
    return births <= _TOO_MANY * clients


def returning(
    client: NDArray[np.int32], at_s: NDArray[np.float64], lifetime_s: float, *, last_writes: bool
) -> NDArray[np.bool_]:
    """Mark the visits whose client was there less than a lifetime before: its session is there, and it starts no other.

    Where births are last writes (``last_writes``) it is the last visit of a client that has one: marked are the others.

    >>> client, at_s = np.array([7, 7, 9, 7]), np.array([0.0, 60.0, 61.0, 9_000.0])
    >>> returning(client, at_s, 3_600.0, last_writes=False).tolist()
    [False, True, False, False]
    """
    order = np.lexsort((at_s, client))
    again = (client[order[1:]] == client[order[:-1]]) & (np.diff(at_s[order]) <= lifetime_s)
    result = np.zeros(client.size, dtype=bool)
    result[order[:-1] if last_writes else order[1:]] = again
    return result
