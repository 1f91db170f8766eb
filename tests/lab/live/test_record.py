"""What a lab leaves behind can be examined anywhere, and the truth is beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.running import run
from necropsy.lab.live import conductor
from necropsy.lab.live.actors.asking import ask
from necropsy.lab.live.plan import LabOptions

SMALL = ("consul", "prometheus", "prometheus-metrics", "blackbox", "redis-exporter", "alertmanager", "guard")


@pytest.mark.integration
def test_a_recording_names_nothing_of_this_machine_and_counts_who_came(tmp_path: Path) -> None:
    folder, kept = tmp_path / "lab", tmp_path / "kept"
    lab = conductor.up(folder, LabOptions(speed=60, interval_s=1, users=1, without=SMALL), lambda _: None)
    try:
        machine = lab.plan.machine("b1")
        for _ in range(3):
            ask(str(machine.blue), "GET", "/", {"User-Agent": "Blackbox-Exporter/0.28.0"})
        assert run("lab", "record", str(kept), "--folder", str(folder)).code == 0
        taken = run("lab", "record", str(kept), "--folder", str(folder))
        assert taken.error is not None
        assert "is not empty" in taken.error.message
    finally:
        conductor.down(folder)
    truth = json.loads((kept / "truth.json").read_text())
    made = {(one["creator"], one["target"]): one["births"] for one in truth["stores"]["admin-b"]}
    assert made["prober", str(machine.blue)] == 3
    texts = [path.read_text() for path in kept.rglob("*") if path.is_file() and path.suffix != ".gz"]
    assert not [text for text in texts if str(tmp_path) in text]
    assert run("examine", str(kept / "incident.toml"), "-q").code in {0, 4, 11, 12, 13}


def test_without_a_lab_there_is_nothing_to_record(tmp_path: Path) -> None:
    said = run("lab", "record", str(tmp_path / "kept"), "--folder", str(tmp_path / "none"))
    assert said.error is not None
    assert "no lab here" in said.error.message
