"""The bits of ``line.flags``: session cookie sent, session cookie set, and whether the response had a body."""

from __future__ import annotations

COOKIE_SENT, TELLS_COOKIE_SENT, COOKIE_SET, TELLS_COOKIE_SET = 1, 2, 4, 8
"""The request sent a session cookie; the log tells whether it did; the response set one; the log tells whether it did."""
EMPTY_BODY = 16
"""The response had no body."""
