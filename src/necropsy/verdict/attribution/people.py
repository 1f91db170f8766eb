"""People and machines with a browser's name: a browser brings its cookie back, so a client has one session a lifetime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MANY: Final = 1.7
"""Births per client within one lifetime of a session that are more than one browser's."""
_PER_VISIT: Final = 0.3
"""Share of such a client's visits that create: an office behind one address asks for more pages than it has sessions."""
_MOSTLY: Final = 0.5
"""Share of a page's births for an agent, from machines, from which its other clients are taken for machines too."""


def machines(
    client: NDArray[np.int32],
    births: NDArray[np.float64],
    kind: NDArray[np.int64],
    lifetimes: float,
) -> NDArray[np.bool_]:
    """Tell, visit by visit, which browsers are machines.

    Parameters
    ----------
    client
        Client of each visit, numbered from 0.
    births
        Expected births of each visit.
    kind
        Number of the visit's agent and page.
    lifetimes
        Lifetimes of a session in the time looked at, at least 1.
    """
    if not client.size:
        return np.zeros(0, dtype=bool)
    many = int(client.max()) + 1
    made = np.bincount(client, births, minlength=many)
    visits = np.bincount(client, minlength=many)
    is_machine = (made >= _MANY * max(1.0, lifetimes)) & (made >= _PER_VISIT * visits)
    result = is_machine[client]
    kinds = int(kind.max()) + 1
    by_machines = np.bincount(kind, births * result, minlength=kinds)
    by_all = np.bincount(kind, births, minlength=kinds)
    mostly = by_machines > np.maximum(_MOSTLY * by_all, 3.0)
    widened: NDArray[np.bool_] = result | mostly[kind]
    return widened
