"""What each channel is sent: to a real Alertmanager, and to a receiver that records."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from guard.notify.receiver import CHECKOUT, Receiver, alertmanager, get_json, recording
from necropsy.guard.notify import slack, webhook
from necropsy.guard.notify.channels import Channel
from necropsy.guard.notify.ledger import Ledger
from necropsy.guard.notify.message import Message, MessageState, sample
from necropsy.guard.notify.plan import ReceiverRules
from necropsy.guard.notify.post import NotSent, post
from necropsy.guard.notify.teller import Teller
from necropsy.guard.watch.notice import Member
from necropsy.wire.redis.address import Secret
from waiting import wait_until

NOW = datetime.now(UTC).replace(microsecond=0)
NOTICE = replace(sample(NOW), key="creator:A:1")
HOSTILE = replace(
    NOTICE, title="<!channel> & 4 new", members=tuple(Member(f"<script>{n}</script> " + "x" * 300) for n in range(40)),
    line="a.yml:1 `code`", command="necropsy `x`",
)  # fmt: skip


def every_text(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in every_text(part)]
    return [text for part in value for text in every_text(part)] if isinstance(value, list) else [str(value)]


@pytest.mark.parametrize(
    "notice", [NOTICE, HOSTILE, replace(NOTICE, members=(), figures=(), line="", command="", since=None)]
)
@pytest.mark.parametrize("state", list(MessageState))
def test_slack_blocks_keep_its_limits_and_let_no_markup_through(notice: Any, state: MessageState) -> None:
    body = slack.payload(Message(replace(notice, resolved_at=NOW if state is MessageState.RESOLVED else None), state))
    assert body["text"], "the fallback, for notifications of a phone"
    assert len(body["blocks"]) <= 50
    for block in body["blocks"]:
        texts = block.get("elements") or [block["text"]]
        assert all(0 < len(text["text"]) <= (150 if block["type"] == "header" else 3_000) for text in texts)
    shown = [text for block in body["blocks"] if block["type"] != "header" for text in every_text(block)]
    assert not [text for text in [*shown, body["text"]] if "<script>" in text or "<!channel>" in text]
    assert sum(text.count("```") for text in shown) in (0, 2), "a command cannot end its own block"


@pytest.mark.parametrize("state", list(MessageState))
def test_the_webhook_is_sent_what_its_schema_says(state: MessageState) -> None:
    schema = json.loads(resources.files("necropsy.guard.notify").joinpath("notice-1.schema.json").read_text())
    for notice in (NOTICE, HOSTILE, replace(NOTICE, store=None, since=None, members=(), resolved_at=NOW)):
        body = webhook.payload(Message(notice, state))
        jsonschema.validate(body, schema, format_checker=jsonschema.FormatChecker())


class Telling:
    """A teller with its channels, and what it logged."""

    def __init__(self, *channels: Channel, path: Path | None = None) -> None:
        self.logged: list[str] = []
        self.teller = Teller(channels, Ledger(path), self.logged.append)


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # apprise loads each of its plugins, PGP for mail among them
def test_each_channel_gets_the_beginning_and_the_end_once_also_after_a_restart(tmp_path: Path) -> None:
    with recording() as receiver:
        channels = [Channel("slack", Secret(f"{receiver.url}/slack")), Channel("webhook", Secret(f"{receiver.url}/hook"), token=Secret("t0k3n")),
                Channel("apprise", Secret(receiver.url.replace("http", "json") + "/apprise"))]  # fmt: skip
        first = Telling(*channels, path=tmp_path / "told")
        first.teller.start()
        first.teller.update([NOTICE])
        receiver.wait_for(lambda bodies: len(bodies) == 3, "three messages")
        first.teller.stop()
        again = Telling(*channels, path=tmp_path / "told")
        again.teller.start()
        again.teller.update([NOTICE])
        again.teller.update([replace(NOTICE, resolved_at=NOW + timedelta(minutes=5))])
        receiver.wait_for(lambda bodies: len(bodies) == 6, "three more")
        again.teller.stop()
    assert len(receiver.received) == 6
    by_path = {
        path: [body for other, _, body in receiver.received if other == path] for path, _, _ in receiver.received
    }
    assert [body["state"] for body in by_path["/hook"]] == ["open", "resolved"]
    assert [headers["Authorization"] for path, headers, _ in receiver.received if path == "/hook"] == [
        "Bearer t0k3n"
    ] * 2
    assert [body["blocks"][0]["text"]["text"][0] for body in by_path["/slack"]] == ["🔴", "🟢"]
    assert [body["title"] for body in by_path["/apprise"]] == [NOTICE.title, f"Resolved: {NOTICE.title}"]
    assert not first.logged + again.logged


@pytest.mark.integration
def test_a_channel_that_is_down_delays_no_other_and_is_told_when_it_is_back() -> None:
    with recording() as receiver, recording() as broken:
        broken.status, broken.answer = 503, "overloaded"
        telling = Telling(
            Channel("slack", Secret(f"{broken.url}/secret/path")), Channel("webhook", Secret(receiver.url))
        )
        telling.teller.start()
        telling.teller.update([NOTICE])
        receiver.wait_for(lambda bodies: len(bodies) == 1, "the webhook is told")
        wait_until(lambda: telling.logged, "the failure is logged")
        assert "answered 503: overloaded" in telling.logged[0]
        assert "secret" not in telling.logged[0]
        broken.status = 200
        broken.wait_for(lambda bodies: len(bodies) >= 2, "tried again")
        wait_until(lambda: not any(telling.teller.health().values()), "all is well")
        telling.teller.stop()
    text = "".join(f"{s.labels}{s.value}" for f in telling.teller.families() for s in f.samples)
    assert "secret" not in text


@pytest.mark.integration
def test_a_flood_is_one_message_for_people_each_for_a_program_and_nothing_is_told_twice() -> None:
    with recording() as receiver:
        channels = (
            Channel("slack", Secret(f"{receiver.url}/slack")),
            Channel("webhook", Secret(f"{receiver.url}/hook")),
        )
        telling = Telling(*channels)
        flood = [replace(NOTICE, key=f"unread:{n}", title=f"Store {n} cannot be read") for n in range(30)]
        telling.teller.update(flood)
        for _ in range(2):
            for channel in channels:
                telling.teller.tell(channel, NOW)
        by_path = [path for path, _, _ in receiver.received]
        assert (by_path.count("/slack"), by_path.count("/hook")) == (1, 30)
        body = next(body for path, _, body in receiver.received if path == "/slack")
        assert body["text"].splitlines()[0].endswith("30 notices at once: 30 critical")
        assert "Store 19 cannot be read" in body["text"]
        assert "and 10 more" in body["text"]
        telling.teller.update([replace(one, resolved_at=NOW) for one in flood])
        telling.teller.tell(channels[0], NOW)
        assert "30 resolved" in receiver.received[-1][2]["text"]


@pytest.mark.integration
def test_what_is_refused_holds_back_no_other_and_is_sent_again_until_it_is_accepted() -> None:
    with recording() as receiver:
        telling = Telling(Channel("slack", Secret(receiver.url)))
        (channel,) = telling.teller.channels
        receiver.status, receiver.answer = 404, "the ingress has no such service"
        telling.teller.update([NOTICE, replace(NOTICE, key="another")])
        with pytest.raises(NotSent, match="404: the ingress"):
            telling.teller.tell(channel, NOW)
        assert len(receiver.received) == 2, "the second was tried although the first was refused"
        receiver.status = 200
        telling.teller.update([NOTICE, replace(NOTICE, key="another"), replace(NOTICE, key="third")])
        assert not telling.teller.tell(channel, NOW), "two are left"
        assert len(receiver.received) == 3
        assert telling.teller.tell(channel, NOW + timedelta(minutes=6))
        assert telling.teller.tell(channel, NOW + timedelta(minutes=12))
        assert len(receiver.received) == 5, "each once"


@pytest.mark.integration
def test_a_channel_with_a_refused_message_is_not_shown_as_fine() -> None:
    with recording() as receiver:
        telling = Telling(Channel("slack", Secret(receiver.url)))
        telling.teller.start()
        telling.teller.update([NOTICE])
        wait_until(lambda: list(telling.teller.health().values()) == [""], "the first is accepted")
        receiver.status, receiver.answer = 403, "invalid_token"
        telling.teller.update([NOTICE, replace(NOTICE, key="refused")])
        wait_until(lambda: any(telling.teller.health().values()), "the second is refused")
        receiver.status = 200
        telling.teller.update([NOTICE, replace(NOTICE, key="refused"), replace(NOTICE, key="third")])
        receiver.wait_for(lambda bodies: len(bodies) == 3, "the third goes out")
        telling.teller.stop()
        assert "answered 403: invalid_token" in "".join(filter(None, telling.teller.health().values()))


@pytest.mark.integration
def test_one_alert_that_is_refused_takes_no_other_of_its_request_with_it() -> None:
    with recording() as receiver:
        receiver.refuses = lambda body: any(alert["labels"].get("store") == "bad" for alert in body)
        telling = Telling(Channel("alertmanager", Secret(receiver.url)))
        (channel,) = telling.teller.channels
        telling.teller.update([NOTICE, replace(NOTICE, key="bad", store="bad"), replace(NOTICE, key="third")])
        with pytest.raises(NotSent, match="answered 400"):
            telling.teller.tell(channel, NOW)
        assert [len(body) for body in receiver.bodies] == [3, 1, 1, 1], "together, then each alone"
        telling.teller.tell(channel, NOW + timedelta(minutes=1))
        assert len(receiver.bodies[-1]) == 2, "these go on together"


@pytest.mark.integration
def test_a_full_disk_delays_no_message_and_sends_none_twice(tmp_path: Path) -> None:
    with recording() as receiver:
        telling = Telling(Channel("webhook", Secret(receiver.url)), path=tmp_path / "gone" / "told")
        telling.teller.start()
        telling.teller.update([replace(NOTICE, key=str(number)) for number in range(4)])
        receiver.wait_for(lambda bodies: len(bodies) == 4, "all are sent")
        wait_until(lambda: telling.logged, "it is said")
        telling.teller.update([replace(NOTICE, key=str(number)) for number in range(4)])
        telling.teller.stop()
        assert len(receiver.received) == 4
        assert [text.partition(":")[0] for text in telling.logged] == ["the record of sent messages cannot be written"]


@pytest.mark.integration
def test_a_reload_while_a_receiver_is_slow_sends_nothing_twice() -> None:
    with recording() as receiver:
        ledger = Ledger(None)
        old, new = (Teller([Channel("webhook", Secret(receiver.url))], ledger, lambda _: None) for _ in range(2))
        receiver.go.clear()  # it has the message, and does not answer yet
        old.start()
        old.update([NOTICE])
        receiver.wait_for(lambda bodies: len(bodies) == 1, "the old one is sending")
        old.stop(0.0)
        new.update([NOTICE])
        new.start()
        new.update([NOTICE])
        receiver.go.set()
        wait_until(lambda: ledger.of(old.channels[0].name), "it was told")
        new.stop()
        assert len(receiver.received) == 1


@pytest.mark.integration
def test_a_redirect_is_not_followed_and_a_channel_that_is_gone_is_named_by_its_host_alone() -> None:
    with recording() as receiver:
        receiver.status = 302
        with pytest.raises(NotSent, match="answered 302"):
            post(f"{receiver.url}/services/secret", {})
    with pytest.raises(NotSent, match=r"^127\.0\.0\.1:\d+: Connection refused$"):
        post(f"{receiver.url}/services/secret", {})


def alerts(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get_json(f"{url}/api/v2/alerts")
    return found


@pytest.mark.integration
def test_a_real_alertmanager_takes_two_notices_as_two_alerts_tells_of_both_and_of_their_end(tmp_path: Path) -> None:
    other = replace(NOTICE, key="creator:A:2", title="A new creator starts 8,640 sessions a day in store A")
    low = replace(NOTICE, key="low", severity="info")
    with recording() as receiver, alertmanager(tmp_path, receiver.url) as url:
        telling = Telling(Channel("alertmanager", Secret(url), ReceiverRules(least="warning", repeat_s=None)))
        (channel,) = telling.teller.channels
        telling.teller.update([NOTICE, other, low])
        telling.teller.tell(channel, datetime.now(UTC))
        telling.teller.tell(channel, datetime.now(UTC))
        found = wait_until(lambda: alerts(url) if len(alerts(url)) == 2 else None, "two alerts")
        assert {alert["labels"]["alertname"] for alert in found} == {"NecropsyProbesCreatesSessions"}
        assert {alert["annotations"]["summary"] for alert in found} == {NOTICE.title, other.title}
        firing = receiver.wait_for(lambda bodies: len(bodies) == 2, "both reach the receiver")
        assert [body["status"] for body in firing] == ["firing", "firing"]
        assert "change   prometheus.yml:17" in firing[0]["alerts"][0]["annotations"]["description"]
        telling.teller.update([replace(NOTICE, resolved_at=datetime.now(UTC)), other])
        telling.teller.tell(channel, datetime.now(UTC))
        bodies = receiver.wait_for(lambda bodies: len(bodies) == 3, "the end reaches it")
        assert (bodies[-1]["status"], bodies[-1]["alerts"][0]["annotations"]["summary"]) == (
            "resolved",
            f"Resolved: {NOTICE.title}",
        )
        assert [alert["annotations"]["summary"] for alert in alerts(url)] == [other.title]


@pytest.mark.integration
def test_a_notice_that_becomes_graver_is_one_alert_under_its_new_labels_also_after_a_restart(tmp_path: Path) -> None:
    graver = replace(NOTICE, severity="critical", slug="traffic/unlogged-creator", revision=1)
    lighter = replace(NOTICE, severity="warning")
    ledger = tmp_path / "told"
    with recording() as receiver, alertmanager(tmp_path, receiver.url) as url:
        for notice in (lighter, graver):
            teller = Teller(
                [Channel("alertmanager", Secret(url), ReceiverRules(repeat_s=None))], Ledger(ledger), lambda _: None
            )
            teller.update([notice])
            teller.tell(teller.channels[0], datetime.now(UTC))
            teller.tell(teller.channels[0], datetime.now(UTC))
            wait_until(lambda n=notice: [a["labels"]["severity"] for a in alerts(url)] == [n.severity], "one alert")
        (alert,) = alerts(url)
        assert (alert["labels"]["slug"], alert["labels"]["alertname"]) == (
            graver.slug,
            "NecropsyTrafficUnloggedCreator",
        )


@pytest.mark.integration
def test_a_silence_of_the_house_holds_for_our_alerts(tmp_path: Path) -> None:
    with recording() as receiver, alertmanager(tmp_path, receiver.url) as url:
        silence = {"matchers": [{"name": "store", "value": "A", "isRegex": False}], "startsAt": NOW.isoformat(),
                   "endsAt": (NOW + timedelta(hours=1)).isoformat(), "createdBy": "test", "comment": "maintenance"}  # fmt: skip
        post(f"{url}/api/v2/silences", silence)
        telling = Telling(Channel("alertmanager", Secret(url)))
        telling.teller.update([NOTICE, replace(NOTICE, key="b", store="B")])
        telling.teller.tell(telling.teller.channels[0], datetime.now(UTC))
        wait_until(lambda: len(alerts(url)) == 2, "two alerts")
        receiver.wait_for(lambda bodies: len(bodies) == 1, "one reaches the receiver")
        states = {alert["labels"]["store"]: alert["status"]["state"] for alert in alerts(url)}
        assert states == {"A": "suppressed", "B": "active"}
        assert receiver.bodies[0]["alerts"][0]["labels"]["store"] == "B"


def notify(config: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "necropsy.cli.main", "notify", str(config), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT)


def configured(folder: Path, receiver: Receiver) -> Path:
    (folder / "slack.url").write_text(f"{receiver.url}/services/T0SECRET\n")
    config = folder / "guard.toml"
    config.write_text('[[guard.tell]]\nslack-file = "slack.url"\n')
    return config


@pytest.mark.integration
def test_a_test_of_the_channels_shows_what_would_be_sent_and_sends_it_only_when_told_to(tmp_path: Path) -> None:
    with recording() as receiver:
        config = configured(tmp_path, receiver)
        shown = notify(config, "--test")
        assert shown.returncode == 0, shown.stderr
        assert "Test by necropsy: nothing has happened" in shown.stdout
        assert "example of an alert: 4 new creators start 34,560 sessions a day" in shown.stdout
        assert "T0SECRET" not in shown.stdout + shown.stderr
        assert receiver.received == []
        sent = notify(config, "--test", "--send")
        assert sent.returncode == 0, sent.stderr
        assert [path for path, _, _ in receiver.received] == ["/services/T0SECRET"]
        receiver.status = 404
        failed = notify(config, "--test", "--send")
        assert failed.returncode == 1
        assert "answered 404" in failed.stderr
        assert "T0SECRET" not in failed.stdout + failed.stderr


@pytest.mark.process
def test_without_test_nothing_is_shown_or_sent(tmp_path: Path) -> None:
    said: Sequence[str] = notify(tmp_path / "none.toml").stderr.splitlines()
    assert said[0] == "error: nothing to do without --test"
