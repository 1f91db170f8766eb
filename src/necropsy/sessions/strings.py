"""Sessions that are one string each, written whole with one TTL, without a time inside.

Birth and last use follow from the TTL alone, once the namespace's lifetime is inferred (``lifetimes``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from necropsy.model.evidence import Provenance
from necropsy.sessions.columns import nullable, numbers, words
from necropsy.sessions.interface import SESSION, RecognisedKeys

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from necropsy.sessions.columns import Keys, Mask, Positions


def candidates(keys: Keys, word: bytes) -> Positions:
    """Return the free strings whose key contains a word, ascending."""
    import pyarrow.compute as pc

    rows = keys.of_type("string")
    if not keys.mention(word):
        return rows[:0]
    named: Mask = numbers(pc.match_substring(keys.take("key", rows), word))
    return rows[named]


def contain(heads: pa.Array, *words: bytes) -> Mask:
    """Return which values hold one of these words; a null holds none."""
    import numpy as np
    import pyarrow.compute as pc

    answer: Mask = np.zeros(len(heads), bool)
    for word in words:
        answer |= numbers(pc.fill_null(pc.match_substring(heads, word), fill_value=False))
    return answer


def match(heads: pa.Array, pattern: str) -> Mask:
    """Return which values match a regular expression of bytes (RE2); a null does not."""
    import pyarrow.compute as pc

    answer: Mask = numbers(pc.fill_null(pc.match_substring_regex(heads, pattern), fill_value=False))
    return answer


def cut_off(keys: Keys, rows: Positions, heads: pa.Array) -> Mask:
    """Return which values are longer than what the reader kept of them."""
    import pyarrow.compute as pc

    answer: Mask = numbers(pc.greater(keys.take("elements", rows), pc.fill_null(pc.binary_length(heads), 0)))
    return answer


def claim(
    keys: Keys,
    rows: Positions,
    *,
    layout: str,
    namespaces: pa.Array,
    ids: pa.Array,
    pattern: pa.Array,
    attributes: pa.Array,
    authentication: pa.Array,
) -> RecognisedKeys:
    """Claim these rows as sessions of one layout; every column has one value for each row."""
    import pyarrow as pa

    parts = {
        "layout": pa.repeat(layout, len(rows)),
        "namespace": namespaces,
        "db": keys.take("db", rows),
        "id": ids,
        "born_provenance": pa.repeat(str(Provenance.UNKNOWN), len(rows)),
        "expires_at": keys.take("expires_at", rows),
        "bytes": keys.take("bytes", rows),
        "attributes": attributes,
        "authentication": authentication,
    }
    return RecognisedKeys(role=SESSION, rows=rows, pattern=pattern, parts=pa.table(parts))


def timed(claimed: RecognisedKeys, seconds: npt.NDArray[np.int64], known: Mask) -> RecognisedKeys:
    """Return a claim in which these sessions say their lifetime: their last use and last write follow from their expiry."""
    import numpy as np
    import pyarrow as pa

    parts = claimed.parts
    if parts is None or not known.any():
        return claimed
    expiries = parts["expires_at"].combine_chunks().cast(pa.int64())
    left = known & numbers(expiries.is_valid())
    used = numbers(expiries.fill_null(0)) - seconds * 1000
    moments = nullable(used, left, pa.timestamp("ms"))
    provenance = words(left.astype(np.int8), (Provenance.UNKNOWN, Provenance.NOT_LATER))
    columns = {
        "lifetime_s": nullable(seconds, known),
        "last_seen_at": moments,
        "born_at": moments,
        "born_precision_s": nullable(np.ones(len(used)), left),
        "born_provenance": provenance,
    }
    table = parts.drop_columns([name for name in columns if name in parts.column_names])
    for name, column in columns.items():
        table = table.append_column(name, column)
    return replace(claimed, parts=table)
