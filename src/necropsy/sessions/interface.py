"""The interface of a framework family: recognise its keys in a batch, then judge what needs more than one key.

A layout is made afresh for every census and may remember what it saw in earlier batches. It works on columns; nothing in
it runs once per key. Its module is one line in ``registry.LAYOUTS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from necropsy.sessions.keyspace import Projection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from necropsy.case.store import Case
    from necropsy.sessions.columns import Keys
    from necropsy.sessions.cure import Cure

SESSION: Final = "session"
"""Role of a key that is the session's own record: one a session."""
COMPANION: Final = "companion"
"""Role of another key that belongs to one session alone."""
INDEX: Final = "index"
"""Role of a key that holds ids of many sessions."""
OTHER: Final = "other"
"""Role of every key that no layout claims."""


@dataclass(frozen=True, slots=True)
class RecognisedKeys:
    """Keys of one batch that a layout recognised, all of one role."""

    role: str
    """``SESSION``, ``COMPANION`` or ``INDEX``."""
    rows: npt.NDArray[np.int64]
    """Positions in the batch, ascending; no row may be claimed twice."""
    pattern: pa.Array
    """Pattern of each key (string or dictionary of it), with nothing of an id or a principal in it."""
    parts: pa.Table | None = None
    """Rows for ``session_part``: its columns except store, role and keys; the raw id in a binary column ``id``. Of a
    companion, ``namespace``, ``db``, ``id`` and ``bytes`` are enough."""
    told: bool = False
    """Each record says itself when it expires, and after how long: nothing but its layout's name can still change, so it
    goes to ``session`` at once."""
    paired: bool = False
    """Such a record has a companion as a rule."""
    entries: pa.Table | None = None
    """Rows for ``index_entry``: ``family``, the raw ``id`` as binary, and ``owner``: the place of the index in ``rows``."""
    names: pa.Array | None = None
    """Principals that the keys give away: remembered during the census, so that they survive in no other pattern."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """Facts about the sessions of a namespace that no single key could tell."""

    namespace: str
    db: int
    layout: str
    """Layout that ``recognise`` gave to a record."""
    becomes: str
    """Layout that it really is."""
    grace_s: int = 0
    """Seconds that a key outlives its session, for records whose own figures did not tell."""
    with_companion: str | None = None
    """Layout of those records that have a companion key; None: the same."""


class Layout(Protocol):
    """One family of session layouts."""

    family: str
    """Its name in the registry; every layout name that it gives begins with it."""
    projection: Projection
    """The parts of the values that it needs."""
    cures: ClassVar[Mapping[str, Cure]]
    """The cure for each layout name that it gives."""
    inferred: ClassVar[tuple[str, ...]]
    """Those of its layout names whose sessions may not say their lifetime: it is inferred from their TTLs."""

    def recognise(self, keys: Keys) -> Iterator[RecognisedKeys]:
        """Claim what is its own among the keys that are still free. Arbitrary bytes never raise."""
        ...

    def refine(self, case: Case, store: str, now: datetime) -> list[Refinement]:
        """Look at the store as a whole, once all parts are in the case; ``now`` is UTC without a zone."""
        ...

    def remarks(self) -> list[str]:
        """Say aloud what it left out, a sentence each."""
        ...
