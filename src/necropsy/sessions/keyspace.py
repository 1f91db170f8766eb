"""The view that a session layout has of a keyspace: batches of keys in columns, and the values it asks the reader to keep.

A dump (``evidence.rdb``) and a live server fill the same columns. A layout's ``Projection`` is pushed down into the
reader: what nobody asked for is skipped by its length and never copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

KEY_TYPES: Final = ("string", "list", "set", "zset", "hash", "stream", "module", "array")
"""Redis types as TYPE answers them; the dictionary of the ``type`` column, in this order."""

MOST_COUNTED: Final = 128
"""Most fields of a hash whose empty ones are counted: a session has no more."""


@dataclass(frozen=True, slots=True)
class Projection:
    """The parts of values that a reader is to keep.

    Parameters
    ----------
    string_bytes
        First bytes of a string value that go into ``head``; 0 for none.
    hash_fields
        Pairs (field name, bytes): for each a column ``field:<name>`` with at most that many bytes of the value (0: an
        empty value, only its presence matters) and a column ``length:<name>`` with the full length.
    members_of
        Members of sets and sorted sets whose key contains one of these are kept whole in ``members``.
    lasting_members
        Members are wanted of keys alone that do not expire.
    repeated
        Those of the hash fields whose values are few different ones: their columns are dictionaries, so that a reader keeps
        and unpacks each value once a batch.
    empty_fields_beside
        Of hashes that have one of these fields, among those asked for, it is counted how many fields are empty.
    """

    string_bytes: int = 0
    hash_fields: tuple[tuple[bytes, int], ...] = ()
    members_of: tuple[bytes, ...] = ()
    repeated: tuple[bytes, ...] = ()
    lasting_members: bool = False
    empty_fields_beside: tuple[bytes, ...] = ()

    def union(self, other: Projection) -> Projection:
        """Return what satisfies both."""
        fields = dict(self.hash_fields)
        for name, size in other.hash_fields:
            fields[name] = max(size, fields.get(name, 0))
        return Projection(
            string_bytes=max(self.string_bytes, other.string_bytes),
            hash_fields=tuple(fields.items()),
            members_of=tuple(dict.fromkeys(self.members_of + other.members_of)),
            repeated=tuple(dict.fromkeys(self.repeated + other.repeated)),
            lasting_members=all(one.lasting_members for one in (self, other) if one.members_of),
            empty_fields_beside=tuple(dict.fromkeys(self.empty_fields_beside + other.empty_fields_beside)),
        )


def key_schema(projection: Projection) -> pa.Schema:
    """Return the Arrow schema of a batch of keys under this projection.

    ===================  ==========================  ================================================================
    column               type                        meaning
    ===================  ==========================  ================================================================
    ``db``               int32                       database number
    ``key``              binary                      raw key
    ``type``             dictionary<int8, string>    one of ``KEY_TYPES``
    ``encoding``         dictionary<int8, string>    as OBJECT ENCODING names it: listpack, hashtable, embstr …
    ``expires_at``       timestamp[ms] or null       absolute expiry, UTC; null: none
    ``idle_s``           int64 or null               seconds since last access, when the dump carries it (LRU)
    ``freq``             int16 or null               LFU counter, when the dump carries it
    ``elements``         int64                       fields, members, entries; for a string its length in bytes
    ``bytes``            int64                       estimated memory of key, value, dictionary entry and expiry
    ``head``             binary or null              first bytes of a string value, if asked for
    ``members``          list<binary> or null        members of a set or zset, if asked for
    ``empty_fields``     int64 or null               fields with an empty value of a hash of few, if asked for
    ``field:<name>``     binary or null              start of a hash field's value; null when the hash has no such field;
                                                     ``dictionary<int32, binary>``, in which values may stand twice, when
                                                     they are to repeat
    ``length:<name>``    int64 or null               full length of that value
    ===================  ==========================  ================================================================
    """
    import pyarrow as pa

    fields = [
        pa.field("db", pa.int32()),
        pa.field("key", pa.binary()),
        pa.field("type", pa.dictionary(pa.int8(), pa.string())),
        pa.field("encoding", pa.dictionary(pa.int8(), pa.string())),
        pa.field("expires_at", pa.timestamp("ms")),
        pa.field("idle_s", pa.int64()),
        pa.field("freq", pa.int16()),
        pa.field("elements", pa.int64()),
        pa.field("bytes", pa.int64()),
        pa.field("head", pa.binary()),
        pa.field("members", pa.list_(pa.binary())),
        pa.field("empty_fields", pa.int64()),
    ]
    for name, _ in projection.hash_fields:
        kind = pa.dictionary(pa.int32(), pa.binary()) if name in projection.repeated else pa.binary()
        fields.append(pa.field(f"field:{name.decode()}", kind))
        fields.append(pa.field(f"length:{name.decode()}", pa.int64()))
    return pa.schema(fields)
