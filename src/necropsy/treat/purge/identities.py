"""Identities of sessions in a plan: the keyed hash of the id, with database and namespace.

The same id may be in several databases and under several prefixes: a copy, a migration, two applications that share a
cookie. Each of them is a session of its own, and a plan that chose one of them chose no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from necropsy.case import identity

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

Place = tuple[str, int]
"""Namespace and database."""
_PERSON: Final = b"purge place"


def place_number(key: bytes, place: Place) -> int:
    """Return the number that is mixed into the hashes of the ids of a place: 63 bits.

    >>> one, other = place_number(bytes(16), ("sess", 0)), place_number(bytes(16), ("sess", 1))
    >>> one == other, one < 1 << 63
    (False, True)
    """
    text = f"{place[1]}:{place[0]}".encode()
    return int.from_bytes(hashlib.blake2b(text, key=key, digest_size=8, person=_PERSON).digest(), "little") >> 1


def hasher(key: bytes) -> Callable[[pa.Table], npt.NDArray[np.uint64]]:
    """Return the hashing of recognised sessions: of a table with ``id``, ``namespace`` and ``db``, a number of each row."""
    known: dict[Place, int] = {}

    def hashed(parts: pa.Table) -> npt.NDArray[np.uint64]:
        hashes: npt.NDArray[np.uint64] = identity.hash_column(key, parts["id"]).to_numpy()
        if not len(hashes):
            return hashes
        numbers, codes = places_of(parts)
        for place in numbers:
            if place not in known:
                known[place] = place_number(key, place)
        import numpy as np

        return hashes ^ np.array([known[place] for place in numbers], np.uint64)[codes]

    return hashed


def places_of(parts: pa.Table) -> tuple[list[Place], npt.NDArray[np.int64]]:
    """Return the places of a table's rows, each once, and for each row which of them it is."""
    import numpy as np
    import pyarrow as pa

    names = parts["namespace"].combine_chunks()
    if not isinstance(names, pa.DictionaryArray):
        names = names.dictionary_encode()
    words = [word or "" for word in names.dictionary.to_pylist()]
    databases = parts["db"].combine_chunks().cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    codes = names.indices.fill_null(len(words)).to_numpy(zero_copy_only=False).astype(np.int64)
    words.append("")
    pairs, rows = np.unique(databases * len(words) + codes, return_inverse=True)
    return [(words[pair % len(words)], pair // len(words)) for pair in pairs.tolist()], rows.astype(np.int64)


def within(parts: pa.Table, places: Iterable[Place]) -> npt.NDArray[np.bool_]:
    """Return which rows lie in one of these places."""
    import numpy as np

    wanted = frozenset(places)
    if not wanted or not parts.num_rows:
        return np.zeros(parts.num_rows, bool)
    found, codes = places_of(parts)
    return np.array([place in wanted for place in found], bool)[codes]
