"""Alertmanager's configuration, given to the real amtool and a real Alertmanager that sends to a receiver that records."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

import servers
from guard.notify.receiver import DEBIAN_14, TEMPLATES, Receiver, alertmanager_program, answers, recording
from necropsy.guard.around import alertmanager as around
from necropsy.guard.notify import alertmanager as source
from necropsy.guard.notify.message import Message, MessageState, sample
from necropsy.guard.notify.plan import ReceiverRules, parse_quiet
from necropsy.guard.notify.post import post
from necropsy.guard.rules import alerts
from necropsy.guard.watch.notice import Member
from waiting import wait_until

HOSTILE = "<!channel> & `x` ``` {{ .Labels.store }} <https://evil.example|click>"


def alert(name: str, **labels: str) -> dict[str, Any]:
    """Return an alert as Prometheus sends it by the rules."""
    rule = next(one for one in alerts() if one.name == name)
    now = datetime.now(UTC)
    return {
        "labels": {"alertname": name, "severity": rule.severity, "slug": rule.slug, **labels},
        "annotations": {"summary": rule.summary, "description": rule.description, "runbook": f"necropsy explain {rule.slug}"},
        "startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat(),
    }  # fmt: skip


def notice(state: MessageState = MessageState.OPEN, **said: Any) -> dict[str, Any]:
    """Return an alert as the guard sends it."""
    now = datetime.now(UTC).replace(microsecond=0)
    one = replace(sample(now), resolved_at=now if state is MessageState.RESOLVED else None, **said)
    return source.payload([Message(one, state)], now, 600.0)[0]


class Running:
    """An Alertmanager with a generated configuration, and what it sent to whom."""

    def __init__(self, url: str, slack: Receiver, hook: Receiver, log: Path) -> None:
        self.url, self.slack, self.hook, self._log = url, slack, hook, log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def tell(self, *told: Mapping[str, Any]) -> None:
        post(f"{self.url}/api/v2/alerts", list(told))


@contextmanager
def running(folder: Path, rules: ReceiverRules | None = None, pager: ReceiverRules | None = None) -> Iterator[Running]:
    with recording() as slack, recording() as hook:
        (folder / "slack.url").write_text(f"{slack.url}/services/T0SECRET")
        (folder / "hook.url").write_text(f"{hook.url}/hook")
        receivers = [around.Receiver(around.SLACK, str(folder / "slack.url"), rules or ReceiverRules()),
                     around.Receiver(around.WEBHOOK, str(folder / "hook.url"), pager or ReceiverRules(least="critical"))]  # fmt: skip
        made = around.as_yaml(receivers, "http://127.0.0.1:9120/")
        quick = made.replace("group_wait: 30s", "group_wait: 500ms").replace("group_interval: 5m", "group_interval: 1s")
        (folder / "alertmanager.yml").write_text(quick)
        (folder / around.TEMPLATE).write_text(around.template())
        port, log = servers.free_port(), folder / "log"
        command = [str(alertmanager_program()), f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'data'}",
                   f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=debug"]  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        with log.open("wb") as stream:
            process = subprocess.Popen(command, stdout=stream, stderr=stream, cwd=TEMPLATES)
        try:
            wait_until(lambda: answers(f"{url}/-/ready"), "Alertmanager is ready")
            yield Running(url, slack, hook, log)
        finally:
            process.terminate()
            process.wait(10)


def said(body: Any) -> dict[str, Any]:
    """Return what Slack would show; Alertmanager sends a bare title, and counts no failure, when a template fails."""
    (shown,) = body["attachments"]
    assert shown["footer"].startswith("necropsy")
    assert shown["color"] in ("good", "warning", "danger")
    assert shown["title"]
    assert shown["text"]
    return dict(shown)


@pytest.mark.integration
def test_slack_is_told_who_since_when_the_line_and_the_command_and_of_the_end(tmp_path: Path) -> None:
    with running(tmp_path) as house:
        house.tell(notice())
        shown = said(house.slack.wait_for(lambda bodies: len(bodies) == 1, "it is told")[0])
        assert shown["title"] == "4 new creators start 34,560 sessions a day in store A"
        assert shown["title_link"] == "http://127.0.0.1:9120/"
        assert shown["color"] == "danger"
        for word in ("172.12.1.189:80", "since", "change   prometheus.yml:17", "necropsy treat guard.case --patch"):
            assert word in shown["text"]
        assert "store A" in shown["footer"]
        house.hook.wait_for(lambda bodies: len(bodies) == 1, "so is the pager: it is critical")
        house.tell(notice(MessageState.RESOLVED))
        over = said(house.slack.wait_for(lambda bodies: len(bodies) == 2, "its end is told")[1])
        assert over["title"].startswith("Resolved: ")
        assert over["color"] == "good"
        assert "T0SECRET" not in house.log


@pytest.mark.integration
def test_every_alert_of_the_rules_and_hostile_or_bare_ones_are_told_whole(tmp_path: Path) -> None:
    with running(tmp_path) as house:
        told = [alert(one.name, store=f"s{number}") for number, one in enumerate(alerts())]
        many = [alert("NecropsyStoreDown", instance=f"{HOSTILE}{number}") for number in range(20)]
        bare = {"labels": {"alertname": "Bare", "slug": "x", "severity": "info"}, "annotations": {"description": "one"}}
        hostile = notice(
            key="h", store="hostile", title=HOSTILE, members=(Member(HOSTILE, HOSTILE),), command=HOSTILE, line=HOSTILE
        )
        house.tell(*told, *many, bare, hostile, {"labels": {"alertname": HOSTILE}, "annotations": {"runbook": HOSTILE}})
        bodies = house.slack.wait_for(lambda bodies: len(bodies) >= len(told) + 3, "all are told")
        for body in bodies:
            (shown,) = body["attachments"]
            assert shown["footer"].startswith("necropsy"), shown
            text = shown["title"] + shown["text"]
            assert "<" not in text
            assert text.count("```") % 2 == 0
            assert len(shown["text"]) < 7_500
        titles = [body["attachments"][0]["title"] for body in bodies]
        assert len([title for title in titles if title.startswith("20 alerts: ")]) == 1
        assert any("The first 8 of 20" in body["attachments"][0]["text"] for body in bodies)
        assert "template" not in "".join(line for line in house.log.splitlines() if "level=ERROR" in line)


def states(house: Running, ready: Callable[[dict[str, str]], bool]) -> dict[str, str]:
    from guard.notify.receiver import get_json

    def look() -> dict[str, str] | None:
        found = get_json(f"{house.url}/api/v2/alerts")
        by_name = {
            f"{one['labels']['alertname']} {one['labels'].get('kind', '')}".strip(): one["status"]["state"]
            for one in found
        }
        return by_name if ready(by_name) else None

    states_now: dict[str, str] = wait_until(look, "alerts are in their states")
    return states_now


@pytest.mark.integration
def test_a_notice_takes_the_place_of_its_alert_and_a_store_that_is_down_of_what_is_old(tmp_path: Path) -> None:
    with running(tmp_path) as house:
        house.tell(
            notice(), alert("NecropsyProbesCreatesSessions", store="A"), alert("NecropsyNoMemoryLimit", store="B")
        )
        # Inhibition and grouping go on beside each other: what is grouped first is active until it is grouped again.
        wanted = {"NecropsyProbesCreatesSessions creator": "active", "NecropsyProbesCreatesSessions": "suppressed",
                  "NecropsyNoMemoryLimit": "active"}  # fmt: skip
        states(house, lambda by_name: by_name == wanted)
        house.tell(alert("NecropsyStoreDown", store="B", instance="B"))
        wanted |= {"NecropsyNoMemoryLimit": "suppressed", "NecropsyStoreDown": "active"}
        states(house, lambda by_name: by_name == wanted)  # the creator's is of another store


@pytest.mark.integration
def test_no_notice_hides_an_alert_that_says_more_than_it(tmp_path: Path) -> None:
    unwatched = {"slug": "monitoring/store-unwatched", "members": ()}
    with running(tmp_path) as house:
        house.tell(
            notice(key="misread", kind="misread", store=None, severity="warning", **unwatched),
            alert("NecropsyStoreDown", instance="of another job, without the label store"),
            alert("NecropsyNotScraped", job="redis"),
            notice(key="emptied", kind="emptied", store="A", **unwatched),
            alert("NecropsyStoreNotCounted", store="A"),
            notice(key="full", kind="full", store="B", slug="memory/near-limit"),
            alert("NecropsyStoreFullWithinADay", store="B"),
        )
        wanted = {"NecropsyMonitoringStoreUnwatched misread": "active", "NecropsyStoreDown": "active",
                  "NecropsyNotScraped": "active", "NecropsyMonitoringStoreUnwatched emptied": "active",
                  "NecropsyStoreNotCounted": "active", "NecropsyMemoryNearLimit full": "active",
                  "NecropsyStoreFullWithinADay": "suppressed"}  # fmt: skip
        states(house, lambda by_name: by_name == wanted)
        house.tell(alert("NecropsyMemoryNearLimit", store="B", instance="B"))
        wanted |= {"NecropsyMemoryNearLimit": "active"}
        states(house, lambda by_name: by_name == wanted)


@pytest.mark.integration
def test_a_store_that_is_down_takes_the_place_of_the_notice_that_it_cannot_be_read(tmp_path: Path) -> None:
    with running(tmp_path) as house:
        house.tell(
            notice(key="unread:A", kind="unread", store="A", slug="monitoring/store-unwatched", members=()),
            alert("NecropsyStoreNotCounted", store="A"),
        )
        wanted = {"NecropsyMonitoringStoreUnwatched unread": "active", "NecropsyStoreNotCounted": "suppressed"}
        states(house, lambda by_name: by_name == wanted)
        house.tell(alert("NecropsyStoreDown", store="A", instance="A"))
        wanted |= {"NecropsyMonitoringStoreUnwatched unread": "suppressed", "NecropsyStoreDown": "active"}
        states(house, lambda by_name: by_name == wanted)


@pytest.mark.integration
def test_quiet_hours_hold_back_what_can_wait(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    begins, ends = now - timedelta(hours=1), now + timedelta(hours=1)
    quiet = parse_quiet(f"{begins:%H:%M}-{ends:%H:%M} UTC")
    with running(tmp_path, ReceiverRules(quiet=quiet)) as house:
        house.tell(alert("NecropsyNoMemoryLimit", store="A"), alert("NecropsyStoreDown", store="B"))
        (body,) = house.slack.wait_for(lambda bodies: len(bodies) == 1, "what is critical is told")
        assert "StoreDown" in str(body) or "does not answer" in str(body)
        wait_until(lambda: "Notifications not sent" in house.log or "mute time" in house.log, "the other is held back")
        assert len(house.slack.received) == 1


def amtool(*words: str) -> subprocess.CompletedProcess[str]:
    alertmanager_program()
    return subprocess.run([DEBIAN_14 / "usr" / "bin" / "amtool", *words], capture_output=True, text=True, check=False)


@pytest.mark.integration
def test_amtool_accepts_it_and_routes_by_severity(tmp_path: Path) -> None:
    receivers = [around.Receiver(around.SLACK, "/run/slack.url", ReceiverRules(least="warning", quiet=parse_quiet("22:00-07:00 Europe/Berlin"))),
                 around.Receiver(around.WEBHOOK, "/run/pager.url", ReceiverRules(least="critical", repeat_s=None))]  # fmt: skip
    path = tmp_path / "alertmanager.yml"
    path.write_text(around.as_yaml(receivers))
    (tmp_path / around.TEMPLATE).write_text(around.template())
    checked = amtool("check-config", str(path))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    for severity, expected in (("info", "nobody"), ("warning", "slack-1"), ("critical", "slack-1,webhook-2")):
        routed = amtool(
            "config", "routes", "test", f"--config.file={path}", "slug=probes/creates-sessions", f"severity={severity}"
        )
        assert routed.stdout.strip().removesuffix(",nobody") == expected
    assert (
        amtool("config", "routes", "test", f"--config.file={path}", "alertname=OfTheHouse").stdout.strip() == "slack-1"
    )


def test_quiet_hours_over_midnight_are_two_ranges_and_none_mute_nobody() -> None:
    def made(quiet: str) -> Any:
        return yaml.safe_load(
            around.as_yaml([around.Receiver(around.SLACK, "f", ReceiverRules(quiet=parse_quiet(quiet)))])
        )

    (interval,) = made("22:00-07:00 Europe/Berlin")["time_intervals"]
    assert interval["time_intervals"] == [
        {"times": [{"start_time": "22:00", "end_time": "24:00"}, {"start_time": "00:00", "end_time": "07:00"}],
         "location": "Europe/Berlin"}
    ]  # fmt: skip
    assert "time_intervals" not in made("07:00-07:00"), "an empty interval would mute for ever"
