"""The incident from the first login to the undone batch: every component runs for real, every command is the product's own.

One test: each step needs what the one before it left. ``make lab-story`` tells it by itself and says what each step found, at half
the speed. How long something may take is never asserted (``storyteller``); what must come first is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from lab.live.storyteller import BY_PROBER, CODE, MARKERS, Story, whole
from necropsy.lab.live.supervisor import Supervisor

pytestmark = pytest.mark.integration
CHECKOUT = Path(__file__).parents[3]
LONG = os.environ.get("NECROPSY_LAB_STORY_LENGTH") == "long"
"""Whether the story is told at half the speed: the same steps, with more to see in its pictures."""
SPEED, INTERVAL_S, LIFETIME_S = (30, 2, 120) if LONG else (60, 1, 60)
SILENCE_S = 40 if LONG else 20
"""How long a creator must be silent before ``verify`` takes it for gone."""
ROOM_S = 86_400 / SPEED / 3
"""How long B has room when the prober is on: well within the day, of this time, of which the alert of a store that fills up speaks."""
IDLE_S = 60 if LONG else 20
GRACE_S = 300
"""Spring keeps the hash of a session so much longer than its marker."""
LONGEST_S = 1_500 if LONG else 800
"""Less than after which pytest takes a test for one that hangs (``faulthandler_timeout``)."""
PROBES = "probes/creates-sessions"
ALERT = "NecropsyProbesCreatesSessions"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    for release in ("11", "14"):
        fetched = subprocess.run(
            [CHECKOUT / "tools" / "debian-release", release], capture_output=True, text=True, check=False
        )
        assert fetched.returncode == 0, fetched.stderr
    kept = os.environ.get("NECROPSY_LAB_STORY")
    folder = Path(kept).resolve() if kept else tmp_path_factory.mktemp("story") / "lab"
    told = Story(folder, LONGEST_S)
    subprocess.run(
        [sys.executable, "-c", CODE, "lab", "up", "--folder", str(folder), "--speed", f"{SPEED}", "--interval", f"{INTERVAL_S}s",
         "--lifetime", f"{LIFETIME_S}s", "--limit-b", "64MB", "--users", "20", "--no-prober", "-q"],
        check=True, cwd=CHECKOUT,
    )  # fmt: skip
    mark = told.plan.id
    try:
        told.say("everything is up")
        yield told
    finally:
        told.run("lab", "down", "--folder", str(folder))
        assert Supervisor(folder, mark).left() == []


def test_the_incident(story: Story) -> None:
    _healthy(story)
    _the_prober_is_switched_on(story)
    report = _examined(story)
    _half_fixed(story)
    _cured(story)
    _purged(story)
    _told(story, report)


def _healthy(story: Story) -> None:
    """1. Users come; nobody else creates a session, and the guard has nothing to say."""
    story.until(lambda: story.did("admin-a")["work"] + story.did("admin-b")["work"] >= 60, "users work")
    report = story.examine("--case", "healthy.case", code=(4, 11, 12))
    healthy = [finding for finding in report["findings"] if finding["slug"] == "healthy"]
    # B's sessions live for ever: a flaw from the first day
    assert [finding["store"] for finding in healthy] == ["admin-a"]
    assert {cause["slug"] for cause in report["verdict"]["causes"]} <= {"sessions/immortal", "healthy"}
    guard = (story.folder / "logs" / "guard.out").read_text()
    assert "CRITICAL" not in guard
    assert "WARNING" not in guard
    story.say(f"healthy: {report['sessions']['total']} sessions, all of users; the guard is silent")


def _the_prober_is_switched_on(story: Story) -> None:
    """2. A climbs to its plateau; the chat hears of it while B has room; B fills up; the application hangs.

    B's limit stays ahead until the chat has heard: whether a machine examines as fast as it probes is its own affair.
    """
    story.act("prober-on")
    on = time.time()
    _limit_b(story, lasts_s=ROOM_S)
    titles = (f"{ALERT} admin-a", f"{ALERT} admin-b", "NecropsyStoreFullWithinADay admin-b")

    def heard() -> list[tuple[float, str]] | None:
        alerts = story.chat()
        return alerts if all(any(title in one for _, one in alerts) for title in titles) else None

    alerts = story.until(heard, "the chat hears of the prober")
    first = min(at for at, title in alerts if ALERT in title)
    refusing = [story.folder / "servers" / "b1" / f"error-{colour}.log" for colour in ("blue", "green")]
    assert not _refused(refusing)
    _limit_b(story, lasts_s=0.02 * ROOM_S)

    def last_birth() -> float | None:
        """The last session that fitted; None while there is room. Whoever reads a store takes some of its memory, for a moment."""
        last = max(story.births_of("b1", by_prober=True))
        return last if _refused(refusing) and time.time() - last > 5 * INTERVAL_S else None

    full = story.until(last_birth, "B is full")
    living, predicted = _plateau(story)
    story.act("hang", "B")
    story.until(lambda: any("RedisCommandTimeoutException" in log.read_text() for log in refusing), "it hangs")
    story.say(
        f"the chat heard of it after {first - on:.0f} s, where B had room for {ROOM_S:.0f} s; its limit was brought near,"
        f" B was full after {full - on:.0f} s; A has {living} living sessions, {predicted} of probes"
    )


def _refused(logs: list[Path]) -> bool:
    return any("OOM" in log.read_text() for log in logs)


def _limit_b(story: Story, *, lasts_s: float) -> None:
    """Give B a limit that it meets after so long, at the pace that is measured.

    By what its keys take: what the server uses as a whole shrinks too, when a table has grown or an answer was read.
    """
    store = story.redis("admin-b")

    def births_after(enough: int, what: str) -> int:
        return int(
            story.until(lambda: n if (n := len(story.births("admin-b", by_prober=True))) >= enough else None, what)
        )

    births, at = births_after(3, "the first probes of B"), time.time()
    more = births_after(births + 15, "more probes of B")
    pace = (more - births) / (time.time() - at)
    taken = sum(store.memory_usage(key, samples=0) or 0 for key in store.scan_iter(count=1000))
    each = taken / len(story.births("admin-b"))
    assert each > 0
    store.config_set("maxmemory", int(store.info("memory")["used_memory"] + pace * each * lasts_s))


def _plateau(story: Story) -> tuple[int, int]:
    """Wait until as many sessions of A end as begin; the sessions whose markers live, and those of them that probes made.

    By what the applications noted: how many probes an hour are really sent is the machine's affair.
    """
    began = story.births("admin-a", by_prober=True)[0]
    story.until(lambda: time.time() > began + LIFETIME_S + 10, "the first sessions have ended")
    store = story.redis("admin-a")
    before = time.time()
    living = sum(1 for _ in store.scan_iter(MARKERS, count=1000))
    hashes = _sessions(store)
    after = time.time()
    by_probes, by_people = story.births("admin-a", by_prober=True), story.births("admin-a", by_prober=False)

    def born(since: float, until: float) -> int:
        return sum(since <= at < until for at in by_probes)

    assert born(after - LIFETIME_S + 1, before - 1) <= living
    assert living <= born(before - LIFETIME_S - 1, after + 1) + len(by_people)
    ended = born(0, before - LIFETIME_S - 1)
    assert ended > 0
    assert hashes >= born(after - LIFETIME_S - GRACE_S + 1, before - 1)  # those that ended are still there, for 300 s
    return living, born(before - LIFETIME_S, before)


def _examined(story: Story) -> Any:
    """3. The prober, all that it asks, visible and not, the lines, B's lifetime; who is innocent is cleared."""
    report = story.examine("--history", story.url("prometheus-metrics"), "--case", "sick.case", code=13)
    causes = report["verdict"]["causes"]
    assert {(one["slug"], one["store"]) for one in causes} == {
        (PROBES, "admin-a"), (PROBES, "admin-b"), ("sessions/immortal", "admin-b"), ("memory/near-limit", "admin-b"),
    }  # fmt: skip
    for admin in story.plan.admins:
        cause = next(one for one in causes if (one["slug"], one["store"]) == (PROBES, admin.name))
        asked = {actor["url"]: actor for actor in cause["actors"]}
        machines = [machine for machine in story.plan.machines if machine.admin == admin.name]
        hidden = {f"http://{place}/" for machine in machines for _, place in machine.colours}
        visible = {f"http://{machine.proxy}/" for machine in machines}
        assert set(asked) == hidden | visible
        assert {url for url, actor in asked.items() if not actor["in_access_log"]} == hidden
        assert {actor["prober"] for actor in asked.values()} == {"prometheus/blackbox_exporter_http"}
        for actor in asked.values():
            files = {origin["file"] for origin in actor["origin"]}
            assert "configuration/prometheus.yml" in files
            assert any(file.startswith("configuration/consul/") for file in files)
        assert cause["confidence"] == "high"
        share = len(story.births(admin.name, by_prober=True)) / len(story.births(admin.name))
        assert abs(cause["share"] - share) < 0.1  # of all births; some sessions of A have gone by now
    immortal = next(
        one for one in report["findings"] if one["slug"] == "sessions/immortal" and one["store"] == "admin-b"
    )
    assert "2,147,483,647 seconds" in immortal["text"]
    cleared = " ".join(one["text"] for one in report["verdict"]["ruled_out"] if one["slug"] == PROBES)
    assert "ELB-HealthChecker/2.0" in cleared
    assert "Consul Health Check" in cleared
    story.say("examined: the prober, 9 targets of which 6 are in no log, B's lifetime; two innocents cleared")
    return report


def _half_fixed(story: Story) -> None:
    """4. One server is patched; the other was forgotten, and Consul has kept an entry of a restarted agent."""
    wrote = story.run("treat", "sick.case", "--patch", "--write", "-q")
    assert "configuration/prometheus.yml" in wrote
    assert "configuration/consul/a2/services.json" in wrote
    story.act("replace-agent", "a1")
    story.act("deploy", "prometheus")
    a1, a2 = story.plan.machine("a1"), story.plan.machine("a2")
    going = {str(place) for place in (a2.proxy, a2.blue, a2.green, a1.proxy)}
    of_a = {str(place) for machine in (a1, a2) for place in (machine.proxy, machine.blue, machine.green)}
    story.until(lambda: story.targets_asked() & of_a == going, "Prometheus asks four targets of A for its first page")
    fixed = story.silence(
        lambda: story.births_of("a1", by_prober=True, proxied=False),
        SILENCE_S + INTERVAL_S,
        "blue and green of a1 are left alone",
    )
    consul = f"{story.url('consul-server-001/http')}/v1/health/node/a1"
    story.until(
        lambda: any(one["Status"] == "critical" for one in story.answer(consul)), "Consul misses the agent of a1"
    )
    # Somebody who logs out of B makes room for a moment, until the next probe.
    checked = story.until(
        lambda: found if (found := story.verify(SILENCE_S))["admin-b"]["outcome"] == "unjudged" else None,
        "B is found full",
    )
    made = checked["admin-a"]
    assert made["outcome"] == "partly-cured"
    assert {one["name"] for one in made["creators"] if one["state"] == "creates"} == going
    assert {one["name"] for one in made["creators"] if one["state"] == "stopped"} == {str(a1.blue), str(a1.green)}
    assert {one["name"]: one["zombie"] for one in made["creators"] if one["zombie"]} == {str(a1.proxy): "a1"}
    going_on = [at for at in story.births("admin-a", by_prober=True) if at >= fixed + INTERVAL_S]
    rate = (len(going_on) - 4) / (max(going_on) - min(going_on))
    assert made["plateau"] == pytest.approx(rate * LIFETIME_S, rel=0.15)
    assert "full" in checked["admin-b"]["reason"]
    story.say(
        "one server patched: partly cured; a2 was forgotten, a zombie of a1; B is full, nothing can be said of it"
    )


def _cured(story: Story) -> None:
    """5. The rest is patched, the zombie deregistered: no more births by probes, in the log and in the store."""
    story.act("deploy", "a2")
    story.act("deploy", "b1")
    said = story.run(
        "consul", story.url("consul-server-001/http"), "--zombies", "--apply", "--journal", "zombies.json", "--yes"
    )
    assert "1 removed" in said
    machines = story.plan.machines
    healthy = {f"{at}/health" for one in machines for at in (one.proxy, one.blue, one.green)}
    story.until(lambda: story.targets_asked() == healthy, "Prometheus asks nine targets for their health")

    def by_probes() -> list[float]:
        return [at for machine in machines for at in story.births_of(machine.name, by_prober=True)]

    last = story.silence(by_probes, SILENCE_S + INTERVAL_S, "no probe makes a session")
    for machine in machines:
        log = [json.loads(line) for line in whole(story.folder / "servers" / machine.name / "access.log")]
        after = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(last + 2))
        asked = Counter(
            line["request"]
            for line in log
            if line["@timestamp"] > after and line["http_user_agent"].startswith(BY_PROBER)
        )
        assert set(asked) == {"GET /health HTTP/1.1"}
    assert story.verify(SILENCE_S)["admin-a"]["outcome"] == "cured"
    assert max(by_probes()) == last
    story.say("all patched: cured; births by probes are 0 in log and store")


def _purged(story: Story) -> None:
    """6. B is emptied of the dead while its users work; lifetimes are capped; a batch is undone."""
    store = story.redis("admin-b")
    was = _sessions(store)
    began = time.time()
    full, empty = (
        ("--redis", f"admin-b={story.address('admin-b')}", "--case", f"{name}.case", "-q") for name in ("full", "empty")
    )
    story.json("examine", *full, code=(4, 11, 12, 13))
    (outlook,) = story.json("what-if", "full.case", "--purge", "--idle", f"{IDLE_S}s")["stores"]
    said = story.run(
        "purge", "--redis", story.address("admin-b"), "--where", "anonymous", "--idle", f"{IDLE_S}s",
        "--plan", "night.plan",
    )  # fmt: skip
    planned = time.time()
    purged = story.run(
        "purge", "--apply", "night.plan", "--journal", "night.journal", "--batch-size", "50", "--yes", "-q"
    )
    now = _sessions(store)
    # The plan is some seconds younger than the case: in that time people came, and others had been idle for long enough; who
    # logged out may leave a session that has ended, which the purge leaves too.
    born = story.births("admin-b")
    came = sum(began <= at < time.time() for at in born)
    grown_idle = sum(began - IDLE_S - 2 <= at < planned - IDLE_S for at in born)
    ended = story.did("admin-b", began)["logout"]
    predicted = outlook["together"]["sessions_now"]
    assert predicted - grown_idle <= now <= predicted + came + ended, (was, planned - began, outlook, said)
    story.json("examine", *empty, code=(4, 11, 12, 13))
    (after,) = story.json("what-if", "empty.case")["stores"]
    memory, measured = outlook["together"]["bytes_now"], after["today"]["bytes_now"]
    each = outlook["today"]["bytes_now"] / outlook["today"]["sessions_now"]
    assert abs(measured - memory) <= 0.1 * outlook["today"]["bytes_now"] + each * (
        abs(after["today"]["sessions_now"] - predicted)
    )
    story.say(
        f"what-if said {predicted} sessions (+{came + ended}, -{grown_idle}) and {memory:,} bytes; {now}, {measured:,} bytes"
    )
    # Redis 7 keeps 20 kB of statistics of each command that it has seen: in so small a store as much as a batch of sessions.
    store.config_set("maxmemory", 64 << 20)
    story.run(
        "cap-ttl", "--redis", story.address("admin-b"), "--max", "7d", "--apply", "--journal", "cap.journal", "--yes", "-q"
    )  # fmt: skip
    story.until(lambda: story.did("admin-b", began)["work"] >= 30, "users of B work again")
    before, undone = _sessions(store), time.time()
    story.run("purge", "--undo", "night.journal", "--batch", "1", "-q")
    left = story.did("admin-b", undone - 1)["logout"]
    assert _sessions(store) + left >= before + 50
    worked = story.did("admin-b")["work"]
    story.until(lambda: story.did("admin-b")["work"] >= worked + 20, "users of B go on")
    assert story.did("admin-b", began)["noticed"] == 0
    assert story.verify(SILENCE_S)["admin-b"]["outcome"] == "cured"
    story.say(
        f"B purged: {was} sessions before, {now} now, nobody logged out; {purged.splitlines()[0].strip()}; one batch undone"
    )


def _sessions(store: redis.Redis) -> int:
    """Sessions by their hashes: a store that is full keeps markers without one."""
    keys = store.scan_iter("spring:session:sessions:*", count=1000)
    return sum(not key.startswith(MARKERS.removesuffix("*").encode()) for key in keys)


def _told(story: Story, report: Any) -> None:
    """7. What is left: a case, a report, a picture of the time."""
    assert report["schema"] == "necropsy/report/1"
    story.run(
        "examine", "incident.toml", "--before", "sick.case", "--history", story.url("prometheus-metrics"), "--case",
        "cured.case", "-o", "report.html", "-q", code=(0, 4, 11, 12, 13),
    )  # fmt: skip
    page = (story.folder / "report.html").read_text(encoding="utf-8")
    assert 'class="picture births"' in page
    assert 'class="picture history"' in page
    again = story.run("report", "sick.case")
    assert "Your own monitoring creates" in again
    if (into := os.environ.get("NECROPSY_LAB_KEEP")) is not None:
        for name in ("sick.case", "cured.case", "report.html"):
            shutil.copyfile(story.folder / name, Path(into) / name)
    story.say("a case, a report, a page with the time line")
