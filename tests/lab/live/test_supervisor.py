"""Processes that must not outlive their lab."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from necropsy.lab.live.supervisor import MARK, Supervisor
from waiting import wait_until

pytestmark = pytest.mark.process
SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")
FAMILY = (
    sys.executable, "-c",
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); time.sleep(600)",
)  # fmt: skip
STUBBORN = (
    sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
)  # fmt: skip


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    one = Supervisor(tmp_path, f"test-{tmp_path.name}-{os.getpid()}")
    yield one
    one.stop()


def test_a_process_is_stopped_with_its_children(supervisor: Supervisor) -> None:
    supervisor.start("family", FAMILY)
    wait_until(lambda: len(supervisor.left()) == 2, "both run", 30)
    assert supervisor.stop() == 1
    assert supervisor.left() == []
    assert supervisor.noted() == {}


def test_one_that_does_not_hear_is_killed(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("necropsy.lab.live.supervisor._GRACE_S", 0.2)
    supervisor.start("stubborn", STUBBORN)
    wait_until(lambda: "deaf" in (tmp_path / "logs" / "stubborn.out").read_text(), "it ignores the signal", 30)
    supervisor.stop()
    assert supervisor.left() == []


def test_one_that_was_stopped_by_a_signal_is_ended_too(supervisor: Supervisor) -> None:
    supervisor.start("hung", SLEEP)
    assert supervisor.send("hung", signal.SIGSTOP)
    supervisor.stop()
    assert supervisor.left() == []


def test_one_that_nobody_noted_is_found_by_its_mark(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start("lost", SLEEP)
    (tmp_path / "processes" / "lost.json").unlink()  # the conductor was killed before it wrote this
    assert supervisor.stop() == 1
    assert supervisor.left() == []


def test_half_a_note_stops_nothing_and_hides_nothing(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start("torn", SLEEP)
    (tmp_path / "processes" / "torn.json").write_text('{"pid": 1')
    supervisor.stop()
    assert supervisor.left() == []


def test_a_number_that_belongs_to_somebody_else_by_now_is_left_alone(supervisor: Supervisor, tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEP)
    try:
        (tmp_path / "processes").mkdir()
        (tmp_path / "processes" / "old.json").write_text(json.dumps({"pid": stranger.pid, "started": "1"}))
        assert not supervisor.noted()["old"].alive
        assert supervisor.stop() == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_another_lab_is_left_alone(supervisor: Supervisor, tmp_path: Path) -> None:
    other = Supervisor(tmp_path / "other", "another")
    other.start("its", SLEEP)
    try:
        supervisor.start("ours", SLEEP)
        supervisor.stop()
        assert len(other.left()) == 1
    finally:
        other.stop()


def test_output_is_kept_and_the_mark_is_handed_down(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start("says", (sys.executable, "-c", f"import os; print(os.environ['{MARK}'])"))
    wait_until(lambda: bool((tmp_path / "logs" / "says.out").read_text()), "it has printed its mark", 30)
    assert (tmp_path / "logs" / "says.out").read_text().startswith("test-")
