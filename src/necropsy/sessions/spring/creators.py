"""The creator of each session, read once for each different saved request."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from necropsy.sessions.columns import numbers, words
from necropsy.sessions.saved_request import NOBODY, SavedRequest, creator
from necropsy.sessions.spring.names import SAVED_REQUEST

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.sessions.columns import Keys, Positions

SAVED_REQUEST_BYTES: Final = 4096
"""Bytes of a saved request that are searched: headers, method and URL of all but the most talkative browsers."""
MOST_DISTINCT: Final = 100_000
"""Different saved requests that are read: three seconds at most. A probe writes the same one each time."""


class Creators:
    """Remembers what it has read across the batches of a census."""

    def __init__(self, most: int = MOST_DISTINCT) -> None:
        self._most = most
        self._known: dict[bytes, SavedRequest] = {}
        self.left_out = 0
        """Sessions whose saved request was not read."""

    def __len__(self) -> int:
        return len(self._known)

    def columns(self, keys: Keys, rows: Positions) -> dict[str, pa.Array]:
        """Return the ``creator_…`` columns of these rows."""
        import numpy as np
        import pyarrow as pa

        name = f"field:{SAVED_REQUEST}"
        if name not in keys.batch.schema.names or keys.batch.column(name).null_count == keys.batch.num_rows:
            nobody = words(np.zeros(len(rows), np.int32), (), np.zeros(len(rows), bool))
            return {f"creator_{part}": nobody for part in SavedRequest._fields}
        encoded = keys.batch.column(name).dictionary_encode()
        found = [self._read(value) for value in encoded.dictionary.to_pylist()]
        taken = encoded.indices.take(pa.array(rows))
        codes, named = numbers(taken.fill_null(0)), numbers(taken.is_valid())
        unread = np.array([one is None for one in found])
        self.left_out += int(unread[codes[named]].sum())
        read = [one or NOBODY for one in found]
        columns = {}
        for place, part in enumerate(SavedRequest._fields):
            said = [one[place] for one in read]
            dictionary = {text: number for number, text in enumerate(dict.fromkeys(t for t in said if t is not None))}
            places = np.array([-1 if text is None else dictionary[text] for text in said], np.int32)[codes]
            columns[f"creator_{part}"] = words(np.maximum(places, 0), tuple(dictionary), named & (places >= 0))
        return columns

    def _read(self, value: bytes) -> SavedRequest | None:
        if not value:  # a removed attribute
            return NOBODY
        digest = hashlib.blake2b(value, digest_size=16).digest()
        if digest not in self._known:
            if len(self._known) >= self._most:
                return None
            self._known[digest] = creator(value)
        return self._known[digest]
