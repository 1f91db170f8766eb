"""What is noticed when: creators, shares, half fixes, plateaus, deploys, full stores, zombies, stores that are not read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from guard.watch.looks import NOON, PROBES, creator, look, store
from necropsy.guard.notify import slack
from necropsy.guard.notify.message import Message, MessageState
from necropsy.guard.watch.former import Former, Limits
from necropsy.guard.watch.judge import judge
from necropsy.guard.watch.look import EventLook, Look, WatchedCreator
from necropsy.guard.watch.notice import Member, Notice, lines

LATER = NOON + timedelta(minutes=10)


def judged(seen: Look, former: Former | None = None) -> dict[str, Notice]:
    return {notice.key: notice for notice in judge(seen, former or Former(), Limits(), "guard.case")}


def after(*looks: Look) -> dict[str, Notice]:
    """Judge looks one after the other, and return what is known after the last."""
    former = Former()
    for seen in looks:
        found = judge(seen, former, Limits(), "guard.case")
        former = Former(
            [notice for notice in found if notice.resolved_at is None],
            seen.shares,
            at=seen.at,
            populations={
                name: [*former.populations.get(name, ()), (one.at, float(one.sessions))]
                for name, one in seen.stores.items()
            },
        )
    return {notice.key: notice for notice in found}


def test_of_one_or_two_sessions_no_rate_is_told() -> None:
    assert not judged(look(creator(1, births=1.0), creator(2, births=1.0), at=NOON))
    assert len(judged(look(creator(1, births=3.0), creator(2, births=3.0), at=NOON))) == 1


def test_all_new_creators_of_a_store_are_one_notice_with_who_since_when_line_and_command() -> None:
    (notice,) = judged(
        look(*map(creator, range(1, 5)), shares={("A", PROBES): 0.93}, patched=frozenset({PROBES}))
    ).values()
    assert notice.kind == "creator"
    assert notice.severity == "critical"
    assert notice.title == "4 new creators start 34,560 sessions a day in store A"
    assert notice.since == NOON - timedelta(hours=4)
    assert [member.url for member in notice.members] == [f"http://10.0.0.{n}:8080/" for n in range(1, 5)]
    assert notice.line == "prometheus.yml:17  copies __address__"
    assert notice.command == "necropsy treat guard.case --patch"
    assert "93 % of 34,560 sessions (24 MB)" in notice.figures
    assert "their sessions alone level off at 34,560, 24 MB, as each lives for 1 day" in notice.figures


def test_a_look_without_change_opens_nothing_and_keeps_what_is_open() -> None:
    first = look(creator(1), shares={("A", PROBES): 0.93})
    assert list(after(first, replace(first, at=LATER))) == list(judged(first))


def test_only_the_creator_that_came_later_is_in_the_second_notice() -> None:
    found = after(look(creator(1)), look(creator(1), creator(2), at=LATER))
    assert [[member.url for member in notice.members] for notice in found.values()] == [
        ["http://10.0.0.1:8080/"], ["http://10.0.0.2:8080/"]
    ]  # fmt: skip


def by_its_client(number: int) -> WatchedCreator:
    """The same probe as an early look sees it: by what its sessions name, and not yet explained by the configuration."""
    member = Member(f"Blackbox-Exporter/0.28.0 GET 10.0.0.{number}:8080/", per_day=8_640.0)
    return replace(creator(number, slug="traffic/bot-creates-sessions"), member=member, line="")


def test_a_prober_that_a_later_look_finds_in_the_configuration_is_the_same_notice_told_better() -> None:
    early, later = look(by_its_client(1), by_its_client(2)), look(creator(1), creator(2), at=LATER)
    first, found = judged(early), after(early, later)
    (notice,) = found.values()
    assert list(found) == list(first)
    assert (notice.revision, notice.resolved_at, notice.opened_at) == (1, None, NOON)
    assert notice.slug == PROBES
    assert notice.line == "prometheus.yml:17  copies __address__"
    (same,) = after(early, later, replace(later, at=LATER + timedelta(minutes=10))).values()
    assert same.revision == 1, "told better once"


def test_a_probe_that_the_configuration_no_longer_has_is_not_new_and_is_told_to_be_half_fixed() -> None:
    """The configuration is mended and deployed on one machine: what is there of its old probes has the name of their client."""
    first = look(creator(1), creator(2))
    stopping = look(by_its_client(1), creator(2), at=LATER)
    (notice,) = after(first, stopping).values()
    assert len(notice.members) == 2
    stopped = look(replace(by_its_client(1), over=True, last_at=LATER), creator(2), at=LATER + timedelta(minutes=10))
    found = after(first, stopping, stopped)
    assert sorted(one.kind for one in found.values()) == ["creator", "half-fixed"]
    (half,) = [one for one in found.values() if one.kind == "half-fixed"]
    assert [member.url for member in half.members] == ["http://10.0.0.2:8080/"]
    later = LATER + timedelta(minutes=20)
    over = look(*(replace(by_its_client(n), over=True, last_at=later) for n in (1, 2)), at=later)
    assert {one.kind: one.resolved_at for one in after(first, stopping, stopped, over).values()} == {
        "creator": later,
        "half-fixed": later,
    }


def test_a_client_that_began_to_ask_for_the_same_after_the_probe_was_told_of_is_new() -> None:
    later = replace(by_its_client(1), first_at=NOON + timedelta(minutes=5))
    found = after(look(creator(1)), look(later, at=LATER))
    assert [one.members[0].name for one in found.values() if one.opened_at == LATER] == [later.member.name]


def test_a_prober_that_asks_for_what_a_crawler_asked_for_is_new_as_long_as_the_crawler_goes_on() -> None:
    early, later = look(by_its_client(1)), look(by_its_client(1), creator(1), at=LATER)
    assert sorted(notice.revision for notice in after(early, later).values()) == [0, 0]


def test_a_creator_that_was_seen_to_end_is_resolved_at_once_and_one_that_vanished_after_two_looks() -> None:
    first, end = look(creator(1)), look(creator(1, over=True), at=LATER)
    (notice,) = after(first, end).values()
    assert notice.resolved_at == LATER
    gone, again = look(at=LATER), look(at=LATER + timedelta(minutes=10))
    (notice,) = after(first, gone).values()
    assert notice.resolved_at is None
    (notice,) = after(first, gone, again).values()
    assert notice.resolved_at == again.at


@pytest.mark.parametrize(
    ("left", "lifetime_s", "minutes", "told"),
    [
        (0, 86_400.0, 10, True),
        (0, None, 10, True),  # of an empty store no lifetime is known
        (300, 86_400.0, 60, True),  # of those that were born since
        (20_000, 86_400.0, 10, False),
        (0, 1_800.0, 30, False),  # they may have expired
    ],
)
def test_a_store_that_lost_its_sessions_sooner_than_they_expire_is_told(
    left: int, lifetime_s: float | None, minutes: int, told: bool
) -> None:
    later = NOON + timedelta(minutes=minutes)
    flushed = look(at=later, stores=(store(at=later, sessions=left, lifetime_s=lifetime_s),))
    found = [notice for notice in after(look(), flushed).values() if notice.kind == "emptied"]
    assert [(notice.title, notice.severity, notice.since) for notice in found] == [
        (f"Store A lost its sessions: 34,560 at the previous examination, {left:,} now", "critical", NOON)
    ] * told
    at_last = look(at=later + timedelta(minutes=10), stores=(store(at=later + timedelta(minutes=10), sessions=left),))
    assert [n for n in after(look(), flushed, at_last).values() if n.kind == "emptied" and n.resolved_at is None] == []


def test_a_store_that_was_emptied_and_fills_fast_again_is_told_by_who_is_left() -> None:
    flushed = look(at=LATER, stores=(store(at=LATER, sessions=30_000, older=12),))
    (notice,) = (notice for notice in after(look(), flushed).values() if notice.kind == "emptied")
    assert notice.title == "Store A lost its sessions: of the 34,560 at the previous examination 12 are left"
    used = look(at=LATER, stores=(store(at=LATER, sessions=34_000, older=33_000),))
    assert [n.kind for n in after(look(), used).values()] == []


@pytest.mark.parametrize(("before", "now", "told"), [(0, 1, True), (1, 1, False), (None, 1, False), (1, None, False)])
def test_where_births_are_last_uses_the_server_must_have_counted_a_flush(
    before: int | None, now: int | None, told: bool
) -> None:
    past = [(NOON, 34_560.0)]
    former = Former(flushes={} if before is None else {"A": before}, at=NOON, populations={"A": past})
    used = look(at=LATER, stores=(store(at=LATER, sessions=30_000, older=0, ages_move=True, flushes=now),))
    assert [n.kind for n in judged(used, former).values()] == ["emptied"] * told


def test_a_small_store_that_is_empty_at_night_was_not_emptied() -> None:
    before, quiet = look(stores=(store(sessions=12),)), look(stores=(store(at=LATER, sessions=0),), at=LATER)
    assert [notice.kind for notice in after(before, quiet).values()] == []


def test_nothing_is_resolved_by_a_look_that_lacks_what_the_first_one_read() -> None:
    first = look(creator(1))
    blind = look(stores=(), at=LATER, unread={"A": "connection refused"})
    found = after(first, blind, replace(blind, at=LATER + timedelta(minutes=10)))
    assert [notice.resolved_at for notice in found.values()] == [None, None]
    assert found["unread:A"].title == "Store A cannot be read: connection refused"
    without_configuration = replace(look(at=LATER), readers=frozenset({"store:A"}))
    found = after(first, without_configuration, without_configuration)
    assert [notice.resolved_at for notice in found.values()] == [None]


def test_a_store_that_left_the_file_leaves_no_notice_open_and_is_not_called_fine() -> None:
    first = look(creator(1), stores=(store(), store("B")), unread={"C": "connection refused"})
    found = after(first, look(stores=(store("B", at=LATER),), at=LATER))
    assert {notice.store for notice in found.values()} == {"A", "C"}
    for notice in found.values():
        assert (notice.resolved_at, notice.unwatched) == (LATER, True)
        message = Message(notice, MessageState.RESOLVED)
        assert message.title == f"No longer watched: {notice.title}"
        assert "🟢" not in slack.payload(message)["text"]


def test_a_store_that_is_read_again_is_resolved() -> None:
    blind = look(stores=(), unread={"A": "connection refused"}, hints={"A": "Add ?password_file=FILE to the address."})
    assert "hint     Add ?password_file=FILE to the address." in lines(after(blind)["unread:A"])
    assert after(blind, look(at=LATER))["unread:A"].resolved_at == LATER


def test_a_creator_of_few_sessions_is_not_spoken_of() -> None:
    assert not judged(look(creator(1, per_day=150.0)))


def test_a_train_that_is_identified_later_is_the_same_creator() -> None:
    known = creator(1)
    unknown = replace(
        known, member=replace(known.member, url="", prober="", name="unknown client, every 10 s at 1.50 s", about="")
    )
    assert len(after(look(unknown), look(known, at=LATER))) == 1


def test_a_share_is_told_when_it_crosses_the_limit_and_not_when_it_was_above_before() -> None:
    low, high = {("A", PROBES): 0.15}, {("A", PROBES): 0.25}
    small = creator(1, per_day=190.0)
    found = after(look(small, shares=low), look(small, shares=high, at=LATER))
    assert (
        found[f"share:A:{PROBES}"].title
        == f"{PROBES} explains 25 % of the sessions in store A, more than the limit of 20 %"
    )
    assert not after(look(small, shares=high), look(small, shares=high, at=LATER))
    still = look(small, shares={("A", PROBES): 0.17}, at=LATER + timedelta(minutes=10))
    assert (
        after(look(small, shares=low), look(small, shares=high, at=LATER), still)[f"share:A:{PROBES}"].resolved_at
        is None
    )


def test_half_a_fix_names_those_that_go_on_and_the_plateau_they_lead_to() -> None:
    stopped = [creator(n, over=True) for n in (1, 2)]
    going = [creator(n) for n in (3, 4)]
    notice = judged(look(*stopped, *going))["half-fixed:A"]
    assert notice.title == "Partly fixed: 2 of 4 probes that start sessions in store A have stopped, 2 go on"
    assert [member.url for member in notice.members] == ["http://10.0.0.3:8080/", "http://10.0.0.4:8080/"]
    assert notice.since == NOON - timedelta(hours=1)
    assert notice.figures == (
        "stopped: 10.0.0.1:8080, 10.0.0.2:8080",
        "17,280 sessions a day instead of 34,560",
        "their sessions alone level off at 17,280, 12 MB, as each lives for 1 day",
    )
    cured = look(*stopped, *(creator(n, over=True) for n in (3, 4)), at=LATER)
    assert after(look(*stopped, *going), cured)["half-fixed:A"].resolved_at == LATER


def test_a_probe_that_began_after_another_had_stopped_is_no_half_fix() -> None:
    found = judged(look(creator(1, over=True), creator(2, first_at=NOON - timedelta(minutes=30))))
    assert [notice.kind for notice in found.values()] == ["creator"]


def test_a_population_that_is_steady_elsewhere_than_predicted_is_told() -> None:
    looks = [
        look(at=NOON + timedelta(hours=n), stores=(store(at=NOON + timedelta(hours=n), sessions=17_300 + n, predicted=34_560.0),))
        for n in range(5)
    ]  # fmt: skip
    assert after(*looks)["plateau:A"].title == (
        "Store A is steady at 17,303 sessions, not at the 34,560 predicted from the configuration"
    )
    rising = [
        replace(one, stores={"A": replace(one.stores["A"], sessions=10_000 + 2_000 * n)}) for n, one in enumerate(looks)
    ]
    assert not after(*rising)
    as_predicted = [replace(one, stores={"A": replace(one.stores["A"], predicted=17_000.0)}) for one in looks]
    assert not after(*as_predicted)


def test_births_after_a_deploy_are_told_with_the_event_and_not_by_chance() -> None:
    deploy = EventLook(
        NOON - timedelta(hours=1), "deploy v42", "A", before=40, after=400, before_s=3_600.0, after_s=3_600.0
    )
    began = creator(1, first_at=NOON - timedelta(minutes=59))
    found = judged(look(began, events=(deploy,)))
    notice = next(notice for notice in found.values() if notice.kind == "event")
    assert notice.title == "After “deploy v42” store A gets 10 times as many new sessions"
    assert notice.members == (began.member,)
    assert notice.since == deploy.at
    assert not judged(look(events=(replace(deploy, after=52),)))
    assert not judged(look(events=(replace(deploy, before_s=0.0, before=0),))), "births before it have expired: unknown"


def test_a_store_that_is_full_within_a_day_is_critical_and_one_in_years_is_not_told() -> None:
    soon = look(creator(1), stores=(store(full_at=NOON + timedelta(hours=3)),))
    assert judged(soon)["full:A"].title == "Store A will be full in 3 hours at the present rate of new sessions"
    assert judged(soon)["full:A"].severity == "critical"
    assert "full:A" not in judged(look(stores=(store(full_at=NOON + timedelta(days=400)),)))
    assert not judged(look(creator(1, births=2.0), stores=(store(full_at=NOON + timedelta(hours=3)),)))
    a_little_later = look(creator(1), stores=(store(at=LATER, full_at=LATER + timedelta(hours=30)),), at=LATER)
    assert after(soon, a_little_later)["full:A"].resolved_at is None, "it would be told again and again at the limit"
    assert after(soon, look(creator(1), at=LATER))["full:A"].resolved_at == LATER


def test_a_zombie_is_told_once_and_its_end_is_told() -> None:
    zombie = ("admin i-1 at 10.0.0.9:80: its node is critical", "consul.json:12  registers it")
    (key,) = judged(look(zombies=(zombie,)))
    found = after(look(zombies=(zombie,)), look(zombies=(zombie,), at=LATER))
    assert list(found) == [key]
    assert found[key].line == "consul.json:12  registers it"
    assert after(look(zombies=(zombie,)), look(at=LATER))[key].resolved_at == LATER
