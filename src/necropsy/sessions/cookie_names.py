"""Names of session cookies, wherever a cookie is seen: in a log, or in the answer to a probe."""

from __future__ import annotations

import re
from typing import Final

SESSION_COOKIE: Final = r"[\w.:-]*sess[\w.:-]*|(?:[\w.:-]*[._:-])?sid|frontend|adminhtml|cfid|cakephp"
"""Regular expression, case ignored: JSESSIONID, SESSION, PHPSESSID, connect.sid, laravel_session, ASP.NET_SessionId …"""
_SESSION: Final = re.compile(rf"(?i:{SESSION_COOKIE})")


def is_session_cookie(name: str) -> bool:
    """Whether a cookie of this name holds a session.

    >>> [is_session_cookie(name) for name in ("JSESSIONID", "connect.sid", "theme")]
    [True, True, False]
    """
    return _SESSION.fullmatch(name) is not None
