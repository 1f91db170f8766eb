r"""Koa: koa-session in an external store (koa-redis), and koa-generic-session.

``<prefix><uuid>`` and ``koa:sess:<32>``::

    {"user":"anna","_expire":1796070903893,"_maxAge":86400000}        koa-session
    {"cookie":{"httpOnly":true,"path":"/","overwrite":true,"signed":true,"maxAge":86400000},"user":"anna"}

``_expire - _maxAge`` is the last write of koa-session; its key lives ten seconds longer. koa-generic-session says its
lifetime alone, its cookie's attributes in the order of the application. Neither stores an empty session (koa-generic-session
does with ``allowEmpty``).

Source: koajs/session ``src/{context,session}.ts``, koajs/generic-session ``src/session.js``, koajs/koa-redis
``src/index.js``; proved by tests/writers/koa_*.
"""

from __future__ import annotations

from typing import Final

from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import URL_SAFE, Clock, SessionForm

LAYOUT: Final = "koa"
GENERIC: Final = "koa-generic"
_COOKIE: Final = r'(?s)^\{"cookie":\{[^{}]*"maxAge":(?:[0-9]+|null)[^{}]*\}'

CURES: Final = {
    LAYOUT: Cure(
        framework="Koa (koa-session)",
        starts="Any value put into ctx.session; a visitor who only reads starts none.",
        stop="Put nothing into ctx.session for anonymous visitors, and answer health checks before the session middleware.",
        code="""app.use(async (ctx, next) => { if (ctx.path === '/health') { ctx.body = 'ok' } else { await next() } })
app.use(createSession({ store, maxAge: 86400000 }, app))""",
        language="js",
        lifetime="maxAge: 86400000",
        source="koajs/session README.md",
    ),
    GENERIC: Cure(
        framework="Koa (koa-generic-session)",
        starts="Any value put into ctx.session; a visitor who only reads starts none.",
        stop="Put nothing into ctx.session for anonymous visitors; allowEmpty stays false.",
        code="app.use(session({ store, ttl: 86400000, allowEmpty: false }))",
        language="js",
        lifetime="ttl: 86400000",
        source="koajs/generic-session README.md",
    ),
}

FORMS: Final = (
    SessionForm(  # maxAge: 'session'
        LAYOUT,
        first=b"{",
        value=r'(?s)^\{.*"_session":true\}$',
        ends=b'"_session":true}',
        key=r"[A-Za-z0-9_\-]{16,64}$",
        alphabet=URL_SAFE,
        longest=64,
        inside=(),
        beside=frozenset({"_session"}),
    ),
    SessionForm(
        LAYOUT,
        first=b"{",
        value=r'(?s)^\{.*"_expire":[0-9]+,"_maxAge":[0-9]+\}$',
        key=r"[A-Za-z0-9_\-]{16,64}$",
        alphabet=URL_SAFE,
        longest=64,
        clock=Clock(
            r'(?s)"_expire":(?P<expires>[0-9]{1,15}),"_maxAge":(?P<lifetime>[0-9]{1,15})\}$',
            expires="ms",
            lifetime="ms",
            tail=64,
        ),
        precision_s=0.001,
        inside=(),
        beside=frozenset({"_expire", "_maxAge"}),
        grace_s=10,
    ),
    SessionForm(
        GENERIC,
        first=b"{",
        value=_COOKIE,
        key=r"[A-Za-z0-9_\-]{24,64}$",
        alphabet=URL_SAFE,
        longest=64,
        clock=Clock(r'(?s)^\{"cookie":\{[^{}]*"maxAge":(?P<lifetime>[0-9]{1,15})', lifetime="ms"),
        inside=(),
        beside=frozenset({"cookie"}),
        empty=r'^\{"cookie":\{[^{}]*\}\}$',
    ),
)
