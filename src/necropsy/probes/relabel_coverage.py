"""Coverage of relabel rules: the number of discovered targets that each one touches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from necropsy.probes.discovery.meta_labels import is_of_manifests, misspelt, owned
from necropsy.probes.prometheus.relabel.actions import compile_action, compile_writes, memoised
from necropsy.probes.prometheus.relabel.relabelling import Labels, RelabelRules, Rule

if TYPE_CHECKING:
    from necropsy.probes.monitoring import Monitoring
    from necropsy.probes.prometheus.configuration import Job
    from necropsy.probes.prometheus.targets.target import Target
    from necropsy.probes.prometheus.version import Version
    from necropsy.probes.syntax.node import Node


@dataclass(slots=True)
class RuleCoverage:
    """One rule, and what it did to all targets of its job."""

    job: str
    rule: Rule
    reached: int = 0
    """Targets that came as far as this rule."""
    matched: int = 0
    """Those that its regex matched; for a rule that copies a label: that have the label."""
    collided: int = 0
    """Targets in which a labelmap gave one name to several labels with different values."""
    collision: str | None = None
    """The first such name."""
    seen: set[str] = field(default_factory=set)
    """Names of all labels that the targets had before it."""

    read: frozenset[str] = frozenset()
    """Names of all labels that the rules of its job read."""

    @property
    def absent_label(self) -> str | None:
        """A source label that none of the targets had, a misspelt one first; None without targets."""
        absent = [name for name in self.rule.source_labels if name not in self.seen] if self.reached else []
        return next((name for name in absent if misspelt(name, self.seen, self.read)), absent[0] if absent else None)

    @property
    def alike(self) -> str | None:
        """A label that they do have and that the absent one was to be."""
        absent = self.absent_label
        return misspelt(absent, self.seen, self.read) if absent else None

    @property
    def is_judged(self) -> bool:
        """Whether it means anything that the rule touched none of these targets.

        Not of a rule that prometheus-operator wrote itself; nor of one that reads what manifests do not say of a cluster,
        or what those who own the targets may write or leave out.
        """
        if _is_generated(self.rule.node):
            return False
        sources = [name for name in self.rule.source_labels if is_of_manifests(name)]
        if not sources or self.alike is not None:
            return True
        return self.rule.action in ("keep", "keepequal") and all(
            name in self.seen and owned(name) is not None for name in sources
        )


def _is_generated(rule: Node) -> bool:
    """Whether no part of a rule was written by anybody: generated nodes have no place in a text."""
    return not rule.end and bool(rule.line) and bool(rule.file) and all(not value.end for _, value in rule.pairs)


def presentable_url(target: Target) -> str:
    """Return the URL that is scraped without its secrets, those inside an encoded parameter included."""
    from necropsy._internal.masking import MASK, masked
    from necropsy.probes.http.request import mask_labels
    from necropsy.probes.http.url import encode_query, query_escape

    params = {
        name: [mask_labels({f"__param_{name}": value})[0][1] for value in values]
        for name, values in target.params.items()
    }
    query = encode_query(params).replace(query_escape(MASK), MASK)
    return masked(target.url.partition("?")[0]) + (f"?{query}" if query else "")


def coverage(monitoring: Monitoring) -> Iterator[RuleCoverage]:
    """Count for each rule of each job how many discovered targets it touched. Jobs without targets are left out.

    Targets that several discoveries find alike count once.
    """
    for job, found in monitoring.label_sets():
        yield from _tally(job, found)


def tallies(targets: Iterable[Target]) -> Iterator[RuleCoverage]:
    """Count for each rule of each job how many of these targets it touched. Jobs without targets say nothing."""
    by_job: dict[int, tuple[Job, list[Target]]] = {}
    for target in targets:
        job = target.scrape_job
        by_job.setdefault(id(job), (job, []))[1].append(target)
    for job, found in by_job.values():
        yield from _tally(job, (target.discovered_labels for target in found))


def _tally(job: Job, found: Iterable[Labels]) -> list[RuleCoverage]:
    read = frozenset(name for rule in job.rules.rules for name in rule.source_labels)
    counters = [_RuleCounter(RuleCoverage(job.name, rule, read=read), job.rules.version) for rule in job.rules.rules]
    count = 0
    for labels in found:
        count += 1
        for counter in counters:
            if counter.apply(labels):
                break
    return [counter.tally for counter in counters] if count else []


class _RuleCounter:
    """One rule, applied to target after target, and what is counted of it."""

    def __init__(self, tally: RuleCoverage, version: Version) -> None:
        self.tally = tally
        self._one = RelabelRules((tally.rule,), version)
        self._change = compile_action(tally.rule, version)
        self._joins = memoised(self._join)
        self._rule = tally.rule
        self._writes = compile_writes(tally.rule, version)
        self._known: set[tuple[str, ...]] = set()
        self._names = memoised(self._match_names)
        self._matches = memoised(tally.rule.regexp.matches)

    def apply(self, labels: Labels) -> bool:
        """Apply the rule to the labels of a target, in place; return whether it dropped the target."""
        tally, rule = self.tally, self._rule
        tally.reached += 1
        shape = tuple(labels)  # targets of a job have the same few sets of names
        if shape not in self._known:
            self._known.add(shape)
            tally.seen.update(shape)
        action = rule.action
        if action == "keep" or action == "drop":  # noqa: PLR1714 -- twice as fast, a million times
            dropped = bool(self._change(labels))
            tally.matched += dropped if action == "drop" else not dropped
            return dropped
        if action == "labelmap" and self._joins(shape):
            _collide(tally, self._one, labels)
        if action in ("labelmap", "labeldrop", "labelkeep"):
            tally.matched += self._names(shape)
        elif action in ("keepequal", "dropequal"):
            tally.matched += _source(rule, labels) == labels.get(rule.target_label, "")
        elif action != "replace" or rule.default_regex or self._matches(_source(rule, labels)):
            if not rule.source_labels or any(name in labels for name in rule.source_labels):
                tally.matched += 1
            else:  # (.*) matches what is not there as well: copying nothing is no work
                before = dict(labels)
                dropped = bool(self._change(labels))
                tally.matched += before != labels
                return dropped
        return bool(self._change(labels))

    def _join(self, names: tuple[str, ...]) -> bool:
        """Whether the rule, a ``labelmap``, gives several of these labels one name."""
        written = [next(iter(new), None) for name in names if (new := self._writes({name: ""}))]
        return len(written) > len(set(written))

    def _match_names(self, names: tuple[str, ...]) -> bool:
        return any(self._rule.regexp.matches(name) for name in names)


def _collide(tally: RuleCoverage, one: RelabelRules, labels: Labels) -> None:
    collisions = [collision.name for collision in one.collisions(0, labels)]
    if collisions:
        tally.collided += 1
        tally.collision = tally.collision or collisions[0]


def _source(rule: Rule, labels: Labels) -> str:
    return rule.separator.join(labels.get(name, "") for name in rule.source_labels)
