r"""Koa: koa-session in an external store (koa-redis), and koa-generic-session.

``<prefix><uuid>`` and ``koa:sess:<32>``::

    {"user":"anna","_expire":1796070903893,"_maxAge":86400000}        koa-session
    {"cookie":{"httpOnly":true,"path":"/","overwrite":true,"signed":true,"maxAge":86400000},"user":"anna"}

``_expire - _maxAge`` is the last write of koa-session; its key lives ten seconds longer. koa-generic-session says its
lifetime alone. Neither stores an empty session.

Source: koajs/session ``src/{context,session}.ts``, koajs/generic-session ``src/session.js``, koajs/koa-redis
``src/index.js``; proved by tests/writers/koa_*.
"""

from __future__ import annotations

from typing import Final

from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import URL_SAFE, Clock, Form

LAYOUT: Final = "koa"
GENERIC: Final = "koa-generic"
_USER: Final = r'[{,]"(?:user|userId|user_id|uid|userInfo)":(?:"[^"]|[1-9]|\{")|"passport":\{"user":[^n]'

CURES: Final = {
    LAYOUT: Cure(
        framework="Koa (koa-session)",
        starts="Whatever is put into ctx.session; a visitor who only looks starts none.",
        stop="Put nothing into ctx.session for anonymous visitors, and answer health checks before the session middleware.",
        code="""app.use(async (ctx, next) => { if (ctx.path === '/health') { ctx.body = 'ok' } else { await next() } })
app.use(createSession({ store, maxAge: 86400000 }, app))""",
        language="js",
        lifetime="maxAge: 86400000",
        source="koajs/session README.md",
    ),
    GENERIC: Cure(
        framework="Koa (koa-generic-session)",
        starts="Whatever is put into ctx.session; a visitor who only looks starts none.",
        stop="Put nothing into ctx.session for anonymous visitors; allowEmpty stays false.",
        code="app.use(session({ store, ttl: 86400000, allowEmpty: false }))",
        language="js",
        lifetime="ttl: 86400000",
        source="koajs/generic-session README.md",
    ),
}

FORMS: Final = (
    Form(
        LAYOUT,
        first=b"{",
        value=r'(?s)^\{.*"(?:_expire":[0-9]+,"_maxAge":[0-9]+|_session":true)\}$',
        key=r"[A-Za-z0-9_\-]{16,64}$",
        alphabet=URL_SAFE,
        longest=64,
        clock=Clock(
            r'(?s)"_expire":(?P<expires>[0-9]{1,15}),"_maxAge":(?P<lifetime>[0-9]{1,15})\}$',
            expires="ms",
            lifetime="ms",
        ),
        precision_s=0.001,
        user=_USER,
        nobody=r'^\{"(?:returnTo|flash|csrf|secret)":"[^"]*",(?:"_expire|"_session)',
        grace_s=10,
    ),
    Form(
        GENERIC,
        first=b"{",
        value=r'(?s)^\{"cookie":\{"httpOnly":[^{}]*"maxAge":(?:[0-9]+|null)[^{}]*\}',
        key=r"[A-Za-z0-9_\-]{24,64}$",
        alphabet=URL_SAFE,
        longest=64,
        clock=Clock(r'(?s)^\{"cookie":\{[^{}]*"maxAge":(?P<lifetime>[0-9]{1,15})', lifetime="ms"),
        user=_USER,
        nobody=r'^\{"cookie":\{[^{}]*\},"(?:returnTo|flash|csrf|secret)":"[^"]*"\}$',
        empty=r'^\{"cookie":\{[^{}]*\}\}$',
    ),
)
