"""Django's sessions in a Redis cache: the built-in backend and django-redis, alone (``cache``) or before SQL (``cached_db``).

``:1:django.contrib.sessions.cache<32 letters and digits>`` holds the session's dictionary in the *cache's* serializer:
pickle (``80 05 …``), JSON, or MessagePack; with a compressor nothing in it can be read. Pickles are searched, never loaded.
Somebody is logged in if
``_auth_user_id`` is there, or one of the usual names; attributes of the application's own may be anybody's. Django writes a
session when it was modified, and sets its TTL then.

Source: django ``contrib/sessions/backends/{cache,cached_db}.py``, ``contrib/auth/__init__.py``,
``core/cache/backends/redis.py``; jazzband/django-redis ``client/default.py``, ``serializers``, ``compressors``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from necropsy.model.evidence import Authentication
from necropsy.sessions.attributes import names, state
from necropsy.sessions.columns import flat, numbers, windows
from necropsy.sessions.cure import Cure
from necropsy.sessions.folding import fold_namespace
from necropsy.sessions.interface import RecognisedKeys, Refinement
from necropsy.sessions.keyspace import Projection
from necropsy.sessions.strings import candidates, claim, contain, cut_off, match, timed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from necropsy.case.store import Case
    from necropsy.sessions.columns import Keys, Mask

LAYOUT: Final = "django"
_MARK: Final = b"django.contrib.sessions.cache"
_KEY: Final = (
    r"(?s)^(?P<namespace>.*?):?(?P<backend>django\.contrib\.sessions\.(?:cached_db|cache))(?P<id>[a-z0-9]{20,40})$"
)
_READABLE: Final = r"(?s)^(?:\x80[\x02-\x05]|\{|[\x80-\x8f]|\xde)"
_ITS_NAMES: Final = frozenset({"_session_expiry", "_csrftoken", "_messages", "_password_reset_token"})
_MOST_DISTINCT: Final = 100_000
_LONGEST_S: Final = 1 << 31
_EMPTY: Final = r"(?s)^(?:\x80[\x02-\x05](?:\}\x94|\}q\x00)\.|\{\}|\x80)$"
_USER: Final = b"_auth_user_id"
_EXPIRY: Final = (
    r"(?s)_session_expiry(?:\x94|q.)?(?:K(?P<one>.)|M(?P<two>..)|J(?P<four>....)|\"\s*:\s*(?P<digits>[0-9]{1,9}))"
)
"""The trace of ``request.session.set_expiry(seconds)``, in a pickle or in JSON."""


CURE: Final = Cure(
    framework="Django (django.contrib.sessions in the cache)",
    starts="A view that changes the session of an anonymous visitor: CSRF_USE_SESSIONS, messages, request.session[...] = ...",
    stop="Keep the CSRF token in its cookie, and change no session in pages that are probed.",
    code="""CSRF_USE_SESSIONS = False
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_AGE = 86400  # two weeks by default""",
    language="python",
    lifetime="SESSION_COOKIE_AGE = 86400",
    source="django contrib/sessions/middleware.py, docs/topics/http/sessions.txt",
)


class Django:
    """Django's cached sessions."""

    family = "django"
    projection = Projection(string_bytes=1024)
    cures: ClassVar[Mapping[str, Cure]] = {LAYOUT: CURE}
    inferred: ClassVar[tuple[str, ...]] = (LAYOUT,)

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def recognise(self, keys: Keys) -> Iterator[RecognisedKeys]:
        """Claim what bears the name of Django's session cache."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = candidates(keys, _MARK)
        if not len(rows):
            return
        found = pc.extract_regex(keys.take("key", rows), pattern=_KEY)
        rows, found = rows[numbers(found.is_valid())], found.drop_null()
        if not len(rows):
            return
        heads = keys.take("head", rows)
        states = self._states(keys, rows, heads)
        namespaces = fold_namespace(pc.struct_field(found, "namespace"))
        backends = pc.struct_field(found, "backend").cast(pa.string())
        claimed = claim(
            keys,
            rows,
            layout=LAYOUT,
            namespaces=namespaces,
            ids=pc.struct_field(found, "id"),
            pattern=pc.binary_join_element_wise(namespaces, pc.binary_join_element_wise(backends, "*", ""), ":"),
            attributes=pa.array(np.zeros(len(rows), np.int32), mask=~match(heads, _EMPTY)),
            authentication=states,
        )

        yield timed(claimed, *expiry(heads))

    def _states(self, keys: Keys, rows: npt.NDArray[np.int64], heads: pa.Array) -> pa.Array:
        """Say who is logged in: by django.contrib.auth, or by one of the usual names."""
        import numpy as np
        import pyarrow as pa

        told = np.where(contain(heads, _USER), str(Authentication.YES), str(Authentication.UNKNOWN)).astype(object)
        readable = match(heads, _READABLE) & ~cut_off(keys, rows, heads)
        left = np.flatnonzero((told != str(Authentication.YES)) & readable)
        if left.size:
            encoded = heads.take(pa.array(left)).dictionary_encode()
            states = [self._state(value) for value in encoded.dictionary.to_pylist()]
            told[left] = np.array(states, object)[numbers(encoded.indices)]
        return pa.array(told, pa.string())

    def _state(self, value: bytes) -> str:
        name = hash(value)
        if name not in self._known:
            if len(self._known) >= _MOST_DISTINCT:
                return str(Authentication.UNKNOWN)
            found = names(value)
            if found is not None:
                found -= _ITS_NAMES
            self._known[name] = str(Authentication.UNKNOWN if found is None else state(found))
        return self._known[name]

    def refine(self, case: Case, store: str, now: datetime) -> list[Refinement]:  # noqa: ARG002 -- the protocol\'s
        """Nothing: each session is judged by itself."""
        return []

    def remarks(self) -> list[str]:
        """Nothing is ever left out."""
        return []


def expiry(heads: pa.Array) -> tuple[npt.NDArray[np.int64], Mask]:
    r"""Return the lifetimes in seconds that set_expiry() gave to sessions, and which have one.

    >>> import pyarrow as pa
    >>> values = [b"\x0f_session_expiry\x94J\x00u\x12\x00u.", b'{"_session_expiry": 300}', b"\x80\x05}\x94."]
    >>> expiry(pa.array(values))[0].tolist()
    [1209600, 300, 0]
    """
    import numpy as np
    import pyarrow.compute as pc

    found = pc.extract_regex(heads, pattern=_EXPIRY)
    seconds, known = np.zeros(len(heads), np.int64), numbers(found.is_valid())
    if not known.any():
        return seconds, known
    told = pc.struct_field(found, "digits").cast("string")
    digits = numbers(pc.greater(pc.fill_null(pc.binary_length(told), 0), 0))
    seconds = numbers(
        pc.if_else(pc.fill_null(pc.greater(pc.binary_length(told), 0), False), told, "0").cast("int64")
    ).copy()
    for name, width in (("one", 1), ("two", 2), ("four", 4)):
        raw = pc.struct_field(found, name)
        some = np.flatnonzero(numbers(pc.equal(pc.fill_null(pc.binary_length(raw), 0), width)) & ~digits)
        if some.size:
            data, offsets = flat(raw)
            pieces = windows(data, offsets[:-1][some], width).astype(np.int64)
            seconds[some] = (pieces << (8 * np.arange(width))).sum(axis=1)
    return seconds, known & (seconds > 0) & (seconds < _LONGEST_S)
