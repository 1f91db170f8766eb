r"""Classic ASP.NET: Microsoft's Redis session state provider, whose ids stand in the middle of their keys.

=============================================  =====================================================================
key                                            value
=============================================  =====================================================================
``{<app>_<24 of a-z0-5>}_Data``                hash, a field an item (releases up to 3)
``{…}_Internal``                               hash with the field ``SessionTimeout``
``{…}_Write_Lock``                             string, while a request runs
``{…}_SessionStateItemCollection``             string, all items: <i32 count> <i32 place of a nameless one> … (4 and later)
``{…}_SessionTimeout``, ``{…}_WriteLock``      strings of digits
=============================================  =====================================================================

The braces are a Cluster's hash tag and can be switched off. Both keys of a session get its whole time-out at every request,
so birth and last use follow from the expiry, as a bound. Who is logged in stands in another cookie (forms authentication).

Source: aspnet-redis-providers ``KeyGenerator.cs``, ``RedisConnectionWrapper.cs``, ``RedisSessionStateConnectionWrapper.cs``;
known by its source alone: there is no recording of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from necropsy.model.evidence import Authentication
from necropsy.sessions.columns import flat, numbers, words
from necropsy.sessions.cure import Cure
from necropsy.sessions.folding import fold_namespace
from necropsy.sessions.interface import COMPANION, RecognisedKeys, Refinement
from necropsy.sessions.keyspace import Projection
from necropsy.sessions.strings import claim, match

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from necropsy.case.store import Case
    from necropsy.sessions.columns import Keys, Mask, Positions

LAYOUT: Final = "aspnet-provider"
TIMEOUT: Final = "SessionTimeout"
"""Field of the hash beside a session of the old releases."""
_PARTS: Final = r"(?s)^(?P<before>.*_)(?P<id>[a-z0-5]{24})(?P<after>\}?_[A-Za-z_]+)$"
_RECORDS: Final = {"hash": ("_Data",), "string": ("_SessionStateItemCollection",)}
_BESIDE: Final = {"hash": ("_Internal",), "string": ("_SessionTimeout", "_Write_Lock", "_WriteLock")}
_MOST_ITEMS: Final = 65_536
"""More than that in a count, and the value was written by another serializer."""

CURES: Final = {
    LAYOUT: Cure(
        framework="ASP.NET (Microsoft's Redis session state provider)",
        starts="A page that writes to Session; one with session state merely on is locked and read, and starts none.",
        stop="Switch session state off for the pages that are probed.",
        code="""<location path="health">
  <system.web><pages enableSessionState="false" /></system.web>
</location>""",
        language="xml",
        lifetime='<sessionState timeout="1440" /> (minutes)',
        source="learn.microsoft.com: ASP.NET session state provider for Azure Cache for Redis",
    )
}


class AspNetProvider:
    """Both generations of the provider."""

    family = "aspnet-provider"
    projection = Projection(hash_fields=((TIMEOUT.encode(), 0),), string_bytes=8)
    cures: ClassVar[Mapping[str, Cure]] = CURES
    inferred: ClassVar[tuple[str, ...]] = (LAYOUT,)

    def recognise(self, keys: Keys) -> Iterator[RecognisedKeys]:
        """Claim records, then what is beside them."""
        for kind in ("hash", "string"):
            rows = keys.of_type(kind)
            for ends, companion in ((_RECORDS[kind], False), (_BESIDE[kind], True)):
                some = _ending(keys, rows, ends)
                if some.size and companion and kind == "hash":
                    some = some[keys.valid(f"length:{TIMEOUT}", some)]
                if some.size:
                    yield from _claims(keys, some, companion=companion)

    def refine(self, case: Case, store: str, now: datetime) -> list[Refinement]:  # noqa: ARG002 -- the protocol's
        """Nothing: each session is judged by itself."""
        return []

    def remarks(self) -> list[str]:
        """Nothing is ever left out."""
        return []


def _ending(keys: Keys, rows: Positions, ends: tuple[str, ...]) -> Positions:
    """Return the rows whose key ends so; the last letter alone rules out most of them."""
    import numpy as np

    if not rows.size:
        return rows
    data, offsets = flat(keys.whole("key"))
    after = offsets[1:][rows]
    some = rows[after > offsets[:-1][rows]]
    letters = np.unique([ord(end[-1]) for end in ends])
    some = some[np.isin(data[offsets[1:][some] - 1], letters)]
    if not some.size:
        return some
    return some[match(keys.take("key", some), rf"_[a-z0-5]{{24}}\}}?(?:{'|'.join(ends)})$")]


def _claims(keys: Keys, rows: Positions, *, companion: bool) -> Iterator[RecognisedKeys]:
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.extract_regex(keys.take("key", rows), pattern=_PARTS)
    before, ids, after = (pc.struct_field(found, name).cast(pa.binary()) for name in ("before", "id", "after"))
    bare = pc.replace_substring_regex(before, pattern=rb"\{([^{]*)_$|_$", replacement=rb"\1").dictionary_encode()
    namespaces = pa.DictionaryArray.from_arrays(bare.indices, fold_namespace(bare.dictionary))
    ahead = before.dictionary_encode()
    folded = pa.DictionaryArray.from_arrays(ahead.indices, fold_namespace(ahead.dictionary)).dictionary_decode()
    patterns = pc.binary_join_element_wise(folded, "*", after.cast(pa.string()), "").dictionary_encode()
    if companion:
        parts = {"namespace": namespaces, "db": keys.take("db", rows), "id": ids, "bytes": keys.take("bytes", rows)}
        yield RecognisedKeys(role=COMPANION, rows=rows, pattern=patterns, parts=pa.table(parts))
        return
    attributes, told = _items(keys, rows)
    yield claim(
        keys,
        rows,
        layout=LAYOUT,
        namespaces=namespaces,
        ids=ids,
        pattern=patterns,
        attributes=pa.array(attributes, pa.int64(), mask=~told),
        authentication=_nobody_can_say(len(rows)),
    )


def _items(keys: Keys, rows: Positions) -> tuple[npt.NDArray[np.int64], Mask]:
    """Return how many items each session has, and where that is told: of a hash its fields, of a string its first number."""
    import numpy as np

    heads = keys.take("head", rows)
    if heads.null_count == len(rows):
        return numbers(keys.take("elements", rows)).astype(np.int64), np.ones(len(rows), bool)
    data, offsets = flat(heads.fill_null(b""))
    told: Mask = offsets[1:] - offsets[:-1] >= 4
    counts = np.zeros(len(rows), np.int64)
    for place in range(4):
        counts[told] |= data[offsets[:-1][told] + place].astype(np.int64) << (8 * place)
    return counts, told & (counts < _MOST_ITEMS)


def _nobody_can_say(count: int) -> pa.Array:
    import numpy as np

    return words(np.zeros(count, np.int8), (Authentication.UNKNOWN,))
