"""A group of discovered targets: what every kind of discovery hands over, with the lines that it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from necropsy.model.evidence import Origin
from necropsy.probes.prometheus import schema_checks
from necropsy.probes.prometheus.relabel.rule import valid_name
from necropsy.probes.syntax.node import Node

Discovered = str | Mapping[str, str]
"""One target before relabelling: its ``__address__``, or all of its labels."""


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """Targets that share labels (``targetgroup.Group``)."""

    targets: Sequence[Discovered]
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of every target; a target's own label of the same name wins."""
    origin: tuple[Origin, ...] = ()
    """Lines that the group comes from."""
    target_origins: Sequence[tuple[Origin, ...]] = ()
    """For each target its own lines, in the order of ``targets``; empty if only the group's are known."""
    label_origins: Mapping[str, Origin] = field(default_factory=dict)
    """The line of each of its ``labels`` that a file gives."""

    def origin_of(self, index: int) -> tuple[Origin, ...]:
        """Return the lines of one target: its own, then the group's."""
        own = self.target_origins[index] if index < len(self.target_origins) else ()
        return (*own, *(origin for origin in self.origin if origin not in own))

    @classmethod
    def of(cls, value: TargetGroup | Mapping[str, Any]) -> TargetGroup:
        """Return a group for ``{"targets": […], "labels": {…}}``; ``"origin"`` may be an Origin or several."""
        if isinstance(value, TargetGroup):
            return value
        origin = value.get("origin", ())
        origins = (origin,) if isinstance(origin, Origin) else tuple(origin)
        return cls(tuple(value.get("targets", ())), dict(value.get("labels") or {}), origins)


def label_lines(node: Node | None) -> dict[str, Origin]:
    """Return the line of each label of a mapping."""
    if node is None or node.kind != "mapping":
        return {}
    return {key.text(): value.origin(f"label {key.text()}") for key, value in node.entries()}


def label_set(node: Node | None, *, legacy: bool) -> dict[str, str]:
    """Read a mapping of label names to values. Raises ``ConfigurationError`` for what is no label name or value."""
    if node is None or node.kind == "null":
        return {}
    if node.kind != "mapping":
        raise node.error("labels must be a mapping of names to values", hint="Write labels: {name: value}.")
    schema_checks.unique(node)
    for key, _ in node.entries():
        if not valid_name(key.text(), legacy=legacy):
            raise key.error(f'"{key.text()}" is not a valid label name', hint="Use letters, digits and underscores.")
    return {name: schema_checks.text(value, "") for name, value in node.items()}


def read_group(node: Node, *, legacy: bool) -> TargetGroup:
    """Read ``{targets: […], labels: {…}}``. Raises ``ConfigurationError``."""
    fields = schema_checks.mapping(node, "a target group", ("targets", "labels"))
    elements = schema_checks.sequence(fields.get("targets"))
    return TargetGroup(
        targets=tuple(schema_checks.text(element, "") for element in elements),
        labels=label_set(fields.get("labels"), legacy=legacy),
        origin=(node.origin("target group"),),
        target_origins=tuple((element.origin(f"target {element.text()}"),) for element in elements),
        label_origins=label_lines(fields.get("labels")),
    )
