"""Fields that all objects of prometheus-operator share: namespaces, labels to keep, relabelings in camel case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from necropsy.probes.kubernetes.objects import namespace_of, text_at
from necropsy.probes.prometheus.schema_checks import from_python
from necropsy.probes.syntax.node import Node

_UNSAFE: Final = re.compile(r"[^a-zA-Z0-9_]")
_FIELDS: Final = {"sourceLabels": "source_labels", "targetLabel": "target_label"}


@dataclass(frozen=True, slots=True)
class Placed:
    """A manifest, and generated values that stand on its lines."""

    manifest: Node

    def node(self, value: Any, *path: str | int) -> Node:
        """Return the generated value on the line of the manifest that it comes from."""
        place = self.manifest.at(*path) or self.manifest.get("spec") or self.manifest
        return from_python(value, file=self.manifest.file, line=place.line)


def rule(placed: Placed, path: Iterable[str | int], **fields: Any) -> Node:
    """Return a generated relabel rule."""
    return placed.node(fields, *path)


def safe(label: str) -> str:
    """Turn a name of Kubernetes into one of Prometheus.

    >>> safe("app.kubernetes.io/name")
    'app_kubernetes_io_name'
    """
    return _UNSAFE.sub("_", label)


def discovery(placed: Placed, selector: Node | None, role: str, path: tuple[str | int, ...]) -> Node:
    """Return the ``kubernetes_sd_configs`` entry for a ``namespaceSelector``: without one, the object's own namespace."""
    settings: dict[str, Any] = {"role": role}
    if selector is None or text_at(selector, "any").lower() != "true":
        names = selector.get("matchNames") if selector is not None else None
        wanted = names.texts() if names is not None else []
        settings["namespaces"] = {"names": wanted or [namespace_of(placed.manifest)]}
    return placed.node(settings, *path)


def kept_by_labels(placed: Placed, selector: Node | None, role: str, path: tuple[str | int, ...]) -> Iterator[Node]:
    """Yield the rules for ``matchLabels`` and ``matchExpressions``: values are regular expressions, as the operator has it."""
    if selector is None:
        return
    labels = selector.get("matchLabels")
    for name, value in sorted(labels.items() if labels is not None else (), key=lambda pair: pair[0]):
        yield rule(placed, (*path, "matchLabels", name), action="keep", source_labels=_pair(role, name),
                   regex=f"({value.text()});true")  # fmt: skip
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        name, operator = text_at(expression, "key"), text_at(expression, "operator")
        found = expression.get("values")
        source = _pair(role, name)
        where = (*path, "matchExpressions", index)
        if operator in ("In", "NotIn"):
            values = "|".join(found.texts() if found is not None else ())
            action = "keep" if operator == "In" else "drop"
            yield rule(placed, where, action=action, source_labels=source, regex=f"({values});true")
        elif operator in ("Exists", "DoesNotExist"):
            action = "keep" if operator == "Exists" else "drop"
            yield rule(placed, where, action=action, source_labels=source[1:], regex="true")


def _pair(role: str, label: str) -> list[str]:
    return [f"__meta_kubernetes_{role}_{part}_{safe(label)}" for part in ("label", "labelpresent")]


def relabelings(node: Node | None) -> Iterator[Node]:
    """Yield relabel rules of a manifest, whose fields are in camel case and whose actions may be; lines are its own."""
    for written in node or ():
        fields: dict[str, Any] = {_FIELDS.get(name, name): value for name, value in written.items()}
        action = written.get("action")
        if action is not None:
            fields["action"] = from_python(action.text().lower(), file=action.file, line=action.line)
        yield from_python(fields, file=written.file, line=written.line)
