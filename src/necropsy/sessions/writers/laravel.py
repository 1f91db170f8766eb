r"""Laravel's sessions in Redis: a cached string, in it the session's array, by phpredis or predis.

``<redis prefix><cache prefix><40 letters and digits>``::

    s:180:"a:3:{s:6:"_token";s:40:"…";s:9:"_previous";a:1:{s:3:"url";s:22:"http://shop";}s:6:"_flash";a:2:{…}}";
    s:140:"{"_token":"…","_previous":{"url":"http:\/\/shop"},"_flash":{…}}";      session.serialization = json
    s:512:"eyJpdiI6…";                                                            session.encrypt

The middleware group ``web`` writes a session for every request, with its whole lifetime: every visit without a cookie makes
one. ``_previous.url`` is the last page that was asked for with GET: of a session that was used once, the request that made
it. Logged in is who has ``login_<guard>_<sha1>``; with attributes of the application's own, nobody can say. What else the
cache holds shares the prefix, and has no token.

Source: laravel/framework ``Session/{CacheBasedSessionHandler,Store}.php``, ``Auth/SessionGuard.php``; proved by
tests/writers/laravel*.
"""

from __future__ import annotations

from typing import Final

from necropsy.sessions.attributes import NOBODYS
from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import ALNUM, SessionForm
from necropsy.sessions.writers.php import VALUE

LAYOUT: Final = "laravel"
_KEY: Final = r"[A-Za-z0-9]{40}$"
_NOBODYS: Final = f"(?:{'|'.join(sorted(NOBODYS))}|status|success|warning)"
_AROUND: Final = r'(?:\x00\x00\x00[\x01\x02](?:\x11.|\x12..)|s:[0-9]+:"|\xd9.|\xda..)?'
"""Bytes that phpredis writes before the text when it has a serializer of its own: igbinary, PHP's, MessagePack."""
_JSON: Final = (
    r'"(?:[^"\\]|\\.)*"|-?[0-9.]+|true|false|null|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}'
    r"|\[(?:[^\[\]]|\[[^\[\]]*\])*\]"
)

CURES: Final = {
    LAYOUT: Cure(
        framework="Laravel (session driver redis)",
        starts="Every request to a route of the middleware group web, also a probe of /login.",
        stop="Put the health route outside the group web, so that StartSession does not run for it.",
        code="""// bootstrap/app.php: a route that starts no session
->withRouting(web: __DIR__.'/../routes/web.php', health: '/up')
// routes/web.php, for a page of your own
Route::get('/health', fn () => 'ok')->withoutMiddleware('web');""",
        language="php",
        lifetime="SESSION_LIFETIME=120 (minutes, .env)",
        source="laravel docs deployment.md (health route), session.md",
    )
}

FORMS: Final = (
    SessionForm(
        LAYOUT,
        first=b"as{\0\xd9\xda",
        value=rf'(?s)^{_AROUND}(?:s:[0-9]+:")?(?:a:[0-9]+:\{{.*s:6:"_token";s:40:"[A-Za-z0-9]{{40}}"|\{{.*"_token":"[A-Za-z0-9]{{40}}")',
        key=_KEY,
        alphabet=ALNUM,
        longest=40,
        user=r'(?s)"login_[A-Za-z0-9_]+_[0-9a-f]{40}"[;:]',
        nobody=rf'(?s)^{_AROUND}(?:s:[0-9]+:")?(?:a:[0-9]+:\{{(?:s:[0-9]+:"{_NOBODYS}";(?:{VALUE}))+|\{{(?:,?"{_NOBODYS}":(?:{_JSON}))+)\}}(?:";)*$',
        creator=r'(?s)"_previous"(?:;a:1:\{s:3:"url";s:[0-9]+:|:\{"url":)"https?:\\?/\\?/(?P<host>[^/\\"?#]+)(?P<path>[^"?#\\]*)',
    ),
    SessionForm(
        LAYOUT,
        first=b"se\0\xd9\xda",
        value=rf'(?s)^{_AROUND}(?:s:[0-9]+:")?eyJpdiI6',
        key=_KEY,
        alphabet=ALNUM,
        longest=40,
        always="unknown",
    ),
)
