"""Zombies of a real Consul 1.8: those whose agent is gone are removed and come back by an undo; the others stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from necropsy.cli.main import app
from necropsy.treat.consul.zombies import CLOSED, DUPLICATE, GONE, ConsulError, find, remove, undo
from necropsy.wire.http_writing import put_json
from probes.consul.test_against_consul import Agent, binaries, consul, known_services, until

__all__ = ["binaries"]
pytestmark = pytest.mark.integration


def _register(
    agent: Agent, node: str, address: str, instance: str, port: int, serf: str, status: str = "passing"
) -> None:
    agent.register(
        {
            "Node": node, "Address": address,
            "Service": {"ID": instance, "Service": "web", "Tags": ["blue"], "Port": port, "Meta": {"health": "/health"},
                        "Weights": {"Passing": 3, "Warning": 2}, "EnableTagOverride": True,
                        "TaggedAddresses": {"wan": {"Address": "192.0.2.1", "Port": 8080}}},
            "Checks": [
                # The leader forgets, once a minute, nodes with this check whose agent it does not know.
                *([{"Node": node, "CheckID": "serfHealth", "Name": "Serf", "Status": serf}] if serf != "passing" else []),
                {"Node": node, "CheckID": f"service:{instance}", "Name": "http", "Status": status, "ServiceID": instance},
            ],
        }
    )  # fmt: skip


def _folder(tmp_path: Path) -> Path:
    """Definitions of the living agent."""
    folder = tmp_path / "consul.d"
    folder.mkdir()
    (folder / "own.json").write_text('{"services": [{"name": "own", "port": 7}]}')
    return folder


def _population(agent: Agent) -> None:
    _register(agent, "alive", "10.0.0.1", "web-1", 80, "passing")
    _register(agent, "gone", "10.0.0.2", "web-2", 80, "critical")
    _register(agent, "idle", "10.0.0.3", "web-3", 81, "passing", "critical")
    _register(agent, "renamed", "10.0.0.1", "web-4", 80, "passing")


def _populated(agent: Agent) -> bool:
    _population(agent)
    return "web" in known_services(agent) and len(find(agent.get)) == 4


def _catalogue(agent: Agent) -> list[tuple[str, str, Any]]:
    """Everything that Consul says of the instances, but when each was changed."""
    entries = agent.get("/v1/health/service/web")
    return sorted((e["Node"]["Node"], e["Service"]["ID"], _without_indexes(e)) for e in entries)


def _without_indexes(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_indexes(inside) for name, inside in value.items() if not name.endswith("Index")}
    return sorted(map(_without_indexes, value), key=str) if isinstance(value, list) else value


def test_only_what_an_agent_left_behind_is_removed_and_comes_back(binaries: Path, tmp_path: Path) -> None:
    with consul(binaries, _folder(tmp_path)) as agent:
        until(lambda: _populated(agent))
        before = _catalogue(agent)
        found = find(agent.get)
        assert [(one.instance, one.why) for one in found] == [
            ("web-2", GONE), ("web-1", DUPLICATE), ("web-3", CLOSED), ("web-4", DUPLICATE),
        ]  # fmt: skip
        assert [one.removable for one in found] == [True, False, False, False]
        assert "consul services deregister -id=web-3" in found[2].advice
        assert remove(agent.url, found, tmp_path / "journal.json", ask=agent.get) == 1
        assert (tmp_path / "journal.json").stat().st_mode & 0o077 == 0
        assert [row for row in _catalogue(agent) if row[1] == "web-2"] == []
        with pytest.raises(ConsulError, match="already exists"):
            remove(agent.url, found, tmp_path / "journal.json", ask=agent.get)
        assert undo(agent.url, tmp_path / "journal.json", ask=agent.get) == (1, 0)
        assert _catalogue(agent) == before
        # Its agent is back, with the check of its node and another port: neither is it removed, nor set back.
        put_json(f"{agent.url}/v1/catalog/deregister", {"Node": "gone", "CheckID": "serfHealth"})
        _register(agent, "gone", "10.0.0.2", "web-2", 8080, "passing")
        assert remove(agent.url, found, tmp_path / "second.json", ask=agent.get) == 0
        assert undo(agent.url, tmp_path / "journal.json", ask=agent.get) == (0, 1)
        assert [e["Service"]["Port"] for e in agent.get("/v1/health/service/web") if e["Service"]["ID"] == "web-2"] == [
            8080
        ]
        (tmp_path / "other.json").write_text("{}")
        with pytest.raises(ConsulError, match="not a journal"):
            undo(agent.url, tmp_path / "other.json", ask=agent.get)


def test_the_command_changes_nothing_without_apply(binaries: Path, tmp_path: Path) -> None:
    with consul(binaries, _folder(tmp_path)) as agent:
        until(lambda: _populated(agent))
        before = _catalogue(agent)
        run = CliRunner().invoke(app, ["consul", agent.url, "--zombies"])
        assert run.exit_code == 0, run.output
        assert "4 zombies, 1 of them can be deregistered from here" in run.output
        assert _catalogue(agent) == before
        journal = tmp_path / "j.json"
        run = CliRunner().invoke(app, ["consul", agent.url, "--zombies", "--apply", "--journal", str(journal), "--yes"])
        assert "1 removed" in run.output
        assert json.loads(journal.read_text())["entries"][0]["Service"]["ID"] == "web-2"
