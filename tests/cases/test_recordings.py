"""Recordings of real labs (``necropsy lab record``): what an examination says, held against what the applications noted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.process
HERE = Path(__file__).parent
RECORDINGS = sorted(path.parent.name for path in HERE.glob("*/truth.json"))
CREATES = "probes/creates-sessions"


@pytest.mark.parametrize("name", RECORDINGS)
def test_whoever_created_sessions_is_named_and_nobody_else(name: str) -> None:
    folder = HERE / name
    truth = json.loads((folder / "truth.json").read_text())
    report = _examined(folder)
    for store, made in truth["stores"].items():
        machines = {one["target"] for one in made if one["creator"] in {"prober", "kubelet"}}
        causes = [one for one in report["verdict"]["causes"] if one["store"] == store and one["slug"] in _OF_MACHINES]
        accused = {_place(actor) for cause in causes for actor in cause["actors"]} - {""}
        assert accused <= machines, f"{store}: innocent"
        if not machines:
            assert causes == []
            continue
        assert causes, f"{store}: nobody is accused of {machines}"
        share = sum(cause["share"] for cause in causes)
        births = {
            creator: sum(one["births"] for one in made if one["creator"] == creator)
            for creator in ("prober", "kubelet", "people")
        }
        true = (births["prober"] + births["kubelet"]) / sum(births.values())
        assert share == pytest.approx(true, abs=0.12), f"{store}: {share}, truly {true}"


def test_there_are_eight() -> None:
    assert len(RECORDINGS) >= 8


_OF_MACHINES = {CREATES, "traffic/unlogged-creator", "traffic/client-drops-cookie", "traffic/bot-creates-sessions"}


def _place(actor: dict[str, Any]) -> str:
    return str(actor["url"]).removeprefix("http://").partition("/")[0]


def _examined(folder: Path) -> Any:
    command = [sys.executable, "-m", "necropsy.cli.main", "examine", "incident.toml", "-q", "--format", "json"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"}
    )
    assert done.returncode in {0, 4, 11, 12, 13}, done.stderr
    return json.loads(done.stdout)
