"""Recognise the kind of a configuration text by its content: names of files are habits, not facts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from necropsy._internal.paths import is_file
from necropsy.evidence.configuration.embedded import holds_checks, holds_jobs, parts, unrendered
from necropsy.evidence.configuration.reader import KINDS, OF_BYTES
from necropsy.model.errors import ConfigurationError, UnreadableSource
from necropsy.probes.prometheus.blackbox.validity import PROBERS
from necropsy.probes.prometheus.configuration_fields import GLOBAL, SECTIONS
from necropsy.probes.syntax.document import parse_json, parse_yaml, parse_yaml_all
from necropsy.probes.syntax.node import Node
from necropsy.wire.files import read_text

_SUFFIXES: Final = frozenset(
    (".yml", ".yaml", ".json", ".hcl", ".conf", ".cfg", ".tf", ".template", ".toml", ".caddy", ".caddyfile"),
)
_NAMES: Final = frozenset(("Caddyfile",))
"""Suffixes, and names without any, worth a look in a folder."""
_SKIPPED: Final = frozenset(("node_modules", "__pycache__", "venv", "vendor"))
_MOST_FILES: Final = 10_000

_PROMETHEUS: Final = re.compile(
    r"^(?:scrape_configs|scrape_config_files|rule_files|alerting|remote_write|remote_read)\s*:"
    r"|^-\s+job_name\s*:|^global\s*:\s*\n(?:\s*#.*\n)*\s+(?:scrape_interval|scrape_timeout|evaluation_interval|external_labels)\s*:",
    re.MULTILINE,
)
_SECTION_SIGNS: Final = {
    "alerting": ("alertmanagers", "alert_relabel_configs"),
    "tracing": ("endpoint", "sampling_fraction", "client_type"),
    "storage": ("tsdb", "exemplars"),
    "runtime": ("gogc",),
}
"""Sections of Prometheus whose names others use as well, and what stands in them only there."""
_MODULES: Final = re.compile(r"^modules\s*:", re.MULTILINE)
_PROBER: Final = re.compile(rf"^\s+prober\s*:\s*[\"']?(?:{'|'.join(PROBERS)})\b", re.MULTILINE)
_NGINX: Final = re.compile(
    r"^\s*(?:(?:http|events|server|stream)\s*\{|upstream\s+\S+\s*\{|location\s+[^;{]+\{|(?:worker_processes|proxy_pass|listen|log_format)\s[^;]*;)",
    re.MULTILINE,
)
_HCL: Final = re.compile(
    r"^\s*(?:services?|checks?)\s*(?:=\s*)?[\[{]|^\s*(?:datacenter|data_dir|bind_addr)\s*=", re.MULTILINE
)
_TERRAFORM: Final = re.compile(r'^\s*resource\s+"[\w-]+"\s+"[\w-]+"\s*\{', re.MULTILINE)
_CADDY: Final = re.compile(r"^[ \t]*reverse_proxy(?:[ \t][^;\n]*)?$", re.MULTILINE)
_TRAEFIK: Final = re.compile(r"^\s*\[+http\.(?:services|routers|middlewares)\b", re.MULTILINE)
_HAPROXY: Final = re.compile(r"^(?:frontend|backend|listen)\s+\S+\s*$", re.MULTILINE)


def closed_folders(folder: Path) -> list[str]:
    """Return a folder and those below it that may not be listed: what is in them was not looked at."""
    refused: list[str] = []
    for _, inside, _ in os.walk(folder, onerror=lambda error: refused.append(str(error.filename))):
        inside[:] = [name for name in inside if not name.startswith(".") and name not in _SKIPPED]
    return sorted(refused)


def configurations(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and those below it that may be configuration; hidden folders are left out."""
    found = 0
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if any(part.startswith(".") or part in _SKIPPED for part in inside):
            continue
        if (path.suffix in _SUFFIXES or path.name in _NAMES) and is_file(path):
            found += 1
            if found > _MOST_FILES:
                return
            yield path


def recognise(text: str, name: str) -> str | None:
    r"""Return the kind of a configuration text, one of ``reader.KINDS``; None when it is no kind that is known.

    Parameters
    ----------
    text
        Content of the file, damaged or not: what cannot be parsed is recognised by its lines, so that the error is said.
    name
        Name of the file; decides nothing but the name in errors.

    >>> recognise("scrape_configs:\n  - job_name: web\n", "a.txt"), recognise("server { listen 80; }", "b")
    ('prometheus', 'nginx')
    """
    try:
        root = parse_yaml(text, name)
        if root.kind == "null" and "---" in text:  # a document of comments alone comes first
            root = next((document for document in parse_yaml_all(text, name) if document.kind != "null"), root)
    except ConfigurationError:
        kind = _by_lines(text)
    else:
        kind = _by_structure(root) or (_by_lines(text) if root.kind == "scalar" or _TRAEFIK.search(text) else None)
        if kind is None and root.kind == "mapping" and parts(text, name):
            kind = "values"
        elif kind is None and _CADDY.search(text):  # its options in brackets are YAML, too
            kind = "caddy"
    return kind if kind in KINDS else None


def recognise_bytes(file: str) -> str | None:
    """Return the kind of a file that is not UTF-8, if its program takes any bytes; None otherwise."""
    try:
        kind = recognise(read_text(file, any_bytes=True), file)
    except UnreadableSource:
        return None
    return kind if kind in OF_BYTES else None


def passed_over(text: str) -> tuple[str, str] | None:
    """Return why a text that is not recognised should not be passed over in silence, and what to do; None if it may be."""
    what = unrendered(text)
    if what:
        return f"an unrendered template with {what}", "Render it first: helm template . > all.yaml"
    checks = holds_checks(text)
    if checks:
        hint = "Write them for a prober that is supported: necropsy examine --prober KIND=FILE; or render the chart."
        return f"it has {checks} in a format that is not supported", hint
    if holds_jobs(text):
        return "it has scrape jobs in a format that is not supported", "Save the jobs as a Prometheus configuration."
    return None


def damage(text: str, name: str) -> ConfigurationError | None:
    r"""Return what is wrong with a text that its name calls YAML or JSON, if it cannot be read as such; None otherwise.

    Asked about what is not recognised: of a broken file nobody can tell what it would be.

    >>> damage("a: [1,\n", "a.yml").line, damage("a: [1,\n", "notes.txt")
    (2, None)
    """
    suffix = Path(name).suffix.lower()
    try:
        if suffix in (".yml", ".yaml"):
            parse_yaml_all(text, name)
        elif suffix == ".json":
            parse_json(text, name)
    except ConfigurationError as error:
        return error
    return None


def _by_lines(text: str) -> str | None:
    if _PROMETHEUS.search(text):
        return "prometheus"
    if _MODULES.search(text) and _PROBER.search(text):
        return "blackbox"
    by_pattern = (
        ("terraform", _TERRAFORM),
        ("haproxy", _HAPROXY),
        ("traefik", _TRAEFIK),
        ("caddy", _CADDY),
        ("nginx", _NGINX),
        ("consul", _HCL),
    )
    return next((kind for kind, pattern in by_pattern if pattern.search(text)), None)


def _by_structure(root: Node) -> str | None:
    if root.kind == "sequence":
        return _of_list(root)
    if root.kind != "mapping":
        return None
    return next((kind for kind, is_it in _SIGNS if is_it(root)), None)


def _keys(node: Node) -> frozenset[str]:
    return frozenset(name for name, _ in node.items()) if node.kind == "mapping" else frozenset()


def _values(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return list(node.elements) if node.kind == "sequence" else [value for _, value in node.items()]


def _of_list(root: Node) -> str | None:
    """Lists: answers of Consul, and files of targets."""
    for element in root.elements:
        keys = _keys(element)
        if "job_name" in keys:
            return "prometheus"
        if "targets" in keys:
            return "file_sd"
        if keys & {"ServiceID", "ServiceName", "CheckID"} or {"Node", "Service"} <= keys or {"Node", "Address"} <= keys:
            return "consul"
    return None


def _is_prometheus(root: Node) -> bool:
    if _keys(root) & {"scrape_configs", "scrape_config_files", "rule_files", "remote_write", "remote_read"}:
        return True
    general = root.get("global")
    if general is not None and _keys(general) & {"scrape_interval", "evaluation_interval", "scrape_timeout"}:
        return True
    if not _keys(root) or not _keys(root) <= SECTIONS.keys():
        return False
    if general is not None and _keys(general) & GLOBAL.keys():
        return True
    parts = ((root.get(name), signs) for name, signs in _SECTION_SIGNS.items())
    return "otlp" in _keys(root) or any(part is not None and _keys(part) & set(signs) for part, signs in parts)


def _is_blackbox(root: Node) -> bool:
    modules = root.get("modules")
    return modules is not None and modules.kind == "mapping" and any("prober" in _keys(m) for m in _values(modules))


def _is_consul(root: Node) -> bool:
    keys = _keys(root)
    if "service" in keys or "check" in keys:
        return True
    for name in ("services", "checks"):
        defined = root.get(name)
        if defined is not None and defined.kind == "sequence":
            return True
    # /v1/agent/services and /v1/agent/checks map IDs to what they know.
    return any({"ID", "Service"} <= _keys(value) or "CheckID" in _keys(value) for value in _values(root)[:3])


def _is_compose(root: Node) -> bool:
    services = root.get("services")
    return (
        services is not None
        and services.kind == "mapping"
        and any(_keys(service) & {"image", "build", "healthcheck"} for service in _values(services))
    )


def _is_gatus(root: Node) -> bool:
    return any({"url", "conditions"} <= _keys(endpoint) for endpoint in _values(root.get("endpoints")))


def _is_traefik(root: Node) -> bool:
    http = root.get("http")
    return http is not None and http.kind == "mapping" and bool(_keys(http) & {"routers", "services", "middlewares"})


def _is_cloudformation(root: Node) -> bool:
    return any("Type" in _keys(resource) for resource in _values(root.get("Resources")))


_SIGNS: Final[tuple[tuple[str, Callable[[Node], bool]], ...]] = (
    ("prometheus", _is_prometheus),
    ("blackbox", _is_blackbox),
    ("kubernetes", lambda root: {"apiVersion", "kind"} <= _keys(root)),
    ("compose", _is_compose),
    ("gatus", _is_gatus),
    ("traefik", _is_traefik),
    ("cloudformation", _is_cloudformation),
    ("uptime_kuma", lambda root: "monitorList" in _keys(root)),
    ("consul", _is_consul),
)
"""Kind and its sign, most telling first."""
