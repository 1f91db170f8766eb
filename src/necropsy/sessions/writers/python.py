r"""Python's asynchronous frameworks: starsessions (Starlette, FastAPI), Litestar, aiohttp-session.

``starsessions.<32 hex>``, ``LITESTAR:<64 hex>``, ``AIOHTTP_SESSION_<32 hex>`` (any prefix)::

    {"cart": [7], "__metadata__": {"lifetime": 86400, "created": 1795984558.7, "last_access": 1795984558.7}}
    {}                                                        Litestar: every visit, a health page too
    {"created": 1795984578, "session": {"user_id": "anna"}}   aiohttp-session; ``{}`` stays after invalidate()

starsessions and aiohttp-session say the creation. Litestar and aiohttp-session set the TTL at each write; aiohttp-session
without ``max_age`` sets none, so that its keys never leave.

Source: alex-oleshkevich/starsessions ``session.py``, litestar ``middleware/session/server_side.py``, aio-libs/aiohttp-session
``redis_storage.py``; proved by tests/writers/{starsessions,litestar,aiohttp_session}*.
"""

from __future__ import annotations

from typing import Final

from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import HEX, URL_SAFE, Clock, Form

STARSESSIONS: Final = "starsessions"
LITESTAR: Final = "litestar"
AIOHTTP: Final = "aiohttp"
_METADATA: Final = (
    r'(?s)"__metadata__":\s*\{"lifetime":\s*(?P<lifetime>[0-9]{1,12}),\s*"created":\s*(?P<created>[0-9]{1,12}(?:\.[0-9]{1,9})?),'
    r'\s*"last_access":\s*(?P<used>[0-9]{1,12}(?:\.[0-9]{1,9})?)'
)
_USER: Final = r'[{,]\s*"(?:user_id|user|username|userid|_user_id)":\s*(?:"[^"]|[1-9]|\{)'

CURES: Final = {
    STARSESSIONS: Cure(
        framework="Starlette or FastAPI (starsessions)",
        starts="Whatever is put into request.session; an empty session is not stored.",
        stop="Put nothing into the session for anonymous visitors.",
        code="Middleware(SessionMiddleware, store=RedisStore(url), lifetime=86400, rolling=True)",
        language="python",
        lifetime="lifetime=86400",
        source="alex-oleshkevich/starsessions README.md",
    ),
    LITESTAR: Cure(
        framework="Litestar (ServerSideSessionConfig)",
        starts="Every request without the cookie, of health pages too: the empty session is stored.",
        stop="Exclude the pages that probes ask for from the session middleware.",
        code='ServerSideSessionConfig(max_age=86400, exclude=["^/health", "^/schema"])',
        language="python",
        lifetime="max_age=86400",
        source="litestar docs usage/middleware/builtin-middleware (session)",
    ),
    AIOHTTP: Cure(
        framework="aiohttp (aiohttp-session)",
        starts="Whatever is put into the session; invalidate() leaves an empty one.",
        stop="Put nothing into the session for anonymous visitors, and give it an age: without one the keys never expire.",
        code="aiohttp_session.setup(app, RedisStorage(redis, max_age=86400))",
        language="python",
        lifetime="max_age=86400",
        source="aio-libs/aiohttp-session docs/reference.rst",
    ),
}

FORMS: Final = (
    Form(
        STARSESSIONS,
        first=b"{",
        value=_METADATA,
        key=r"[A-Za-z0-9_\-]{16,128}$",
        alphabet=URL_SAFE,
        longest=128,
        clock=Clock(_METADATA, created="s", used="s", lifetime="s"),
        precision_s=0.001,
        user=_USER,
        nobody=r'^\{"(?:next|flash|csrf_token|_csrf|messages)":\s*"[^"]*",\s*"__metadata__"',
        empty=r'^\{"__metadata__"',
    ),
    Form(
        AIOHTTP,
        first=b"{",
        value=r'^\{"created":\s*[0-9]+,\s*"session":\s*\{',
        key=r"[0-9a-f]{32}$",
        alphabet=HEX,
        longest=32,
        clock=Clock(r'^\{"created":\s*(?P<created>[0-9]{1,12})', created="s"),
        user=_USER,
        nobody=r'^\{"created":\s*[0-9]+,\s*"session":\s*\{"(?:next|flash|csrf_token)":\s*"[^"]*"\}\}$',
        empty=r'^\{"created":\s*[0-9]+,\s*"session":\s*\{\}\}$',
    ),
    Form(
        AIOHTTP, first=b"{", value=r"^\{\}$", key=r"AIOHTTP_SESSION_[0-9a-f]{32}$",
        alphabet=HEX,
        longest=32,
        empty=r"^\{\}$",
    ),
    Form(
        LITESTAR,
        first=b"{",
        value=r"^\{",
        key=r"(?s)^.*(?i:litestar|sess).*[:_][0-9a-f]{64}$",
        alphabet=HEX,
        longest=64,
        user=_USER,
        empty=r"^\{\}$",
    ),
)  # fmt: skip
