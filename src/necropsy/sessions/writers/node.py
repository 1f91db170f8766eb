r"""Node beside Express and Koa: hapi with yar in catbox-redis, and Auth.js with database sessions in Redis.

``<partition>:!%40hapi%2Fyar:<uuid>`` and ``user:session:<token>`` (any prefix)::

    {"item":{"cart":[{"sku":7}]},"stored":1795996038104,"ttl":86400000}                      catbox, in yar's segment
    {"sessionToken":"51191f1f-…","userId":"8a2e…","expires":"2026-12-01T00:03:11.000Z"}      Auth.js, no TTL

``stored`` is the last write of yar, ``ttl`` what was left to it then: its whole lifetime. Whatever is cached with catbox has
the same wrapping: the segment must be yar's, or have a session with a flash message in it. A segment of the application's
own name without one is not told from a cache: possibly sessions of an unknown layout. Auth.js stores only who has logged
in, and its keys never expire: ``expires`` is its own word alone.

Source: hapijs/yar ``lib/index.js``, hapijs/catbox-redis ``lib/index.js``; nextauthjs/next-auth ``packages/adapter-unstorage``,
``packages/adapter-upstash-redis``; proved by tests/writers/{hapi_yar,auth_js}*.
"""

from __future__ import annotations

from typing import Final

from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import URL_SAFE, Clock, SessionForm

HAPI: Final = "hapi"
AUTH_JS: Final = "auth-js"
_TIMES_END: Final = r'\},"stored":(?P<written>[0-9]{1,15}),"ttl":(?P<lifetime>[0-9]{1,15})\}$'
_TIMES: Final = rf'(?s)^\{{"item":\{{.*{_TIMES_END}'

CURES: Final = {
    HAPI: Cure(
        framework="hapi (yar)",
        starts="Any value put into request.yar, a flash message too; with storeBlank (the default) every visit.",
        stop="Store no blank sessions, and put nothing into request.yar for anonymous visitors.",
        code="""server.register({ plugin: require('@hapi/yar'), options: { storeBlank: false, maxCookieSize: 0,
  cache: { cache: 'redis', expiresIn: 86400000 }, cookieOptions: { password } } })""",
        language="js",
        lifetime="cache: { expiresIn: 86400000 }",
        source="hapijs/yar API.md",
    ),
    AUTH_JS: Cure(
        framework="Auth.js (database sessions in Redis)",
        starts="A login; an anonymous visit stores nothing. The keys have no expiry: sessions stay unless the user"
        " logs out.",
        stop="Give the keys an expiry, or keep the sessions in signed cookies.",
        code="session: { strategy: 'jwt', maxAge: 60 * 60 * 24 }",
        language="ts",
        lifetime="session: { maxAge: 86400 }",
        source="nextauthjs/next-auth docs concepts/session-strategies",
    ),
}

FORMS: Final = (
    *(
        SessionForm(
            HAPI,
            first=b"{",
            value=value,
            key=key,
            alphabet=URL_SAFE,
            longest=64,
            clock=Clock(_TIMES, written="ms", lifetime="ms"),
            precision_s=0.001,
            inside=("item",),
            empty=r'^\{"item":\{\},',
            beside_others=beside,
        )
        for value, key, beside in (
            (_TIMES, r"(?i:yar|sess)[^:]*:[A-Za-z0-9_\-]{16,64}$", False),
            (rf'"(?:_flash|_lazyKeys)":.*{_TIMES_END}', r":[A-Za-z0-9_\-]{32,64}$", False),
            (_TIMES, r":[A-Za-z0-9_\-]{32,64}$", True),
        )
    ),
    SessionForm(
        AUTH_JS,
        first=b"{",
        value=r'(?s)^\{[^{}]*"sessionToken":"[^{}]*\}$',
        key=r"[A-Za-z0-9_\-]{16,64}$",
        alphabet=URL_SAFE,
        longest=64,
        always="yes",
    ),
)
