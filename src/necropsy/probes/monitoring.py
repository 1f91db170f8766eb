r"""Monitoring as the given texts describe it: its servers, what discovery can see, and every target that they find.

>>> from necropsy.probes.configuration_file import ConfigurationFile
>>> texts = Monitoring([ConfigurationFile("prometheus.yml", '''
... scrape_configs:
...   - job_name: up
...     static_configs: [{targets: ["10.0.0.1:8080"]}]
... ''', "prometheus")])
>>> [(found.target.url, str(found.identity().lines[0])) for found in texts.targets()]
[('http://10.0.0.1:8080/metrics', 'prometheus.yml:4')]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from necropsy.model.errors import ConfigurationError

if TYPE_CHECKING:
    from necropsy.probes.configuration_file import ConfigurationFile
    from necropsy.probes.consul.catalog import Catalog
    from necropsy.probes.discovery.mechanisms import World
    from necropsy.probes.discovery.targets import Discoveries
    from necropsy.probes.prometheus.configuration import Job, PrometheusConfiguration
    from necropsy.probes.prometheus.relabel.relabelling import Labels
    from necropsy.probes.prometheus.targets.requests import Identity
    from necropsy.probes.prometheus.targets.target import Target
    from necropsy.probes.syntax.node import Node

DEFAULT_PROMETHEUS: Final = "3.0"
"""Version whose rules count when nobody says which one runs. It differs from 2.x where a target has no port."""


@dataclass(frozen=True, slots=True)
class FoundTarget:
    """One discovered target, kept or lost."""

    target: Target
    server: PrometheusConfiguration
    """The server that finds it."""
    _discoveries: Discoveries

    def identity(self) -> Identity:
        """Return what discovery knows of it beyond its labels."""
        return self._discoveries.identity(self.target)


class Monitoring:
    """Servers and what they can discover. Read once, walked as often as one likes.

    Parameters
    ----------
    files
        As for ``simulate``.
    prometheus_version, consul_version
        As for ``simulate``.
    """

    def __init__(
        self,
        files: Sequence[ConfigurationFile],
        *,
        prometheus_version: str | None = None,
        consul_version: str | None = None,
    ) -> None:
        self.files = files
        self.problems: list[ConfigurationError] = []
        """Files that could not be read so far: reading happens when it is asked for."""
        self._version = prometheus_version
        self._consul_version = consul_version

    def _of(self, kind: str) -> list[ConfigurationFile]:
        return [file for file in self.files if file.kind == kind]

    @cached_property
    def catalog(self) -> Catalog | None:
        """The catalog of Consul; None without its files."""
        files = self._of("consul")
        if not files:
            return None
        from necropsy.probes.consul.catalog import ConsulText, read_catalog

        catalog = read_catalog([ConsulText(file.name, file.text, file.node_address) for file in files])
        self.problems.extend(catalog.problems)
        return catalog

    @cached_property
    def world(self) -> World:
        """Everything that discovery can ask."""
        from necropsy.probes.consul.version import consul_version
        from necropsy.probes.discovery.dns_zone import records
        from necropsy.probes.discovery.mechanisms import World
        from necropsy.probes.kubernetes.objects import manifests
        from necropsy.probes.prometheus.api import read_live

        catalog = self.catalog
        objects: list[Node] = []
        for file in self._of("kubernetes"):
            try:
                objects.extend(manifests(file.text, file.name))
            except ConfigurationError as error:
                self.problems.append(error)
        return World(
            catalog=catalog,
            consul_version=consul_version(self._consul_version) if self._consul_version else None,
            target_files={file.name: file.text for file in self._of("file_sd")},
            answers=[(file.name, file.text, file.node_address) for file in self._of("http_sd")],
            records=[record for file in self._of("dns_sd") for record in records(file.text, file.name)],
            manifests=objects,
            live=read_live(
                [(file.name, file.text, file.node_address) for file in self._of("prometheus_api")], self.problems
            ),
        )

    @cached_property
    def servers(self) -> tuple[PrometheusConfiguration, ...]:
        """Configurations of the servers: those that were given, and those that prometheus-operator would make."""
        texts = {file.name: file.text for file in self._of("prometheus")}
        if not texts and not self._of("kubernetes"):
            return ()
        from necropsy.probes.discovery.targets import servers
        from necropsy.probes.kubernetes.operator import operated

        world = self.world
        own = servers(texts, self._version, self.problems, world.live)
        if not world.manifests:
            return tuple(own)
        return (*own, *operated(world.manifests, self._version or DEFAULT_PROMETHEUS, self.problems))

    def label_sets(self) -> Iterator[tuple[Job, Iterator[Labels]]]:
        """Yield each job with the labels of its targets before relabelling; each set once, sorted by name."""
        from necropsy.probes.discovery.targets import Discoveries

        for server in self.servers:
            yield from Discoveries(server, self.world, self.problems).label_sets()

    def targets(self) -> Iterator[FoundTarget]:
        """Yield every target, kept or lost, in the order of servers and jobs; each once, however many Consuls name it."""
        from necropsy.probes.discovery.targets import Discoveries

        for server in self.servers:
            discoveries = Discoveries(server, self.world, self.problems)
            for target in discoveries.targets():
                yield FoundTarget(target, server, discoveries)
