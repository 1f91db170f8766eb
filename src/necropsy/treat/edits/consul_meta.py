"""A service's meta in Consul: write the health endpoint that the service's own check knows into it.

Before: ``"port": 8080, "check": {"http": "http://localhost:8080/health"}``.
After: ``"port": 8080, "meta": {"health_check_endpoint": "health"}, "check": …``; in HCL ``meta { … }`` behind ``port``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from necropsy.probes.syntax.node import Node
from necropsy.treat.edits.target_rule import META_KEY
from necropsy.treat.edits.text import Insertion, newline_of

_REST: Final = re.compile(r"[ \t]*,?[ \t]*(?:(?:#|//)[^\r\n]*)?(?=\r?\n)")


def name_health_endpoint(text: str, root: Node, endpoints: Mapping[tuple[str, str], str]) -> list[Insertion]:
    """Insert the endpoint into the meta of these services of a definition file, JSON or HCL.

    Parameters
    ----------
    text, root
        The file, and its tree: ``parse_hcl``, which reads JSON as well.
    endpoints
        (Service name, service ID) to the path of its health endpoint: ``{("admin", "Server:8080"): "/health"}``. A
        service without an ID has its name for one.
    """
    return _insertions(text, _services(root), endpoints, "meta")


def foresee_answer(text: str, root: Node, endpoints: Mapping[tuple[str, str], str]) -> list[Insertion]:
    """Insert the same into a saved answer of Consul's API: what it will say once the agents have reloaded.

    Nobody is shown this edit: an answer is no configuration. It lets the patched definitions be simulated.
    """
    return _insertions(text, _answered(root), endpoints, "Meta")


def _insertions(
    text: str, services: Iterator[Node], endpoints: Mapping[tuple[str, str], str], meta_name: str
) -> list[Insertion]:
    insertions: list[Insertion] = []
    is_json = text.lstrip("\ufeff \t\r\n").startswith(("{", "["))
    for service in services:
        name = _first(service, "name", "Name", "ServiceName", "service", "Service")
        identity = _first(service, "id", "ID", "ServiceID") or name
        path = endpoints.get((name.text(), identity.text())) if name and identity else None
        if path is not None and service.pairs:
            endpoint = path.lstrip("/")
            insertion = (
                _insertion(text, service, endpoint, meta_name) if is_json else _hcl_insertion(text, service, endpoint)
            )
            if insertion is not None:
                insertions.append(insertion)
    return insertions


def _services(root: Node) -> Iterator[Node]:
    if root.kind != "mapping":
        return
    for key, value in root.pairs:  # HCL repeats a block for each service
        if key.text().lower() not in ("service", "services"):
            continue
        found = value.elements if value.kind == "sequence" else (value,)
        yield from (service for service in found if service.kind == "mapping")


def _answered(root: Node) -> Iterator[Node]:
    """Services of /v1/health/service/…, /v1/catalog/service/… and /v1/agent/services."""
    for entry in root if root.kind == "sequence" else [value for _, value in root.items()]:
        service = entry.get("Service")
        if service is not None and service.kind == "mapping":
            yield service
        elif entry.get("ServiceID") is not None or (service is not None and entry.get("ID") is not None):
            yield entry


def _first(service: Node, *names: str) -> Node | None:
    return next((node for name in names if (node := service.get(name)) is not None and node.kind == "scalar"), None)


def _insertion(text: str, service: Node, endpoint: str, meta_name: str) -> Insertion | None:
    pair = f"{json.dumps(META_KEY)}: {json.dumps(endpoint)}"
    meta = service.get("meta") or service.get("Meta") or service.get("ServiceMeta")
    if meta is not None and meta.kind == "null":
        return Insertion(meta.start, f"{{{pair}}}", meta.end)
    if meta is not None:
        if meta.kind != "mapping" or meta.get(META_KEY) is not None:
            return None
        if not meta.pairs:
            return Insertion(meta.start + 1, pair)
        key, value = meta.pairs[-1]
        return Insertion(value.end, f",{_gap(text, key)}{pair}")
    key, value = next(((key, value) for key, value in service.pairs if key.text().lower() == "port"), service.pairs[-1])
    gap = _gap(text, key)
    if "\n" not in gap:
        return Insertion(value.end, f', "{meta_name}": {{{pair}}}')
    step = " " * max(2, key.column - _indentation(text, service.start))
    return Insertion(value.end, f',{gap}"{meta_name}": {{{gap}{step}{pair}{gap}}}')


def _hcl_insertion(text: str, service: Node, endpoint: str) -> Insertion | None:
    pair = f"{META_KEY} = {json.dumps(endpoint)}"
    meta = service.get("meta") or service.get("Meta")
    if meta is not None:
        if meta.kind != "mapping" or meta.get(META_KEY) is not None:
            return None
        if not meta.pairs:
            return Insertion(meta.start + 1, f" {pair} ")
        key, value = meta.pairs[-1]
        gap = _gap(text, key)
        return Insertion(_behind(text, value), f"{gap}{pair}") if "\n" in gap else Insertion(value.end, f", {pair}")
    key, value = next(((key, value) for key, value in service.pairs if key.text().lower() == "port"), service.pairs[-1])
    if value.style == "<<":  # nothing may follow on the line that closes a heredoc
        return None
    gap = _gap(text, key)
    if "\n" not in gap:
        return Insertion(value.end, f", meta = {{ {pair} }}")
    step = " " * max(2, key.column - _indentation(text, service.start))
    return Insertion(_behind(text, value), f"{gap}meta {{{gap}{step}{pair}{gap}}}")


def _behind(text: str, value: Node) -> int:
    """Offset behind a value and the comment that stands on its line, at the line's end."""
    rest = _REST.match(text, value.end)
    return rest.end() if rest else value.end


def _gap(text: str, key: Node) -> str:
    """White space between a key and what stands before it: a newline with indentation, or a blank."""
    start = key.start
    while start > 0 and text[start - 1] in " \t\r\n":
        start -= 1
    gap = text[start : key.start]
    # A blank line above the key is not repeated.
    return newline_of(text) + gap.rsplit("\n", 1)[1] if "\n" in gap else gap or " "


def _indentation(text: str, offset: int) -> int:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return len(line) - len(line.lstrip())
