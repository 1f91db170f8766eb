"""The incident from the first login to the undone batch: every component runs for real, every command is the product's own.

One test: each step needs what the one before it left. ``make lab-story`` runs it by itself and says what each step found.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from necropsy.lab.live import plan as plans
from necropsy.lab.live.plan import LabPlan
from necropsy.lab.live.supervisor import Supervisor

pytestmark = pytest.mark.story
CHECKOUT = Path(__file__).parents[3]
CODE = "import runpy; runpy.run_module('necropsy.cli.main', run_name='__main__', alter_sys=True)"
LIMIT_B = 2_900_000
SHORT = os.environ.get("NECROPSY_LAB_STORY_LENGTH") == "short"
"""Whether the story is told at twice the speed: the same steps, as CI has time for."""
SPEED, INTERVAL_S, LIFETIME_S = (60, 1, 60) if SHORT else (30, 2, 120)
SILENCE_S = 25 if SHORT else 45
IDLE_S = 20 if SHORT else 60
LIVING = "spring:session:sessions:expires:*"
PROBES = "probes/creates-sessions"
BY_PROBER = "Blackbox-Exporter"


class Story:
    """The lab in its folder, and what is asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.began = time.monotonic()

    @property
    def plan(self) -> LabPlan:
        return plans.read(self.folder)

    def run(self, *arguments: str, code: int | tuple[int, ...] = 0) -> str:
        """Run a command in the lab's folder; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", CODE, *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        codes = (code,) if isinstance(code, int) else code
        assert done.returncode in codes, (
            f"necropsy {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def json(self, *arguments: str, code: int | tuple[int, ...] = 0) -> Any:
        return json.loads(self.run(*arguments, "--format", "json", code=code))

    def act(self, *words: str) -> None:
        self.run("lab", "act", *words, "--folder", str(self.folder))

    def say(self, what: str) -> None:
        print(f"[{time.monotonic() - self.began:5.0f} s] {what}", flush=True)  # noqa: T201 -- with -s, the story

    def redis(self, name: str) -> redis.Redis:
        place = self.plan.admin(name).redis
        return redis.Redis(host=place.host, port=place.port, protocol=2, socket_timeout=60)

    def address(self, name: str) -> str:
        return f"redis://{self.plan.admin(name).redis}"

    def url(self, component: str) -> str:
        return f"http://{self.plan.at(component)}"

    def lines(self, name: str) -> list[Any]:
        return [json.loads(line) for path in sorted(self.folder.glob(f"truth/{name}.jsonl")) for line in _lines(path)]

    def born_by_prober(self, since: float, until: float) -> int:
        """Sessions that its probes made, by what the applications noted."""
        return sum(
            since <= one["at_ms"] / 1000 < until and one["agent"].startswith(BY_PROBER)
            for one in self.lines("births-*")
        )

    def born(self, machine: str, since: float, until: float) -> int:
        """Sessions that a machine's applications created, whoever asked."""
        return sum(since <= one["at_ms"] / 1000 < until for one in self.lines(f"births-{machine}-*"))

    def until(self, holds: Callable[[], bool], what: str, seconds: float = 420) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
            time.sleep(0.5)

    def verify(self) -> dict[str, Any]:
        stores = [word for name in ("admin-a", "admin-b") for word in ("--redis", f"{name}={self.address(name)}")]
        consul = self.url("consul-server-001/http")
        made = self.json(
            "verify",
            "sick.case",
            *stores,
            "--consul",
            consul,
            "--silence",
            f"{SILENCE_S - 5}s",
            "-q",
            code=(0, 4, 12, 13),
        )
        return {store["store"]: store for store in made["stores"]}


def _lines(path: Path) -> list[str]:
    """Whole lines: the last one may be half written."""
    return path.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    for release in ("11", "14"):
        fetched = subprocess.run(
            [CHECKOUT / "tools" / "debian-release", release], capture_output=True, text=True, check=False
        )
        assert fetched.returncode == 0, fetched.stderr
    kept = os.environ.get("NECROPSY_LAB_STORY")
    folder = Path(kept).resolve() if kept else tmp_path_factory.mktemp("story") / "lab"
    told = Story(folder)
    subprocess.run(
        [sys.executable, "-c", CODE, "lab", "up", "--folder", str(folder), "--speed", f"{SPEED}", "--interval", f"{INTERVAL_S}s",
         "--lifetime", f"{LIFETIME_S}s", "--limit-b", f"{LIMIT_B}", "--users", "20", "--no-prober", "-q"],
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
    story.until(lambda: sum(one["event"] == "work" for one in story.lines("users-*")) >= 60, "users work")
    report = story.json("examine", "incident.toml", "--case", "healthy.case", "-q", code=(4, 11, 12))
    healthy = [finding for finding in report["findings"] if finding["slug"] == "healthy"]
    assert [finding["store"] for finding in healthy] == [
        "admin-a"
    ]  # B's sessions live for ever: a flaw from the first day
    assert {cause["slug"] for cause in report["verdict"]["causes"]} <= {"sessions/immortal", "healthy"}
    guard = (story.folder / "logs" / "guard.out").read_text()
    assert "CRITICAL" not in guard
    assert "WARNING" not in guard
    story.say(f"healthy: {report['sessions']['total']} sessions, all of users; the guard is silent")


def _the_prober_is_switched_on(story: Story) -> None:
    """2. A climbs to its plateau, B until it is full; the chat hears of it before; the application hangs."""
    story.act("prober-on")
    on = time.time()
    refusing = [story.folder / "servers" / "b1" / f"error-{colour}.log" for colour in ("blue", "green")]
    story.until(lambda: any("OOM" in log.read_text() for log in refusing), "B is full")
    full = time.time()
    story.until(lambda: time.time() > on + LIFETIME_S + 15, "a lifetime has passed")
    alerts = [(one["at"], one["message"]["attachments"][0]["title"]) for one in story.lines("chat")]
    early = [title for at, title in alerts if at < full]
    assert any("NecropsyProbesCreatesSessions admin-b" in title for title in early), alerts
    assert any("NecropsyProbesCreatesSessions admin-a" in title for title in early), alerts
    assert any("NecropsyStoreFullWithinADay admin-b" in title for title in early), alerts
    first = min(at for at, title in alerts if "NecropsyProbesCreatesSessions" in title)
    living = sum(1 for _ in story.redis("admin-a").scan_iter(LIVING, count=1000))
    predicted = 6 * LIFETIME_S / INTERVAL_S
    assert 0.85 * predicted < living < 1.25 * predicted  # its users, and births that a busy machine makes late
    story.act("hang", "B")
    logged = "".join(log.read_text() for log in refusing)
    assert "RedisCommandTimeoutException" in logged
    story.say(
        f"the chat heard of it after {first - on:.0f} s, B was full after {full - on:.0f} s;"
        f" A has {living} living sessions, predicted {predicted:.0f} of probes"
    )


def _examined(story: Story) -> Any:
    """3. The prober, all that it asks, visible and not, the lines, B's lifetime; who is innocent is cleared."""
    report = story.json(
        "examine", "incident.toml", "--history", story.url("prometheus-metrics"), "--case", "sick.case", "-q", code=13
    )
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
        notes = [note for machine in machines for note in story.lines(f"births-{machine.name}-*")]
        share = sum(note["agent"].startswith(BY_PROBER) for note in notes) / len(notes)
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
    time.sleep(SILENCE_S)
    checked = story.verify()
    a1, a2 = story.plan.machine("a1"), story.plan.machine("a2")
    made = checked["admin-a"]
    assert made["outcome"] == "partly-cured"
    assert {one["name"] for one in made["creators"] if one["state"] == "creates"} == {
        str(place) for place in (a2.proxy, a2.blue, a2.green, a1.proxy)
    }
    assert {one["name"] for one in made["creators"] if one["state"] == "stopped"} == {str(a1.blue), str(a1.green)}
    assert {one["name"]: one["zombie"] for one in made["creators"] if one["zombie"]} == {str(a1.proxy): "a1"}
    assert made["plateau"] == pytest.approx(4 * LIFETIME_S / INTERVAL_S, rel=0.1)
    assert checked["admin-b"]["outcome"] == "unjudged"
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
    story.until(lambda: story.born_by_prober(time.time() - 10, time.time()) == 0, "Prometheus has heard of it")
    fixed = time.time()
    time.sleep(SILENCE_S)
    assert story.born_by_prober(fixed, time.time()) == 0
    for machine in story.plan.machines:
        log = [json.loads(line) for line in _lines(story.folder / "servers" / machine.name / "access.log")]
        late = [line for line in log if line["@timestamp"] > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(fixed + 1))]
        asked = Counter(line["request"] for line in late if line["http_user_agent"].startswith(BY_PROBER))
        assert set(asked) == {"GET /health HTTP/1.1"}
    assert story.verify()["admin-a"]["outcome"] == "cured"
    story.say("all patched: cured; births by probes are 0 in log and store")


def _purged(story: Story) -> None:
    """6. B is emptied of the dead while its users work; lifetimes are capped; a batch is undone."""
    store = story.redis("admin-b")
    was = _sessions(store)
    began = time.time()
    story.json(
        "examine", "--redis", f"admin-b={story.address('admin-b')}", "--case", "full.case", "-q", code=(4, 11, 12, 13)
    )
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
    came, grown_idle = story.born("b1", began, time.time()), story.born("b1", began - IDLE_S - 2, planned - IDLE_S)
    ended = _events(story, began)["logout"]
    predicted = outlook["together"]["sessions_now"]
    assert predicted - grown_idle <= now <= predicted + came + ended, (was, planned - began, outlook, said)
    story.json(
        "examine", "--redis", f"admin-b={story.address('admin-b')}", "--case", "empty.case", "-q", code=(4, 11, 12, 13)
    )
    (after,) = story.json("what-if", "empty.case")["stores"]
    memory, measured = outlook["together"]["bytes_now"], after["today"]["bytes_now"]
    each = outlook["today"]["bytes_now"] / outlook["today"]["sessions_now"]
    assert abs(measured - memory) <= 0.1 * outlook["today"]["bytes_now"] + each * (
        abs(after["today"]["sessions_now"] - predicted)
    )
    story.say(
        f"what-if said {predicted} sessions (+{came + ended}, -{grown_idle}) and {memory:,} bytes; {now}, {measured:,} bytes"
    )
    story.run(
        "cap-ttl",
        "--redis",
        story.address("admin-b"),
        "--max",
        "7d",
        "--apply",
        "--journal",
        "cap.journal",
        "--yes",
        "-q",
    )
    story.until(lambda: _events(story, began)["work"] >= 30, "users of B work again")
    assert _events(story, began)["noticed"] == 0
    before = _sessions(store)
    story.run("purge", "--undo", "night.journal", "--batch", "1", "-q")
    assert _sessions(store) >= before + 40
    time.sleep(2)
    assert _events(story, began)["noticed"] == 0
    assert story.verify()["admin-b"]["outcome"] == "cured"
    story.say(
        f"B purged: {was} sessions before, {now} now, nobody logged out; {purged.splitlines()[0].strip()}; one batch undone"
    )


def _sessions(store: redis.Redis) -> int:
    """Sessions by their hashes: a store that is full keeps markers without one."""
    keys = store.scan_iter("spring:session:sessions:*", count=1000)
    return sum(not key.startswith(b"spring:session:sessions:expires:") for key in keys)


def _events(story: Story, since: float) -> Counter[str]:
    return Counter(one["event"] for one in story.lines("users-admin-b") if one["at"] >= since)


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
