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


def test_under_a_browsers_name_it_may_be_a_browser_whose_cookie_is_lost() -> None:
    safari = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15"
    for agent, told in ((safari, True), ("Mozilla/5.0 (compatible; EvilBot/1.0)", False)):
        with scene() as s:
            s.source("rdb", "access_log").sessions(100).claim("visitor", 40, user_agent=agent, evidence="visits")
            (finding,) = s.examine().findings
        assert ("SameSite" in finding.text) is told


def test_several_bots_have_a_verb_of_several() -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100)
        s.claim("visitor", 40, user_agent="EvilBot/1.0", evidence="visits")
        s.claim("visitor", 20, user_agent="OtherBot/1.0", evidence="visits")
        (finding,) = s.examine().findings
    assert finding.title.startswith("EvilBot/1.0 and 1 more create 60 %")
