"""Whose sessions a repair ends: the same creators that the findings name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from examine.cases import scene
from necropsy.autopsy.what_if import streams
from necropsy.examine import creation

AT = datetime(2019, 5, 24, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("slug", "asks", "claim"),
    [
        ("probes/creates-sessions", ("GET", "/"), {"user_agent": "Go-http-client/1.1", "period_s": 10.0}),
        ("traffic/bot-creates-sessions", ("GET", "/"), {"user_agent": "PriceSpider/2.0", "clients": 1}),
        ("traffic/client-drops-cookie", ("GET", "/api/orders"), {"user_agent": "okhttp/4.12.0", "clients": 400}),
        ("traffic/login-loop", ("POST", "/login"), {"user_agent": "python-requests/2.31", "clients": 1}),
    ],
)
def test_a_stream_has_the_slug_of_the_finding_on_it(slug: str, asks: tuple[str, str], claim: dict[str, Any]) -> None:
    method, path = asks
    with scene() as s:
        s.source("rdb", "access_log").sessions(100)
        s.rows("visitor_class", {"class_id": 1, "host": "h", "method": method, "path": path, "visits": 50})
        s.claim("visitor", 48, class_id=1, claim_id=0, last_at=AT.replace(tzinfo=None), **claim)
        s.claim("people", 40, claim_id=1)
        (stream,) = streams(s.case, "a", AT)
        assert list(creation.created(s.case, slug))
    assert (stream.slug, stream.per_day) == (slug, 48.0)
