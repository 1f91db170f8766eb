from __future__ import annotations

from examine.cases import scene, slugs


def test_a_bot_that_creates_many_sessions_is_named() -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100).claim("visitor", 40, user_agent="EvilBot/1.0", evidence="visits")
        (finding,) = s.examine().findings
    assert finding.slug == "traffic/bot-creates-sessions"
    assert finding.primary is not None
    assert "EvilBot/1.0" in finding.primary.title


def test_a_bot_that_creates_few_is_not() -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100).claim("visitor", 2, user_agent="Bot/1", evidence="visits")
        s.claim("people", 95).visitors(1, "Bot/1", "h")
        s.rows("birth_account", {"store": "a", "births": 100, "unknown": 0, "explained": 97, "covered": 100})
        assert slugs(s.examine()) == {"healthy"}
