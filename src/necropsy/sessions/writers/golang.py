r"""Go: scs, boj/redistore and gin-contrib/sessions, rbcervilla/redisstore, Fiber, beego (Harbor), go-chi/session (Gitea).

``scs:session:<43>``, ``session_<52 base32>``, ``session:<103 base32>``, ``<uuid>`` (any prefix), gob or JSON::

    25 7f 03 … Deadline … Values … 0f 01 00 00 00 0e e2 9f d5 87 …    scs: {Deadline time.Time, Values map}
    0d 7f 04 01 02 ff 80 00 01 10 01 10 00 00 …                       map[interface{}]interface{}: redistore, gin, Fiber 3
    0d 7f 04 01 02 ff 80 00 01 0c 01 10 00 00 04 ff 80 00 00          map[string]interface{}, empty: Fiber 2, every visit
    (empty)                                                           go-chi/session: every visit, until something is put in

scs sets its deadline once, at birth (and when the token is renewed at login); with an idle timeout the TTL is the shorter
of the two. The others set their TTL at each Save. Sizes and class numbers of gob vary: the names and types are looked for.

Source: alexedwards/scs ``codec.go``, boj/redistore ``redistore.go``, gin-contrib/sessions ``redis/redis.go``, gofiber/fiber
``middleware/session``, beego ``server/web/session`` and its Redis provider (ids of 32 hex, or more), go-chi/session
``redis/redis.go`` (16 hex; empty values are told beside others alone; with 32 its maps are beego's, until an empty one is
beside them), rbcervilla/redisstore ``redisstore.go``; proved by tests/writers/go_*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.sessions.attributes import NOBODYS
from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import URL_SAFE, UUID, SessionForm, big_endian

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.sessions.writers.form import Moments

SCS: Final = "scs"
REDISTORE: Final = "redistore"
FIBER: Final = "fiber"
BEEGO: Final = "beego"
GITEA: Final = "gitea"
_USERS: Final = "(?:user_id|userID|userId|user|uid|username|authenticatedUserID|profile)"
_USER: Final = (
    rf'(?s){_USERS}(?:\x06string\x0c|\x03int\x04|\x04uint\x06|\x05int64\x04)|"{_USERS}":\s*(?:"[^"]|[1-9]|\{{)'
    r"|\x04user[\x06-\x40]\*?[a-z][a-z0-9_/.\-]*\.[A-Z][A-Za-z0-9_]*[\x01-\xff]"  # a type of the application's own
)
_SCS_KEY: Final = r"[A-Za-z0-9_\-]{43}$"
_FIBER_KEY: Final = r"(?:^|[^A-Za-z0-9_\-])[A-Za-z0-9_\-]{43}$"
_MAP: Final = r"(?s)^.\x7f\x04\x01\x02(?:\xff.|\xfe..)\x00\x01"
_ANY_MAP: Final = _MAP + r"\x10\x01\x10\x00\x00"
_TEXT_MAP: Final = _MAP + r"\x0c\x01\x10\x00\x00"
_EMPTY: Final = r"(?s)^.{14,15}[\x04\x05](?:\xff.|\xfe..)\x00\x00$"
_NOBODYS: Final = f"(?:{'|'.join(sorted(NOBODYS))}|redirectAfterLogin)"
_ANYBODY: Final = (
    rf"{_ANY_MAP}.{{1,3}}(?:\xff.|\xfe..)\x00.(?:\x06string\x0c.\x00.{_NOBODYS}"
    r"(?:\x06string\x0c..[^\x06]*|\x03int\x04.\x00.{1,3}|\x04bool\x02\x02\x00."
    r"|\x0d\[\]interface \{\}[^\x06]*\x06string[^\x06]*))+$"
)
_ABSOLUTE: Final = r"(?s)absExpirationKeyType.*?[\x0f\x10][\x01\x02](?P<seconds>\x00\x00\x00.{5})"
_ONLY_ABSOLUTE: Final = r"(?s)\x00\x01Cgithub\.com/gofiber/fiber/v3/middleware/session\.absExpirationKeyType"
_WITHIN: Final = r"\x17?map\[string\]interface \{\}"
"""A map in the session may have a user's name in it."""
_GOB: Final = b"\x0d\x0e\x0f"
_BASE_32: Final = r"(?:^|[^A-Z2-7])(?:[A-Z2-7]{52}|[A-Z2-7]{103,104})$"
_BASE_32_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

CURES: Final = {
    SCS: Cure(
        framework="Go (scs)",
        starts="A value that is put into the session; a visitor who only reads starts none.",
        stop="Put nothing (no flash, no redirect target) into the session for anonymous visitors; leave health pages unwrapped.",
        code="""mux.Handle("/health", health)            // not behind LoadAndSave
mux.Handle("/", manager.LoadAndSave(app))
manager.Lifetime, manager.IdleTimeout = 24*time.Hour, time.Hour""",
        language="go",
        lifetime="manager.Lifetime = 24 * time.Hour",
        source="alexedwards/scs README.md",
    ),
    REDISTORE: Cure(
        framework="Go (gorilla/sessions in redistore, gin-contrib/sessions)",
        starts="session.Save(): where a middleware saves for everybody, every probe. It lives 30 days unless told otherwise.",
        stop="Save only where something was put in, and set a MaxAge: gin's Options without one store nothing at all.",
        code="store.SetMaxAge(86400)                 // gin: store.Options(sessions.Options{MaxAge: 86400})",
        language="go",
        lifetime="store.SetMaxAge(86400)",
        source="boj/redistore redistore.go, gin-contrib/sessions README.md",
    ),
    FIBER: Cure(
        framework="Go (Fiber session middleware)",
        starts="session.Save(), also of an empty session.",
        stop="Skip the session for pages that are probed, and save only where something was put in.",
        code="""store := session.New(session.Config{Storage: storage, Expiration: 24 * time.Hour})
// Fiber 3: session.New(session.Config{Next: func(c fiber.Ctx) bool { return c.Path() == "/health" }})""",
        language="go",
        lifetime="Expiration: 24 * time.Hour",
        beware="store.Reset() is FLUSHDB: it removes every key of the database, not the sessions alone"
        " ([finding](../../findings/clearing-the-sessions-empties-the-database.sh)).",
        source="gofiber docs middleware/session",
    ),
    BEEGO: Cure(
        framework="Go (beego's sessions: Harbor)",
        starts="Every request that beego's session filter sees, if SessionOn; in Harbor a login, and each page of its portal.",
        stop="Point health checks at a path outside the filter (Harbor: /api/v2.0/ping).",
        code="beego.BConfig.WebConfig.Session.SessionGCMaxLifetime = 3600",
        language="go",
        lifetime="SessionGCMaxLifetime = 86400",
        source="beego server/web/session, goharbor/harbor src/server/middleware/session",
    ),
    GITEA: Cure(
        framework="Go (gitea.com/go-chi/session: Gitea, Forgejo)",
        starts="Every request without the cookie to a page of the web interface.",
        stop="Point health checks at /api/healthz.",
        code="""[session]
PROVIDER = redis
SESSION_LIFE_TIME = 86400""",
        language="ini",
        lifetime="SESSION_LIFE_TIME = 86400",
        source="Gitea docs administration/config-cheat-sheet (session)",
    ),
}


def deadline(heads: pa.Array) -> Moments:
    """Read scs' deadline: Go's binary time, in seconds since the year 1."""
    import pyarrow.compute as pc

    pattern = r"(?s)[\x0f\x10][\x01\x02](?P<seconds>\x00\x00\x00.{5})"
    seconds, known = big_endian(pc.extract_regex(heads, pattern=pattern), "seconds")
    return {"deadline": ((seconds - 62_135_596_800) * 1000 + 500, known)}  # with its nanoseconds, within half a second


def _absolute(heads: pa.Array) -> Moments:
    """Read the absolute timeout of Fiber 3: Go's binary time."""
    import pyarrow.compute as pc

    seconds, known = big_endian(pc.extract_regex(heads, pattern=_ABSOLUTE), "seconds")
    return {"deadline": ((seconds - 62_135_596_800) * 1000 + 500, known)}


FORMS: Final = (
    SessionForm(
        SCS,
        first=bytes(range(1, 128)),
        value=r"(?s)^.\x7f\x03.{0,12}Deadline.{0,8}Values",
        key=_SCS_KEY,
        alphabet=URL_SAFE,
        longest=43,
        clock=deadline,
        user=_USER,
        doubt=rf"(?s){_WITHIN}.*{_WITHIN}",  # the first is the session's own
        nobody=rf"(?s)\x01\x01.{_NOBODYS}\x06string\x0c[^\x06]*$",
    ),
    SessionForm(
        REDISTORE,
        first=_GOB,
        value=_ANY_MAP,
        key=_BASE_32,
        alphabet=_BASE_32_LETTERS,
        longest=104,
        user=_USER,
        nobody=_ANYBODY,
        doubt=_WITHIN,
        empty=_EMPTY,
    ),
    SessionForm(
        REDISTORE,
        first=b"{",
        value=r"^\{",
        key=_BASE_32,
        alphabet=_BASE_32_LETTERS,
        longest=104,
        inside=(),
        empty=r"^\{\}$",
    ),
    *(
        SessionForm(
            FIBER,
            first=_GOB,
            value=_TEXT_MAP,
            key=key,
            alphabet=URL_SAFE,
            longest=longest,
            user=_USER,
            empty=_EMPTY,
        )
        for key, longest in ((UUID + "$", 36), (_FIBER_KEY, 43))
    ),
    *(
        SessionForm(
            layout,
            first=_GOB,
            value=_ANY_MAP,
            key=key,
            alphabet=URL_SAFE,
            longest=longest,
            clock=clock,
            user=_USER,
            nobody=_ANYBODY,
            empty=f"{_EMPTY}|{_ONLY_ABSOLUTE}",
            doubt=_WITHIN,
        )
        for layout, key, longest, clock in (
            (FIBER, UUID + "$", 36, _absolute),
            (BEEGO, r"(?:^|[^0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{48}|[0-9a-f]{64})$", 64, None),
            (GITEA, r"(?:^|[^0-9a-f])[0-9a-f]{16}$", 16, None),
            (FIBER, _FIBER_KEY, 43, _absolute),
        )
    ),
    SessionForm(
        GITEA,
        first=b"",  # stored before anything is put in: every visitor who only looks
        value="",
        key=r"(?:^|[^0-9a-f])[0-9a-f]{16}$",
        alphabet=URL_SAFE,
        longest=16,
        empty="^$",
        mortal=True,
        beside_others=True,
    ),
)
