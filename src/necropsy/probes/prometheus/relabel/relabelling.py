"""Relabelling, rule by rule, as Prometheus does it (model/relabel/relabel.go, every version since 2.24).

>>> relabel({"__address__": "172.12.1.189:8080"},
...         [{"source_labels": ["__address__"], "target_label": "__param_target"},
...          {"target_label": "__address__", "replacement": "blackbox-exporter:9115"}])
{'__address__': 'blackbox-exporter:9115', '__param_target': '172.12.1.189:8080'}

Rules are compiled once into functions that change a label set in place; what depends on a value alone is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from necropsy.probes.prometheus.relabel.actions import Apply, Recorder, Writes, compile_both
from necropsy.probes.prometheus.relabel.rule import Rule, read_rule
from necropsy.probes.prometheus.schema_checks import from_python
from necropsy.probes.prometheus.version import Version, prometheus_version
from necropsy.probes.syntax.node import Node

Labels = dict[str, str]


class RelabelRules:
    """A chain of rules, compiled for one version of Prometheus. Safe to share between targets."""

    __slots__ = ("_both", "_functions", "rules", "version")

    def __init__(self, rules: Iterable[Rule], version: Version) -> None:
        self.rules = tuple(rules)
        self.version = version
        self._both: tuple[tuple[Apply, Writes], ...] = tuple(compile_both(rule, version) for rule in self.rules)
        self._functions: tuple[Apply, ...] = tuple(apply for apply, _ in self._both)

    def __len__(self) -> int:
        return len(self.rules)

    def apply(self, labels: Labels) -> int:
        """Change ``labels`` in place; return the index of the rule that dropped the target, or -1.

        A label with an empty value does not exist: ``labels`` must contain none, and will contain none.
        """
        for index, function in enumerate(self._functions):
            if function(labels):
                return index
        return -1

    def steps(self, labels: Mapping[str, str]) -> list[RelabelStep]:
        """Return the label set before and after each rule, up to the rule that drops it."""
        now: Labels = {name: value for name, value in sorted(labels.items()) if value}
        steps = []
        for rule, function in zip(self.rules, self._functions, strict=True):
            recorder = Recorder(now)
            dropped = function(recorder)
            after = None if dropped else dict(sorted(recorder.items()))
            written = frozenset(recorder.written)
            steps.append(RelabelStep(rule, now, after, written, _collisions(rule, function, now)))
            if after is None:
                break
            now = after
        return steps

    def trace(self, labels: Mapping[str, str]) -> RelabelTrace:
        """Return which names each rule writes, up to the rule that drops the target: ``steps`` without the values.

        ``labels`` must hold no empty value.
        """
        return self.follow(dict(labels))[1]

    def follow(self, labels: Labels) -> tuple[int, RelabelTrace]:
        """Change ``labels`` in place as ``apply`` does; return its result, and which names each rule wrote."""
        written: list[frozenset[str]] = []
        for index, (function, writes) in enumerate(self._both):
            written.append(writes(labels))
            if function(labels):
                return index, RelabelTrace(tuple(written), dropped=True)
        return -1, RelabelTrace(tuple(written), dropped=False)

    def collisions(self, index: int, labels: Mapping[str, str]) -> tuple[Collision, ...]:
        """Return the names that one rule, a ``labelmap``, would make of several of these labels with different values."""
        return _collisions(self.rules[index], self._functions[index], labels)


class RelabelTrace(NamedTuple):
    """The way of one target through the rules; the same for most targets of a job."""

    written: tuple[frozenset[str], ...]
    """For each rule that it reached: names that the rule set or deleted."""
    dropped: bool
    """Whether the last of these rules dropped it."""


@dataclass(frozen=True, slots=True)
class Collision:
    """Several labels that one ``labelmap`` rule copies to one name: Prometheus picks one at random, each time anew."""

    name: str
    """The label that is written more than once."""
    sources: tuple[tuple[str, str], ...]
    """(label, value) of those that are copied; their values differ."""


@dataclass(frozen=True, slots=True)
class RelabelStep:
    """The effect of one rule on one target."""

    rule: Rule
    before: Mapping[str, str]
    """Labels before the rule, sorted by name."""
    after: Mapping[str, str] | None
    """Labels after it; None if it dropped the target."""
    written: frozenset[str]
    """Names that it set or deleted, also where the value stayed the same."""
    collisions: tuple[Collision, ...] = field(default=())

    @property
    def changed(self) -> dict[str, tuple[str | None, str | None]]:
        """Label → (value before, value after) where they differ; None stands for no label."""
        after = self.after or {}
        names = sorted({*self.before, *after}) if self.after is not None else []
        pairs = {name: (self.before.get(name), after.get(name)) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _collisions(rule: Rule, function: Apply, labels: Mapping[str, str]) -> tuple[Collision, ...]:
    if rule.action != "labelmap":
        return ()
    targets: dict[str, list[tuple[str, str]]] = {}
    for name, value in labels.items():
        copied: Labels = {name: value}
        function(copied)
        for target in copied.keys() - {name}:
            targets.setdefault(target, []).append((name, value))
    return tuple(
        Collision(target, tuple(sources))
        for target, sources in sorted(targets.items())
        if len({value for _, value in sources}) > 1
    )


def compile_rules(
    rules: Sequence[Mapping[str, Any] | Node] | Node | None, *, prometheus: str = "3.0", legacy_names: bool = False
) -> RelabelRules:
    """Read, validate and compile rules for a version of Prometheus.

    Parameters
    ----------
    rules
        Mappings with the YAML's own field names, or nodes of a configuration file.
    prometheus
        Version whose defaults, actions and validation count.
    legacy_names
        ``metric_name_validation_scheme: legacy``: label names as before Prometheus 3.

    Raises
    ------
    ConfigurationError
        A rule that this Prometheus refuses: with file and line for nodes, with ``<rules>`` and the number of the rule
        for mappings.
    UsageError
        ``prometheus`` is no version.
    """
    version = prometheus_version(prometheus)
    items: Iterable[Any] = (rules.elements if isinstance(rules, Node) else rules) or ()
    nodes = [from_python(item, line=number) for number, item in enumerate(items, start=1)]
    return RelabelRules([read_rule(node, version, legacy_names=legacy_names) for node in nodes], version)


def relabel(
    labels: Mapping[str, str], rules: Sequence[Mapping[str, Any] | Node], *, prometheus: str = "3.0"
) -> dict[str, str] | None:
    """Relabel one label set.

    Parameters
    ----------
    labels
        Name → value; an empty value is the same as no label.
    rules
        The rules of ``relabel_configs`` with their own field names: ``source_labels``, ``separator``, ``regex``,
        ``modulus``, ``target_label``, ``replacement``, ``action``. A field that is absent has its default; one that is
        None is what ``null`` is in YAML.
    prometheus
        Version of Prometheus, for example ``2.42.0`` or ``3.0``.

    Returns
    -------
    dict or None
        The new labels, sorted by name; None if a rule dropped the target.

    Raises
    ------
    ConfigurationError
        Prometheus of this version would refuse a rule; ``line`` is the number of the rule.
    UsageError
        ``prometheus`` is no version.
    """
    now = {name: value for name, value in sorted(labels.items()) if value}
    if compile_rules(rules, prometheus=prometheus).apply(now) >= 0:
        return None
    return dict(sorted(now.items()))


def relabel_steps(
    labels: Mapping[str, str], rules: Sequence[Mapping[str, Any] | Node], *, prometheus: str = "3.0"
) -> list[RelabelStep]:
    """Relabel one label set and return what each rule did. Parameters and errors as ``relabel``."""
    return compile_rules(rules, prometheus=prometheus).steps(labels)


__all__ = [
    "Collision",
    "Labels",
    "RelabelRules",
    "RelabelStep",
    "RelabelTrace",
    "Rule",
    "compile_rules",
    "relabel",
    "relabel_steps",
]
