r"""Flask-Session in Redis: pickle up to 0.6, MessagePack or JSON since 0.7.

``session:<id>`` (any prefix), the id a UUID up to 0.5 and 43 URL-safe letters since::

    80 04 95 12 … 7d 94 8c 0a "_permanent" 94 88 73 2e      {"_permanent": True}: every hit of 0.5 and before stores this
    82 aa "_permanent" c3 aa "csrf_token" d9 28 …            MessagePack

Pickles are listed opcode by opcode (``pickletools.genops``), never loaded. Somebody is logged in if Flask-Login's
``_user_id`` (or an older ``user_id``) is there; with names of the application's own, nobody can say. Up to 0.5 the TTL is
set again by each request, since then when the session was changed or refreshed.

Source: pallets-eco/flask-session ``src/flask_session/{sessions,base,redis/redis}.py`` 0.4 to 0.8; flask-login ``utils.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from necropsy.model.evidence import Authentication
from necropsy.sessions.attributes import names, state
from necropsy.sessions.columns import numbers
from necropsy.sessions.cure import Cure
from necropsy.sessions.folding import fold_namespace
from necropsy.sessions.interface import RecognisedKeys, Refinement
from necropsy.sessions.keyspace import Projection
from necropsy.sessions.strings import claim, contain, cut_off, match
from necropsy.sessions.writers.form import NAMED_OTHERWISE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import pyarrow as pa

    from necropsy.case.store import Case
    from necropsy.sessions.columns import Keys, Mask, Positions

LAYOUT: Final = "flask"
_UUID_4: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_KEY: Final = rf"(?s)^(?P<namespace>.*?)(?P<separator>[:._\-])(?P<id>{_UUID_4}|[A-Za-z0-9_\-]{{43}})$"
_OTHER_KEY: Final = r"(?s)^(?P<namespace>.*?)(?P<separator>[:./]|)(?P<id>[A-Za-z0-9_\-]{22,171})$"
"""Ids where SESSION_ID_LENGTH is no longer 32 bytes, or the prefix ends in a letter."""
_DICTIONARY: Final = r"(?s)^(?:\x80[\x02-\x05]|[\x81-\x8f][\xa0-\xbf]|\xde|\{)"
_PACKED: Final = r"(?s)^(?:[\x81-\x8f]|\xde..)[\xa0-\xbf]"
_PICKLED: Final = r"(?s)^\x80[\x02-\x05]"
_ITS_NAMES: Final = r"[^A-Za-z0-9_](?:_permanent|_user_id|_fresh|_flashes|csrf_token)[^A-Za-z0-9_]"
_ONLY_PERMANENT: Final = r"(?s)^(?:\x80.{10}\}\x94\x8c\n_permanent\x94[\x88\x89]s\.|\x81\xaa_permanent[\xc2\xc3])$"
_MOST_DISTINCT: Final = 100_000


CURE: Final = Cure(
    framework="Flask (Flask-Session)",
    starts="Up to 0.5 every request without the cookie; since 0.6 a view that writes to the session (flash, CSRF token).",
    stop="Use Flask-Session 0.6 or later, and write nothing to the session in pages that are probed.",
    code="""pip install 'flask-session>=0.8'
app.config['PERMANENT_SESSION_LIFETIME'] = 86400  # 31 days by default""",
    language="python",
    lifetime="app.config['PERMANENT_SESSION_LIFETIME'] = 86400",
    source="pallets-eco/flask-session CHANGES.rst, src/flask_session/base.py",
)


class Flask:
    """Flask-Session's sessions; remembers the values that it has looked into."""

    family = "flask"
    projection = Projection(string_bytes=1024)
    cures: ClassVar[Mapping[str, Cure]] = {LAYOUT: CURE}
    inferred: ClassVar[tuple[str, ...]] = (LAYOUT,)

    def __init__(self) -> None:
        self._known: dict[int, str] = {}
        self._places: set[str] = set()
        """Namespace, separator and length of ids, where sessions were met."""
        self._left_out = 0

    def recognise(self, keys: Keys) -> Iterator[RecognisedKeys]:
        """Claim dictionaries under ids of Flask-Session's shapes: with its names in them, or beside such."""
        import numpy as np
        import pyarrow as pa

        rows = keys.of_type("string")
        heads = keys.take("head", rows)
        likely = match(heads, _DICTIONARY)
        if not likely.any():
            return
        rows, heads = rows[likely], heads.filter(pa.array(likely))
        sure = match(heads, _ITS_NAMES)
        named = sure | match(heads, _PACKED) | contain(keys.take("key", rows), b"session")
        for some, beside in ((np.flatnonzero(named), False), (np.flatnonzero(~named), True)):
            if some.size and (self._places or not beside):
                yield from self._claims(keys, rows[some], heads.take(pa.array(some)), sure[some])

    def _claims(self, keys: Keys, rows: Positions, heads: pa.Array, sure: Mask) -> Iterator[RecognisedKeys]:
        """Claim what has a name of Flask's, a key that says so, or lies where such have been met."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        whole = keys.take("key", rows)
        usual = match(whole, _KEY)
        found = pc.extract_regex(whole, pattern=_KEY)
        if not usual.all():
            found = pc.if_else(pa.array(usual), found, pc.extract_regex(whole, pattern=_OTHER_KEY))
        valid = numbers(found.is_valid())
        packed = match(heads, _PACKED) & ~match(whole, NAMED_OTHERWISE)
        strong = sure | usual & (contain(whole, b"session") | packed)
        strong &= valid & ~(match(whole, _UUID_4 + "$") & ~match(heads, _PICKLED))
        namespaces = fold_namespace(pc.struct_field(found, "namespace"))
        separators = pc.struct_field(found, "separator").cast(pa.string())
        lengths = pc.binary_length(pc.struct_field(found, "id")).cast(pa.string())
        places = pc.fill_null(
            pc.binary_join_element_wise(namespaces, separators, lengths, "\n"), ""
        ).dictionary_encode()
        codes, names = numbers(places.indices), places.dictionary.to_pylist()
        self._places.update(names[code] for code in np.unique(codes[strong]))
        taken = np.array([name in self._places for name in names], bool)[codes] & valid
        if not taken.any():
            return
        kept = pa.array(taken)
        rows, heads, found = rows[taken], heads.filter(kept), found.filter(kept)
        namespaces, separators = namespaces.filter(kept), separators.filter(kept)
        yield claim(
            keys,
            rows,
            layout=LAYOUT,
            namespaces=namespaces,
            ids=pc.struct_field(found, "id"),
            pattern=pc.binary_join_element_wise(namespaces, separators, "*", ""),
            attributes=pa.array(np.ones(len(rows), np.int32), mask=~match(heads, _ONLY_PERMANENT)),
            authentication=self._states(keys, rows, heads),
        )

    def _states(self, keys: Keys, rows: Positions, heads: pa.Array) -> pa.Array:
        """Say who is logged in; of what was cut off nobody says that nobody is."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        encoded = heads.dictionary_encode()
        known = [self._authentication(value) for value in encoded.dictionary.to_pylist()]
        self._left_out += int(np.array([one is None for one in known])[numbers(encoded.indices)].sum())
        told = pa.array([one or str(Authentication.UNKNOWN) for one in known], pa.string()).take(encoded.indices)
        unsure = cut_off(keys, rows, heads) & numbers(pc.equal(told, str(Authentication.NO)))
        return pc.if_else(pa.array(unsure), str(Authentication.UNKNOWN), told)

    def _authentication(self, value: bytes) -> str | None:
        name = hash(value)
        if name not in self._known:
            if len(self._known) >= _MOST_DISTINCT:
                return None
            self._known[name] = authentication(value)
        return self._known[name]

    def refine(self, case: Case, store: str, now: datetime) -> list[Refinement]:  # noqa: ARG002 -- the protocol\'s
        """Nothing: each session is judged by itself."""
        return []

    def remarks(self) -> list[str]:
        """Say how many sessions were too different from each other to be looked into."""
        if not self._left_out:
            return []
        return [f"{self._left_out:,} Flask sessions were not looked into: more than {_MOST_DISTINCT:,} different ones"]


def authentication(value: bytes) -> str:
    r"""Say from the start of a serialized dictionary whether somebody is logged in. Arbitrary bytes never raise.

    >>> authentication(b"\x80\x04}\x94(\x8c\x08_user_id\x94\x8c\x011\x94u."), authentication(b"\x81\xaa_permanent\xc3")
    ('yes', 'no')
    """
    found = names(value)
    return str(Authentication.UNKNOWN if found is None else state(found))
