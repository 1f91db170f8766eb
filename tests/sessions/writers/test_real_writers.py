"""Three real writers, installed and run now: what they write today is what the fixtures say. All others: ``make writers``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from necropsy.case.identity import hash_identifier
from sessions.keyspaces import of_dump, sessions
from writers import harness
from writers.registry import WRITERS

pytestmark = pytest.mark.integration

WORK = Path(__file__).parents[3] / ".tools" / "writers-in-ci"
FOLDER = Path(harness.__file__).parent
PYTHON = ("flask", "flask-login", "flask-session", "msgspec", "redis", "aiohttp", "aiohttp-session")
NODE = ("express", "express-session", "connect-redis", "redis")


def pinned(names: tuple[str, ...]) -> list[str]:
    lines = (FOLDER / "requirements.txt").read_text().split()
    return [line for line in lines if line.split("==")[0].lower() in names]


@pytest.fixture(scope="module")
def installed() -> Path:
    """Pinned releases, installed by pip and npm; kept for the next run."""
    python = WORK / "py" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", WORK / "py"], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", *pinned(PYTHON)], check=True, timeout=300)
    npm = shutil.which("npm")
    if npm is None:
        if os.environ.get("CI"):
            pytest.fail("npm is not on this machine: apt-get install npm")
        pytest.skip("npm is not on this machine: apt-get install npm")
    node = WORK / "node"
    node.mkdir(parents=True, exist_ok=True)
    versions = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    wanted = [f"{name}@{versions[name]}" for name in NODE]
    subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--silent", "--prefix", node, *wanted], check=True, timeout=300
    )
    return WORK


@pytest.mark.parametrize("name", ["flask_session", "aiohttp_session", "express_redis"])
def test_what_a_real_writer_writes_today_is_recognised(
    name: str, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "WORK", installed)
    writer = next(one for one in WRITERS if one.name == name)
    facts = harness.record(writer, tmp_path)
    assert len(facts["sessions"]) >= 3
    with of_dump("store", folder=tmp_path) as case:
        rows = {row["id_hash"]: row for row in sessions(case)}
        assert case._key is not None
        for fact in facts["sessions"]:
            key = fact["key"].encode()
            hashes = (hash_identifier(case._key, key[start:]) for start in range(len(key)))
            row = next(rows[one] for one in hashes if one in rows)
            assert row["layout"] == writer.layout
            assert row["authentication"] in {"yes" if fact["logged_in"] else "no", "unknown"}
        assert len(rows) == len(facts["sessions"])
    visits = {visit["visit"]: visit for visit in facts["visits"]}
    assert visits["login anna"]["sessions_made"] == 1
    assert visits["look 0"]["sessions_made"] == (1 if name == "express_redis" else 0)
