"""Keys cut into namespace and id by the letters that an id may have: a tenth of what captures of a pattern cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from necropsy.sessions.columns import cut, flat

if TYPE_CHECKING:
    import pyarrow as pa

_SEPARATORS: Final = frozenset({b":", b".", b"_", b"-", b"/"})


def split(keys: pa.Array, alphabet: bytes, longest: int) -> tuple[pa.DictionaryArray, pa.Array]:
    """Cut each key before the longest run of letters of an alphabet at its end, of at most so many.

    >>> import pyarrow as pa
    >>> namespaces, identifiers = split(pa.array([b"shop:sess:abc", b"abcdef"]), b"abcdef", 4)
    >>> namespaces.to_pylist(), identifiers.to_pylist()
    ([b'shop:sess:', b'ab'], [b'abc', b'cdef'])
    """
    import numpy as np

    data, offsets = flat(keys)
    start, end = offsets[:-1], offsets[1:]
    table = np.zeros(256, bool)
    table[list(alphabet)] = True
    first = int(start[0]) if len(start) else 0
    piece = data[first : int(end[-1]) if len(end) else 0]
    other = np.flatnonzero(~table[piece]) + first  # of all keys, where another letter is
    last = np.searchsorted(other, end) - 1
    after = np.where(last >= 0, other[last] + 1, 0) if len(other) else np.zeros(len(end), np.int64)
    cuts = np.maximum(np.maximum(after, start), end - longest)
    return cut(data, start, cuts).dictionary_encode(), cut(data, cuts, end)


def named(
    cuts: pa.DictionaryArray, identifiers: pa.Array, fold: Callable[[pa.Array], pa.Array]
) -> tuple[pa.DictionaryArray, pa.DictionaryArray, pa.Array]:
    """Return folded namespaces without their separator, patterns with it, and ids, of keys that were cut.

    >>> import pyarrow as pa
    >>> cuts = split(pa.array([b"a_12", b"34"]), b"1234", 2)
    >>> namespaces, patterns, identifiers = named(*cuts, lambda names: names.cast(pa.string()))
    >>> namespaces.to_pylist(), patterns.to_pylist(), identifiers.to_pylist()
    (['a', ''], ['a_*', '*'], [b'12', b'34'])
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    before = cuts.dictionary.to_pylist()
    names = [name[:-1] if name[-1:] in _SEPARATORS else name for name in before]
    ends = [name[len(kept) :].decode() for name, kept in zip(before, names, strict=True)]
    folded = fold(pa.array(names, pa.binary()))
    patterns = pc.binary_join_element_wise(folded, pa.array(ends, pa.string()), "*", "")
    return (
        pa.DictionaryArray.from_arrays(cuts.indices, folded),
        pa.DictionaryArray.from_arrays(cuts.indices, patterns),
        identifiers,
    )
