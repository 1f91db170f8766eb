"""Companions joined to their sessions while a keyspace is read: afterwards, ten million rows would be written twice.

What a session costs with its companion is nearly always the same in one namespace: one more key, and so many bytes. Each
session is stored with what is *expected*; when all keys are read, those that came otherwise are found by their hashes and
mended. Held in memory are 8 bytes for each session and each companion, and nothing that is confidential.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from necropsy.sessions.columns import numbers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Hashes: TypeAlias = npt.NDArray[np.uint64]
    Numbers: TypeAlias = npt.NDArray[np.int64]


Namespace: TypeAlias = tuple[str, int]
"""Folded namespace and database."""


class Companions:
    """Companions seen so far, and sessions stored so far with what was expected of them."""

    def __init__(self) -> None:
        self._numbers: dict[Namespace, int] = {}
        self._salts: list[int] = []
        self._usual: list[int] = []
        self._hashes: list[Hashes] = []
        self._bytes: list[Numbers | int] = []
        self._sessions: list[tuple[Hashes, Numbers | int, Numbers | int]] = []
        self._sorted: tuple[Hashes, Numbers | int] | None = None

    def __len__(self) -> int:
        return sum(map(len, self._hashes)) if self._sorted is None else len(self._sorted[0])

    def add(self, groups: Numbers | int, hashes: Hashes, sizes: Numbers) -> None:
        """Remember companions.

        Parameters
        ----------
        groups
            What ``group`` returned for them.
        hashes
            Keyed hashes of the ids of their sessions.
        sizes
            Bytes of each.
        """
        import numpy as np

        if not len(hashes):
            return
        for number in np.unique(groups).tolist():
            if self._usual[number] < 0:
                mine = sizes if isinstance(groups, int) else sizes[groups == number]
                self._usual[number] = int(np.median(mine))
        self._hashes.append(self._salted(groups, hashes))
        alike = bool((sizes == sizes[0]).all())
        self._bytes.append(int(sizes[0]) if alike else sizes)

    def expect(self, groups: Numbers | int, hashes: Hashes) -> tuple[Numbers, Numbers]:
        """Remember sessions; return the keys and the bytes of companions that each will be stored with."""
        import numpy as np

        usual = np.asarray(self._usual, np.int64)[groups]
        keys, sizes = (usual >= 0).astype(np.int64), np.maximum(usual, 0)
        if isinstance(groups, int):
            keys, sizes = np.full(len(hashes), keys), np.full(len(hashes), sizes)
            self._sessions.append((self._salted(groups, hashes), groups, int(usual)))
        else:
            self._sessions.append((self._salted(groups, hashes), groups, usual))
        return keys, sizes

    def none_expected(self, groups: Numbers | int, hashes: Hashes) -> None:
        """Remember sessions that are stored as if they had no companion."""
        self._sessions.append((self._salted(groups, hashes), groups, -1))

    def group(self, namespaces: pa.Array | pa.ChunkedArray, databases: pa.Array) -> Numbers | int:
        """Return the number of the namespace and database of each row; one number when it is the same for all."""
        import numpy as np
        import pyarrow as pa

        if isinstance(namespaces, pa.ChunkedArray):
            namespaces = namespaces.combine_chunks()
        if not isinstance(namespaces, pa.DictionaryArray):
            namespaces = namespaces.dictionary_encode()
        codes, numbered = numbers(namespaces.indices).astype(np.int64), numbers(databases).astype(np.int64)
        names = namespaces.dictionary.to_pylist()
        if len(codes) and (codes == codes[0]).all() and (numbered == numbered[0]).all():
            return self._number((names[codes[0]], int(numbered[0])))
        pairs = codes + numbered * len(names)
        distinct, places = np.unique(pairs, return_inverse=True)
        found = [self._number((names[pair % len(names)], pair // len(names))) for pair in distinct.tolist()]
        return np.asarray(found, np.int64)[places]

    def counts(self, groups: Numbers, hashes: Hashes) -> tuple[Numbers, Numbers]:
        """Return the number of companions that each session has, and their bytes; all must have been added."""
        import numpy as np

        known, ends = self._settle()
        wanted = self._salted(groups, hashes)
        first, last = np.searchsorted(known, wanted), np.searchsorted(known, wanted, side="right")
        return last - first, _between(ends, first, last)

    def unexpected(self) -> Iterator[tuple[Namespace, Hashes, Numbers, Numbers, Numbers]]:
        """Yield the sessions that came otherwise, once all keys were read: of one namespace each time.

        Yields
        ------
        tuple
            Namespace and database; hashes of ids; keys and bytes to add to what was stored; number of companions.
        """
        import numpy as np

        if self._as_expected():
            return
        known, ends = self._settle()
        names = list(self._numbers)
        pending = self._sessions
        self._sessions = []
        for start in range(0, len(pending), 32):
            chunks = pending[start : start + 32]
            hashes = np.concatenate([one for one, _, _ in chunks])
            sizes = [len(one) for one, _, _ in chunks]
            groups = _whole([group for _, group, _ in chunks], sizes)
            usual = _whole([expected for _, _, expected in chunks], sizes)
            order = np.argsort(hashes)
            wanted = hashes[order]
            first = np.searchsorted(known, wanted)
            last = np.searchsorted(known, wanted, side="right")
            count, size = np.empty_like(first), np.empty_like(first)
            count[order], size[order] = last - first, _between(ends, first, last)
            del first, last, wanted, order
            more, larger = count - (usual >= 0), size - np.maximum(usual, 0)
            rows = np.flatnonzero((more != 0) | (larger != 0))
            for group in np.unique(groups[rows]).tolist():
                mine = rows[groups[rows] == group]
                ids = hashes[mine] ^ np.uint64(self._salts[group])
                yield names[group], ids, more[mine], larger[mine], count[mine]

    def _as_expected(self) -> bool:
        """Tell at once that each session has the companion that it was stored with, and no companion is alone.

        The hashes of both are then the same, in whatever order, and so are their sums and the sums of their squares. That
        others agree in 128 bits of a keyed hash has to be feared as much as that two ids have one hash.
        """
        sizes = {one if isinstance(one, int) else -2 for one in self._bytes}
        stored = {one if isinstance(one, int) else -2 for _, _, one in self._sessions} - {-1}
        if -2 in sizes | stored or len(sizes) > 1 or sizes != stored or self._sorted is not None:
            return False
        paired = [hashes for hashes, _, one in self._sessions if one != -1]
        return _summary(paired) == _summary(self._hashes)

    def _number(self, namespace: Namespace) -> int:
        number = self._numbers.get(namespace)
        if number is None:
            number = self._numbers[namespace] = len(self._numbers)
            name, database = namespace
            digest = hashlib.blake2b(f"{database}:{name}".encode(), digest_size=8).digest()
            self._salts.append(int.from_bytes(digest, "little") if number else 0)
            self._usual.append(-1)
        return number

    def _salted(self, groups: Numbers | int, hashes: Hashes) -> Hashes:
        """Tell equal ids of different namespaces apart."""
        import numpy as np

        if isinstance(groups, int):
            return hashes ^ np.uint64(self._salts[groups]) if self._salts[groups] else hashes
        return hashes ^ np.asarray(self._salts, np.uint64)[groups]

    def _settle(self) -> tuple[Hashes, Numbers | int]:
        """Sort the companions; beside them, the bytes of all before each, or of each one when they are alike."""
        import numpy as np

        if self._sorted is None:
            sizes = [len(one) for one in self._hashes]
            hashes = np.concatenate(self._hashes) if self._hashes else np.zeros(0, np.uint64)
            self._hashes = []
            sole = {one if isinstance(one, int) else None for one in self._bytes} or {0}
            each = sole.pop()
            if not sole and each is not None:
                hashes.sort()
                self._sorted = hashes, each
            else:
                order = np.argsort(hashes)
                self._sorted = hashes[order], np.concatenate(([0], np.cumsum(_whole(self._bytes, sizes)[order])))
            self._bytes = []
        return self._sorted


def _summary(parts: list[Hashes]) -> tuple[int, int, int]:
    """Return count, sum, and sum of squares of hashes, modulo 2 to the 64."""
    import numpy as np

    sums = [(len(one), int(np.add.reduce(one)), int(np.dot(one, one))) for one in parts]
    count, first, second = (sum(column) for column in zip(*sums, strict=True)) if sums else (0, 0, 0)
    return count, first % 2**64, second % 2**64


def _between(ends: Numbers | int, first: Numbers, last: Numbers) -> Numbers:
    return (last - first) * ends if isinstance(ends, int) else ends[last] - ends[first]


def _whole(parts: list[Numbers | int], sizes: list[int]) -> Numbers:
    import numpy as np

    if not parts:
        return np.zeros(0, np.int64)
    whole = [np.full(size, part) if isinstance(part, int) else part for part, size in zip(parts, sizes, strict=True)]
    return np.concatenate(whole)
