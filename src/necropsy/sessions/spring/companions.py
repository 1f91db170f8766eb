"""Keys beside the session's own: its companions, and the indexes that many sessions share.

Sets of a minute (``…:expirations:<ms>``) hold serialized ``expires:<id>``; Spring Session 1.0, the principal sets and the
sorted set hold serialized ids. An index whose TTL was lost, or that missed a keyspace event, goes on holding ids of
sessions that are gone: #1987, #3477. Of an index that expires by itself, as a minute's set does, the ids are not kept: a
sorted set of ten million of them would be a row each, of which nobody asks anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.sessions.columns import numbers
from necropsy.sessions.folding import fold_namespace
from necropsy.sessions.interface import COMPANION, INDEX, RecognisedKeys
from necropsy.sessions.jdk import texts
from necropsy.sessions.spring.names import INDEXED, PRINCIPAL_INDEX, REACTIVE_INDEXED

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from necropsy.sessions.columns import Keys, Mask, Positions, Segments
    from necropsy.sessions.spring.namespace_counts import NamespaceCounts

_PRINCIPAL: Final = (
    r"(?s)^(?P<namespace>.+?):(?P<index>index:[A-Za-z_.$]*PRINCIPAL_NAME_INDEX_NAME|sessions:index:PRINCIPAL_NAME_INDEX_NAME)"
    r":(?P<name>.*)$"
)
_MINUTE: Final = rb"^[0-9]{8,15}0000$"
"""Milliseconds, rounded up to the next minute: a multiple of 60,000."""
_NOBODY: Final = b"null"
"""2.5.4, 2.6.0 and 2.6.1 indexed everybody under this name; it is no principal."""
_MEMBERS_AT_ONCE: Final = 1_000_000


def claim_companions(keys: Keys, evidence: NamespaceCounts) -> Iterator[RecognisedKeys]:
    """Claim ``…:sessions:expires:<id>`` (an empty string) and ``…:sessions:<id>:idx`` (a set)."""
    import pyarrow.compute as pc

    rows = keys.of_type("string")
    rows = rows[numbers(pc.equal(keys.take("elements", rows), 0))]
    segments = keys.segments(rows)
    shaped = segments.equal(3, b"sessions") & segments.equal(2, b"expires") & segments.filled(1) & segments.filled(4)
    yield from _companions(keys, evidence, rows, segments, shaped, 1, "sessions:expires:*", INDEXED)

    rows = keys.of_type("set")
    segments = keys.segments(rows)
    shaped = segments.equal(3, b"sessions") & segments.equal(1, b"idx") & segments.filled(2) & segments.filled(4)
    yield from _companions(keys, evidence, rows, segments, shaped, 2, "sessions:*:idx", REACTIVE_INDEXED)


def _companions(
    keys: Keys,
    evidence: NamespaceCounts,
    rows: Positions,
    segments: Segments,
    shaped: Mask,
    identifier: int,
    pattern: str,
    layout: str,
) -> Iterator[RecognisedKeys]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    inside = np.flatnonzero(shaped)
    if not inside.size:
        return
    rows = rows[inside]
    namespaces = segments.namespaces(3, inside)
    folded = fold_namespace(namespaces.dictionary)
    named = pa.DictionaryArray.from_arrays(namespaces.indices, folded)
    databases = keys.take("db", rows)
    parts = pa.table(
        {
            "namespace": named,
            "db": databases,
            "id": segments.text(identifier, inside),
            "bytes": keys.take("bytes", rows),
        }
    )
    evidence.companions(named, databases, layout)
    patterns = pa.DictionaryArray.from_arrays(namespaces.indices, pc.binary_join_element_wise(folded, pattern, ":"))
    yield RecognisedKeys(role=COMPANION, rows=rows, pattern=patterns, parts=parts)


def claim_indexes(keys: Keys, evidence: NamespaceCounts) -> Iterator[RecognisedKeys]:
    """Claim the minute sets, the principal sets and the sorted set of expirations."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = keys.of_type("set")
    names = keys.take("key", rows)
    segments = keys.segments(rows)
    inside = np.flatnonzero(segments.equal(2, b"expirations") & segments.filled(3))
    inside = inside[numbers(pc.match_substring_regex(segments.text(1, inside), _MINUTE))]
    yield from _indexes(keys, evidence, rows[inside], segments.before(2, inside), "expirations:*")

    inside = np.flatnonzero(numbers(pc.match_substring(names, PRINCIPAL_INDEX.encode())))
    if inside.size:
        yield from _principals(keys, evidence, rows[inside], names.take(pa.array(inside)))

    rows = keys.of_type("zset")
    segments = keys.segments(rows)
    inside = np.flatnonzero(segments.equal(1, b"expirations") & segments.equal(2, b"sessions") & segments.filled(3))
    yield from _indexes(keys, evidence, rows[inside], segments.before(2, inside), "sessions:expirations")


def _principals(keys: Keys, evidence: NamespaceCounts, rows: Positions, names: pa.Array) -> Iterator[RecognisedKeys]:
    """Claim the sets that hold the sessions of one person each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.extract_regex(names, pattern=_PRINCIPAL)
    rows = rows[numbers(found.is_valid())]
    found = found.drop_null()
    people = pc.struct_field(found, "name")
    people = people.filter(pc.not_equal(people, _NOBODY))
    patterns = pc.binary_join_element_wise(pc.struct_field(found, "index"), b"*", b":").cast(pa.string())
    yield from _indexes(keys, evidence, rows, pc.struct_field(found, "namespace"), patterns, people)


def _indexes(
    keys: Keys,
    evidence: NamespaceCounts,
    rows: Positions,
    namespaces: pa.Array,
    pattern: str | pa.Array,
    names: pa.Array | None = None,
) -> Iterator[RecognisedKeys]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(rows):
        return
    encoded = namespaces.dictionary_encode()
    folded = fold_namespace(encoded.dictionary)
    if isinstance(pattern, str):
        joined = pc.binary_join_element_wise(folded, pattern, ":")
        patterns = pa.DictionaryArray.from_arrays(encoded.indices, joined)
    else:
        patterns = pc.binary_join_element_wise(folded.take(encoded.indices), pattern, ":").dictionary_encode()
    lasting = np.flatnonzero(numbers(keys.take("expires_at", rows).is_null()))
    members = keys.take("members", rows[lasting])
    if members.type == pa.binary():  # the reader brought none
        members = pa.nulls(len(lasting), pa.list_(pa.binary()))
    entries = []
    owners, values = pc.list_parent_indices(members), pc.list_flatten(members)
    for start in range(0, len(values), _MEMBERS_AT_ONCE):  # a sorted set may hold every session of the store
        owner = pa.array(lasting).take(owners.slice(start, _MEMBERS_AT_ONCE))
        identifiers = texts(values.slice(start, _MEMBERS_AT_ONCE), b"expires:")
        entries.append(pa.table({"family": patterns.take(owner), "owner": owner, "id": identifiers}))
    evidence.indexes(patterns.dictionary)
    yield RecognisedKeys(
        role=INDEX, rows=rows, pattern=patterns, entries=pa.concat_tables(entries) if entries else None, names=names
    )
