"""A watch of a real store: what is told as it fills, what is not told twice, and what nobody may read in it."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

import servers
from necropsy.case.store import Case
from necropsy.cli.census import COMMAND
from necropsy.guard.census.schedule import CensusSchedule
from necropsy.guard.census.worker import Asked, Watched, encode
from necropsy.guard.keeper import Keeper
from necropsy.guard.watch.notice import Notice, lines

pytestmark = pytest.mark.integration

HOURS = 3
DAY_MS = 86_400_000


def probe_sessions(client: object, began: float, until: float, period_s: float = 10.0) -> int:
    """Give a store what a prober leaves in an Express application: a session every PERIOD_S, each lives for a day."""
    number = 0
    while began + number * period_s < until:
        born = began + number * period_s
        text = json.dumps({"cookie": {"originalMaxAge": DAY_MS, "expires": time.strftime(
            "%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(born + 86_400)), "httpOnly": True, "path": "/"}}, separators=(",", ":"))  # fmt: skip
        client.set(f"sess:{int(born * 1000):032x}", text, pxat=int((born + 86_400) * 1000))  # type: ignore[attr-defined]
        number += 1
    return number


class Watching:
    """A watch whose looks are taken by hand."""

    def __init__(self, folder: Path, incident: str, **watched: object) -> None:
        (folder / "incident.toml").write_text(incident)
        self.case = folder / "kept.case"
        self.told: list[Notice] = []
        self.keeper = Keeper(self._tell)
        asked = Asked(incident=str(folder / "incident.toml"), watch=Watched(str(self.case), **watched))  # type: ignore[arg-type]
        self.census = CensusSchedule(COMMAND, asked, 600, self.keeper.after_look)

    def _tell(self, notices: Sequence[Notice]) -> None:
        self.told = list(notices)

    def look(self) -> list[Notice]:
        self.census.take()
        return self.told


def test_a_prober_is_noticed_kept_in_mind_and_resolved_when_it_has_stopped(tmp_path: Path) -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        client = server.client()
        watching = Watching(tmp_path, f'[[store]]\nname = "A"\nredis = "redis://127.0.0.1:{server.port}"\n', page=True)
        assert watching.look() == [], "an empty store is no trouble"
        now = time.time()
        probe_sessions(client, now - HOURS * 3600, now)
        (notice,) = watching.look()
        assert (notice.kind, notice.store, notice.resolved_at) == ("creator", "A", None)
        assert "every 10 s" in "".join(lines(notice))
        assert notice.since is not None
        assert abs(notice.since.timestamp() - (now - HOURS * 3600)) < 60
        key = notice.key
        (notice,) = watching.look()
        assert notice.key == key
        with Case.open(watching.case) as case:
            counted = case.rows("SELECT quantity, value FROM history WHERE source = 'guard' AND quantity = 'sessions'")
            assert sorted(row["value"] for row in counted) == [0.0, HOURS * 360.0, HOURS * 360.0]
            assert case.value("SELECT count(*) FROM notice") == 1
        taken = watching.census.taken
        assert taken is not None
        page = zlib.decompress(taken.page).decode()
        assert page.startswith("<!doctype html>")
        everything = encode(taken) + page + "".join("\n".join(lines(one)) for one in watching.told)
        assert not [name for name in client.keys("sess:*") if name.decode().removeprefix("sess:") in everything]
        client.flushall()
        probe_sessions(client, now - HOURS * 3600, now - 900)
        (notice,) = watching.look()
        assert notice.key == key
        assert notice.resolved_at is not None, "the prober has been off for a quarter of an hour"
        assert [one for one in watching.look() if one.resolved_at is None] == []


def test_each_look_lays_what_an_earlier_one_predicted_beside_what_is_there(tmp_path: Path) -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        client, now = server.client(), time.time()
        watching = Watching(tmp_path, f'[[store]]\nname = "A"\nredis = "redis://127.0.0.1:{server.port}"\n')
        probe_sessions(client, now - HOURS * 3600, now)
        watching.look()
        taken = watching.census.taken
        assert taken is not None
        assert taken.courses == (), "the first look has no past"
        probe_sessions(client, now - 2 * HOURS * 3600, now - HOURS * 3600)  # twice as many as anybody could expect
        watching.look()
    taken = watching.census.taken
    assert taken is not None
    (course,) = taken.courses
    assert (course.store, course.predicted_by) == ("A", "guard")
    assert course.measured[0][1] == HOURS * 360
    assert course.measured[-1][1] == 2 * HOURS * 360
    assert abs(course.predicted[0][1] - HOURS * 360) < 2
    with Case.open(watching.case) as case:
        assert case.value("SELECT count(*) FROM look") == 2


def test_a_store_that_dies_is_told_with_the_reason_and_told_to_be_back(tmp_path: Path) -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        port = server.port
        watching = Watching(tmp_path, f'[[store]]\nname = "A"\nredis = "redis://me:hunter2@127.0.0.1:{port}"\n')
        watching.look()
    (notice,) = watching.look()
    assert notice.kind == "unread"
    assert str(port) in notice.title
    assert "hunter2" not in notice.title
    opened = notice.opened_at
    (notice,) = watching.look()
    assert (notice.opened_at, notice.resolved_at) == (opened, None)


def test_a_prober_does_not_hide_that_a_store_was_emptied_between_two_looks(tmp_path: Path) -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        client, now = server.client(), time.time()
        watching = Watching(tmp_path, f'[[store]]\nname = "A"\nredis = "redis://127.0.0.1:{server.port}"\n')
        probe_sessions(client, now - 3600, now)
        watching.look()
        with duckdb.connect(str(watching.case)) as kept:  # the look was an hour ago
            for table in ("look", "history"):
                kept.execute(f'UPDATE {table} SET "at" = "at" - INTERVAL 1 HOUR')
        client.flushall()
        probe_sessions(client, now - 3500, now, 9.0)  # more than there were, all younger than that look
        found = [notice.title for notice in watching.look() if notice.kind == "emptied"]
    assert found == ["Store A lost its sessions: of the 360 at the previous examination 0 are left"]


def test_an_incident_file_that_is_wrong_for_a_while_is_told_and_what_it_said_before_is_watched(tmp_path: Path) -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        right = f'[[store]]\nname = "A"\nredis = "redis://127.0.0.1:{server.port}"\n'
        watching = Watching(tmp_path, right)
        assert watching.look() == []
        (tmp_path / "incident.toml").write_text(right + "[[store\n")
        (notice,) = watching.look()
        assert (notice.kind, notice.severity, notice.resolved_at) == ("misread", "warning", None)
        assert "incident.toml:4: not TOML" in notice.title
        assert watching.census.error == ""
        (tmp_path / "incident.toml").write_text(right)
        (notice,) = watching.look()
        assert notice.resolved_at is not None


def test_a_file_that_is_no_case_in_the_place_of_the_history_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "kept.case").write_text("my diary, of which there is one copy")
    with servers.running("redis-7.0", tcp=True) as server:
        watching = Watching(tmp_path, f'[[store]]\nname = "A"\nredis = "redis://127.0.0.1:{server.port}"\n')
        (notice,) = watching.look()
    assert "is no case: not written over" in notice.title
    assert watching.case.read_text() == "my diary, of which there is one copy"


def test_a_deploy_that_a_script_appends_to_the_file_is_in_the_history_once(tmp_path: Path) -> None:
    deploys = tmp_path / "deploys.log"
    with servers.running("redis-7.0", tcp=True) as server:
        incident = f'[[store]]\nname = "A"\nredis = "redis://127.0.0.1:{server.port}"\n'
        watching = Watching(tmp_path, incident, event_file=str(deploys))
        watching.look()
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 7200))
        deploys.write_text(f"{at}Z=deploy v42\nnot an event\n")
        watching.look()
        watching.look()
    with Case.open(watching.case) as case:
        found = [(f"{row['at']:%Y-%m-%dT%H:%M:%S}", row["text"]) for row in case.rows("SELECT * FROM event")]
        assert found == [(at, "deploy v42")]
