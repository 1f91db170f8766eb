"""Sessions that are a hash each, by the names of their fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from necropsy.model.evidence import Authentication, Provenance
from necropsy.sessions.columns import flat, nullable, numbers, words
from necropsy.sessions.folding import fold_namespace
from necropsy.sessions.interface import SESSION, Claim, Refinement
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
_NUMBER_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Field:
    """One field that says a time in decimal digits."""

    name: str
    unit_ms: float
    """Milliseconds of one unit."""
    kryo: bool = False
    """Written by Kryo: a class number, then seven bits a byte, the sign in the last; else decimal digits."""


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
    created: Field | None = None
    used: Field | None = None
    lifetime: Field | None = None
    precision_s: float = 0.001
    user: str = ""
    """Field that is there, and not empty, when somebody is logged in; empty: nobody can say."""
    anonymous: bool = False
    """Whether nobody is logged in where that field is missing."""
    grace_s: int = 0

    @property
    def fields(self) -> dict[bytes, int]:
        """Fields that are looked at, and how many bytes of each."""
        names = dict.fromkeys((*self.needs, self.user, self.begins[0]), 0)
        names |= {field.name: _NUMBER_BYTES for field in (self.created, self.used, self.lifetime) if field}
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

    def recognise(self, keys: Keys) -> Iterator[Claim]:
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
                yield _claim(form, keys, rows[some])

    def refine(self, case: Case, store: str, now: datetime) -> list[Refinement]:  # noqa: ARG002 -- the protocol's
        """Nothing: each session is judged by itself."""
        return []

    def remarks(self) -> list[str]:
        """Nothing is ever left out."""
        return []


def _claim(form: HashForm, keys: Keys, rows: Positions) -> Claim:
    import numpy as np
    import pyarrow as pa

    zeros = np.zeros(len(rows), np.int32)
    namespaces, patterns, identifiers = named(
        *split(keys.take("key", rows), form.alphabet, form.longest), fold_namespace
    )
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
        "authentication": words(np.where(somebody, 1, 0 if form.user and form.anonymous else 2), _STATES),
    }
    return Claim(role=SESSION, rows=rows, pattern=patterns, parts=pa.table(parts))


def _number(field: Field | None, keys: Keys, rows: Positions) -> tuple[npt.NDArray[np.float64], Mask]:
    """Return a field of decimal digits in milliseconds, and where it is one."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if field is None:
        return np.zeros(len(rows)), np.zeros(len(rows), bool)
    values = keys.take(f"field:{field.name}", rows)
    if isinstance(values, pa.DictionaryArray):
        values = values.dictionary_decode()
    if field.kryo:
        moments, sound = _kryo(values)
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
