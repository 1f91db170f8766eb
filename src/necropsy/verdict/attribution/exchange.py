"""Exchange of trains between groups: a train without an owner gets one, if the groups that hold others can be moved.

Which group owns which train is a matching. Where the log's times leave several groups for each train, the first that takes
one may take the only one that another group can have; then a chain of exchanges finds room for all (augmenting paths).

::

    train   A: groups 1, 2        1 took A, and B has nobody
            B: group 1            A to 2, B to 1: both have an owner
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST: Final = 4
"""Trains that one exchange may move."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A group that was there at the ticks of a train."""

    train: int
    group: int
    joined: float
    """Share of the train's births that its visits reach."""
    sure: float
    """The same, what chance reaches taken off."""
    used: float
    """Share of its visits, in the train's time, in which the train has a birth."""
    rank: int
    """Knowledge of its page: -1 a file, 0 a health endpoint by name, 2 configured, 3 creates for others."""
    luck: float = 0.0
    """Of a health endpoint: chance that one of its kind is there by coincidence."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """A train and the group that made it."""

    train: int
    group: int
    visits: NDArray[np.int64]
    """Visits used, one a birth."""
    births: NDArray[np.int64]
    """The births that they made."""
    rivals: tuple[int, ...] = ()
    """Groups that no time tells from this one, and nothing else does."""
    reason: str = ""
    """By what the owner was told from rivals, where there were some."""
    is_doubtful: bool = False
    """Whether it is a health endpoint, by its name, that may be there by coincidence."""


Own = Callable[[Offer, "NDArray[np.int8]"], Ownership | None]
"""Lets a group have a train with the visits that it has left; None where they do not suffice."""


def find_room(
    train: int,
    offers: Mapping[int, Sequence[Offer]],
    found: dict[int, Ownership],
    used: NDArray[np.int8],
    own: Own,
    *,
    moving: frozenset[int] = frozenset(),
) -> bool:
    """Give a train an owner, moving others if need be; ``found`` and ``used`` change only if that succeeds.

    A train that is moved goes to no health endpoint.

    Parameters
    ----------
    offers
        By train, the best first.
    found, used
        Owners by train, and how many births each visit made.
    moving
        Trains on their way already.
    """
    moving |= {train}
    for offer in offers.get(train, ()):
        mine = own(offer, used) if offer.rank >= 1 or len(moving) == 1 else None
        if mine is not None:
            found[train] = mine
            used[mine.visits] += 1
            return True
    if len(moving) > _LONGEST:
        return False
    for offer in offers.get(train, ()):
        if offer.rank < 1 and len(moving) > 1:
            continue
        for held in [number for number, other in found.items() if other.group == offer.group and number not in moving]:
            before = found.pop(held)
            used[before.visits] -= 1
            mine = own(offer, used)
            if mine is not None:
                found[train] = mine
                used[mine.visits] += 1
                if find_room(held, offers, found, used, own, moving=moving):
                    return True
                del found[train]
                used[mine.visits] -= 1
            found[held] = before
            used[before.visits] += 1
    return False
