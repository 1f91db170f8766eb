from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from necropsy.model.finding import Confidence, Finding, Patch, Remedy, Severity, Unexamined
from necropsy.model.verdict import Kind, Verdict
from necropsy.verdict.evidence import BY_EXPIRY, Account, ChangedLifetime, Claim, ClockOffset, SessionKind, VisitorClass
from necropsy.verdict.weigh import Weighed, weigh

NOW = datetime(2019, 5, 24, 19, tzinfo=UTC)
NAIVE = NOW.replace(tzinfo=None)
CRAWLER = VisitorClass(
    7, "PriceSpider/2", "", "GET", "/p/*", 200, None, 900, None, None, None, None, "access.log", "10.0.0.9"
)


def claim(**columns: Any) -> Claim:
    return Claim(**{
        "store": "a", "creator": "visitor", "evidence": "visits", "label": "PriceSpider/2", "births": 800.0, "births_low": 780.0,
        "births_high": 820.0, "births_per_hour": 100.0, "class_id": 7, "clients": 1, "visits": 900, "in_access_log": True,
        "first_at": NAIVE - timedelta(hours=9), "last_at": NAIVE - timedelta(minutes=1), **columns,
    })  # fmt: skip


def finding(slug: str, severity: Severity = Severity.CRITICAL, share: float | None = 0.8, **fields: Any) -> Finding:
    remedy = Remedy("do it", "how to do it", "undo it")
    return Finding(**{
        "severity": severity, "confidence": Confidence.HIGH, "title": slug, "store": "a", "share": share, "share_low": share,
        "share_high": share, "slug": slug, "remedy": remedy, **fields,
    })  # fmt: skip


def scale(*claims: Claim, **fields: Any) -> Weighed:
    return Weighed(**{
        "claims": list(claims), "probes": (), "classes": {7: CRAWLER}, "sessions": {"a": 1000}, "bytes_per_session": {"a": 100.0},
        "predictions": (), "now": NOW, "layouts": {"a": "express"}, "logs": True,
        "accounts": [Account("a", 1000, 0, 950, covered_from=NAIVE - timedelta(days=1), covered_to=NAIVE, covered=1000)],
        **fields,
    })  # fmt: skip


def weighed(*findings: Finding, unexamined: tuple[Unexamined, ...] = (), by: Weighed | None = None) -> Verdict:
    return weigh(findings, (), unexamined, by or scale(claim()))


BOT = finding("traffic/bot-creates-sessions", claims=(0,))
HEALTHY = finding("healthy", Severity.INFO, 0.97)


def test_an_outage_that_goes_on_is_said_before_who_fills_the_store() -> None:
    full = finding("memory/near-limit", share=1.0, share_of="memory limit")
    verdict = weighed(BOT, full)
    assert [cause.slug for cause in verdict.causes] == ["memory/near-limit", "traffic/bot-creates-sessions"]
    assert verdict.causes[1].explains == ("memory/near-limit",)


def test_a_full_store_that_still_works_follows_from_who_fills_it() -> None:
    verdict = weighed(BOT, finding("memory/near-limit", Severity.WARNING, 0.93))
    assert [cause.slug for cause in verdict.causes] == ["traffic/bot-creates-sessions"]
    (other,) = verdict.contributing
    assert (other.slug, other.explained_by) == ("memory/near-limit", "traffic/bot-creates-sessions")


@pytest.mark.parametrize(
    ("slug", "severity", "is_cause"),
    [
        ("sessions/oversized", Severity.WARNING, True),
        ("sessions/immortal", Severity.INFO, False),
        ("sessions/evicted-halves", Severity.WARNING, True),
        ("memory/not-sessions", Severity.WARNING, True),
        ("memory/shared-host", Severity.WARNING, False),
        ("memory/shared-host", Severity.CRITICAL, True),
        ("latency/slow-commands", Severity.CRITICAL, True),
        ("probes/wrong-path", Severity.WARNING, False),
        ("traffic/login-loop", Severity.WARNING, True),
    ],
)
def test_what_can_kill_a_store_is_a_cause_when_it_is_bad_enough(slug: str, severity: Severity, is_cause: bool) -> None:
    verdict = weighed(finding(slug, severity))
    assert [cause.slug for cause in verdict.causes] == ([slug] if is_cause else [])


def test_what_is_critical_never_stands_under_no_cause() -> None:
    verdict = weighed(finding("traffic/client-drops-cookie", store=None, share=None))
    assert verdict.kind is Kind.CAUSE


def test_the_largest_creator_stands_first() -> None:
    small = finding("probes/creates-sessions", share=0.15, severity=Severity.WARNING, claims=(1,))
    verdict = weighed(small, BOT, by=scale(claim(), claim(births=150.0, period_s=10.0)))
    assert [cause.slug for cause in verdict.causes] == ["traffic/bot-creates-sessions", "probes/creates-sessions"]


def test_what_creates_nothing_names_its_own_whole() -> None:
    large = finding("sessions/oversized", sessions=40, bytes=20_000_000, share_of="bytes of sessions")
    (cause,) = weighed(large).causes
    assert (cause.sessions, cause.bytes, cause.share_of, cause.births_per_hour) == (
        40,
        20_000_000,
        "bytes of sessions",
        0.0,
    )


def test_a_named_culprit_has_address_times_lines_and_a_fix() -> None:
    (cause,) = weighed(BOT).causes
    (actor,) = cause.actors
    assert (actor.address, actor.clients, actor.visits, actor.url) == ("10.0.0.9", 1, 900, "/p/*")
    assert (actor.first_at, actor.last_at) == (NOW - timedelta(hours=9), NOW - timedelta(minutes=1))
    assert actor.find == "grep -F 'GET /p/' access.log | grep -F PriceSpider/2 | grep -F 10.0.0.9"
    assert actor.fix.startswith("Express (express-session with connect-redis): start no session for GET /p/*.")
    assert cause.remedy is not None
    assert "before the session middleware" in cause.remedy.text


def test_of_a_crowd_no_single_address_is_named() -> None:
    (cause,) = weighed(BOT, by=scale(claim(clients=3000))).causes
    assert (cause.actors[0].address, cause.actors[0].clients) == ("", 3000)


def test_a_burst_that_ended_is_told_as_over() -> None:
    ended = claim(last_at=NAIVE - timedelta(hours=7))
    (cause,) = weighed(BOT, by=scale(ended)).causes
    assert cause.over
    assert cause.births_per_hour == 100.0
    assert "It is over: it began on 2019-05-24 at 10:00 UTC and stopped on 2019-05-24 at 12:00 UTC" in cause.text


def test_when_some_stopped_the_rate_is_of_those_that_go_on() -> None:
    two = finding("probes/creates-sessions", claims=(0, 1))
    (cause,) = weighed(two, by=scale(claim(last_at=NAIVE - timedelta(hours=7)), claim(births_per_hour=40.0))).causes
    assert not cause.over
    assert cause.births_per_hour == 40.0
    assert "1 of 2 stopped" in cause.text


def test_a_tie_is_said() -> None:
    (cause,) = weighed(BOT, by=scale(claim(alternative="ELB-HealthChecker/2.0 /login"))).causes
    assert "It could also be ELB-HealthChecker/2.0 /login" in cause.text


def test_what_the_log_covers_is_said_when_it_is_not_nearly_all() -> None:
    part = Account("a", 1000, 0, 950, covered_from=NAIVE - timedelta(hours=2), covered_to=NAIVE, covered=300)
    (cause,) = weighed(BOT, by=scale(claim(), accounts=[part])).causes
    assert "The access logs cover 30 % of the births" in cause.text


def test_health_is_said_only_where_every_store_was_shown_to_be_healthy() -> None:
    assert weighed(HEALTHY).kind is Kind.HEALTHY
    assert weighed(HEALTHY, by=scale(sessions={"a": 1000, "b": 5})).kind is Kind.NOTHING_FOUND
    lacking = Unexamined("healthy", ("visitor_class",), "store b: needs --access-log")
    verdict = weighed(HEALTHY, unexamined=(lacking,), by=scale(sessions={"a": 1000, "b": 5}))
    assert (verdict.kind, verdict.reason) == (Kind.UNKNOWN, "store b: needs --access-log")


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        ({"sessions": {}}, "--redis"),
        ({"sessions": {"a": 0}}, "necropsy keys"),
        ({"logs": False, "accounts": [Account("a", 1000, 0, 0)]}, "--access-log"),
        ({"accounts": [Account("a", 1000, 0, 100, covered_from=NAIVE, covered_to=NAIVE, covered=100)]}, "access.log.1"),
        ({"accounts": [Account("a", 100, 900, 100)]}, "redis-cli"),
    ],
)
def test_no_verdict_says_what_to_bring_first(fields: dict[str, Any], command: str) -> None:
    verdict = weighed(unexamined=(Unexamined("healthy", (), "who knows"),), by=scale(**fields))
    assert verdict.kind is Kind.UNKNOWN
    assert command in verdict.requests[0].command
    assert len(verdict.requests) <= 3


def test_an_unidentified_client_asks_for_the_configuration_of_monitoring() -> None:
    unlogged = finding("traffic/unlogged-creator", claims=(0,))
    verdict = weighed(unlogged, by=scale(claim(creator="unlogged", class_id=None, period_s=10.0, in_access_log=False)))
    assert "--prometheus" in verdict.requests[-1].command


def test_sources_that_contradict_each_other_are_told() -> None:
    clock = ClockOffset("a", "access.log", 3600.0, 80.0, applied=True, reason="births follow at that distance")
    expiry = ClockOffset("a", "other.log", -4.0, 80.0, applied=True, reason=BY_EXPIRY)
    wrong = ClockOffset("a", "late.log", 3400.0, 80.0, applied=True, reason="births follow at that distance")
    half = scale(claim(), offsets=[clock, wrong, expiry], coverage={"a": 0.64})
    said = {item.source: item.text for item in weighed(BOT, by=half).contradictions}
    assert said["access.log"] == (
        "its times are 3,600 s ahead of those of store a, as of another time zone: its times were moved"
    )
    assert said["late.log"] == "its clock is 3,400 s ahead of that of store a: its times were moved"
    assert said["other.log"].startswith(
        "its times are 4 s behind the births in store a (the sessions' lifetime may differ"
    )
    assert said["store a"].startswith("its dump is truncated: 64 % of its keys were read")


def test_a_prober_is_named_with_its_method_and_all_of_its_addresses() -> None:
    nodes = {
        number: VisitorClass(
            number, "ELB-HealthChecker/2.0", "", "HEAD", "/", 200, None, 900, None, None, None, None, "access.log", f"10.0.{number}.7"
        )
        for number in range(1, 3)
    }  # fmt: skip
    claims = [claim(class_id=number, period_s=30.0, births=400.0) for number in nodes]
    probes = finding("probes/creates-sessions", claims=(0, 1), remedy=None)
    (cause,) = weighed(probes, by=scale(*claims, classes=nodes)).causes
    assert "requests HEAD / every 30 s" in cause.text
    assert cause.remedy is not None
    assert cause.remedy.text.startswith("It requests / from 10.0.1.7 and 10.0.2.7: ")


def test_the_unexplained_share_counts_what_no_known_creator_made() -> None:
    verdict = weighed(BOT, by=scale(claim(), claim(creator="unlogged", births=100.0)))
    assert verdict.unexplained_share == pytest.approx(0.2)


def test_a_patch_of_the_configuration_is_no_remedy_for_a_prober_that_is_in_none() -> None:
    offered = Remedy("Point the probes at /health", "", "", patches=(Patch("prometheus.yml", "", 4, 0, ""),))
    probes = finding("probes/creates-sessions", claims=(0,), remedy=offered)
    (cause,) = weighed(probes, by=scale(claim(period_s=1.0))).causes
    assert cause.remedy is not None
    assert cause.remedy.title == "Point PriceSpider/2 at a health endpoint that starts no session"
    (cause,) = weighed(finding("probes/creates-sessions", remedy=offered)).causes
    assert cause.remedy == offered


def test_of_a_guess_it_is_said_first_what_to_check() -> None:
    guess = finding(
        "traffic/bot-creates-sessions", claims=(0,), confidence=Confidence.LOW, doubt="another creator fits as well"
    )
    (cause,) = weighed(guess, by=scale(claim(alternative="curl/8 GET /", user_agent="PriceSpider/2"))).causes
    assert cause.remedy is not None
    assert cause.remedy.title == "Check first whether it is PriceSpider/2 or curl/8 GET /"
    first, test, then, *_ = cause.remedy.text.splitlines()
    assert first == "It is a guess: another creator fits as well."
    assert test.startswith("To know, stop PriceSpider/2 for ten minutes and leave curl/8 GET / as it is.")
    assert then == "If so: do it."
    assert "how to do it" in cause.remedy.text


def test_why_a_prober_is_not_certain_is_said() -> None:
    doubted = finding(
        "probes/creates-sessions", claims=(0,), confidence=Confidence.MEDIUM, doubt="the interval is wide"
    )
    (cause,) = weighed(doubted).causes
    assert "Not certain: the interval is wide." in cause.text


def test_of_two_stores_the_one_of_which_most_is_a_creators_stands_first() -> None:
    probed = finding("probes/creates-sessions", share=0.83, claims=(0,), store="a")
    crawled = finding("traffic/bot-creates-sessions", share=0.68, claims=(1,), store="b")
    by = scale(claim(period_s=10.0), claim(births=150.0, store="b", births_per_hour=9_000.0))
    assert [cause.store for cause in weighed(crawled, probed, by=by).causes] == ["a", "b"]


@pytest.mark.parametrize(("filled", "first"), [(0.997, "memory/not-sessions"), (0.3, "traffic/bot-creates-sessions")])
def test_who_creates_the_few_sessions_of_a_store_full_of_something_else_comes_after_it(
    filled: float, first: str
) -> None:
    other = finding("memory/not-sessions", Severity.WARNING, filled, share_of="memory")
    crawled = finding("traffic/bot-creates-sessions", Severity.WARNING, 0.4, claims=(0,))
    assert weighed(crawled, other).causes[0].slug == first


def test_machines_of_one_cron_job_have_one_interval_in_words() -> None:
    jobs = [claim(period_s=300 + (number - 20) / 500, births=20.0) for number in range(40)]
    cause = weighed(finding("probes/creates-sessions", claims=tuple(range(40))), by=scale(*jobs)).causes[0]
    assert "every 300 s;" in cause.text


def test_lines_of_a_program_of_many_versions_and_addresses_are_found_by_its_name() -> None:
    row = VisitorClass(
        7, "Shop/4.1 (Android 14)", "", "GET", "/api", 200, None, 9, None, None, None, None, "access.log", "91.2.0.1"
    )
    many = claim(user_agent="Shop/* (Android *)", clients=700)
    (actor,) = weighed(BOT, by=scale(many, classes={7: row})).causes[0].actors
    assert (actor.user_agent, actor.find) == (
        "Shop/* (Android *)",
        "grep -F 'GET /api ' access.log | grep -F Shop/",
    )


@pytest.mark.parametrize(
    ("files", "where"),
    [
        (["access.log", "access.log.1.gz"], "zgrep -F 'GET /p/' access.log*"),
        (["access.log", "access.log.1"], "grep -F 'GET /p/' access.log*"),
        (["access.log.1"], "grep -F 'GET /p/' access.log.1"),
        (
            ["access.2024-05-01.log", "access.2024-05-02.log"],
            "grep -F 'GET /p/' access.2024-05-01.log access.2024-05-02.log",
        ),
    ],
)
def test_lines_are_looked_for_in_the_files_that_were_given(files: list[str], where: str) -> None:
    (actor,) = weighed(BOT, by=scale(claim(), log_files={"access.log": files})).causes[0].actors
    assert actor.find == f"{where} | grep -F PriceSpider/2 | grep -F 10.0.0.9"


def test_where_all_targets_create_nothing_is_asked_about_which() -> None:
    from dataclasses import replace

    from verdict.scenes import probe

    targets = (probe("10.0.0.1", 80), probe("10.0.0.2", 80))
    both = [replace(claim(creator="probe", class_id=None, probe_id=n), one_of=[0, 1]) for n in (0, 1)]
    text = weighed(finding("probes/creates-sessions", claims=(0, 1)), by=scale(*both, probes=targets)).causes[0].text
    assert "All 2 targets create sessions: 10.0.0.1:80/, 10.0.0.2:80/." in text
    assert "no evidence" not in text


def test_a_client_that_was_restarted_is_one_client_that_goes_on() -> None:
    runs = [
        claim(
            period_s=30.0, user_agent="", births=200.0, clients=1,
            first_at=NAIVE - timedelta(hours=begin), last_at=NAIVE - timedelta(hours=end, seconds=1),
        )
        for begin, end in ((6, 4), (4, 2), (2, 0))
    ]  # fmt: skip
    nameless = VisitorClass(7, "", "", "GET", "/", 302, None, 900, None, None, None, None, "access.log", "10.5.5.5")
    found = finding("probes/creates-sessions", claims=(0, 1, 2))
    cause = weighed(found, by=scale(*runs, classes={7: nameless})).causes[0]
    assert cause.title.startswith("One client, at a fixed interval, creates")
    assert "stopped" not in cause.text
    assert len(cause.actors) == 3


def test_a_client_whose_page_was_changed_is_one_client_that_goes_on() -> None:
    pages = {
        number: VisitorClass(
            number, "Nagios", "", "GET", path, 302, None, 900, None, None, None, None, "access.log", "10.5.5.5"
        )
        for number, path in ((7, "/"), (8, "/login"))
    }
    runs = [
        claim(
            class_id=number, period_s=30.0, user_agent="Nagios", births=400.0, clients=1,
            first_at=NAIVE - timedelta(hours=begin), last_at=NAIVE - timedelta(hours=end, seconds=1),
        )
        for number, begin, end in ((7, 6, 3), (8, 3, 0))
    ]  # fmt: skip
    cause = weighed(finding("probes/creates-sessions", claims=(0, 1)), by=scale(*runs, classes=pages)).causes[0]
    assert cause.title.startswith("Nagios creates")
    assert "requests GET /, /login every 30 s" in cause.text
    assert "stopped" not in cause.text


def test_who_is_behind_an_intermediary_is_not_called_by_its_name() -> None:
    edge = VisitorClass(
        7, "Amazon CloudFront", "", "GET", "/", 302, None, 900, None, None, None, None, "access.log", "*"
    )
    behind = claim(period_s=30.0, user_agent="Amazon CloudFront", clients=60)
    found = finding("probes/creates-sessions", claims=(0,), remedy=None)
    cause = weighed(found, by=scale(behind, classes={7: edge})).causes[0]
    assert cause.title.startswith("A client behind Amazon CloudFront creates")
    assert cause.remedy is not None
    assert cause.remedy.title.startswith("Point the client behind Amazon CloudFront at")
    assert "X-Forwarded-For" in cause.remedy.text


def test_a_lifetime_that_was_changed_is_said_and_what_is_born_now_has_the_newer() -> None:
    changed = {"a": ChangedLifetime(86_400, 28_800, NOW - timedelta(hours=5))}
    verdict = weighed(finding("probes/creates-sessions", claims=(0,)), by=scale(claim(period_s=10.0), changed=changed))
    assert "every request starts a new session that lives for 8 hours" in verdict.causes[0].text
    (said,) = verdict.contradictions
    assert said.text.startswith(
        "the lifetime of its sessions was changed from 1 day to 8 hours on 2019-05-24 at 14:00 UTC"
    )


def test_advice_and_lifetime_are_of_the_sessions_of_the_cause() -> None:
    shared = scale(claim(), kinds={0: SessionKind("starsessions", 1_800.0)})
    (cause,) = weighed(finding("probes/creates-sessions", claims=(0,)), by=shared).causes
    assert cause.lifetime_s == 1_800.0
    assert "lives for 30 minutes" in cause.text
    assert cause.remedy is not None
    assert "Starlette or FastAPI (starsessions)" in cause.remedy.text
