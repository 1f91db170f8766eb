"""Sessions that are a hash each, by the names of their fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from necropsy.model.evidence import Authentication, Provenance
from necropsy.sessions.columns import flat, nullable, numbers, words
from necropsy.sessions.folding import fold_namespace
from necropsy.sessions.interface import COMPANION, SESSION, RecognisedKeys, Refinement
from necropsy.sessions.jdk import SCALAR_BYTES, integers
from necropsy.sessions.keyspace import Projection
from necropsy.sessions.strings import match
from necropsy.sessions.writers.split import named, split

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from necropsy.case.store import Case
    from necropsy.sessions.columns import Keys, Mask, Positions
    from necropsy.sessions.cure import Cure

_PROVENANCES: Final = (Provenance.UNKNOWN, Provenance.EXPLICIT, Provenance.NOT_LATER)
_STATES: Final = (Authentication.NO, Authentication.YES, Authentication.UNKNOWN)
_LAST_MS: Final = 253_402_300_799_000
_DECIMAL_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class TimeField:
    """One field that says a time in decimal digits."""

    name: str
    unit_ms: float
    """Milliseconds of one unit."""
    codec: bool = False
    """Written by a codec of Redisson: Kryo (a class number, then seven bits a byte, the sign in the last), the JDK or JSON;
    else decimal digits."""

    @property
    def size(self) -> int:
        """Bytes that are looked at."""
        return SCALAR_BYTES if self.codec else _DECIMAL_BYTES


@dataclass(frozen=True, slots=True)
class HashForm:
    """Sessions of one writer."""

    layout: str
    key: str
    """Pattern of the key's end, or of the whole key."""
    alphabet: bytes
    longest: int
    """Letters and most letters of an id, as in ``form.Form``."""
    needs: tuple[str, ...]
    """Fields that each of them has."""
    begins: tuple[str, str] = ("", "")
    """A field, and the pattern that its first bytes have."""
    created: TimeField | None = None
    used: TimeField | None = None
    lifetime: TimeField | None = None
    precision_s: float = 0.001
    user: str = ""
    """Field that is there, and not empty, when somebody is logged in; empty: nobody can say."""
    anonymous: bool = False
    """Whether nobody is logged in where that field is missing."""
    bare: int = 0
    """Fields of a session in which nothing was put: with more of them, nobody can say; 0: that field alone decides."""
    companion: tuple[bytes, bytes] | None = None
    """Prefixes before the id: in the key of a string that lives beside such a session, and in the session's own key."""
    grace_s: int = 0

    @property
    def fields(self) -> dict[bytes, int]:
        """Fields that are looked at, and how many bytes of each."""
        names = dict.fromkeys((*self.needs, self.user, self.begins[0]), 0)
        names |= {field.name: field.size for field in (self.created, self.used, self.lifetime) if field}
        if self.begins[0]:
            names[self.begins[0]] = 8
        return {name.encode(): size for name, size in names.items() if name}


class Hashes:
    """Every form that it is given; a subclass names them."""

    family = "hashes"
    forms: ClassVar[tuple[HashForm, ...]] = ()
    projection = Projection()
    cures: ClassVar[Mapping[str, Cure]] = {}
    inferred: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self._met: dict[HashForm, set[bytes]] = {}

    def recognise(self, keys: Keys) -> Iterator[RecognisedKeys]:
        """Claim the hashes that have a form's fields and a key that fits."""
        import numpy as np

        rows = keys.of_type("hash")
        if not len(rows):
            return
        free: Mask = np.ones(len(rows), bool)
        for form in self.forms:
            some = np.flatnonzero(free)
            for name in form.needs:
                if some.size:
                    some = some[keys.valid(f"length:{name}", rows[some])]
            if some.size and form.begins[0]:
                some = some[match(keys.take(f"field:{form.begins[0]}", rows[some]), form.begins[1])]
            if some.size:
                some = some[match(keys.take("key", rows[some]), form.key)]
            if some.size:
                free[some] = False
                cuts, identifiers = split(keys.take("key", rows[some]), form.alphabet, form.longest)
                if form.companion:
                    self._met.setdefault(form, set()).update(cuts.dictionary.to_pylist())
                yield _claim(form, keys, rows[some], cuts, identifiers)
        for form, met in self._met.items():
            yield from _companions(form, keys, met)

    def refine(self, case: Case, store: str, now: datetime) -> list[Refinement]:  # noqa: ARG002 -- the protocol's
        """Nothing: each session is judged by itself."""
        return []

    def remarks(self) -> list[str]:
        """Nothing is ever left out."""
        return []


def _companions(form: HashForm, keys: Keys, met: set[bytes]) -> Iterator[RecognisedKeys]:
    """Claim the strings beside sessions of namespaces that were met."""
    import numpy as np
    import pyarrow as pa

    rows = keys.of_type("string")
    if form.companion is None or not len(rows):
        return
    beside, own = form.companion
    cuts, identifiers = split(keys.take("key", rows), form.alphabet, form.longest)
    names = cuts.dictionary.to_pylist()
    before = [name.removesuffix(beside) + own if name.endswith(beside) else b"" for name in names]
    chosen = np.array([name in met for name in before], bool)[numbers(cuts.indices)]
    some = np.flatnonzero(chosen)
    if not some.size:
        return
    sessions = pa.DictionaryArray.from_arrays(cuts.indices, pa.array(before, pa.binary()))
    _, patterns, _ = named(cuts.take(some), identifiers, fold_namespace)
    namespaces, _, _ = named(sessions.take(some), identifiers, fold_namespace)
    parts = {
        "namespace": namespaces,
        "db": keys.take("db", rows[some]),
        "id": identifiers.take(some),
        "bytes": keys.take("bytes", rows[some]),
    }
    yield RecognisedKeys(role=COMPANION, rows=rows[some], pattern=patterns, parts=pa.table(parts))


def _claim(form: HashForm, keys: Keys, rows: Positions, cuts: pa.DictionaryArray, ids: pa.Array) -> RecognisedKeys:
    import numpy as np
    import pyarrow as pa

    zeros = np.zeros(len(rows), np.int32)
    namespaces, patterns, identifiers = named(cuts, ids, fold_namespace)
    created, born = _number(form.created, keys, rows)
    used, seen = _number(form.used, keys, rows)
    lifetime, timed = _number(form.lifetime, keys, rows)
    expiries = keys.take("expires_at", rows).cast(pa.int64())
    left = timed & numbers(expiries.is_valid())
    used = np.where(seen, used, numbers(expiries.fill_null(0)) - form.grace_s * 1000.0 - lifetime)
    seen |= left
    milliseconds = pa.timestamp("ms")
    known = born | seen
    somebody = numbers(keys.take(f"length:{form.user}", rows).fill_null(0)) > 0 if form.user else zeros.astype(bool)
    told = numbers(keys.take("elements", rows)) <= form.bare if form.bare else ~somebody
    nobody = told & bool(form.user and form.anonymous)
    parts = {
        "layout": words(zeros, (form.layout,)),
        "namespace": namespaces,
        "db": keys.take("db", rows),
        "id": identifiers,
        "bytes": keys.take("bytes", rows),
        "expires_at": keys.take("expires_at", rows),
        "grace_s": pa.array(zeros + form.grace_s, pa.int32()),
        "born_at": nullable(np.where(born, created, used).astype(np.int64), known, milliseconds),
        "born_precision_s": nullable(np.where(born | (form.used is not None), form.precision_s, 1.0), known),
        "born_provenance": words(np.where(born, 1, np.where(seen, 2, 0)), _PROVENANCES),
        "last_seen_at": nullable(used.astype(np.int64), seen, milliseconds),
        "lifetime_s": nullable((lifetime / 1000).round().astype(np.int64), timed),
        "authentication": words(np.where(somebody, 1, np.where(nobody, 0, 2)), _STATES),
    }
    return RecognisedKeys(role=SESSION, rows=rows, pattern=patterns, parts=pa.table(parts))


def _number(field: TimeField | None, keys: Keys, rows: Positions) -> tuple[npt.NDArray[np.float64], Mask]:
    """Return a field of decimal digits in milliseconds, and where it is one."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if field is None:
        return np.zeros(len(rows)), np.zeros(len(rows), bool)
    values = keys.take(f"field:{field.name}", rows)
    if isinstance(values, pa.DictionaryArray):
        values = values.dictionary_decode()
    if field.codec:
        moments, sound = _kryo(values)
        others = np.flatnonzero(~sound)
        if others.size:
            said = integers(values, others)
            moments[others], sound[others] = numbers(said.fill_null(0)), numbers(said.is_valid())
        moments = moments * field.unit_ms
        return moments, sound & (moments > 0) & (moments < _LAST_MS)
    sound = match(values, r"^[0-9]{1,18}$")
    digits = pc.if_else(pa.array(sound), values, b"0").cast(pa.string()).cast(pa.float64())
    moments = numbers(digits) * field.unit_ms
    return moments, sound & (moments > 0) & (moments < _LAST_MS)


def _kryo(values: pa.Array) -> tuple[npt.NDArray[np.float64], Mask]:
    r"""Read Kryo's Long and Integer.

    >>> import pyarrow as pa
    >>> _kryo(pa.array([b"\x02\x80\xc6\x0a", b"", b"\x05\x01"]))[0].tolist()
    [86400.0, 0.0, 0.0]
    """
    import numpy as np

    data, offsets = flat(values)
    start, end = offsets[:-1], offsets[1:]
    length = end - start
    known: Mask = (length >= 2) & (length <= 10)
    number = np.zeros(len(length), np.uint64)
    for place in range(1, 10):
        inside = np.flatnonzero(known & (length > place))
        part = data[start[inside] + place]
        number[inside] |= (part & 0x7F).astype(np.uint64) << np.uint64(7 * (place - 1))
        known[inside] &= (part >= 0x80) == (length[inside] > place + 1)
    some = np.flatnonzero(known)
    known[some] &= np.isin(data[start[some]], (0x02, 0x09))
    signed = (number >> np.uint64(1)).astype(np.float64)
    return np.where(known & (number & np.uint64(1) == 0), signed, 0.0), known
