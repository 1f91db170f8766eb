r"""PHP's own sessions in phpredis' handler, in each of its serializers.

``PHPREDIS_SESSION:<id>`` (``prefix=`` of save_path; the id of 22 to 256 letters, digits, commas and hyphens)::

    (empty)                                       session_start() and nothing put in: every probe, in the handler ``php``
    user_id|s:4:"anna";cart|a:1:{…}               ``php``
    a:1:{s:7:"user_id";s:4:"anna";}  a:0:{}       ``php_serialize``
    00 00 00 02 14 01 11 07 user_id 11 04 anna    ``igbinary``; ``… 14 00`` when nothing was put in

``…_LOCK`` stands beside a session while locking is on. Every request that calls session_start() sets the TTL
(session.gc_maxlifetime, 1440 s) again: it tells the last use. Names of an application's own tell nobody who is logged in but
for the usual ones. An empty value, an array or igbinary could be anything: there the key must say that it is a session, have
an id of 26 letters and digits (php.ini), or lie beside sessions that are sure. Without a php.ini ids are 32 hex.

Source: phpredis 5.3.7 ``redis_session.c``; php-src ``ext/session/session.c``; proved by tests/writers/php_*.
"""

from __future__ import annotations

from typing import Final

from necropsy.sessions.attributes import NOBODYS, USERS
from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import ALNUM, DIGITS, LETTERS, NAMED_OTHERWISE, SESSION_WORD, SessionForm

LAYOUT: Final = "php"
_ID: Final = r"[0-9A-Za-z,\-]{22,256}$"
_LETTERS: Final = ALNUM + b",-"
_USUAL_ID: Final = r"(?:^|[^0-9A-Za-z,])[0-9a-v]{26}$"
_HEX_ID: Final = r"(?:^|[^0-9A-Za-z,])[0-9a-f]{32}$"
_KEYS: Final = ((SESSION_WORD + _ID, 256, False), (_USUAL_ID, 26, False), (_ID, 256, True))
"""Pattern, letters, and whether it is believed only beside sessions that are sure."""
_EMPTY_KEYS: Final = (*_KEYS[:2], (_HEX_ID, 32, False), _KEYS[2])
_USERS: Final = f"(?:{'|'.join(sorted(USERS))}|username|user_name|userName|login_user|member_id|customer_id)"
_NOBODYS: Final = f"(?:{'|'.join(sorted(NOBODYS))})"
_SOMEBODY: Final = r"(?:s:[1-9]|i:[1-9]|a:[1-9]|[OC]:)"
VALUE: Final = (
    r's:[0-9]+:"[^"]*";|[bidE]:[^;{}]*;|N;|(?:a|O:[0-9]+:"[^"]*"):[0-9]+:\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}'
)
"""A value of PHP's own in which no more than two arrays lie within each other."""
_PAIR: Final = rf'(?:s:[0-9]+:"[^"]*";(?:{VALUE}))'
_ARRAY: Final = r'(?s)^a:[0-9]+:\{(?:\}$|s:[0-9]+:")'
_NAMED_ARRAY: Final = rf'(?s)^a:[0-9]+:\{{s:[0-9]+:"(?:{_USERS}|{_NOBODYS})";'
_IGBINARY_PAIR: Final = r"(?:\x11.[ -~]+(?:\x11.[ -~]*|\x0e.|\x06.|\x08..|\x0a.{4}|[\x00\x04\x05\x0d]))"

CURES: Final = {
    LAYOUT: Cure(
        framework="PHP (phpredis session handler)",
        starts="session_start(): every page that calls it, all pages with session.auto_start; any id that a client"
        " sends is accepted.",
        stop="Call session_start() only where a session is needed, not in health pages, and accept only ids of your"
        " own.",
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
    SessionForm(
        LAYOUT,
        first=LETTERS + DIGITS + bytes(range(128, 256)),
        value=r"(?s)^[^|{}\";:\x00-\x1f]{1,128}\|(?:[abdisOCE]:[0-9\-]|N;)",
        key=_ID,
        alphabet=_LETTERS,
        longest=256,
        user=rf"(?s)(?:^|[;}}]){_USERS}\|{_SOMEBODY}",
        nobody=rf"(?s)^(?:{_NOBODYS}\|(?:{VALUE}))+$",
    ),
    *(
        SessionForm(
            LAYOUT,
            first=b"a",
            value=value,
            key=key,
            alphabet=_LETTERS,
            longest=longest,
            user=rf'(?s)^a:[0-9]+:\{{{_PAIR}*s:[0-9]+:"{_USERS}";{_SOMEBODY}',
            nobody=rf'(?s)^a:[0-9]+:\{{(?:s:[0-9]+:"{_NOBODYS}";(?:{VALUE}))+\}}$',
            empty=r"^a:0:\{\}$",
            mortal=True,
            beside_others=beside,
            unless=NAMED_OTHERWISE,
        )
        for value, (key, longest, beside) in (
            *((_ARRAY, one) for one in _KEYS[:2]),
            (_NAMED_ARRAY, (_HEX_ID, 32, False)),
            (_ARRAY, _KEYS[2]),
        )
    ),
    *(
        SessionForm(
            LAYOUT,
            first=b"\0",
            value=r"(?s)^\x00\x00\x00[\x01\x02][\x14\x15]",
            key=key,
            alphabet=_LETTERS,
            longest=longest,
            user=rf"(?s)^\x00\x00\x00[\x01\x02]\x14.{_IGBINARY_PAIR}*\x11.{_USERS}(?:\x11[^\x00]|[\x06-\x0b]|\x14[^\x00])",
            nobody=rf"(?s)^\x00\x00\x00[\x01\x02]\x14.(?:\x11.{_NOBODYS}(?:\x11.[ -~]*|\x06.|[\x00\x04\x05]))+$",
            empty=r"(?s)^\x00\x00\x00[\x01\x02]\x14\x00$",
            mortal=True,
            beside_others=beside,
            unless=NAMED_OTHERWISE,
        )
        for key, longest, beside in _KEYS
    ),
    *(
        SessionForm(
            LAYOUT,
            first=b"",
            value="",
            key=key,
            alphabet=_LETTERS,
            longest=longest,
            empty="^$",
            mortal=True,
            beside_others=beside,
            unless=rf"(?i:lock|mutex|flag|seen|nonce|once|dedup|throttle|limit)|{NAMED_OTHERWISE}",
        )
        for key, longest, beside in _EMPTY_KEYS
    ),
)
