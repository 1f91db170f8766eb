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

import pickletools
import re
import struct
from typing import TYPE_CHECKING, ClassVar, Final

from necropsy.model.evidence import Authentication
from necropsy.sessions.columns import numbers
from necropsy.sessions.cure import Cure
from necropsy.sessions.folding import fold_namespace
from necropsy.sessions.interface import Claim, Refinement
from necropsy.sessions.keyspace import Projection
from necropsy.sessions.strings import claim, contain, match

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from necropsy.case.store import Case
    from necropsy.sessions.columns import Keys

LAYOUT: Final = "flask"
_UUID_4: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_KEY: Final = rf"(?s)^(?P<namespace>.*?)(?P<separator>[:._\-])(?P<id>{_UUID_4}|[A-Za-z0-9_\-]{{43}})$"
_DICTIONARY: Final = r"(?s)^(?:\x80[\x02-\x05]|[\x81-\x8f]|\xde|\{)"
_PERMANENT: Final = b"_permanent"
_ONLY_PERMANENT: Final = r"(?s)^(?:\x80.{10}\}\x94\x8c\n_permanent\x94[\x88\x89]s\.|\x81\xaa_permanent[\xc2\xc3])$"
_USERS: Final = (b"_user_id", b"user_id")
_FRAMEWORK: Final = frozenset({"_permanent", "csrf_token", "_flashes", "_fresh", "_id", "message", "info", "error"})
_NAME: Final = re.compile(r"[A-Za-z_]\w{0,31}\Z", re.ASCII)
_JSON_NAME: Final = re.compile(rb'"([A-Za-z_]\w*)"\s*:')
_SIZED: Final = {
    **{tag: (1 << place, 0) for place, tag in enumerate((0xC4, 0xC5, 0xC6))},  # bytes
    **{tag: (1 << place, 1) for place, tag in enumerate((0xC7, 0xC8, 0xC9))},  # extensions
    **{tag: (1 << place, 0) for place, tag in enumerate((0xD9, 0xDA, 0xDB))},  # texts
}
_FIXED: Final = dict(
    zip(
        (0xCA, 0xCB, 0xCC, 0xCD, 0xCE, 0xCF, 0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8),
        (4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17),
        strict=True,
    )
)
_BROKEN: Final = (ValueError, IndexError, KeyError, OverflowError, AttributeError, TypeError, struct.error)
_MOST_DISTINCT: Final = 20_000


CURE: Final = Cure(
    framework="Flask (Flask-Session)",
    starts="Up to 0.5 every request without the cookie; since 0.6 a view that writes to the session (flash, CSRF token).",
    stop="Use Flask-Session 0.6 or later, and write nothing to the session in pages that probes ask for.",
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
        self._known: dict[bytes, str] = {}
        self._left_out = 0

    def recognise(self, keys: Keys) -> Iterator[Claim]:
        """Claim dictionaries under ids of Flask-Session's shapes."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = keys.of_type("string")
        heads = keys.take("head", rows)
        likely = match(heads, _DICTIONARY)
        likely &= contain(heads, _PERMANENT) | contain(keys.take("key", rows), b"session")
        if not likely.any():
            return
        rows, heads = rows[likely], heads.filter(pa.array(likely))
        found = pc.extract_regex(keys.take("key", rows), pattern=_KEY)
        whole = found.is_valid()
        rows, heads, found = rows[numbers(whole)], heads.filter(whole), found.drop_null()
        if not len(rows):
            return
        namespaces = fold_namespace(pc.struct_field(found, "namespace"))
        separators = pc.struct_field(found, "separator").cast(pa.string())
        encoded = heads.dictionary_encode()
        known = [self._authentication(value) for value in encoded.dictionary.to_pylist()]
        self._left_out += int(np.array([one is None for one in known])[numbers(encoded.indices)].sum())
        told = pa.array([one or str(Authentication.UNKNOWN) for one in known], pa.string())
        yield claim(
            keys,
            rows,
            layout=LAYOUT,
            namespaces=namespaces,
            ids=pc.struct_field(found, "id"),
            pattern=pc.binary_join_element_wise(namespaces, separators, "*", ""),
            attributes=pa.array(np.ones(len(rows), np.int32), mask=~match(heads, _ONLY_PERMANENT)),
            authentication=told.take(encoded.indices),
        )

    def _authentication(self, value: bytes) -> str | None:
        if value not in self._known:
            if len(self._known) >= _MOST_DISTINCT:
                return None
            self._known[value] = authentication(value)
        return self._known[value]

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
    if any(user in value for user in _USERS):
        return str(Authentication.YES)
    return str(Authentication.UNKNOWN if _names(value) - _FRAMEWORK else Authentication.NO)


def _names(value: bytes) -> set[str]:
    """Return the keys of a serialized dictionary; of a pickle also the short words among its values."""
    if value[:1] == b"{":
        return {name.decode() for name in _JSON_NAME.findall(value)}
    if value[:1] != b"\x80":
        return set(_messagepack_keys(value))
    names: set[str] = set()
    try:
        for _, argument, _ in pickletools.genops(value):
            if isinstance(argument, str) and _NAME.match(argument):
                names.add(argument)
    except _BROKEN:  # cut off, or no pickle at all
        pass
    return names


def _messagepack_keys(value: bytes) -> Iterator[str]:
    """Yield the keys of a MessagePack map, as far as it goes (github.com/msgpack/msgpack/blob/master/spec.md)."""
    position = 3 if value[:1] == b"\xde" else 1
    while position < len(value):
        length = value[position] - 0xA0
        if not 0 <= length < 32:  # no short text: no key that a person wrote
            return
        yield value[position + 1 : position + 1 + length].decode("utf-8", "replace")
        position += 1 + length
        pending = 1
        while pending and position < len(value):
            size, inside = _messagepack_item(value, position)
            position += size
            pending += inside - 1


def _messagepack_item(value: bytes, position: int) -> tuple[int, int]:
    """Return the bytes of an item without what is inside, and how many items are inside."""
    tag = value[position]
    if tag < 0x80 or tag >= 0xE0:
        return 1, 0
    if tag < 0xA0:
        return 1, (tag & 15) * (1 if tag & 16 else 2)
    if tag < 0xC0:
        return 1 + (tag & 31), 0
    if tag in _SIZED:
        width, extra = _SIZED[tag]
        return 1 + width + extra + int.from_bytes(value[position + 1 : position + 1 + width], "big"), 0
    if tag >= 0xDC:
        width = 2 if tag in (0xDC, 0xDE) else 4
        return 1 + width, int.from_bytes(value[position + 1 : position + 1 + width], "big") * (1 if tag < 0xDE else 2)
    return 1 + _FIXED.get(tag, 0), 0
