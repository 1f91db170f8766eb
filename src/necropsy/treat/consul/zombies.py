"""Zombies of a Consul catalogue: services that are gone, those that may be deregistered, and how to register them again.

Only an instance whose agent is gone can be removed for good: the agent's node check (serfHealth) is critical, so nobody
registers it again. An instance of a living agent comes back within a minute (anti-entropy): it is named, with the command for
that agent. Two instances at one address may be a blue/green pair's idle half: they are named, and stay.

Source: Consul's HTTP API, catalog and health endpoints; agent/local/state.go for anti-entropy.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from necropsy._internal.paths import exists
from necropsy.model.errors import NecropsyError, UnreadableSource
from necropsy.treat.purge.frames import replace_file
from necropsy.wire.http_writing import put_json

GONE: Final = "its agent is gone"
CLOSED: Final = "its check is critical: the port is closed, or the application down"
DUPLICATE: Final = "registered twice at one address"
_NODE_CHECK: Final = "serfHealth"


class ConsulError(NecropsyError):
    """Consul refuses, or answers as no Consul does."""


@dataclass(frozen=True, slots=True)
class Zombie:
    """An instance that Consul knows and that is gone, or seems to be."""

    service: str
    instance: str
    """Its id on its node."""
    node: str
    address: str
    """Host and port."""
    why: str
    entry: Mapping[str, Any]
    """As /v1/health/service answers it: what an undo registers again."""

    @property
    def removable(self) -> bool:
        """Whether it stays away once it is removed."""
        return self.why == GONE

    @property
    def advice(self) -> str:
        """Steps by hand where the instance cannot be removed from here."""
        if self.removable:
            return ""
        return f"on the agent of {self.node}: consul services deregister -id={self.instance}"


def find(ask: Callable[[str], Any]) -> list[Zombie]:
    """Return the zombies of a catalogue.

    Parameters
    ----------
    ask
        Answers a path of the API, such as ``/v1/catalog/services``, as JSON.
    """
    entries: list[Mapping[str, Any]] = []
    for service in sorted(ask("/v1/catalog/services")):
        entries += ask(f"/v1/health/service/{quote(service)}")
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entry in entries:
        places[entry["Service"]["Service"], _address(entry)].append(entry["Node"]["Node"])
    found = []
    for entry in entries:
        why = _why(entry, places[entry["Service"]["Service"], _address(entry)])
        if why:
            service = entry["Service"]
            found.append(Zombie(service["Service"], service["ID"], entry["Node"]["Node"], _address(entry), why, entry))
    return sorted(found, key=lambda one: (not one.removable, one.service, one.node, one.instance))


def remove(
    url: str, zombies: Sequence[Zombie], journal: Path, *, ask: Callable[[str], Any], token: str | None = None
) -> int:
    """Deregister what may be removed, and still may be, after writing it down; return how many.

    Parameters
    ----------
    ask
        As ``find`` has it: whose agent came back while somebody was asked stays.

    Raises
    ------
    ConsulError
        Consul refuses, or is lost half-way, or the journal is there already or cannot be written.
    UnreadableSource
        It cannot be reached.
    """
    still = {(one.node, one.instance) for one in find(ask) if one.removable}
    mine = [one for one in zombies if one.removable and (one.node, one.instance) in still]
    if exists(journal):
        raise ConsulError(f"{journal}: already exists", hint="Give a new file with --journal.")
    try:
        replace_file(journal, json.dumps({"format": "necropsy consul journal", "version": 1,
                                          "entries": [one.entry for one in mine]}, indent=1).encode())  # fmt: skip
    except OSError as error:
        raise ConsulError(
            f"{journal}: cannot write: {error.strerror}; nothing was removed", hint="Choose another."
        ) from error
    for number, one in enumerate(mine):
        body = {"Node": one.node, "ServiceID": one.instance}
        if one.entry["Node"].get("Datacenter"):
            body["Datacenter"] = one.entry["Node"]["Datacenter"]
        before = f"{number} were removed before, and --undo {journal} registers them again"
        try:
            status, said = put_json(f"{url}/v1/catalog/deregister", body, headers=_headers(token))
        except UnreadableSource as error:
            raise ConsulError(
                f"{error.message}; nobody knows whether {one.instance} was removed; {before}",
                hint="Run it again with a new --journal once Consul answers.",
            ) from error
        if status != 200:
            raise ConsulError(
                f"{url} refuses to deregister {one.instance}: {status} {said}; {before}",
                hint="A token needs node:write and service:write: CONSUL_HTTP_TOKEN.",
            )
    return len(mine)


def undo(url: str, journal: Path, *, ask: Callable[[str], Any], token: str | None = None) -> tuple[int, int]:
    """Register again what a journal holds; return how many, and how many are there by now and stay as they are.

    Raises
    ------
    ConsulError, UnreadableSource
    """
    try:
        held = json.loads(journal.read_bytes())
        if held["format"] != "necropsy consul journal":
            raise ValueError  # noqa: TRY301 -- the same as a file that is no JSON
        entries = held["entries"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConsulError(
            f"{journal}: not a journal of consul --zombies", hint="Give the file that was written as --journal."
        ) from error
    names = {entry["Service"]["Service"] for entry in entries}
    there = {
        (one["Node"]["Node"], one["Service"]["ID"])
        for name in names
        for one in ask(f"/v1/health/service/{quote(name)}")
    }
    entries = [entry for entry in entries if (entry["Node"]["Node"], entry["Service"]["ID"]) not in there]
    for entry in entries:
        node, service = entry["Node"], entry["Service"]
        checks = [check for check in entry.get("Checks", ()) if check.get("ServiceID") == service["ID"]]
        body = {
            "Node": node["Node"], "Address": node["Address"], "Datacenter": node.get("Datacenter", ""),
            "SkipNodeUpdate": True,
            "Service": _registered(service),
            "Checks": [_registered(check) for check in checks],
        }  # fmt: skip
        status, said = put_json(f"{url}/v1/catalog/register", body, headers=_headers(token))
        if status != 200:
            raise ConsulError(
                f"{url} refuses to register {service['ID']}: {status} {said}", hint="Check the token's permissions."
            )
    return len(entries), len(held["entries"]) - len(entries)


def _registered(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Consul said of a service or a check as it is to be registered: all that is set, but when it was changed."""
    return {name: value for name, value in said.items() if value and not name.endswith("Index")}


def token_of_environment() -> str | None:
    """Return CONSUL_HTTP_TOKEN, if it is set."""
    return os.environ.get("CONSUL_HTTP_TOKEN") or None


def _headers(token: str | None) -> dict[str, str]:
    return {"X-Consul-Token": token} if token else {}


def _address(entry: Mapping[str, Any]) -> str:
    service = entry["Service"]
    return f"{service.get('Address') or entry['Node'].get('Address', '')}:{service.get('Port', 0)}"


def _why(entry: Mapping[str, Any], nodes: Sequence[str]) -> str:
    checks = entry.get("Checks", ())
    node = [check.get("Status") for check in checks if check.get("CheckID") == _NODE_CHECK]
    if "critical" in node:
        return GONE
    if any(check.get("Status") == "critical" for check in checks if check.get("CheckID") != _NODE_CHECK):
        return CLOSED
    return DUPLICATE if len(nodes) > 1 else ""
