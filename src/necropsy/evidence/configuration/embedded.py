r"""Configuration inside of other files: a ConfigMap's data, the values of a chart, a collector's receiver.

Sample::

    kind: ConfigMap
    data:
      prometheus.yml: |
        scrape_configs:
        - job_name: shop

>>> text = "kind: ConfigMap\ndata:\n  prometheus.yml: |\n    scrape_configs:\n    - job_name: shop\n"
>>> [part] = parts(text, "config.yaml")
>>> part.kind, part.text.index("scrape_configs") == text.index("scrape_configs"), part.text.count("\n")
('prometheus', True, 5)

A part keeps its place: what is around it becomes blank, so that its lines, columns and offsets are those of the file, and a
patch of the part is one of the file. Text that is escaped, folded or in base64 has no such place: it counts from the line
of its key, and is not patched.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Final

from necropsy.model.errors import ConfigurationError
from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.syntax.document import parse_yaml, parse_yaml_all
from necropsy.probes.syntax.node import Node

_BY_LINES: Final = (
    ("nginx", re.compile(r"^\s*(?:(?:http|server|stream|events)\s*\{|upstream\s+\S+\s*\{)", re.MULTILINE)),
    ("haproxy", re.compile(r"^\s*(?:frontend|backend|listen)\s+\S+\s*$", re.MULTILINE)),
    ("caddy", re.compile(r"^[ \t]*reverse_proxy[ \t][^;\n]*$", re.MULTILINE)),
)
_MOST_NODES: Final = 200_000
_NAMES: Final = ("additionalScrapeConfigs", "extraScrapeConfigs", "scrape_configs", "scrapeConfigs")
_SIGN: Final = re.compile(rf"^[ \t-]*(?:{'|'.join(_NAMES)}|scrape_config_files)\s*:", re.MULTILINE)
_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}")
_CHECKS: Final = re.compile(
    r"""(?:^|[{\[,])[\s{\[]*(?:[\w".\-]+\.)?["']?(?:http_?)?health_?checks?["']?\s*(?:[:=]\s*(?:[{\[]|$)|\{|\])""",
    re.IGNORECASE | re.MULTILINE,
)
_PROBES: Final = re.compile(r"^\s*(?:livenessProbe|readinessProbe|startupProbe|httpGet)\s*:", re.MULTILINE)


def parts(text: str, name: str) -> list[ConfigurationFile]:
    """Return the configurations inside of a YAML text, in their order; none for what is not YAML.

    Parameters
    ----------
    text, name
        The whole file. A file that is itself such a configuration has no parts.
    """
    try:
        documents = parse_yaml_all(text, name)
    except ConfigurationError:
        return []
    found: list[ConfigurationFile] = []
    kinds: set[str] = set()
    for part in (part for document in documents for part in _walk(document, text, name)):
        distinct = part
        if part.kind in kinds and part.name == name:  # files are told apart by name
            distinct = ConfigurationFile(f"{name}#{len(found) + 1}", part.text, part.kind, patchable=False)
        kinds.add(part.kind)
        found.append(distinct)
    return found


def kind_of_node(node: Node) -> str | None:
    """Return which configuration a YAML value is: ``prometheus``, ``blackbox`` or none."""
    if node.kind == "mapping":
        jobs = node.get("scrape_configs")
        if jobs is not None and jobs.kind == "sequence" and jobs.elements:
            return "prometheus"
        modules = node.get("modules")
        if modules is not None and any(value.get("prober") is not None for _, value in modules.items()):
            return "blackbox"
    elif node.kind == "sequence" and node.elements and all(_is_job(element) for element in node):
        return "prometheus"
    return None


def unrendered(text: str) -> str:
    r"""Say what a template would be if somebody rendered it; empty for what is none, or nothing to us.

    >>> unrendered("livenessProbe:\n  httpGet: {path: {{ .Values.path }}}")
    'probes of containers'
    """
    if not _TEMPLATE.search(text):
        return ""
    return "scrape jobs" if _SIGN.search(text) else "probes of containers" if _PROBES.search(text) else ""


def holds_checks(text: str) -> str:
    r"""Say which health checks a text has somewhere, by its lines; empty for none.

    >>> holds_checks("livenessProbe:\n  httpGet: {path: /}"), holds_checks('{"healthCheck": {"path": "/"}}')
    ('probes of containers', 'health checks')
    >>> holds_checks("healthcheck: true"), holds_checks("paths: [/healthCheck]")
    ('', '')
    """
    if _PROBES.search(text):
        return "probes of containers"
    return "health checks" if _CHECKS.search(text) else ""


def holds_jobs(text: str) -> bool:
    r"""Whether a text has scrape jobs somewhere, by its lines.

    >>> holds_jobs("receivers:\n  prometheus:\n    config:\n      scrape_configs: []"), holds_jobs("a: 1")
    (True, False)
    """
    return _SIGN.search(text) is not None


def _is_job(node: Node) -> bool:
    return node.get("job_name") is not None


def _walk(document: Node, text: str, name: str) -> Iterator[ConfigurationFile]:
    """Yield the parts of one document, outermost first: what is inside of a part belongs to it."""
    encoded = document.get("kind")
    is_secret = encoded is not None and encoded.text() == "Secret"
    packed = {id(value) for _, value in binary.items()} if (binary := document.get("binaryData")) is not None else set()
    waiting: list[tuple[Node | None, Node]] = [(None, document)]
    count = 0
    while waiting and count < _MOST_NODES:
        key, node = waiting.pop()
        count += 1
        kind = kind_of_node(node)
        if kind is not None and node.style == "block":
            yield _in_place(node.start - node.column, node.end, text, name, kind)
        elif node.kind == "scalar":
            yield from _of_scalar(key or node, node, text, name, encoded=is_secret or id(node) in packed)
        else:
            inside = [*node.pairs, *((key, element) for element in node.elements)]
            waiting.extend(reversed(inside))


def _of_scalar(key: Node, node: Node, text: str, name: str, *, encoded: bool) -> Iterator[ConfigurationFile]:
    value = node.text()
    if encoded and re.fullmatch(r"[A-Za-z0-9+/=\s]{40,}", value):
        try:
            value = base64.b64decode(value).decode()
        except ValueError:
            return
    if "\n" not in value.strip():
        return
    kind = kind_of_text(value, name)
    if kind is None:
        return
    if node.style == "|" and value is node.text():
        begin = text.find("\n", node.start) + 1
        yield _in_place(begin, node.end, text, name, kind)
    else:
        yield ConfigurationFile(f"{name}#{key.text()}", "\n" * key.line + value, kind, patchable=False)


def kind_of_text(value: str, name: str) -> str | None:
    """Return which configuration a text is that stands inside of another file."""
    if _SIGN.search(value) or "job_name" in value or "prober" in value:
        try:
            kind = kind_of_node(parse_yaml(value, name))
        except ConfigurationError:
            kind = "prometheus" if re.search(r"^scrape_configs\s*:", value, re.MULTILINE) else None
        if kind is not None:
            return kind
    return next(
        (kind for kind, pattern in _BY_LINES if "{" in value or kind == "haproxy" if pattern.search(value)), None
    )


def _in_place(begin: int, end: int, text: str, name: str, kind: str) -> ConfigurationFile:
    blank = re.compile(r"[^\r\n]")
    around = blank.sub(" ", text[:begin]), blank.sub(" ", text[end:])
    return ConfigurationFile(name, f"{around[0]}{text[begin:end]}{around[1]}", kind, whole=text)
