"""``deploy/compose.yml``: Docker Compose accepts it, and each of its command lines runs here, with the real program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from guard.around import stack
from guard.notify.receiver import recording
from necropsy.guard.around import compose
from waiting import wait_until

pytestmark = [pytest.mark.checkout, pytest.mark.integration]


def test_docker_compose_accepts_it_and_nothing_runs_as_root_with_more_than_it_needs(
    checkout: Path, tmp_path: Path
) -> None:
    services = stack.resolved(checkout / "deploy" / "compose.yml")["services"]
    assert len(services) == 11
    for name, said in services.items():
        assert said["read_only"], name
        assert said["cap_drop"] == ["ALL"], name
        assert said["security_opt"] == ["no-new-privileges:true"], name
        assert all(port["host_ip"] == "127.0.0.1" for port in said.get("ports", ())), name
        assert ":" in said["image"], name
        root = not said.get("user") or said["user"].startswith("0")
        assert not root or name in ("nginx-a", "nginx-b", "app-a", "app-b"), (
            "nginx begins as root; the image of app says its user"
        )


def test_the_services_around_the_guard_are_those_that_the_command_writes(checkout: Path) -> None:
    """But for what the demonstration adds: how it is built, on whom it depends, and the guard's view of its neighbours."""
    kept = yaml.safe_load((checkout / "deploy" / "compose.yml").read_text())["services"]
    written = compose.document("./guard", "guard.toml")["services"]
    for name, said in written.items():
        here = {key: value for key, value in kept[name].items() if key not in ("build", "depends_on")}
        if name == "guard":
            here["volumes"] = here["volumes"][:2]
        assert here == said, name


def quickly(path: str, text: str) -> str:
    """Make the rounds of an hour those of a test."""
    if path == "prometheus/prometheus.yml":
        text = text.replace("15s", "1s").replace("scrape_interval: 10s", "scrape_interval: 1s")
    if path == "guard/guard.toml":
        text = text.replace('every = "5m"', 'every = "10s"')
    if path == "prometheus/necropsy.rules.yml":
        text = text.replace("for: 1m", "for: 1s")
    return text.replace("group_wait: 30s", "group_wait: 1s") if path.startswith("alertmanager/") else text


def test_every_command_line_runs_the_chain_is_whole_and_no_probe_starts_a_session(tmp_path: Path) -> None:
    with recording() as slack:

        def change(path: str, text: str) -> str:
            return f"{slack.url}/services/T0SECRET\n" if path == "secrets/slack.url" else quickly(path, text)

        with stack.running(tmp_path, change) as up:
            for name, port, path in (("consul", 8500, "/v1/status/leader"), ("alertmanager", 9093, "/-/ready"), ("prometheus", 9090, "/-/ready"),
                                     ("guard", 9120, "/-/ready"), ("nginx-a", 8080, "/health"), ("nginx-b", 8080, "/health")):  # fmt: skip
                stack.answering(f"{up.url(name, port)}{path}", f"{name} answers:\n{up.services[name].log}")
            targets = wait_until(lambda: probed(up, 4), "Prometheus asks the guard for four health endpoints")
            assert {url.rpartition("/")[2] for url in targets} == {"health"}
            assert all(value == "1" for value in targets.values())
            stores = {name: redis.Redis(up.services[f"redis-{name}"].address) for name in "ab"}
            wait_until(lambda: len(rounds(up)) == 4, "each was asked ten times")
            assert [store.dbsize() for store in stores.values()] == [0, 0]
            wait_until(lambda: query(up, "redis_up") and query(up, "necropsy_census_up == 1"), "the guard has looked")
            assert {one["metric"]["store"] for one in query(up, "redis_up == 1")} == {"admin-a", "admin-b"}
            up.services["redis-b"].stop()
            (body,) = slack.wait_for(lambda bodies: len(bodies) == 1, "Slack is told of a store that is down")
            assert "admin-b" in str(body)
            for name, service in up.services.items():
                if service.process is not None:
                    assert service.process.poll() is None, f"{name}: {service.log}"
            assert up.services["guard"].stop() == 0
        logs = "".join(service.log for service in up.services.values())
        assert "T0SECRET" not in logs


def query(up: stack.Stack, expression: str) -> list[dict[str, Any]]:
    answer = stack.asked(f"{up.url('prometheus', 9090)}/api/v1/query?query={expression.replace(' ', '%20')}")
    return list(answer["data"]["result"]) if answer else []


def probed(up: stack.Stack, number: int) -> dict[str, str]:
    found = {one["metric"]["instance"]: one["value"][1] for one in query(up, "probe_success")}
    return found if len(found) == number else {}


def rounds(up: stack.Stack) -> list[dict[str, Any]]:
    return query(up, "count_over_time(probe_success[1h]) > 10")
