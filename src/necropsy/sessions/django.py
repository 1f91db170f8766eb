"""Django's sessions in a Redis cache: the built-in backend and django-redis, alone (``cache``) or before SQL (``cached_db``).

``:1:django.contrib.sessions.cache<32 letters and digits>`` holds the session's dictionary in the *cache's* serializer:
pickle (``80 05 …``), JSON, or MessagePack; with a compressor nothing in it can be read. Pickles are searched, never loaded.
Somebody is logged in if ``_auth_user_id`` is there. Django writes a session when it was modified, and sets its TTL then.

Source: django ``contrib/sessions/backends/{cache,cached_db}.py``, ``contrib/auth/__init__.py``,
``core/cache/backends/redis.py``; jazzband/django-redis ``client/default.py``, ``serializers``, ``compressors``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from necropsy.model.evidence import Authentication
from necropsy.sessions.columns import numbers
from necropsy.sessions.cure import Cure
from necropsy.sessions.folding import fold_namespace
from necropsy.sessions.interface import Claim, Refinement
from necropsy.sessions.keyspace import Projection
from necropsy.sessions.strings import candidates, claim, contain, cut_off, match

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from necropsy.case.store import Case
    from necropsy.sessions.columns import Keys

LAYOUT: Final = "django"
_MARK: Final = b"django.contrib.sessions.cache"
_KEY: Final = (
    r"(?s)^(?P<namespace>.*?):?(?P<backend>django\.contrib\.sessions\.(?:cached_db|cache))(?P<id>[a-z0-9]{20,40})$"
)
_READABLE: Final = r"(?s)^(?:\x80[\x02-\x05]|\{|[\x80-\x8f]|\xde)"
_EMPTY: Final = r"(?s)^(?:\x80[\x02-\x05](?:\}\x94|\}q\x00)\.|\{\}|\x80)$"
_USER: Final = b"_auth_user_id"


CURE: Final = Cure(
    framework="Django (django.contrib.sessions in the cache)",
    starts="A view that changes the session of an anonymous visitor: CSRF_USE_SESSIONS, messages, request.session[...] = ...",
    stop="Keep the CSRF token in its cookie, and change no session in pages that probes ask for.",
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

    def recognise(self, keys: Keys) -> Iterator[Claim]:
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
        user = contain(heads, _USER)
        untold = ~match(heads, _READABLE) | cut_off(keys, rows, heads)
        namespaces = fold_namespace(pc.struct_field(found, "namespace"))
        backends = pc.struct_field(found, "backend").cast(pa.string())
        names = [str(Authentication.YES), str(Authentication.UNKNOWN)]
        yield claim(
            keys,
            rows,
            layout=LAYOUT,
            namespaces=namespaces,
            ids=pc.struct_field(found, "id"),
            pattern=pc.binary_join_element_wise(namespaces, pc.binary_join_element_wise(backends, "*", ""), ":"),
            attributes=pa.array(np.zeros(len(rows), np.int32), mask=~match(heads, _EMPTY)),
            authentication=pa.array(np.select([user, untold], names, str(Authentication.NO))),
        )

    def refine(self, case: Case, store: str, now: datetime) -> list[Refinement]:  # noqa: ARG002 -- the protocol\'s
        """Nothing: each session is judged by itself."""
        return []

    def remarks(self) -> list[str]:
        """Nothing is ever left out."""
        return []
