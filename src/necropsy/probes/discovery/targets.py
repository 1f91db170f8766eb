"""The targets that one Prometheus server discovers, from the texts that were given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from necropsy.model.errors import ConfigurationError, NotJudged, UsageError
from necropsy.probes.consul.discovery import origins_of
from necropsy.probes.discovery.mechanisms import DiscoveryRequest, World, find
from necropsy.probes.locate import matching
from necropsy.probes.prometheus.configuration import (
    Discovery,
    Job,
    PrometheusConfiguration,
    parse_prometheus,
)
from necropsy.probes.prometheus.target_group import TargetGroup
from necropsy.probes.prometheus.targets.labels import Populator
from necropsy.probes.prometheus.targets.requests import Identity
from necropsy.probes.prometheus.targets.scraped import targets_of_job
from necropsy.probes.prometheus.version import prometheus_version

if TYPE_CHECKING:
    from necropsy.model.evidence import Origin
    from necropsy.probes.consul.model import Instance
    from necropsy.probes.prometheus.api import ListedTarget, LiveServers
    from necropsy.probes.prometheus.relabel.relabelling import Labels
    from necropsy.probes.prometheus.targets.target import Target

_QUESTION: Final = frozenset(
    (
        "datacenter",
        "namespace",
        "partition",
        "services",
        "tags",
        "node_meta",
        "tag_separator",
        "filter",
        "health_filter",
    )
)
"""Settings of ``consul_sd_configs`` that decide what is found; the others say where, as whom and how often."""


def servers(
    texts: Mapping[str, str], version: str | None, problems: list[ConfigurationError], live: LiveServers | None = None
) -> list[PrometheusConfiguration]:
    """Read the configurations of all servers; files that one names as ``scrape_config_files`` belong to it.

    Without ``version``, what a running server said of itself counts, else 3.0.
    """
    drafts: list[PrometheusConfiguration] = []
    versions = {name: version or _own_version(name, live, problems) or "3.0" for name in texts}
    for name, text in texts.items():
        try:
            drafts.append(parse_prometheus(text, name, prometheus=versions[name], lenient=True))
        except ConfigurationError as error:
            problems.append(error)
    twice: dict[str, list[ConfigurationError]] = {draft.file: [] for draft in drafts}
    parts = {draft.file: _parts(draft, texts, problems, twice[draft.file]) for draft in drafts}
    named = {name for names in parts.values() for name in names}
    found: list[PrometheusConfiguration] = []
    for draft in drafts:
        if draft.file in named:
            continue
        configuration = draft
        if parts[draft.file]:
            more = [(name, texts[name]) for name in parts[draft.file]]
            try:
                configuration = parse_prometheus(
                    texts[draft.file],
                    draft.file,
                    prometheus=versions[draft.file],
                    scrape_config_files=more,
                    lenient=True,
                )
            except ConfigurationError as error:
                configuration = replace(draft, problems=(*draft.problems, error))
        configuration = replace(configuration, problems=(*configuration.problems, *twice[draft.file]))
        problems.extend(configuration.problems)
        found.append(configuration)
    if drafts and not found:
        reason = "these configurations include each other by scrape_config_files: none is the main file"
        problems.append(
            ConfigurationError(drafts[0].file, 0, reason, hint="List the main file's parts only in the main file.")
        )
    return found


def _own_version(name: str, live: LiveServers | None, problems: list[ConfigurationError]) -> str:
    """Version that the server of this configuration runs; empty when it did not say."""
    said = live.of(name).version if live is not None else ""
    try:
        return said if said and prometheus_version(said) else ""
    except UsageError as error:
        problems.append(
            ConfigurationError(name, 0, error.message, hint="Give the version that runs: --prometheus-version.")
        )
        return ""


def _parts(
    draft: PrometheusConfiguration,
    texts: Mapping[str, str],
    problems: list[ConfigurationError],
    twice: list[ConfigurationError],
) -> list[str]:
    """Return the files that ``scrape_config_files`` names, each once; ``twice`` gets those that it names again."""
    names: list[str] = []
    for pattern, origin in draft.scrape_config_files:
        found = [name for name in matching(texts, draft.file, pattern) if name != draft.file]
        if not found:
            reason = f"scrape_config_files names {pattern}, which was not given"
            problems.append(NotJudged(origin.file, origin.line, reason, hint="Give these files as well."))
        for name in found:
            if name in names:
                reason = f"scrape_config_files names {name} a second time: each of its jobs would be there twice"
                twice.append(ConfigurationError(origin.file, origin.line, reason, hint="Remove this line."))
            else:
                names.append(name)
    return names


def _question(discovery: Discovery) -> dict[str, Any]:
    """The question, without the server: the servers of one Consul answer alike, and targets found twice run once."""
    return {name: node.to_python() for name, node in discovery.node.items() if name in _QUESTION}


_SERVICES: Final = tuple(
    f"__meta_kubernetes_{role}_name" for role in ("service", "ingress", "pod_controller", "endpoints")
)
"""Labels that name what the targets of one application have in common."""


class Discoveries:
    """Targets of one server, and what is known of each beyond its labels."""

    def __init__(
        self, configuration: PrometheusConfiguration, world: World, problems: list[ConfigurationError]
    ) -> None:
        self._configuration = configuration
        self._world = world
        self._problems = problems
        # Two nodes may register the same address: a node that came back under a new name. Without a name, the first counts.
        self._instances: dict[tuple[str, str, str, str], Instance] = {}
        for instance in world.catalog.instances if world.catalog is not None else ():
            for node in (instance.node.name, ""):
                self._instances.setdefault((instance.name, instance.service_id, instance.host_port, node), instance)

    def targets(self) -> Iterator[Target]:
        """Yield all targets, kept or lost, in the order of the jobs; each once, however many Consuls name it."""
        live = self._world.live.of(self._configuration.file).targets
        for job in self._configuration.jobs:
            groups = self._discover(job) if live is None else self._seen(job, live)
            for target in targets_of_job(job, groups, version=self._configuration.version):
                first = target.duplicate_of
                if first is None or target.discovered_labels != first.discovered_labels:
                    yield target

    def label_sets(self) -> Iterator[tuple[Job, Iterator[Labels]]]:
        """Yield each job with the labels of its targets before relabelling; each set once, sorted by name."""
        live = self._world.live.of(self._configuration.file).targets
        for job in self._configuration.jobs:
            groups = self._discover(job) if live is None else self._seen(job, live)
            yield job, self._distinct(Populator(job, self._configuration.version), groups)

    @staticmethod
    def _distinct(populator: Populator, groups: Iterable[TargetGroup]) -> Iterator[Labels]:
        seen: set[tuple[tuple[str, str], ...]] = set()
        for group in groups:
            for labels in populator.discovered(group):
                items = tuple(sorted(labels.items()))
                if items not in seen:
                    seen.add(items)
                    yield dict(items)

    def _discover(self, job: Job) -> list[TargetGroup]:
        """Simulate what the server would find."""
        groups = [*job.static_groups]
        for group in groups:
            if not group.targets and group.labels and group.origin:
                place, names = group.origin[0], ", ".join(group.labels)
                reason = f"job {job.name}: a group with labels ({names}) but without targets: nothing is probed"
                self._problems.append(
                    ConfigurationError(place.file, place.line, reason, hint="Add targets: [host:port].")
                )
        asked: list[dict[str, Any]] = []
        for discovery in job.discoveries:
            question = _question(discovery)
            if discovery.kind != "consul" or question not in asked:
                version = self._configuration.version
                groups.extend(find(DiscoveryRequest(job, discovery, self._world, version, self._problems)))
            asked.append(question)
        return groups

    def _seen(self, job: Job, live: list[ListedTarget]) -> list[TargetGroup]:
        """Take what the running server has found, with the lines that it found it by where they are known."""
        written = {
            target if isinstance(target, str) else target.get("__address__", ""): group.origin_of(index)
            for group in job.static_groups
            for index, target in enumerate(group.targets)
        }
        return [
            TargetGroup((seen.labels,), origin=(*self._lines(seen, job, written), seen.origin))
            for seen in live
            if seen.job == job.name
        ]

    def _lines(self, seen: ListedTarget, job: Job, written: Mapping[str, tuple[Origin, ...]]) -> tuple[Origin, ...]:
        address = seen.labels.get("__address__", "")
        instance = self._instance(seen.labels)
        if instance is not None:
            return origins_of(instance)
        if address in written:
            return written[address]
        return tuple(discovery.node.origin(f"{discovery.kind}_sd") for discovery in job.discoveries[:1])

    def _instance(self, labels: Mapping[str, str]) -> Instance | None:
        name, identity, node = (labels.get(f"__meta_consul_{part}", "") for part in ("service", "service_id", "node"))
        key = (name, identity, labels.get("__address__", ""))
        return self._instances.get((*key, node)) or self._instances.get((*key, ""))

    def _of_manifests(self, labels: Mapping[str, str]) -> tuple[str | None, tuple[Origin, ...]]:
        """Return the health endpoint that the manifests know of a target, and the line that does."""
        if not self._world.manifests:
            return None, ()
        namespace = labels.get("__meta_kubernetes_namespace", "default")
        for kind in ("pod", "service", "ingress"):
            known = self._health.get((kind, namespace, labels.get(f"__meta_kubernetes_{kind}_name", "")))
            if known is not None:
                return known[0], (known[1],)
        return None, ()

    @cached_property
    def _health(self) -> Mapping[tuple[str, str, str], tuple[str, Origin]]:
        from necropsy.probes.kubernetes.health import health_endpoints

        return health_endpoints(self._world.manifests)

    def identity(self, target: Target) -> Identity:
        """Return what discovery knows of a target."""
        labels = target.discovered_labels
        address = labels.get("__address__", "")
        service = labels.get("__meta_consul_service")
        if service is None:
            named = next((labels[name] for name in _SERVICES if name in labels), None)
            path, line = self._of_manifests(labels)
            return Identity(named, health_path=path, lines=(*target.found_at, *line))
        service_id = labels.get("__meta_consul_service_id", "")
        instance = self._instance(labels)
        if instance is None:  # file_sd with labels that somebody copied from Consul
            health = labels.get("__meta_consul_health")
            return Identity(service, service_id or address, health, lines=target.found_at)
        return Identity(service, service_id, instance.health or None, instance.health_path, origins_of(instance))
