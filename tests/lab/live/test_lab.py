"""A lab that comes up, acts, and goes without a trace."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.running import run
from necropsy.case.store import Case
from necropsy.evidence.app_log.reader import read as read_app_logs
from necropsy.lab.live import conductor, plan, programs, search
from necropsy.lab.live.actors.asking import ask
from necropsy.lab.live.acts import act
from necropsy.lab.live.plan import LabOptions, LabPlan
from necropsy.lab.live.supervisor import Supervisor
from necropsy.model.errors import NecropsyError, UsageError
from waiting import wait_until

SMALL = ("consul", "prometheus", "prometheus-metrics", "blackbox", "redis-exporter", "alertmanager", "guard")
"""Left out where a test is not about them."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[LabPlan]:
    made = conductor.up(tmp_path / "lab", LabOptions(speed=60, interval_s=1, users=2, without=SMALL), lambda _: None)
    yield made.plan
    conductor.down(made.plan.folder)


@pytest.mark.integration
def test_nothing_is_left_after_down(lab: LabPlan) -> None:
    supervisor = Supervisor(lab.folder, lab.id)
    said = run("lab", "status", "--folder", str(lab.folder))
    assert said.code == 0
    assert "a1-blue                runs" in said.out
    assert "LEFT OUT  consul" in said.out
    assert "consul-server-001" not in said.out
    assert max(len(line) for line in said.out.splitlines()) <= 80
    assert run("lab", "down", "--folder", str(lab.folder)).code == 0
    assert supervisor.left() == []
    again = run("lab", "down", "--folder", str(lab.folder))
    assert (again.code, "nothing ran" in again.out) == (0, True)
    assert run("lab", "status", "--folder", str(lab.folder)).code == 1


@pytest.mark.integration
def test_users_log_in_and_their_requests_are_in_the_log_as_in_the_incident(lab: LabPlan) -> None:
    diary = lab.folder / "truth" / "users-admin-a.jsonl"
    wait_until(
        lambda: {"login", "work"} <= {json.loads(line)["event"] for line in diary.read_text().splitlines()},
        "users log in and work",
        60,
    )
    log = (lab.folder / "servers" / "a1" / "access.log").read_text() + (
        lab.folder / "servers" / "a2" / "access.log"
    ).read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"POST /login HTTP/1.1", "GET /health HTTP/1.1"} <= {line["request"] for line in lines}
    assert set(lines[0]) == {
        "@timestamp", "remote_addr", "host", "request", "status", "body_bytes_sent", "request_time", "http_referrer", "http_user_agent",
    }  # fmt: skip
    assert "noticed" not in diary.read_text()


@pytest.mark.integration
def test_who_asks_while_redis_hangs_gets_an_error_and_the_log_has_the_time_out(
    lab: LabPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("necropsy.lab.live.acts._HANG_S", 8.0)
    hang = threading.Thread(target=act, args=(lab.folder, "hang", "A"))
    hang.start()
    supervisor = Supervisor(lab.folder, lab.id)
    pid = supervisor.noted()["redis-admin-a"].pid
    wait_until(lambda: Path(f"/proc/{pid}/stat").read_text().split()[2] == "T", "Redis is stopped", 60)
    assert ask(str(lab.machine("a1").proxy), "GET", "/", {}).status == 500
    hang.join()
    log = (lab.folder / "servers" / "a1" / "error-blue.log").read_text()
    assert "RedisCommandTimeoutException" in log
    assert '"act": "hang A"' in (lab.folder / "truth" / "events.jsonl").read_text()
    assert ask(str(lab.machine("a1").proxy), "GET", "/", {}).status == 302


@pytest.mark.integration
def test_a_conductor_that_is_killed_leaves_what_the_next_one_removes(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    code = "import runpy; runpy.run_module('necropsy.cli.main', run_name='__main__')"
    without = [option for name in SMALL for option in ("--without", name)]
    command = [sys.executable, "-c", code, "lab", "up", "--folder", str(folder), "--interval", "1s", "-q", *without]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as conductor_process:
        wait_until(lambda: len(list(folder.glob("processes/*.json"))) >= 3, "some processes run", 60)
        conductor_process.kill()
    former = plan.read(folder)
    supervisor = Supervisor(folder, former.id)
    assert supervisor.left()
    made = conductor.up(folder, LabOptions(interval_s=1, users=1, without=SMALL), lambda _: None)
    try:
        wait_until(lambda: supervisor.left() == [], "what was left is gone", 60)
        assert made.plan.id != former.id
    finally:
        conductor.down(folder)
    assert made.supervisor.left() == []


@pytest.mark.integration
def test_one_that_does_not_start_takes_the_others_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs.NGINX.__class__, "find", _broken_nginx)
    with pytest.raises(NecropsyError, match="nginx-a1 has ended: no nginx today"):
        conductor.up(tmp_path / "lab", LabOptions(interval_s=1, users=1, without=SMALL), lambda _: None)
    assert Supervisor(tmp_path / "lab", plan.read(tmp_path / "lab").id).left() == []


def test_a_component_that_is_not_installed_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(programs, "_SYSTEM", ())
    drawn = plan.draw(tmp_path, LabOptions(interval_s=1))
    _, missing = conductor.look_for(drawn)
    lacking = {one.component.name: one for one in missing}
    assert lacking["consul"].get == ("tools/debian-release 11 in a checkout (Consul 1.8.7)",)
    assert "file_sd" in lacking["consul"].component.left_out
    assert all(one.get for one in missing)
    with pytest.raises(NecropsyError, match="there is no lab without nginx") as refused:
        conductor.up(tmp_path / "lab", LabOptions(interval_s=1), lambda _: None)
    assert "apt-get install" in refused.value.hint


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(UsageError, match="holds something else"):
        conductor.up(tmp_path, LabOptions(interval_s=1), lambda _: None)
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("up", "--without", "grafana"), "no component 'grafana'"),
        (("up", "--application", "cobol"), "--application 'cobol' is not known"),
        (("up", "--interval", "soon"), "--interval 'soon' is not a duration"),
        (("up", "--speed", "0"), "--speed must be above 0"),
        (("down",), "no lab here"),
        (("status",), "no lab here"),
        (("act", "dance"), "no act 'dance'"),
        (("act", "deploy"), "deploy needs a MACHINE or prometheus"),
        (("act", "prober-on", "now"), "prober-on takes nothing after it"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_makes_no_sense_is_refused_with_a_hint(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    refused = run("lab", *arguments, "--folder", str(tmp_path / "lab"))
    assert refused.error is not None
    assert said in refused.error.message
    assert refused.error.hint


def _broken_nginx(program: programs.Program) -> Path | None:
    if program is not programs.NGINX:
        return _find(program)
    return Path(__file__).parent / "broken_nginx"


_find = programs.Program.find


@pytest.mark.integration
def test_the_error_logs_are_in_opensearch_and_read_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("necropsy.lab.live.acts._HANG_S", 8.0)
    wish = LabOptions(speed=60, interval_s=1, users=6, without=SMALL, opensearch=True)
    lab = conductor.up(tmp_path / "lab", wish, lambda _: None).plan
    try:
        act(lab.folder, "hang", "A")
        found = search.address(lab)
        assert found in (lab.folder / "incident.toml").read_text()

        def events() -> int:
            with Case.create(None) as case:
                return read_app_logs(case, [found]).events

        wait_until(lambda: events() > 0, "time-outs are in the index", 120)
    finally:
        conductor.down(lab.folder)


@pytest.mark.integration
def test_connections_that_were_cut_are_made_again_and_users_stay_logged_in(lab: LabPlan) -> None:
    diary = lab.folder / "truth" / "users-admin-a.jsonl"

    def works() -> int:
        return [json.loads(line)["event"] for line in diary.read_text().splitlines()].count("work")

    wait_until(lambda: works() > 0, "users work", 60)
    was = works()
    act(lab.folder, "cut", "A")
    wait_until(lambda: works() > was + 2, "users work again", 60)
    assert '"noticed"' not in diary.read_text()
