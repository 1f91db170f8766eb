"""Running servers as evidence: what Consul and Prometheus say of themselves, as the texts that a file would hold.

What is fetched is what somebody could have saved with curl, so the pure readers know it already. Reads only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from necropsy._internal.masking import masked_address
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Absent, Source
from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.wire.http import HttpAnswer, get, is_url

__all__ = ["KINDS", "LiveAnswers", "is_url", "read"]

_MOST_SERVICES: Final = 5_000
_FILTERED: Final = "x-consul-results-filtered-by-acls"
_TOKEN: Final = "CONSUL_HTTP_TOKEN"  # noqa: S105 -- the name of the variable
_RULES: Final = {
    "service": 'service_prefix "" { policy = "read" }',
    "node": 'node_prefix "" { policy = "read" }',
    "agent": 'agent_prefix "" { policy = "read" }',
}


@dataclass(slots=True)
class LiveAnswers:
    """Answers of one server, and what it refused."""

    files: list[ConfigurationFile] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)


def read(kind: str, url: str) -> LiveAnswers:
    """Read a running server; nothing is raised, what cannot be had is absent.

    Parameters
    ----------
    kind
        One of ``KINDS``.
    url
        Its address, ``http://consul:8500``; a path before the API's own is kept.
    """
    server = _AnsweringServer(kind, url.partition("#")[0].partition("?")[0].rstrip("/"))
    _READERS[kind](server)
    return server.found


class _AnsweringServer:
    """One server, and what it has answered so far."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind = kind
        self.name = masked_address(url)
        self._url = url
        self.found = LiveAnswers()
        self._headers = _token_header() if kind == "consul" else {}

    def ask(self, path: str) -> HttpAnswer:
        """Ask for a path; raises ``UnreadableSource``."""
        return get(self._url + path, headers=self._headers)

    def json(self, path: str) -> Any:
        """Ask for JSON; raises ``UnreadableSource`` for every other answer."""
        answer = self.ask(path)
        if answer.status != 200:
            raise UnreadableSource(f"{answer.url}: answers {answer.status}", hint="Check the address.")
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            raise UnreadableSource(f"{answer.url}: does not answer JSON", hint="Check the address.") from None

    def keep(self, path: str, text: str, kind: str | None = None, of: str | None = None) -> str:
        """Keep a text under the address that it came from, which is returned."""
        name = self.name + path
        self.found.files.append(ConfigurationFile(name, text, kind or self.kind, of))
        return name

    def source(self, note: str) -> None:
        size = sum(len(file.text.encode()) for file in self.found.files)
        moment = datetime.now(UTC).replace(microsecond=0)
        self.found.sources.append(Source(self.kind, self.name, taken_at=moment, size=size, note=note))

    def miss(self, locator: str, reason: str, hint: str) -> None:
        absent = Absent(self.kind, locator, reason, hint)
        if absent not in self.found.absent:
            self.found.absent.append(absent)

    def failed(self, error: UnreadableSource) -> None:
        locator, separator, reason = error.message.partition(": ")
        self.miss(locator if separator else self.name, reason or error.message, error.hint)


# -- Consul ---------------------------------------------------------------------------------------------------------


def _token_header() -> dict[str, str]:
    """The token as Consul's own command line finds it; it is sent and never shown."""
    token = os.environ.get(_TOKEN, "")
    path = os.environ.get(f"{_TOKEN}_FILE", "")
    if not token and path:
        try:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123 -- a name that may be anything
                token = file.read(4096)
        except (OSError, UnicodeDecodeError):
            token = ""
    token = token.strip()
    return {"X-Consul-Token": token} if token.isprintable() and token.isascii() and token else {}


def _consul(server: _AnsweringServer) -> None:
    try:
        services = _consul_json(server, "/v1/catalog/services", "service")
        if not isinstance(services, dict):
            return
        version = _agent(server)
        nodes = _consul_json(server, "/v1/catalog/nodes", "node")
        if nodes == []:
            _forbidden(server, "/v1/catalog/nodes", "the token may read no node", "node")
        silent = [name for name in sorted(services)[:_MOST_SERVICES] if not _service(server, name)]
    except UnreadableSource as error:
        server.failed(error)
        return
    if "consul" not in services:
        # Every cluster has it: its servers register themselves.
        _forbidden(
            server,
            "/v1/catalog/services",
            "the token may not even read the service consul: others may be missing",
            "service",
        )
    if silent:
        some = ", ".join(silent[:3]) + (" …" if len(silent) > 3 else "")
        reason = f"{len(silent)} of {len(services)} services have no instance that the token may read ({some})"
        _forbidden(server, "/v1/health/service", reason, "node")
    if len(services) > _MOST_SERVICES:
        reason = f"{len(services)} services, the first {_MOST_SERVICES} were read"
        server.miss(server.name, reason, "Save /v1/health/service/NAME of the others.")
    server.source(f"live{version}: {len(services)} services")


def _service(server: _AnsweringServer, name: str) -> bool:
    """Keep the instances of a service; whether there are any."""
    path = f"/v1/health/service/{quote(name, safe='')}"
    instances = _consul_json(server, path, "service")
    return instances is None or bool(instances)


def _agent(server: _AnsweringServer) -> str:
    """Keep what the agent says of itself, less everything that is nobody's business; return its version."""
    found = _consul_json(server, "/v1/agent/self", "agent", keep=False)
    if not isinstance(found, dict) or not isinstance(found.get("Config"), dict):
        return ""
    said = found.get("Member")
    member = said if isinstance(said, dict) else {}
    plain = {
        "Config": {name: found["Config"].get(name, "") for name in ("Datacenter", "NodeName", "Version")},
        "Member": {name: member.get(name, "") for name in ("Name", "Addr")},
        "Meta": found.get("Meta") or {},
    }
    server.keep("/v1/agent/self", json.dumps(plain, indent=1))
    return f" Consul {plain['Config']['Version']}"


def _consul_json(server: _AnsweringServer, path: str, right: str, *, keep: bool = True) -> Any:
    """Ask Consul, several lines a record so that a line says which; None when it may not be seen."""
    answer = server.ask(f"{path}?pretty=true")
    if answer.status in (401, 403):
        _forbidden(server, path, f"Consul answers {answer.status}: the token may not read this", right)
        return None
    if answer.status != 200:
        raise UnreadableSource(
            f"{server.name}{path}: answers {answer.status}", hint="Check that it is Consul and has a leader."
        )
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise UnreadableSource(f"{server.name}{path}: does not answer JSON", hint="Is it Consul?") from None
    if answer.headers.get(_FILTERED, "").lower() == "true":
        _forbidden(
            server, path, "Consul left out entries that the token may not read", "node" if right == "service" else right
        )
    if keep:
        server.keep(path, answer.text)
    return found


def _forbidden(server: _AnsweringServer, path: str, reason: str, right: str) -> None:
    rules = [_RULES[right]] if right == "agent" else [_RULES["service"], _RULES["node"]]
    hint = f"Give the token in {_TOKEN} a policy with {' and '.join(rules)}."
    server.miss(server.name + path, reason, hint)


# -- Prometheus -----------------------------------------------------------------------------------------------------


def _prometheus(server: _AnsweringServer) -> None:
    try:
        text = _data(server, "/api/v1/status/config").get("yaml")
    except UnreadableSource as error:
        server.failed(error)
        return
    if not isinstance(text, str):
        server.miss(f"{server.name}/api/v1/status/config", "no configuration in it", "Is it Prometheus?")
        return
    of = server.keep("/api/v1/status/config", text)
    version, count = "", 0
    for path in ("/api/v1/status/buildinfo", "/api/v1/targets?state=any"):
        try:
            data = _data(server, path)
        except UnreadableSource as error:
            server.failed(error)
            continue
        version = str(data.get("version", "")) or version
        count += len(data.get("activeTargets") or ())
        server.keep(path, json.dumps({"data": _needed(data)}, indent=0), "prometheus_api", of)
    server.source(f"live Prometheus {version}: {count} active targets".replace("  ", " "))


def _data(server: _AnsweringServer, path: str) -> dict[str, Any]:
    answer = server.json(path)
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise UnreadableSource(f"{server.name}{path}: an answer without data", hint="Is it Prometheus?")
    return data


def _needed(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out what changes from scrape to scrape, such as errors, which may hold anything."""
    needed = ("discoveredLabels", "scrapePool", "health")
    lists = {
        name: [
            {key: target[key] for key in needed if key in target} for target in data[name] if isinstance(target, dict)
        ]
        for name in ("activeTargets", "droppedTargets")
        if isinstance(data.get(name), list)
    }
    return {"version": data["version"]} if "version" in data else lists


_READERS: Final[dict[str, Callable[[_AnsweringServer], None]]] = {"consul": _consul, "prometheus": _prometheus}
KINDS: Final = tuple(_READERS)
"""Kinds of configuration that a running server can be asked for."""
