"""File discovery: target groups in JSON or YAML files, as Prometheus reads them (discovery/file/file.go)."""

from __future__ import annotations

import fnmatch
import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from necropsy.model.evidence import Origin
from necropsy.probes.prometheus import schema_checks
from necropsy.probes.prometheus.relabel.rule import valid_name
from necropsy.probes.prometheus.target_group import TargetGroup, label_lines, read_group
from necropsy.probes.syntax.document import parse_json, parse_yaml
from necropsy.probes.syntax.json_document import SURROGATE
from necropsy.probes.syntax.node import Node

_PATTERN: Final = re.compile(r"[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)")
_LARGE: Final = 1 << 20
"""From this many characters on, JSON is read by the standard library's decoder, and lines are those of groups."""


def check_pattern(node: Node) -> None:
    """Validate one entry of ``file_sd_configs``. Raises ``ConfigurationError`` as Prometheus would."""
    fields = schema_checks.mapping(node, "a file_sd configuration", ("files", "refresh_interval"))
    schema_checks.duration(fields.get("refresh_interval"))
    files = schema_checks.sequence(fields.get("files"))
    if not files:
        raise node.error(
            "file service discovery config must contain at least one path name", hint="Add files: [targets/*.json]."
        )
    for element in files:
        if not _PATTERN.fullmatch(element.text()):
            raise element.error(
                f'path name "{element.text()}" is not valid for file discovery',
                hint="End it in .json, .yml or .yaml, with a * in the last part only.",
            )


def patterns(node: Node) -> list[tuple[str, Origin]]:
    """Return the patterns of one ``file_sd_configs`` entry, joined to the folder of the configuration file.

    A configuration ``etc/prometheus.yml`` that names ``targets/*.json`` reads ``etc/targets/*.json``.
    """
    folder = posixpath.dirname(node.file.replace("\\", "/"))
    return [
        (posixpath.join(folder, element.text()), element.origin("names the files of targets"))
        for element in schema_checks.sequence(node.get("files"))
    ]


def matches(pattern: str, file: str) -> bool:
    """Return whether a file is read because of this pattern: both relative to one folder, or both absolute.

    >>> matches("etc/targets/*.json", "etc/targets/a.json"), matches("etc/*.json", "etc/targets/a.json")
    (True, False)
    """
    wanted, given = posixpath.normpath(pattern), posixpath.normpath(file.replace("\\", "/"))
    return posixpath.dirname(wanted) == posixpath.dirname(given) and fnmatch.fnmatchcase(
        posixpath.basename(given), posixpath.basename(wanted)
    )


def read_groups(
    text: str, file: str, *, labels: Mapping[str, str] | None = None, legacy: bool = False
) -> list[TargetGroup]:
    """Read target groups; the end of the file's name says whether they are JSON or YAML.

    Parameters
    ----------
    labels
        Labels that discovery adds to every group; ``{"__meta_filepath": file}`` if not given.
    legacy
        Label names are limited to letters, digits and underscores (before Prometheus 3).

    Raises
    ------
    ConfigurationError
        Prometheus would skip the file: with its line and reason.
    """
    added = {"__meta_filepath": file} if labels is None else dict(labels)
    is_json = file.lower().endswith(".json")
    if is_json and len(text) >= _LARGE:
        large = _large(text, file, tuple(added.items()), legacy)
        if large is not None:
            return list(large)
    document = parse_json(text, file) if is_json else parse_yaml(text, file)
    groups = []
    for node in schema_checks.sequence(document):
        if node.kind == "null":
            raise node.error("nil target group item found", hint="Remove the empty entry.")
        group = _read_json_group(node, legacy=legacy) if is_json else read_group(node, legacy=legacy)
        groups.append(replace(group, labels={**group.labels, **added}))
    return groups


def _read_json_group(node: Node, *, legacy: bool) -> TargetGroup:
    """Read one group as Go's ``encoding/json`` does: keys in any case, but nothing except strings as values."""
    if node.kind != "mapping":
        raise node.error("a target group must be an object", hint='Write {"targets": ["host:port"], "labels": {}}.')
    targets: tuple[Node, ...] = ()
    labels: dict[str, str] = {}
    lines: dict[str, Origin] = {}
    for key, value in node.entries():
        name = key.text().lower()
        if name == "targets":
            targets = schema_checks.sequence(value)
        elif name == "labels":
            for label, _ in value.entries():
                if not valid_name(label.text(), legacy=legacy):
                    raise label.error(f'"{label.text()}" is not a valid label name', hint="Check the spelling.")
            labels = {label: _json_text(text) for label, text in value.items()}
            lines = label_lines(value)
        else:
            raise key.error(f'json: unknown field "{key.text()}"', hint="A group has targets and labels, no more.")
    return TargetGroup(
        targets=tuple(_json_text(element) for element in targets),
        labels=labels,
        origin=(node.origin("target group"),),
        target_origins=tuple((element.origin(f"target {element.text()}"),) for element in targets),
        label_origins=lines,
    )


def _json_text(node: Node) -> str:
    if node.kind == "null":
        return ""
    if node.kind != "scalar" or node.style != '"':
        raise node.error("expected a string", hint="Put the value into double quotes.")
    return node.text()


@lru_cache(maxsize=1)  # discovery is walked twice: for the requests, and for what each rule touches
def _large(text: str, file: str, added: tuple[tuple[str, str], ...], legacy: bool) -> tuple[TargetGroup, ...] | None:
    groups = _read_large(text, file, legacy=legacy)
    if groups is None:
        return None
    more = dict(added)
    return tuple([TargetGroup(group.targets, {**group.labels, **more}, group.origin) for group in groups])


def _read_large(text: str, file: str, *, legacy: bool) -> list[TargetGroup] | None:
    """Read groups with the standard library's decoder, ten times as fast; None if anything at all is unusual."""
    decode = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode
    blank = re.compile(r"[ \t\r\n]*").match
    groups = []
    names: set[str] = set()
    line, counted = 1, 0
    position = _after(blank, text, 0)
    if not text.startswith("[", position) or SURROGATE.search(text):
        return None
    try:
        while True:
            position = _after(blank, text, position + 1)
            line += text.count("\n", counted, position)
            counted = position
            value, position = decode(text, position)
            targets, labels = value.pop("targets", ()), value.pop("labels", {})
            if value or not _plain(targets, labels):
                return None
            names.update(labels)
            groups.append(TargetGroup(tuple(targets), labels, (Origin(file, line, "target group"),)))
            position = _after(blank, text, position)
            if not text.startswith(",", position):
                break
    except (ValueError, AttributeError, TypeError):
        return None
    if not all(valid_name(name, legacy=legacy) for name in names):
        return None
    ended = text.startswith("]", position) and _after(blank, text, position + 1) == len(text)
    return groups if ended else None


def _after(blank: Any, text: str, position: int) -> int:
    return int(blank(text, position).end())


def _plain(targets: Any, labels: Any) -> bool:
    return (
        isinstance(targets, list | tuple)
        and isinstance(labels, dict)
        and all(type(target) is str for target in targets)
        and all(type(value) is str for value in labels.values())
    )


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
