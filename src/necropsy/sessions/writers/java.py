r"""Java, in a string each: shiro-redis and Vert.x Web (Quarkus' Redis sessions are Vert.x').

``shiro:session:<uuid>`` (``shiro_redis_session:`` in version 2; with RandomSessionIdGenerator a number) and a bare
``<32 hex>``::

    ac ed 00 05 sr 00 2a org.apache.shiro.session.mgt.SimpleSession … java.util.Date … w 08 <start> x … w <timeout> <host>
    00 00 00 20 <id again> <i64 timeout> <i64 last write> <i32 version> <i32 entries> …                          Vert.x

Shiro says its start, its last use (a back-reference while that is the start) and its idle time; logged in is who has
``…_AUTHENTICATED_SESSION_KEY``. Vert.x stores every request without a cookie unless setLazySession(true); it says its last
write and its idle time, and its keys have no prefix.

Source: apache/shiro ``SimpleSession.java``, alexxiyang/shiro-redis ``RedisSessionDAO.java``, vert-x3/vertx-web
``SharedDataSessionImpl.java``, ``RedisSessionStoreImpl.java``; proved by
tests/writers/{shiro,vertx}*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.sessions.attributes import NOBODYS
from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import URL_SAFE, UUID, SessionForm, big_endian

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.sessions.writers.form import Moments

SHIRO: Final = "shiro"
VERTX: Final = "vertx"
_SIMPLE_SESSION: Final = r"(?s)^\xac\xed\x00\x05sr\x00\x2aorg\.apache\.shiro\.session\.mgt\.SimpleSession"
_DATES: Final = (
    r"(?s)java\.util\.Date.{8}\x03\x00\x00xpw\x08(?P<created>.{8})x"
    r"(?:q\x00~..|sq\x00~..w\x08(?P<used>.{8})x)w.(?P<lifetime>.{8})"
)
_ONE_OF_NOBODYS: Final = (
    r"HashMap.{11}F\x00\x0aloadFactorI\x00\x09thresholdxp.{8}w\x08.{4}\x00\x00\x00\x01t\x00."
    rf"(?:shiroSavedRequest|{'|'.join(sorted(NOBODYS))})(?:t\x00|[su]r\x00|[sp]?q\x00)"
)
_HEADER: Final = r"(?s)^\x00\x00\x00[\x16-\x40][A-Za-z0-9_\-]{22,64}(?P<lifetime>\x00\x00.{6})(?P<written>\x00\x00.{6})"

CURES: Final = {
    SHIRO: Cure(
        framework="Shiro (shiro-redis)",
        starts="The redirect to the login, which saves the request; a client that logs in with HTTP Basic at each request.",
        stop="Give machines and health pages the filter noSessionCreation.",
        code="""[urls]
/health = noSessionCreation, anon
/api/** = noSessionCreation, authcBasic
/** = authc""",
        language="ini",
        lifetime="securityManager.sessionManager.globalSessionTimeout = 86400000",
        source="apache/shiro NoSessionCreationFilter.java, shiro.apache.org session-management",
    ),
    VERTX: Cure(
        framework="Vert.x Web (Redis session store), Quarkus",
        starts="Every request without the cookie, including health pages.",
        stop="Make the session lazy, and put the health route before the session handler.",
        code="""router.get("/health").handler(health);
router.route().handler(SessionHandler.create(store).setLazySession(true).setSessionTimeout(86_400_000L));""",
        language="java",
        lifetime="setSessionTimeout(86_400_000L)",
        beware="SessionStore.clear() is FLUSHDB, and size() is DBSIZE: both take every key of the database for a session"
        " ([finding](../../findings/clearing-the-sessions-empties-the-database.sh)).",
        source="vert-x3/vertx-web SessionHandler.java",
    ),
}


def _shiro(heads: pa.Array) -> Moments:
    import numpy as np
    import pyarrow.compute as pc

    found = pc.extract_regex(heads, pattern=_DATES)
    told = {name: big_endian(found, name) for name in ("created", "used", "lifetime")}
    (created, born), (used, moved) = told["created"], told["used"]
    return {**told, "used": (np.where(moved, used, created), moved | born)}  # a back-reference: never used again


def _vertx(heads: pa.Array) -> Moments:
    import pyarrow.compute as pc

    found = pc.extract_regex(heads, pattern=_HEADER)
    return {name: big_endian(found, name) for name in ("written", "lifetime")}


FORMS: Final = (
    *(
        SessionForm(
            SHIRO,
            first=b"\xac",
            value=_SIMPLE_SESSION,
            key=key,
            alphabet=URL_SAFE,
            longest=longest,
            clock=_shiro,
            precision_s=0.001,
            user=r"(?s)_AUTHENTICATED_SESSION_KEYsr?.{0,80}xp\x01",
            nobody=rf"(?s)^[^H]*$|{_ONE_OF_NOBODYS}",  # without a HashMap there are no attributes
        )
        # RandomSessionIdGenerator's ids are a long, and an application may have a generator of its own
        for key, longest in ((UUID + "$", 36), (r"[A-Za-z0-9_\-]{1,128}$", 128))
    ),
    SessionForm(
        VERTX,
        first=b"\0",
        value=_HEADER,
        key=r"(?:^|[^0-9A-Za-z_\-])(?:[0-9a-f]{32}|[A-Za-z0-9_\-]{22,64})$",
        alphabet=URL_SAFE,
        longest=64,
        clock=_vertx,
        precision_s=0.001,
        user=r"(?s)__vertx\.userHolder|\x04user\x09|\x07user_id\x09",
        nobody=r"(?s)^\x00\x00\x00[\x16-\x40][A-Za-z0-9_\-]{22,64}.{20}\x00\x00\x00\x00$",
        empty=r"(?s)^\x00\x00\x00[\x16-\x40][A-Za-z0-9_\-]{22,64}.{20}\x00\x00\x00\x00$",
    ),
)
