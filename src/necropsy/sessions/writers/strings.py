"""All writers of strings as one layout: each value is looked at by those forms alone that its first byte allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from necropsy.model.evidence import Authentication, Provenance
from necropsy.sessions.attributes import json_states
from necropsy.sessions.columns import flat, nullable, numbers, words
from necropsy.sessions.folding import fold_namespace, fold_path
from necropsy.sessions.interface import COMPANION, SESSION, RecognisedKeys, Refinement
from necropsy.sessions.keyspace import Projection
from necropsy.sessions.strings import cut_off, match
from necropsy.sessions.writers.forms import CURES, FORMS
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
    from necropsy.sessions.writers.form import Moments, SessionForm

_EMPTY: Final = 256
"""Stands for the first byte of a value that has none."""
_STATES: Final = (Authentication.NO, Authentication.YES, Authentication.UNKNOWN)
_PROVENANCES: Final = (Provenance.UNKNOWN, Provenance.EXPLICIT, Provenance.NOT_LATER, Provenance.DERIVED)
_SYMFONY_AMONG_PHP: Final = """
SELECT namespace, db FROM session_part WHERE store = ? AND layout IN ('php', 'symfony')
GROUP BY namespace, db HAVING count(DISTINCT layout) = 2 AND bool_or(layout = 'php' AND attributes = 0) ORDER BY ALL
"""
_EMPTY_AMONG_BEEGO: Final = """
SELECT namespace, db FROM session_part WHERE store = ? AND layout IN ('php', 'beego')
GROUP BY namespace, db HAVING count(DISTINCT layout) = 2 AND bool_and(layout = 'beego' OR attributes = 0) ORDER BY ALL
"""
_LATER: Final = """
UPDATE session_part SET born_provenance = 'not later than'
WHERE store = ? AND namespace = ? AND db = ? AND layout = 'symfony' AND born_provenance = 'explicit'
"""
_LAST_MS: Final = 253_402_300_799_000
_AT_ONCE_MS: Final = 1000


class Strings:
    """Every writer in ``forms.FORMS``."""

    family = "strings"
    forms: ClassVar[tuple[SessionForm, ...]] = FORMS
    projection = Projection(string_bytes=4096)
    cures: ClassVar[Mapping[str, Cure]] = CURES
    inferred: ClassVar[tuple[str, ...]] = tuple(dict.fromkeys(form.layout for form in FORMS))

    def __init__(self) -> None:
        self._met: set[tuple[str, bytes]] = set()

    def recognise(self, keys: Keys) -> Iterator[RecognisedKeys]:
        """Claim the strings whose key and value fit a form together, the narrowest forms first."""
        import numpy as np
        import pyarrow as pa

        rows = keys.of_type("string")
        heads = keys.take("head", rows)
        if not len(rows) or heads.null_count == len(rows):
            return
        firsts = _firsts(heads)
        present = np.bincount(firsts, minlength=_EMPTY + 1) > 0
        free: Mask = np.ones(len(rows), bool)
        for form in self.forms:
            wanted = list(form.first) or [_EMPTY]
            if not present[wanted].any():
                continue
            chosen = np.zeros(_EMPTY + 1, bool)
            chosen[wanted] = True
            some = _likely(form, keys, heads, np.flatnonzero(free & chosen[firsts]))
            if form.value and some.size:
                some = some[match(heads.take(pa.array(some)), form.value)]
            if form.mortal and some.size:
                some = some[numbers(keys.take("expires_at", rows[some]).is_valid())]
            if not some.size:
                continue
            names = keys.take("key", rows[some])
            some = (
                some[match(names, form.key) & ~match(names, form.unless)]
                if form.unless
                else some[match(names, form.key)]
            )
            if not some.size:
                continue
            cuts, identifiers = split(keys.take("key", rows[some]), form.alphabet, form.longest)
            inside = self._inside(form, cuts)
            if inside is not None:
                some, cuts, identifiers = some[inside], cuts.take(inside), identifiers.take(inside)
            if not some.size:
                continue
            free[some] = False
            yield _claim(form, keys, rows[some], heads.take(pa.array(some)), (cuts, identifiers))

    def _inside(self, form: SessionForm, cuts: pa.DictionaryArray) -> Positions | None:
        """Return which rows are in a namespace that the form may claim; None: all. Remember those that it proves."""
        import numpy as np

        names = cuts.dictionary.to_pylist()
        if not form.beside_others:
            self._met.update((form.layout, name) for name in names)
            return None
        met = np.array([(form.layout, name) in self._met for name in names], bool)
        return np.flatnonzero(met[numbers(cuts.indices)])

    def refine(self, case: Case, store: str, now: datetime) -> list[Refinement]:  # noqa: ARG002 -- the protocol's
        """Say whose the empty strings are: Symfony's in PHP's own handler, before it counts; go-chi's beside maps of Go's."""
        among = case.rows(_SYMFONY_AMONG_PHP, [store])
        for row in among:
            case.execute(_LATER, [store, row["namespace"], row["db"]])
        chi = case.rows(_EMPTY_AMONG_BEEGO, [store])
        return [
            *(Refinement(row["namespace"], row["db"], "php", "symfony") for row in among),
            *(Refinement(row["namespace"], row["db"], was, "gitea") for row in chi for was in ("php", "beego")),
        ]

    def remarks(self) -> list[str]:
        """Nothing is ever left out."""
        return []


def _likely(form: SessionForm, keys: Keys, heads: pa.Array, some: Positions) -> Positions:
    """Return those of the rows that have the form's words, which cost a tenth of its patterns."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if form.word and not keys.mention(form.word):
        return some[:0]
    if form.ends and some.size:
        values = heads if some.size == len(heads) else heads.take(pa.array(some))
        ended: Mask = numbers(pc.fill_null(pc.ends_with(values, form.ends), fill_value=False))
        return some[ended]
    return some


def _firsts(heads: pa.Array) -> npt.NDArray[np.int64]:
    """Return the first byte of each value; ``_EMPTY`` where there is none."""
    import numpy as np

    data, offsets = flat(heads)
    firsts = np.full(len(heads), _EMPTY, np.int64)
    some = offsets[1:] > offsets[:-1]
    firsts[some] = data[offsets[:-1][some]]
    return firsts


def _claim(
    form: SessionForm, keys: Keys, rows: Positions, heads: pa.Array, cuts: tuple[pa.DictionaryArray, pa.Array]
) -> RecognisedKeys:
    import pyarrow as pa

    if form.companion:
        return _companion(form, keys, rows, cuts)
    namespaces, patterns, identifiers = named(*cuts, fold_namespace)
    parts = {
        "layout": words(_zeros(rows), (form.layout,)),
        "namespace": namespaces,
        "db": keys.take("db", rows),
        "id": identifiers,
        "bytes": keys.take("bytes", rows),
        "expires_at": keys.take("expires_at", rows),
        "grace_s": pa.array(_zeros(rows) + form.grace_s, pa.int32()),
        **_told(form, keys, rows, heads),
    }
    return RecognisedKeys(role=SESSION, rows=rows, pattern=patterns, parts=pa.table(parts))


def _companion(
    form: SessionForm, keys: Keys, rows: Positions, cuts: tuple[pa.DictionaryArray, pa.Array]
) -> RecognisedKeys:
    """Claim what lives beside a session: its key is the session's, with something before it."""
    import pyarrow as pa

    _, patterns, identifiers = named(*cuts, fold_namespace)
    before = [name.removeprefix(form.companion) for name in cuts[0].dictionary.to_pylist()]
    own = pa.DictionaryArray.from_arrays(cuts[0].indices, pa.array(before, pa.binary()))
    namespaces, _, _ = named(own, identifiers, fold_namespace)
    parts = {
        "namespace": namespaces,
        "db": keys.take("db", rows),
        "id": identifiers,
        "bytes": keys.take("bytes", rows),
    }
    return RecognisedKeys(role=COMPANION, rows=rows, pattern=patterns, parts=pa.table(parts))


def _zeros(rows: Positions) -> npt.NDArray[np.int32]:
    import numpy as np

    return np.zeros(len(rows), np.int32)


def _told(form: SessionForm, keys: Keys, rows: Positions, heads: pa.Array) -> dict[str, pa.Array]:
    """Return what the values say: times, lifetime, attributes, authentication, creator."""
    import numpy as np
    import pyarrow as pa

    told: Moments = form.clock(heads) if form.clock else {}
    nothing = (np.zeros(len(rows)), np.zeros(len(rows), bool))
    created, born = _sound(told.get("created", nothing))
    written, wrote = _sound(told.get("written", nothing))
    used, seen = _sound(told.get("used", nothing))
    lifetime, timed = told.get("lifetime", nothing)
    timed &= (lifetime > 0) & (lifetime < _LAST_MS)
    expiries = keys.take("expires_at", rows).cast(pa.int64())
    left = timed & numbers(expiries.is_valid())
    end, ending = told.get("deadline", nothing)
    once = ending & (np.abs(numbers(expiries.fill_null(0)) - end) < _AT_ONCE_MS)  # no idle time shortens it
    derived = numbers(expiries.fill_null(0)) - form.grace_s * 1000.0 - lifetime
    used, seen = np.where(seen, used, np.where(left, derived, written)), seen | left | wrote
    bound, bounded = np.where(wrote, written, used), wrote | seen
    provenance = np.where(born, 1, np.where(bounded, 2, np.where(once, 3, 0)))
    milliseconds = pa.timestamp("ms")
    known = born | bounded
    precision = np.where(born | wrote, form.precision_s, 1.0)
    empty = match(heads, form.empty) if form.empty else ~np.ones(len(rows), bool)
    return {
        "born_at": nullable(np.where(born, created, bound).astype(np.int64), known, milliseconds),
        "born_precision_s": nullable(precision, known),
        "born_provenance": words(provenance, _PROVENANCES),
        "last_seen_at": nullable(used.astype(np.int64), seen, milliseconds),
        "lifetime_s": nullable((lifetime / 1000).round().astype(np.int64), timed),
        "attributes": nullable(_zeros(rows), empty, pa.int32()),
        "authentication": words(_authentication(form, keys, rows, heads, empty), _STATES),
        **_creator(form, heads),
    }


def _sound(moments: tuple[npt.NDArray[np.float64], Mask]) -> tuple[npt.NDArray[np.float64], Mask]:
    """Drop what is no moment of this age."""
    import numpy as np

    values, known = moments
    known = known & (values > 0) & (values < _LAST_MS)
    return np.where(known, values, 0.0), known


def _authentication(
    form: SessionForm, keys: Keys, rows: Positions, heads: pa.Array, empty: Mask
) -> npt.NDArray[np.int64]:
    """Return places in ``_STATES``: yes beats no, and what was cut off is nobody's only if its beginning says so."""
    import numpy as np
    import pyarrow as pa

    if form.always:
        return np.full(len(rows), _STATES.index(Authentication(form.always)), np.int64)
    if form.inside is not None:
        told = json_states(heads, form.inside, form.beside)
        told[(told == 0) & cut_off(keys, rows, heads)] = 2
        return told
    somebody = match(heads, form.user) if form.user else np.zeros(len(rows), bool)
    somebody &= ~match(heads, form.doubt) if form.doubt and somebody.any() else True
    nobody = empty.copy()
    left = np.flatnonzero(~somebody & ~empty) if form.nobody else np.zeros(0, np.int64)
    if left.size:
        nobody[left] = match(heads if left.size == len(heads) else heads.take(pa.array(left)), form.nobody)
    nobody &= ~cut_off(keys, rows, heads)
    return np.where(somebody, 1, np.where(nobody, 0, 2))


def _creator(form: SessionForm, heads: pa.Array) -> dict[str, pa.Array]:
    """Return host and path of the request that a value names: few different ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not form.creator:
        return {}
    found = pc.extract_regex(heads, pattern=form.creator)
    columns = {}
    for name, tidy in (("host", _host), ("path", _path)):
        column = pc.struct_field(found, name).cast(pa.binary()).dictionary_encode()
        column = column.dictionary_encode() if not isinstance(column, pa.DictionaryArray) else column
        tidied = pa.array([tidy(value) for value in column.dictionary.to_pylist()], pa.string())
        columns[f"creator_{name}"] = tidied.take(column.indices)
    return columns


def _host(value: bytes) -> str | None:
    text = value.decode("latin-1").lower()
    return text if text and len(text) <= 253 and all(c.isalnum() or c in ".-:[]" for c in text) else None


def _path(value: bytes) -> str | None:
    text = "".join(c if " " <= c <= "~" else "*" for c in value.decode("latin-1"))
    return fold_path(text.split(";", 1)[0] or "/")[:256]
