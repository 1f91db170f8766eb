"""The texts of a field, each handled once: a key for each row, and each new text given to the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.evidence.access_log import lines

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from necropsy.evidence.access_log.formats.field_texts import TextChange

_PLACES: Final = {"client": 1 << 19, "page": 1 << 20}
"""Raw texts whose keys are remembered, at most, by field; of two in one place the later one."""
_FEWEST: Final = 1 << 14


class Distinct:
    """Keys of one field's raw texts.

    Parameters
    ----------
    field
        One of ``lines.TEXTS``, or ``referer``. Raw texts of ``page`` are requests.
    change
        Makes the text of a raw one; None: they are the same.
    writer
        Is given each text with its key; now and then twice.
    """

    def __init__(self, field: str, change: TextChange | None, writer: lines.Writer) -> None:
        import numpy as np

        places = _PLACES.get(field, _FEWEST)
        self._field, self._change, self._writer = field, change, writer
        self._mask = np.uint64(places - 1)
        self._raw = np.zeros(places, np.uint64)
        self._keys = np.zeros(places, np.uint64)

    def keys(self, raw: NDArray[np.uint64], texts: pa.Array) -> NDArray[np.uint64]:
        """Return the key of each row, of whose raw text the hash is given."""
        import numpy as np
        import pyarrow as pa

        places = (raw & self._mask).view(np.int64)
        found = self._keys[places]
        unknown = np.flatnonzero(self._raw[places] != raw)
        if unknown.size:
            hashes, first = np.unique(raw[unknown], return_index=True)
            rows = unknown[first]
            keys = self._give(texts.take(pa.array(rows)))
            found[unknown] = keys[np.searchsorted(hashes, raw[unknown])]
            self._raw[places[rows]], self._keys[places[rows]] = hashes, keys
        return found

    def _give(self, raw: pa.Array) -> NDArray[np.uint64]:
        """Return the keys of distinct texts, and give them."""
        import numpy as np
        import pyarrow as pa

        texts = raw.cast(pa.large_string()).fill_null("")
        if self._change is not None:
            texts = _changed(texts, self._change)
        if self._field == "referer":
            return lines.referer_keys(texts)
        if self._field == "page":
            texts = lines.folded(texts)
        keys = lines.keys(texts, self._field)
        _, first = np.unique(keys, return_index=True)
        first = first[keys[first] != 0]
        self._writer.give(keys[first], texts.take(pa.array(first)))
        return keys


def _changed(texts: pa.Array, change: TextChange) -> pa.Array:
    """Return the texts of raw ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    held = pc.match_substring(texts, change.only_with)
    if not pc.any(held).as_py():
        return texts
    changed = pa.array(list(map(change, texts.filter(held).to_pylist())), pa.large_string())
    return pc.replace_with_mask(texts, held, changed)
