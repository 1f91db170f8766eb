"""The guard as one process: every part at one port, reload, drain, and what happens when a part fails."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import servers
from guard.guards import Running, populate, running
from guard.notify.receiver import recording
from waiting import wait_until

pytestmark = pytest.mark.integration


def config(server: servers.Server, more: str = "", password: str = "") -> str:
    login = f"default:{password}@" if password else ""
    return f'[[store]]\nname = "A"\nredis = "redis://{login}127.0.0.1:{server.port}"\n\n[guard]\nevery = "10s"\n{more}'


def faults(metrics: str) -> str:
    """Return what promtool finds wrong with the names and help of our own metrics."""
    own = [line for line in metrics.splitlines() if re.match(r"(?:# (?:HELP|TYPE) )?necropsy_", line)]
    assert own
    command = [shutil.which("promtool") or "/usr/bin/promtool", "check", "metrics"]
    run = subprocess.run(command, input="\n".join([*own, ""]), capture_output=True, text=True, check=False)
    return run.stdout + run.stderr


def test_every_part_answers_at_one_port_and_nothing_secret_is_anywhere(tmp_path: Path) -> None:
    with servers.running("redis-7.0", tcp=True) as server, recording() as receiver:
        client_ids = populate(server)
        server.client().config_set("requirepass", "hunter2")
        (tmp_path / "slack.url").write_text(f"{receiver.url}/services/T0SECRET")
        tell = f'[[guard.tell]]\nslack-file = "slack.url"\n\n[[guard.tell]]\nwebhook = "{receiver.url}/hook"\n'
        with running(tmp_path, config(server, tell, "hunter2")) as guard:
            guard.wait_for_looks(2)
            receiver.wait_for(lambda bodies: len(bodies) >= 2, "both channels are told")
            metrics = guard.get("/metrics")[1]
            families = [family.name for family in text_string_to_metric_families(metrics)]
            assert len(set(families)) == len(families)
            assert {
                "redis_up",
                "necropsy_sessions",
                "necropsy_notices",
                "necropsy_notifications",
                "process_open_fds",
            } <= set(families)
            assert 'necropsy_notices{severity="critical"} 1' in metrics
            assert "redis_up 1" in guard.get("/scrape?target=A")[1]
            assert "probe_success 1" in guard.get(f"/probe?target={guard.url}/-/healthy")[1]
            assert faults(metrics) == ""
            index, report = guard.get("/")[1], guard.get("/report")[1]
            assert "A new creator starts 8,640 sessions a day in store A" in index
            assert report.startswith("<!doctype html>")
            stream = urllib.request.urlopen(f"{guard.url}/events", timeout=30)
            lines = [stream.readline().decode() for _ in range(4)]
            stream.close()
            assert any(line.startswith("data:") and '"servers":{"A":{"up":true' in line for line in lines)
            assert guard.end() == 0
        shown = metrics + index + report + "".join(lines) + guard.log + str(receiver.received)
        assert [word for word in ("hunter2", *client_ids) if word in shown] == []
        assert "T0SECRET" not in shown.replace("'/services/T0SECRET'", "")
        assert len(receiver.received) == 2, "each channel once, whatever the number of looks"


def test_a_strange_host_name_and_anything_but_reading_is_refused(tmp_path: Path) -> None:
    with (
        servers.running("redis-7.0", tcp=True) as server,
        running(tmp_path, config(server, 'hosts = ["guard.example"]\n')) as guard,
    ):
        assert guard.get("/", Host="evil.example")[0] == 421
        assert guard.get("/metrics", Host="evil.example")[0] == 421
        assert guard.get("/", Host="guard.example:9120")[0] == 200
        assert guard.get("/", Host="[::1]:9120")[0] == 200
        for method in ("POST", "PUT", "DELETE"):
            connection = http.client.HTTPConnection(guard.url.removeprefix("http://"), timeout=30)
            connection.request(method, "/", b"x")
            assert connection.getresponse().status == 501
            connection.close()
        policy = guard.get("/")[2]["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert guard.get("/report")[0] in (200, 404)


def test_a_reload_with_an_error_keeps_the_old_configuration_and_says_so_and_one_without_is_taken(
    tmp_path: Path,
) -> None:
    with servers.running("redis-7.0", tcp=True) as server, running(tmp_path, config(server)) as guard:
        path = tmp_path / "guard.toml"
        good = path.read_text()
        path.write_text(good.replace('every = "10s"', 'every = "10"'))
        guard.hang_up()
        wait_until(lambda: "stays in use" in guard.log, "the error is said")
        assert f"{path}:6: every: " in guard.log
        assert guard.metric("necropsy_config_last_reload_successful") == 0
        assert "the configuration was not reloaded" in guard.get("/")[1]
        assert "redis_up 1" in guard.get("/scrape?target=A")[1]
        path.write_text(good.replace('name = "A"', 'name = "B"'))
        guard.hang_up()
        wait_until(lambda: "Read the configuration again." in guard.log, "the reload is said")
        assert guard.metric("necropsy_config_last_reload_successful") == 1
        assert "redis_up 1" in guard.get("/scrape?target=B")[1]
        assert guard.get("/scrape?target=A")[0] == 400


def test_a_request_that_was_taken_is_answered_before_the_guard_ends(tmp_path: Path) -> None:
    with servers.running("redis-7.0", tcp=True) as server, socket.create_server(("127.0.0.1", 0)) as slow:
        with running(tmp_path, config(server)) as guard:
            answers: list[str] = []
            asked = f"/probe?target=http://127.0.0.1:{slow.getsockname()[1]}/"
            asking = threading.Thread(target=lambda: answers.append(guard.get(asked)[1]))
            asking.start()
            connection, _ = slow.accept()
            connection.recv(1000)
            os.kill(guard.process.pid, signal.SIGTERM)
            wait_until(lambda: "Ending." in guard.log, "it ends")
            assert guard.process.poll() is None
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            connection.close()
            assert guard.process.wait(60) == 0
            asking.join(30)
        assert "probe_success 1" in answers[0]
        assert "Stopped.\n" in guard.log


def children(guard: Running) -> list[int]:
    run = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(guard.process.pid)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in run.stdout.split()]


def test_a_look_that_is_killed_is_told_and_everything_else_goes_on(tmp_path: Path) -> None:
    with servers.running("redis-7.0", tcp=True) as server, running(tmp_path, config(server)) as guard:
        (look,) = wait_until(lambda: children(guard), "a look is under way")
        os.kill(look, signal.SIGKILL)
        wait_until(lambda: "the examination failed: the process ended with -9" in guard.log, "the failure is said")
        assert guard.metric("necropsy_census_up") == 0
        assert "redis_up 1" in guard.get("/scrape?target=A")[1]
        assert "the last examination failed" in guard.get("/")[1]
        wait_until(lambda: guard.metric("necropsy_census_up") == 1, "the next look succeeds")
        wait_until(lambda: "Resolved: The stores cannot be examined" in guard.log, "its end is told")


def test_a_reload_that_is_told_to_the_whole_process_group_does_not_end_the_look(tmp_path: Path) -> None:
    with servers.running("redis-7.0", tcp=True) as server, running(tmp_path, config(server)) as guard:
        wait_until(lambda: children(guard), "a look is under way")
        os.killpg(guard.process.pid, signal.SIGHUP)
        wait_until(lambda: "Read the configuration again." in guard.log, "the reload is said")
        guard.wait_for_looks(1)
        assert "the examination failed" not in guard.log


def test_no_process_of_a_guard_is_left_when_it_ended(tmp_path: Path) -> None:
    with servers.running("redis-7.0", tcp=True) as server, running(tmp_path, config(server)) as guard:
        found = wait_until(lambda: children(guard), "a look is under way")
        assert guard.end() == 0
        assert [pid for pid in found if Path(f"/proc/{pid}").exists()] == []
        assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_a_second_guard_of_the_same_case_is_refused_and_takes_over_when_the_first_has_ended(tmp_path: Path) -> None:
    with servers.running("redis-7.0", tcp=True) as server, running(tmp_path, config(server)) as guard:
        for words in (["guard", "run", "guard.toml", "--listen", "127.0.0.1:0"], ["watch", "guard.toml", "--once"]):
            run = subprocess.run([sys.executable, "-m", "necropsy.cli.main", *words], cwd=tmp_path, capture_output=True, text=True,
                                 check=False, timeout=300)  # fmt: skip
            assert run.returncode == 2
            assert "is kept by another watch or guard that is running" in run.stderr
        assert guard.end() == 0
        run = subprocess.run([sys.executable, "-m", "necropsy.cli.main", "watch", "guard.toml", "--once"], cwd=tmp_path,
                             capture_output=True, text=True, check=False, timeout=300)  # fmt: skip
        assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(("text", "said"), [
    ('[guard]\nlisten = "nowhere"\n', "not an address to listen on"),
    ('[guard]\nblackbox = "none.yml"\n', "none.yml: no such file"),
    ('[[store]]\nredis = "http://a"\n', "http://a"),
    ('[guard]\nsession = ["http_4xx=forbid"]\n', "names no such module: http_4xx"),
])  # fmt: skip
def test_a_configuration_that_is_wrong_ends_the_start_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    store = "" if "[[store]]" in text else '[[store]]\nredis = "redis://127.0.0.1:1"\n'
    (tmp_path / "guard.toml").write_text(store + text)
    run = subprocess.run(
        [sys.executable, "-m", "necropsy.cli.main", "guard", "run", "guard.toml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in (1, 2)
    assert said in run.stderr
    assert "Traceback" not in run.stderr
