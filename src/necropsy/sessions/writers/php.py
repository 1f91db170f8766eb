r"""PHP's own sessions in phpredis' handler, in each of its serializers.

``PHPREDIS_SESSION:<id>`` (``prefix=`` of save_path; the id of 22 to 256 letters, digits, commas and hyphens)::

    (empty)                                       session_start() and nothing put in: every probe, in the handler ``php``
    user_id|s:4:"anna";cart|a:1:{…}               ``php``
    a:1:{s:7:"user_id";s:4:"anna";}  a:0:{}       ``php_serialize``
    00 00 00 02 14 01 11 07 user_id 11 04 anna    ``igbinary``; ``… 14 00`` when nothing was put in

``…_LOCK`` stands beside a session while locking is on. Every request that calls session_start() sets the TTL
(session.gc_maxlifetime, 1440 s) again: it tells the last use. Names of an application's own tell nobody who is logged in but
for the usual ones. An empty value, an array or igbinary could be anything: there the key must say that it is a session, or
have PHP's id of 26 letters and digits.

Source: phpredis 5.3.7 ``redis_session.c``; php-src ``ext/session/session.c``; proved by tests/writers/php_*.
"""

from __future__ import annotations

from typing import Final

from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import ALNUM, LETTERS, SESSION_WORD, Form

LAYOUT: Final = "php"
_ID: Final = r"[0-9A-Za-z,\-]{22,256}$"
_LETTERS: Final = ALNUM + b",-"
_USUAL_ID: Final = r"(?:^|[^0-9A-Za-z,])[0-9a-v]{26}$"
_KEYS: Final = ((SESSION_WORD + _ID, 256), (_USUAL_ID, 26))
_USERS: Final = "(?:user_id|userId|user|userid|uid|username|user_name|login_user|member_id|customer_id)"
_SOMEBODY: Final = r"(?:s:[1-9]|i:[1-9]|a:[1-9]|[OC]:)"

CURES: Final = {
    LAYOUT: Cure(
        framework="PHP (phpredis session handler)",
        starts="session_start(): every page that calls it, all pages with session.auto_start; any id that is sent is taken.",
        stop="Call session_start() only where a session is needed, not in health pages, and accept no foreign ids.",
        code="""if (isset($_COOKIE[session_name()]) || $page_needs_a_session) {
    session_start();
}
// php.ini: session.auto_start = 0, session.use_strict_mode = 1, session.gc_maxlifetime = 86400""",
        language="php",
        lifetime="session.gc_maxlifetime = 86400",
        source="phpredis README.md, php.net session configuration",
    )
}

FORMS: Final = (
    Form(
        LAYOUT,
        first=LETTERS,
        value=r"(?s)^[A-Za-z_][A-Za-z0-9_.\-]{0,63}\|(?:[abdisOC]:|N;)",
        key=_ID,
        alphabet=_LETTERS,
        longest=256,
        user=rf"(?s)(?:^|[;}}]){_USERS}\|{_SOMEBODY}",
    ),
    *(
        Form(
            LAYOUT,
            first=b"a",
            value=r'(?s)^a:[0-9]+:\{(?:\}$|s:[0-9]+:")',
            key=key,
            alphabet=_LETTERS,
            longest=longest,
            user=rf'(?s)[;{{}}]s:[0-9]+:"{_USERS}";{_SOMEBODY}',
            empty=r"^a:0:\{\}$",
            mortal=True,
        )
        for key, longest in _KEYS
    ),
    *(
        Form(
            LAYOUT,
            first=b"\0",
            value=r"(?s)^\x00\x00\x00[\x01\x02][\x14\x15]",
            key=key,
            alphabet=_LETTERS,
            longest=longest,
            user=rf"(?s)\x11.{_USERS}(?:\x11[^\x00]|[\x06-\x0b]|\x14[^\x00])",
            empty=r"(?s)^\x00\x00\x00[\x01\x02]\x14\x00$",
            mortal=True,
        )
        for key, longest in _KEYS
    ),
    *(
        Form(LAYOUT, first=b"", value="", key=key, alphabet=_LETTERS, longest=longest, empty="^$", mortal=True)
        for key, longest in _KEYS
    ),
)
