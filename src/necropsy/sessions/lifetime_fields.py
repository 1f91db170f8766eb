"""Fields in which a session itself carries its lifetime: unless they are written too, its next use makes it as long as before.

=========  =====================================================  ========================================================
family     carried in                                             as
=========  =====================================================  ========================================================
spring     hash field ``maxInactiveInterval``                     JDK Integer, or digits where values are JSON
express    ``cookie.originalMaxAge`` and ``cookie.expires``        milliseconds and a date, in the JSON
others     nowhere: the application sets the key's TTL again
=========  =====================================================  ========================================================

None of these is signed: Express signs the id in the browser's cookie, not what the store holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from necropsy.sessions.jdk import INTEGER_HEADER

CARRIED: Final = frozenset({"spring", "express"})
LIFETIME_FIELD: Final = b"maxInactiveInterval"
"""Field of a Spring session that carries its lifetime, in seconds."""
_AGE: Final = re.compile(rb'("originalMaxAge":)(\d{1,15})')
_EXPIRES: Final = re.compile(rb'("expires":)"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"')


def capped_fields(fields: Mapping[bytes, bytes], max_s: int) -> dict[bytes, bytes]:
    """Return the fields of a Spring session that are to be written.

    >>> capped_fields({b"maxInactiveInterval": b"2147483647"}, 3600)
    {b'maxInactiveInterval': b'3600'}
    """
    old = fields.get(LIFETIME_FIELD)
    if old is None:
        return {}
    if old.startswith(INTEGER_HEADER):
        return {LIFETIME_FIELD: INTEGER_HEADER + max_s.to_bytes(4, "big", signed=True)}
    return {LIFETIME_FIELD: b"%d" % max_s} if old.lstrip(b"-").isdigit() else {}


def capped_text(value: bytes, max_s: int, now_ms: int) -> bytes:
    """Return the JSON of an Express session with a shorter life; the same when it carries none.

    >>> capped_text(b'{"cookie":{"originalMaxAge":99999999999,"expires":"2093-01-01T00:00:00.000Z"}}', 60, 0)
    b'{"cookie":{"originalMaxAge":60000,"expires":"1970-01-01T00:01:00.000Z"}}'
    """
    found = _AGE.search(value)
    if found is None or int(found[2]) <= max_s * 1000:
        return value
    value = _AGE.sub(rb"\g<1>%d" % (max_s * 1000), value, count=1)
    moment = now_ms + max_s * 1000
    ends = datetime.fromtimestamp(moment // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
    return _EXPIRES.sub(rb'\g<1>"%b.%03dZ"' % (ends, moment % 1000), value, count=1)
