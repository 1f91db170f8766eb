r"""Python's asynchronous frameworks: starsessions (Starlette, FastAPI), Litestar, aiohttp-session, Sanic, FastAPI Users.

``starsessions.<32 hex>``, ``LITESTAR:<64 hex>``, ``AIOHTTP_SESSION_<32 hex>``, ``session:<32 hex>`` (any prefix)::

    {"cart": [7], "__metadata__": {"lifetime": 86400, "created": 1795984558.7, "last_access": 1795984558.7}}
    {}                                                        Litestar: every visit, a health page too
    {"created": 1795984578, "session": {"user_id": "anna"}}   aiohttp-session; ``{}`` stays after invalidate()
    {"user":"anna"}                                           sanic-session, the id a UUID without hyphens
    df0f91bc-fb1e-56ce-a11f-9a546677808d                      FastAPI Users, ``fastapi_users_token:<43>``: the user's id

starsessions and aiohttp-session say the creation. Litestar and aiohttp-session set the TTL at each write; aiohttp-session
without ``max_age`` sets none, so that its keys never leave. starsessions with a lifetime of 0 (the browser's) has the TTL
``gc_ttl``. A FastAPI Users token of another prefix is told by a word for sessions or authentication in it; without one it is not
told from any other token (an invitation, a reset), and possibly a session of an unknown layout. So is a session of Sanic whose
prefix has neither ``sess`` nor ``sanic`` in it: JSON under a UUID is what caches (aiocache) hold as well.

Source: alex-oleshkevich/starsessions ``session.py``, litestar ``middleware/session/server_side.py``, aio-libs/aiohttp-session
``redis_storage.py``; proved by tests/writers/{starsessions,litestar,aiohttp_session}*.
"""

from __future__ import annotations

from typing import Final

from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import ALNUM, HEX, NAMED_OTHERWISE, URL_SAFE, Clock, SessionForm

STARSESSIONS: Final = "starsessions"
LITESTAR: Final = "litestar"
AIOHTTP: Final = "aiohttp"
SANIC: Final = "sanic"
FASTAPI_USERS: Final = "fastapi-users"
_UUID_4: Final = r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$"
_PRINTED: Final = bytes(range(0x21, 0x7F))
_METADATA: Final = (
    r'(?s)"__metadata__":\s*\{"lifetime":\s*(?P<lifetime>[0-9]{1,12}),\s*"created":\s*(?P<created>[0-9]{1,12}(?:\.[0-9]{1,9})?),'
    r'\s*"last_access":\s*(?P<used>[0-9]{1,12}(?:\.[0-9]{1,9})?)'
)

CURES: Final = {
    STARSESSIONS: Cure(
        framework="Starlette or FastAPI (starsessions)",
        starts="Any value put into request.session; an empty session is not stored.",
        stop="Put nothing into the session for anonymous visitors.",
        code="Middleware(SessionMiddleware, store=RedisStore(url), lifetime=86400, rolling=True)",
        language="python",
        lifetime="lifetime=86400",
        source="alex-oleshkevich/starsessions README.md",
    ),
    LITESTAR: Cure(
        framework="Litestar (ServerSideSessionConfig)",
        starts="Every request without the cookie, including health pages: the empty session is stored.",
        stop="Exclude the probed pages from the session middleware.",
        code='ServerSideSessionConfig(max_age=86400, exclude=["^/health", "^/schema"])',
        language="python",
        lifetime="max_age=86400",
        source="litestar docs usage/middleware/builtin-middleware (session)",
    ),
    AIOHTTP: Cure(
        framework="aiohttp (aiohttp-session)",
        starts="Any value put into the session; invalidate() leaves an empty one.",
        stop="Put nothing into the session for anonymous visitors, and give it an age: without one the keys never expire.",
        code="aiohttp_session.setup(app, RedisStorage(redis, max_age=86400))",
        language="python",
        lifetime="max_age=86400",
        source="aio-libs/aiohttp-session docs/reference.rst",
    ),
    SANIC: Cure(
        framework="Sanic (sanic-session)",
        starts="Any value put into request.ctx.session; an empty session is not stored. 30 days by default.",
        stop="Put nothing into the session for anonymous visitors, and give it a shorter age.",
        code="Session(app, interface=AIORedisSessionInterface(redis, expiry=86400))",
        language="python",
        lifetime="expiry=86400",
        source="ahopkins/sanic-session docs/source/using_the_interfaces.rst",
    ),
    FASTAPI_USERS: Cure(
        framework="FastAPI Users (RedisStrategy)",
        starts="A login; an anonymous visit stores nothing. Without lifetime_seconds the keys never expire.",
        stop="Nothing to stop: look for clients that log in repeatedly, and give the tokens an age.",
        code="RedisStrategy(redis, lifetime_seconds=86400)",
        language="python",
        lifetime="lifetime_seconds=86400",
        source="fastapi-users docs configuration/authentication/strategies/redis.md",
    ),
}

FORMS: Final = (
    *(
        SessionForm(
            STARSESSIONS,
            first=b"{",
            value=_METADATA,
            key=key,
            alphabet=alphabet,
            longest=longest,
            clock=Clock(_METADATA, created="s", used="s", lifetime="s"),
            precision_s=0.001,
            inside=(),
            beside=frozenset({"__metadata__"}),
            empty=r'^\{"__metadata__"',
        )
        for key, alphabet, longest in (
            (r"[A-Za-z0-9_\-]{16,128}$", URL_SAFE, 128),
            (
                r"[A-Za-z0-9_\-]{16}.*$",
                _PRINTED,
                512,
            ),  # a prefix that is a function may put the id anywhere: all of it is
        )
    ),
    SessionForm(
        AIOHTTP,
        first=b"{",
        value=r'^\{"created":\s*[0-9]+,\s*"session":\s*\{',
        key=r"[0-9a-f]{32}$",
        alphabet=HEX,
        longest=32,
        clock=Clock(r'^\{"created":\s*(?P<created>[0-9]{1,12})', created="s"),
        inside=("session",),
        empty=r'^\{"created":\s*[0-9]+,\s*"session":\s*\{\}\}$',
    ),
    *(
        SessionForm(
            AIOHTTP,
            first=b"{",
            value=r"^\{\}$",
            key=key,
            alphabet=HEX,
            longest=32,
            empty=r"^\{\}$",
            beside_others=beside,
        )
        for key, beside in ((r"AIOHTTP_SESSION_[0-9a-f]{32}$", False), (r"[0-9a-f]{32}$", True))
    ),
    *(
        SessionForm(
            LITESTAR,
            first=b"{",
            value=value,
            key=key,
            alphabet=HEX,
            longest=64,
            inside=(),
            empty=r"^\{\}$",
            mortal=mortal,
            beside_others=beside,
            unless=r":[0-9]+:[0-9a-f]{64}$" + other,  # Django's cache
        )
        for value, key, mortal, beside, other in (
            (r"^\{", r"(?s)^.*(?i:litestar|sess).*[:_][0-9a-f]{64}$", False, False, ""),
            (r"^\{\}$", r"[:_\-.][0-9a-f]{64}$", True, False, f"|{NAMED_OTHERWISE}"),
            (r"^\{", r"[:_\-.][0-9a-f]{64}$", True, True, f"|{NAMED_OTHERWISE}"),
        )
    ),
    SessionForm(
        SANIC,
        first=b"{",
        value=r'^\{"(?:[^"\\]|\\.)*":[^ ]',  # ujson writes no space, json does
        key=r"(?s)^.*(?i:sess|sanic).*?" + _UUID_4,
        alphabet=HEX,
        longest=32,
        inside=(),
        mortal=True,
    ),
    SessionForm(
        FASTAPI_USERS,
        first=ALNUM,
        value=r"^[0-9A-Za-z][0-9A-Za-z\-]{0,63}$",
        key=r"(?s)(?:^|[^A-Za-z])(?i:fastapi_users_token|.*sess[a-z]*|.*auth[a-z_]*)[^A-Za-z0-9][A-Za-z0-9_\-]{43}$",
        alphabet=URL_SAFE,
        longest=43,
        always="yes",
    ),
)
