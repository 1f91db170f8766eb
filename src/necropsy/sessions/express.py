"""express-session with connect-redis, and @fastify/session in the same store: JSON that begins with its cookie.

``sess:<id>`` (any prefix)::

    {"cookie":{"originalMaxAge":86400000,"expires":"2026-11-23T09:11:08.609Z","httpOnly":true,"path":"/"},"passport":{}}
    {"cookie":{"expires":null,"originalMaxAge":null,"sameSite":null, … ,"domain":null},"cart":{"lines":3}}      fastify

No field holds the creation. ``expires - originalMaxAge`` is the last write; expiry - originalMaxAge is the last use. Where a
use moves the expiry and not the JSON (``resave: false``; seen at any session of the namespace), a session in which nobody has
put anything was written once: that is its birth, to the millisecond. All others were born then or earlier. Without a maxAge
(the default) both follow from the store's TTL, which is inferred for the namespace. Fastify writes the whole session at each
visit and then notes ``originalExpires``, the expiry of the visit before: no later than that was the birth.

Logged in is who has ``passport.user`` or one of the usual names; what an application calls its own is unknown.

Source: tj/connect-redis 3 to 9, expressjs/session ``index.js`` and ``session/cookie.js``, fastify/session
``lib/{session,cookie}.js``, jaredhanson/passport ``lib/sessionmanager.js``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from necropsy.model.evidence import Authentication, Provenance
from necropsy.sessions.attributes import judge as attributes_judge
from necropsy.sessions.attributes import members, shapes
from necropsy.sessions.columns import nullable, numbers, words
from necropsy.sessions.cure import Cure
from necropsy.sessions.folding import fold_namespace
from necropsy.sessions.interface import SESSION, RecognisedKeys, Refinement
from necropsy.sessions.keyspace import Projection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from necropsy.case.store import Case
    from necropsy.sessions.columns import Keys, Mask

EXPRESS: Final = "express"
FASTIFY: Final = "fastify"
_START: Final = b'{"cookie":{'
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
_EXPIRES: Final = r'"expires":(?:"(?P<WHICH>' + _DATE + r')\.(?P<WHICH_ms>[0-9]{3})Z"|null)'
_SESSION: Final = (
    r'(?s)^\{"cookie":\{(?:(?P<fastify>'
    + _EXPIRES.replace("WHICH", "first")
    + r'),)?"originalMaxAge":(?P<age>[0-9]{1,15}|null)'
    r"(?:[^{}]*?,"
    + _EXPIRES.replace("WHICH", "second")
    + r')?(?:,"originalExpires":"(?P<third>'
    + _DATE
    + r')\.(?P<third_ms>[0-9]{3})Z")?[^{}]*\}(?P<rest>.*)$'
)
_PROVENANCES: Final = (Provenance.UNKNOWN, Provenance.DERIVED, Provenance.NOT_LATER)
_MOST_SHAPES: Final = 20_000
_TOUCHED_MS: Final = 1500
"""Time from a session's last write to its last use, when a use does not write it again (resave: false)."""


CURE_EXPRESS: Final = Cure(
    framework="Express (express-session with connect-redis)",
    starts="Every request without the cookie, as saveUninitialized is true by default.",
    stop="Save a session only once something is in it, and answer health checks before the session middleware.",
    code="""app.get('/health', (req, res) => res.send('ok'))
app.use(session({ store, secret, resave: false, saveUninitialized: false, cookie: { maxAge: 86400000 } }))""",
    language="js",
    lifetime="cookie: { maxAge: 86400000 }",
    source="expressjs/session README.md",
)
CURE_FASTIFY: Final = Cure(
    framework="Fastify (@fastify/session)",
    starts="Every request without the cookie, as saveUninitialized is true by default.",
    stop="Save a session only once something is in it.",
    code="fastify.register(session, { store, secret, saveUninitialized: false, cookie: { maxAge: 86400000 } })",
    language="js",
    lifetime="cookie: { maxAge: 86400000 }",
    source="fastify/session README.md",
)


class Express:
    """Sessions of Node's two common frameworks; remembers the shapes that it has met."""

    family = "express"
    projection = Projection(string_bytes=1024)
    cures: ClassVar[Mapping[str, Cure]] = {EXPRESS: CURE_EXPRESS, FASTIFY: CURE_FASTIFY}
    inferred: ClassVar[tuple[str, ...]] = (EXPRESS, FASTIFY)

    def __init__(self) -> None:
        self._shapes: dict[str, tuple[int | None, str]] = {"}": (0, str(Authentication.NO))}
        self._written_once: set[str] = set()
        self._left_out = 0

    def recognise(self, keys: Keys) -> Iterator[RecognisedKeys]:
        """Claim the strings that begin with a session's cookie."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = keys.of_type("string")
        heads = keys.take("head", rows)
        likely = np.flatnonzero(numbers(pc.fill_null(pc.starts_with(heads, _START), fill_value=False)))
        if not likely.size:
            return
        found = pc.extract_regex(heads.take(pa.array(likely)), pattern=_SESSION)
        segments = keys.segments(rows[likely])
        whole = np.flatnonzero(numbers(found.is_valid()) & segments.filled(1))
        if not whole.size:
            return
        found, rows = found.take(pa.array(whole)), rows[likely][whole]
        namespaces = segments.before(1, whole).dictionary_encode()
        folded = fold_namespace(namespaces.dictionary)
        patterns = pc.if_else(pc.equal(folded, ""), "*", pc.binary_join_element_wise(folded, "*", ":"))
        columns = {
            "namespace": folded.take(namespaces.indices),
            "db": keys.take("db", rows),
            "id": segments.text(1, whole),
            "expires_at": keys.take("expires_at", rows),
            "bytes": keys.take("bytes", rows),
        }
        parts = pa.table(columns | self._told(found, keys, rows, columns["namespace"]))
        yield RecognisedKeys(role=SESSION, rows=rows, pattern=patterns.take(namespaces.indices), parts=parts)

    def _told(
        self, found: pa.StructArray, keys: Keys, rows: npt.NDArray[np.int64], namespaces: pa.Array
    ) -> dict[str, pa.Array]:
        """Return what the JSON says: times, lifetime, attributes, authentication."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        fastify = _filled(found, "fastify")
        age = pc.struct_field(found, "age")
        aged = numbers(pc.not_equal(age, b"null"))
        age_ms = numbers(pc.if_else(pa.array(aged), age, b"0").cast(pa.string()).cast(pa.int64()))
        first, first_known = _moments(found, "first")
        second, second_known = _moments(found, "second")
        written = np.where(fastify, first, second) - age_ms
        dated = aged & np.where(fastify, first_known, second_known)
        expiries = keys.take("expires_at", rows).cast(pa.int64())
        mortal = numbers(expiries.is_valid())
        # connect-redis 3 rounds the TTL down to whole seconds: nobody is seen before what he wrote.
        used = np.maximum(
            np.where(mortal, numbers(expiries.fill_null(0)) - age_ms, written), np.where(dated, written, 0)
        )
        before, returned = _moments(found, "third")
        born, births = dated, np.where(fastify & returned, before - age_ms, written)
        rest = shapes(pc.struct_field(found, "rest"))
        shaped = [self._shape(text) for text in rest.dictionary.to_pylist()]
        empty = np.array([count == 0 for count, _ in shaped], bool)[numbers(rest.indices)]
        encoded = namespaces.dictionary_encode()
        codes, names = numbers(encoded.indices), encoded.dictionary.to_pylist()
        self._written_once.update(names[n] for n in np.unique(codes[dated & mortal & (used - written > _TOUCHED_MS)]))
        kept = np.array([name in self._written_once for name in names], bool)[codes]
        once = empty & np.where(fastify, ~returned, kept)
        self._left_out += int(np.array([count is None for count, _ in shaped])[numbers(rest.indices)].sum())
        milliseconds = pa.timestamp("ms")
        return {
            "layout": pa.array(np.where(fastify, FASTIFY, EXPRESS)),
            "born_at": nullable(births, born, milliseconds),
            "born_precision_s": nullable(np.full(len(rows), 0.001), born),
            "born_provenance": words(np.where(born, np.where(once, 1, 2), 0), _PROVENANCES),
            "last_seen_at": nullable(used, aged & (mortal | dated), milliseconds),
            "lifetime_s": nullable((age_ms + 500) // 1000, aged),
            "attributes": pa.array([count for count, _ in shaped], pa.int32()).take(rest.indices),
            "authentication": pa.array([who for _, who in shaped], pa.string()).take(rest.indices),
        }

    def _shape(self, text: str) -> tuple[int | None, str]:
        if text not in self._shapes:
            if len(self._shapes) >= _MOST_SHAPES:
                return None, str(Authentication.UNKNOWN)
            self._shapes[text] = judge(text)
        return self._shapes[text]

    def refine(self, case: Case, store: str, now: datetime) -> list[Refinement]:  # noqa: ARG002 -- the protocol\'s
        """Nothing: each session is judged by itself."""
        return []

    def remarks(self) -> list[str]:
        """Say how many sessions were too different from each other to be looked into."""
        if not self._left_out:
            return []
        return [
            f"{self._left_out:,} Express sessions were not looked into: more than {_MOST_SHAPES:,} different shapes"
        ]


def judge(rest: str) -> tuple[int, str]:
    """Return number of attributes and authentication from what follows the cookie; it may have been cut off.

    >>> judge(',"passport":{"user":1},"flash":{}}'), judge(',"passport":{}}'), judge(',"member":{"user":1}}')
    ((2, 'yes'), (1, 'no'), (1, 'unknown'))
    """
    attributes = members(rest)
    return len(attributes), str(attributes_judge(attributes))


def _filled(found: pa.StructArray, name: str) -> Mask:
    import pyarrow.compute as pc

    filled: Mask = numbers(pc.greater(pc.binary_length(pc.struct_field(found, name)), 0))
    return filled


def _moments(found: pa.StructArray, name: str) -> tuple[npt.NDArray[np.int64], Mask]:
    """Return milliseconds since 1970 of an ISO 8601 date and which of them are one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.struct_field(found, name).cast(pa.string())
    seconds = pc.strptime(text, format="%Y-%m-%dT%H:%M:%S", unit="s", error_is_null=True).cast(pa.int64())
    part = pc.struct_field(found, f"{name}_ms").cast(pa.string())
    milliseconds = numbers(pc.if_else(pc.equal(part, ""), "0", part).cast(pa.int64()))
    return numbers(seconds.fill_null(0)) * 1000 + milliseconds, numbers(seconds.is_valid())
