"""From discovered targets to those that Prometheus scrapes: labels, URLs, intervals; and which are lost, and why.

>>> found = targets({"scrape_configs": [{"job_name": "web", "static_configs": [{"targets": ["10.0.0.1:8080"]}]}]})
>>> found[0].url, found[0].interval_s
('http://10.0.0.1:8080/metrics', 60.0)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from necropsy.model.errors import UsageError
from necropsy.probes.prometheus.configuration import Job, PrometheusConfiguration, read_prometheus
from necropsy.probes.prometheus.drop_reasons import BY_A_RULE, SAME_AS_ANOTHER
from necropsy.probes.prometheus.schema_checks import from_python
from necropsy.probes.prometheus.target_group import TargetGroup
from necropsy.probes.prometheus.targets.labels import Populator, RefusedTarget
from necropsy.probes.prometheus.targets.target import Target
from necropsy.probes.prometheus.version import Version
from necropsy.probes.syntax.node import Node

__all__ = ["Target", "TargetGroup", "targets", "targets_of_job"]

DiscoveredGroups = Mapping[str, Sequence[TargetGroup | Mapping[str, Any]]]


def targets(
    config: Mapping[str, Any] | Node | PrometheusConfiguration,
    discovered: DiscoveredGroups | None = None,
    *,
    prometheus: str = "3.0",
    no_default_port: bool = False,
) -> list[Target]:
    """Return every target of a configuration, kept or lost, in the order of jobs, groups and targets.

    Parameters
    ----------
    config
        ``prometheus.yml`` as plain data, as a parsed document, or as read by ``parse_prometheus``. For a file, with the
        files that it names, see ``necropsy.evidence.configuration`` and ``Monitoring``.
    discovered
        Name of the job → groups that discovery found, ``{"targets": ["host:port"], "labels": {…}}`` (with an
        ``"origin"``, if known) or ``TargetGroup``; static ones are found in ``config``. A target may also be a mapping of
        its own labels, ``__address__`` among them.
    prometheus
        Version of Prometheus; ignored for a ``PrometheusConfiguration``, which has been read for one.
    no_default_port
        The feature flag ``no-default-scrape-port`` of Prometheus 2.38 to 2.x.

    Raises
    ------
    ConfigurationError
        Prometheus would not load the configuration.
    UsageError
        ``prometheus`` is no version, or ``discovered`` names a job that does not exist.
    """
    groups: dict[str, list[TargetGroup]] = {
        name: [TargetGroup.of(group) for group in found] for name, found in (discovered or {}).items()
    }
    if isinstance(config, PrometheusConfiguration):
        configuration = config
    else:
        node = config if isinstance(config, Node) else from_python(config, file="<configuration>")
        configuration = read_prometheus(node, prometheus=prometheus)
    names = {job.name for job in configuration.jobs}
    for name in groups.keys() - names:
        raise UsageError(
            f"discovered targets for the job {name}, which the configuration does not have",
            hint=f"Jobs: {', '.join(sorted(names)) or 'none'}.",
        )
    found: list[Target] = []
    for job in configuration.jobs:
        job_groups = (*job.static_groups, *groups.get(job.name, ()))
        found += targets_of_job(job, job_groups, version=configuration.version, no_default_port=no_default_port)
    return found


def targets_of_job(
    job: Job, groups: Iterable[TargetGroup], *, version: Version, no_default_port: bool = False
) -> list[Target]:
    """Return the targets of one job, kept or lost; those that are the same as one before them are marked so."""
    populator = Populator(job, version, no_default_port=no_default_port)
    found: list[Target] = []
    for group in groups:
        made = _targets_of_group(populator, group)
        if version < (2, 28):
            _lose_whole_group(made)
        found += made
    _mark_duplicates(found)
    return found


def _targets_of_group(populator: Populator, group: TargetGroup) -> list[Target]:
    made = []
    follow, finish, ways = populator.follow, populator.finish, populator.ways
    for index, labels in enumerate(populator.discovered(group)):
        dropped, trace = follow(labels)
        if dropped >= 0:
            target = Target(populator, group, index, {}, 0, 0)
            rule = populator.job.rules.rules[dropped]
            target.dropped_by = rule.node.origin(rule.describe())
            target.dropped_because = f"{BY_A_RULE}{rule.describe()}"
            if rule.action in ("keep", "keepequal"):
                target.dropped_because += ", which this one does not"
        else:
            try:
                final, interval, timeout = finish(labels)
                target = Target(populator, group, index, final, interval, timeout)
            except RefusedTarget as reason:
                target = Target(populator, group, index, {}, 0, 0)
                target.dropped_because = str(reason)
        target.trace = ways.setdefault(trace, trace)  # the targets of one job take a few ways
        made.append(target)
    return made


def _lose_whole_group(made: list[Target]) -> None:
    """Before 2.28 an error in one target lost all of its group."""
    broken = next((t for t in made if t.dropped_because and t.dropped_by is None), None)
    if broken is None:
        return
    for target in made:
        if not target.dropped_because:
            target.labels, target.interval_ms, target.timeout_ms = {}, 0, 0
            target.dropped_because = f"another target of its group is wrong: {broken.dropped_because}"


def _mark_duplicates(found: list[Target]) -> None:
    """Prometheus runs one loop for all targets of a job whose final labels and URL are equal."""
    first: dict[frozenset[tuple[str, str]], Target] = {}
    for target in found:
        if not target.dropped_because:
            # Within a job the labels alone decide the URL.
            original = first.setdefault(frozenset(target.labels.items()), target)
            if original is not target:
                target.duplicate_of = original
                target.dropped_because = SAME_AS_ANOTHER
