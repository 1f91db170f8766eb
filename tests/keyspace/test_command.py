from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from necropsy.cli.main import command_line
from necropsy.keyspace.survey import survey
from necropsy.model.errors import NoEvidence, UsageError
from servers import free_port, running

DUMP = str(Path(__file__).parents[1] / "assets" / "spring" / "spring_3_indexed_jdk.rdb")


def run(*arguments: str) -> bytes:
    done = CliRunner().invoke(command_line(["keys"]), ["keys", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout_bytes


def test_the_suffix_of_the_file_says_what_to_write(tmp_path: Path) -> None:
    for name in ("keys.parquet", "keys.csv", "keys.json", "keys.txt"):
        run(DUMP, "--quiet", "--output", str(tmp_path / name))
    assert sum(pq.read_table(tmp_path / "keys.parquet").column("keys").to_pylist()) == 38
    assert (tmp_path / "keys.csv").read_text().startswith("by,name,keys,bytes,")
    assert json.loads((tmp_path / "keys.json").read_text())["schema"] == "necropsy/keys/1"
    assert (tmp_path / "keys.txt").read_text().startswith("KEYS   38 keys")


def test_tables_have_patterns_alone_unless_more_is_asked_for() -> None:
    lines = run(DUMP, "--format", "csv", "--by", "type", "--by", "slot").decode().splitlines()[1:]
    assert {line.split(",")[0].strip('"') for line in lines} == {"type", "slot"}
    assert {line.split(",")[0] for line in run(DUMP, "--format", "csv").decode().splitlines()[1:]} == {"pattern"}


def test_a_place_that_cannot_be_written_is_a_mistake_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        run(DUMP, "--output", str(tmp_path / "missing" / "keys.json"))
    assert refused.value.hint


def test_the_password_of_an_address_is_in_no_message() -> None:
    with pytest.raises(NoEvidence) as refused:
        survey([f"redis://reader:hunter2@127.0.0.1:{free_port()}/0"])
    assert "hunter2" not in refused.value.message + refused.value.hint
    found = survey([DUMP, f"redis://reader:hunter2@127.0.0.1:{free_port()}/0"])
    assert found.absent
    assert "hunter2" not in repr(found)


@pytest.mark.integration
@pytest.mark.parametrize("way", ["stream", "script", "pipeline"])
def test_a_server_is_read_the_way_that_was_asked_for_with_the_password_of_a_file(way: str, tmp_path: Path) -> None:
    with running("redis-7.0", "--requirepass", "hunter2", "--repl-diskless-sync-delay", "0", tcp=True) as server:
        client = server.client()
        client.mset({f"cache:products:{number}": "x" for number in range(50)})
        (tmp_path / "password").write_text("hunter2\n")
        url = f"{server.url}?password_file={tmp_path / 'password'}"
        found = json.loads(
            run("--redis", url, "--read-method", way, "--max-impact", "5ms", "--format", "json", "--quiet")
        )
    assert found["total"]["keys"] == 50
    assert f"by {way}" in found["sources"][0]["note"]
    assert "hunter2" not in json.dumps(found)


def test_a_budget_that_is_no_time_is_refused_with_an_example() -> None:
    with pytest.raises(UsageError) as refused:
        run(DUMP, "--max-impact", "soon")
    assert "1ms" in refused.value.hint


def test_without_a_terminal_nobody_is_asked_for_a_password() -> None:
    with pytest.raises(UsageError) as refused:
        run("--redis", "redis://localhost", "--redis-ask-password")
    assert "NECROPSY_REDIS_PASSWORD" in refused.value.hint
