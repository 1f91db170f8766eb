"""A network that can be disturbed, and a replica that takes over: what the users see of it, and what necropsy does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from cli.running import run
from necropsy.lab.live import conductor, weather
from necropsy.lab.live.actors.asking import ask
from necropsy.lab.live.actors.network import Weather
from necropsy.lab.live.acts import act
from necropsy.lab.live.plan import LabOptions, LabPlan, draw
from necropsy.lab.live.supervisor import Supervisor
from necropsy.model.errors import NecropsyError
from waiting import wait_until

SMALL = ("consul", "prometheus", "prometheus-metrics", "blackbox", "redis-exporter", "alertmanager", "guard")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[LabPlan]:
    wish = LabOptions(speed=60, interval_s=1, users=4, without=SMALL, weather=True)
    made = conductor.up(tmp_path / "lab", wish, lambda _: None)
    yield made.plan
    conductor.down(made.plan.folder)
    assert made.supervisor.left() == []


def did(lab: LabPlan) -> Counter[str]:
    lines = (lab.folder / "truth" / "users-admin-a.jsonl").read_text().rpartition("\n")[0].splitlines()
    return Counter(json.loads(line)["event"] for line in lines)


def store(lab: LabPlan) -> redis.Redis:
    place = lab.admin("admin-a").redis
    return redis.Redis(host=place.host, port=place.port, protocol=2, socket_timeout=60)


@pytest.mark.integration
def test_after_a_failover_users_are_still_logged_in_and_the_store_is_examined_at_its_address(lab: LabPlan) -> None:
    supervisor = Supervisor(lab.folder, lab.id)
    wait_until(lambda: did(lab)["work"] >= 5, "users work")
    before = store(lab).info("server")["run_id"]
    # Everything that was written has reached the replica: what a failover loses is not what this is about.
    assert store(lab).wait(1, 60_000) == 1
    act(lab.folder, "failover", "A")
    assert store(lab).info("server")["run_id"] != before
    assert store(lab).info("replication")["role"] == "master"
    assert supervisor.noted()["redis-admin-a-first"].alive
    wait_until(lambda: store(lab).info("replication")["connected_slaves"] == 1, "the old primary follows the new one")
    worked = did(lab)["work"]
    wait_until(lambda: did(lab)["work"] >= worked + 10, "users work again")
    assert did(lab)["noticed"] == 0
    kept = lab.folder.parent / "kept"
    assert run("lab", "record", str(kept), "--folder", str(lab.folder)).code == 0
    said = run("examine", str(kept / "incident.toml"), "--format", "json", "-q")
    assert json.loads(said.out)["sessions"]["authenticated"] > 0
    live = run("examine", "--redis", f"redis://{lab.admin('admin-a').redis}", "--format", "json", "-q")
    assert json.loads(live.out)["sessions"]["authenticated"] > 0
    act(lab.folder, "failover", "A")  # and back again
    assert store(lab).info("replication")["role"] == "master"


@pytest.mark.integration
def test_lost_packets_are_a_time_out_of_the_application_and_delayed_ones_are_not(
    lab: LabPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = lab.folder / "servers" / "a1" / "error-blue.log"
    blue = str(lab.machine("a1").blue)
    admin = lab.admin("admin-a")
    to = str(weather.server(lab, admin, "first"))
    weather.write(lab, admin, Weather(to, delay_s=0.3))
    wait_until(lambda: _took(lab) >= 0.3, "answers come late")
    assert ask(blue, "GET", "/", {}).status == 302
    weather.write(lab, admin, Weather(to))
    assert "RedisCommandTimeoutException" not in errors.read_text()
    monkeypatch.setattr(weather, "LASTS_S", 8.0)
    lost = threading.Thread(target=act, args=(lab.folder, "lose", "A"))
    lost.start()
    wait_until(lambda: json.loads(weather.kept(lab, admin).read_text())["silent"], "packets are lost")
    wait_until(lambda: ask(blue, "GET", "/", {}).status == 500 or not lost.is_alive(), "the application times out")
    lost.join()
    assert "RedisCommandTimeoutException" in errors.read_text()
    wait_until(lambda: ask(blue, "GET", "/", {}).status == 302, "the network is as before")


def _took(lab: LabPlan) -> float:
    began = time.monotonic()
    store(lab).ping()
    return time.monotonic() - began


def test_a_lab_without_weather_says_what_it_needs(tmp_path: Path) -> None:
    plan = draw(tmp_path, LabOptions(interval_s=1))
    with pytest.raises(NecropsyError) as refused:
        weather.failover(plan, Supervisor(tmp_path, plan.id), plan.admin("admin-a"))
    assert refused.value.hint == "necropsy lab up --weather"


@pytest.mark.process
def test_a_network_whose_server_is_gone_ends_the_connection(tmp_path: Path) -> None:
    plan = draw(tmp_path, LabOptions(interval_s=1, weather=True))
    admin = plan.admin("admin-a")
    weather.write(plan, admin, Weather(str(weather.server(plan, admin, "first"))))
    command = [sys.executable, "-m", "necropsy.lab.live.actors.network", f"--listen={admin.redis}",
               f"--weather={weather.kept(plan, admin)}"]  # fmt: skip
    with subprocess.Popen(command) as network:
        try:
            client = redis.Redis(host=admin.redis.host, port=admin.redis.port, protocol=2, socket_timeout=60)
            wait_until(lambda: _ends(client), "it listens, and ends the connection")
        finally:
            os.kill(network.pid, signal.SIGTERM)


def _ends(client: redis.Redis) -> bool:
    try:
        client.ping()
    except redis.ConnectionError as error:
        return "closed" in str(error).lower() or "reset" in str(error).lower()
    return False
