"""The mechanisms of service discovery that can be simulated, each from the texts that stand for the world it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from necropsy.model.errors import ConfigurationError, NotJudged
from necropsy.probes.consul.discovery import discover as discover_consul
from necropsy.probes.discovery import dns_zone
from necropsy.probes.kubernetes.discovery import discover as discover_kubernetes
from necropsy.probes.locate import matching
from necropsy.probes.prometheus.api import LiveServers
from necropsy.probes.prometheus.configuration import Discovery, Job
from necropsy.probes.prometheus.file_sd import read_groups
from necropsy.probes.prometheus.target_group import TargetGroup
from necropsy.probes.prometheus.version import Version

if TYPE_CHECKING:
    from necropsy.model.evidence import Origin
    from necropsy.probes.consul.catalog import Catalog
    from necropsy.probes.syntax.node import Node


@dataclass(frozen=True, slots=True)
class World:
    """Everything that discovery could ask, as far as it was given."""

    catalog: Catalog | None = None
    consul_version: tuple[int, int] | None = None
    target_files: Mapping[str, str] | None = None
    """file_sd: name to text."""
    answers: Sequence[tuple[str, str, str | None]] = ()
    """http_sd: file name, text, and the URL that it answers, if somebody said so."""
    records: Sequence[tuple[str, str, list[str], Origin]] = ()
    """dns_sd: from ``zone.records``."""
    manifests: Sequence[Node] = ()
    """kubernetes_sd."""
    live: LiveServers = field(default_factory=LiveServers)
    """Answers of running servers of Prometheus about themselves."""


@dataclass(frozen=True, slots=True)
class DiscoveryRequest:
    """One entry of a ``*_sd_configs`` list, with all that is needed to answer it."""

    job: Job
    discovery: Discovery
    world: World
    version: Version
    problems: list[ConfigurationError]

    def unknown(self, hint: str) -> list[TargetGroup]:
        """Say that nobody knows these targets; no groups."""
        reason = f"job {self.job.name}: the targets of {self.discovery.kind}_sd are not known"
        node = self.discovery.node
        self.problems.append(NotJudged(node.file, node.line, reason, hint=hint))
        return []


def find(request: DiscoveryRequest) -> list[TargetGroup]:
    """Return the groups that one entry finds; what is missing or wrong is a problem."""
    answer = BY_KIND.get(request.discovery.kind)
    if answer is None:
        return request.unknown("List its targets in a file for file_sd_configs, with their labels.")
    return answer(request)


def _consul(request: DiscoveryRequest) -> list[TargetGroup]:
    catalog, consul = request.world.catalog, request.world.consul_version
    if catalog is None:
        return request.unknown("Add --consul with definition files or saved answers of Consul.")
    groups, problems = discover_consul(request.discovery.node, catalog, request.version, consul)
    request.problems.extend(problems)
    return groups


def _file(request: DiscoveryRequest) -> list[TargetGroup]:
    groups: list[TargetGroup] = []
    files = request.world.target_files or {}
    for node in request.discovery.node.get("files") or ():
        names = matching(files, request.discovery.node.file, node.text())
        if not names:
            reason = f"job {request.job.name}: no file of targets was given for {node.text()}"
            hint = "Give these files beside the configuration."
            request.problems.append(NotJudged(node.file, node.line, reason, hint=hint))
        for name in names:
            groups.extend(_read(request, files[name], name, None))
    return groups


def _http(request: DiscoveryRequest) -> list[TargetGroup]:
    node = request.discovery.node.get("url")
    url = node.text() if node is not None else ""
    given = [(name, text) for name, text, answered in request.world.answers if answered in (None, url)]
    if not given:
        return request.unknown("Save what its URL answers, and give it as URL=FILE.")
    groups: list[TargetGroup] = []
    for name, text in given:
        groups.extend(_read(request, text, name, {"__meta_url": url}))
    return groups


def _read(request: DiscoveryRequest, text: str, name: str, labels: Mapping[str, str] | None) -> list[TargetGroup]:
    try:
        return read_groups(text, name, labels=labels, legacy=request.version < (3, 0))
    except ConfigurationError as error:
        request.problems.append(error)
        return []


def _dns(request: DiscoveryRequest) -> list[TargetGroup]:
    groups = dns_zone.discover(request.discovery.node, request.world.records)
    return groups or request.unknown("Save what `dig +noall +answer NAME TYPE` prints.")


def _kubernetes(request: DiscoveryRequest) -> list[TargetGroup]:
    groups = discover_kubernetes(request.discovery.node, request.world.manifests)
    hint = "Give the manifests, or what `kubectl get -A -o yaml` prints, of this role."
    if groups or not request.world.manifests:
        return groups or request.unknown(hint)
    # Manifests were given, and have nothing of this role: a repository seldom holds a whole cluster.
    reason = f"job {request.job.name}: the targets of kubernetes_sd are not known, the manifests have none of this role"
    request.problems.append(request.discovery.node.error(reason, hint=hint))
    return []


FINDERS: Final[tuple[tuple[str, Callable[[DiscoveryRequest], list[TargetGroup]]], ...]] = (
    ("consul", _consul),
    ("file", _file),
    ("http", _http),
    ("dns", _dns),
    ("kubernetes", _kubernetes),
)
BY_KIND: Final = dict(FINDERS)
