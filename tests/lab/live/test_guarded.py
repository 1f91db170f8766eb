"""The story of the guard that watches the incident: its first act, with everything that is real in the lab."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from necropsy.lab.live import guarded, plan
from necropsy.lab.live.supervisor import Supervisor
from waiting import wait_until


def test_a_message_is_shown_with_its_time_and_long_lines_are_cut() -> None:
    text = (
        "🔴 A new creator starts 8,640 sessions a day in store A\nwho      x\nsince    2019\nrun      necropsy explain "
        + "y" * 200
    )
    title, *body = guarded._shown("00:25", text)
    assert title == "00:25  🔴 A new creator starts 8,640 sessions a day in store A"
    assert body[:2] == ["       who      x", "       since    2019"]
    assert body[2].endswith("…")


def test_of_the_chat_only_what_the_guard_wrote_is_read_and_once(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    chat = guarded._Chat(path)
    chat.look()
    ours = {"at": 1.0, "message": {"text": "A", "blocks": []}}
    theirs = {"at": 2.0, "message": {"attachments": []}}
    path.write_text(f"{json.dumps(ours)}\n{json.dumps(theirs)}\n")
    chat.look()
    chat.look()
    assert chat.messages == [(1.0, "A")]


@pytest.mark.integration
def test_minutes_after_the_prober_is_switched_on_the_guard_names_it_and_the_line(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    story = guarded.replay(folder, (sys.executable, "-m", "necropsy.cli.main"), lambda _: None)
    told: list[str] = []
    try:
        for line in story:
            told.append(line)
            if "The first word came" in line:
                break
    finally:
        story.close()
    text = "\n".join(told)
    assert "Before the prober is on it has said nothing." in text
    assert "probed by prometheus/blackbox_exporter_http" in text
    assert re.search(r"change {3}configuration/prometheus\.yml:\d+ {2}copies __address__", text)
    assert "new creators start" in text
    assert "Resolved" not in text
    assert Supervisor(folder, plan.read(folder).id).left() == []


@pytest.mark.integration
@pytest.mark.parametrize("numbers", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGHUP,), (signal.SIGKILL,)])
def test_the_lab_is_down_after_whatever_killed_who_ran_it(tmp_path: Path, numbers: tuple[signal.Signals, ...]) -> None:
    folder = tmp_path / "lab"
    command = [sys.executable, "-m", "necropsy.cli.main", "lab", "guarded", "--folder", str(folder), "--quiet"]
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509 -- under nohup it is ignored
        )
    try:
        wait_until(lambda: len(list(folder.glob("processes/*.json"))) > 1, "some of the lab runs")
        supervisor = Supervisor(folder, plan.read(folder).id)
        for number in numbers:
            process.send_signal(number)
        assert process.wait(120) != 0
        wait_until(lambda: not supervisor.left(), "all of it is down")
    finally:
        process.kill()
        process.wait(30)
