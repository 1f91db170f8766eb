"""The two filters of a ``consul_sd_configs`` entry, by version of Prometheus.

=================  ===============================================================================================
since              change (source: Prometheus' change log and pull requests)
=================  ===============================================================================================
3.0.0              ``filter`` goes to ``/v1/catalog/services``: it chooses services, not instances (#12783)
3.11.0, 3.11.1     ``filter`` goes to ``/v1/health/service/NAME`` as well, whose selectors have other names (#16087)
3.11.2, 3.12.0     ``health_filter`` goes there instead; ``filter`` is for the catalogue alone again
=================  ===============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable

from necropsy.model.errors import ConfigurationError
from necropsy.probes.consul.filters import Filter, FilterRefused, compiled
from necropsy.probes.consul.model import Instance
from necropsy.probes.consul.version import FILTERS_CATALOG, FILTERS_HEALTH
from necropsy.probes.prometheus.version import Version
from necropsy.probes.syntax.node import Node


class Sieve:
    """Both filters; what cannot be decided passes and is said once."""

    def __init__(
        self,
        settings: Node,
        version: Version,
        problems: list[ConfigurationError],
        consul: tuple[int, int] | None = None,
    ) -> None:
        self._problems = problems
        self._broken: set[str] = set()
        self._catalog_node, self._health_node = settings.get("filter"), settings.get("health_filter")
        self._catalog = self._compiled(self._catalog_node)
        self._health = self._compiled(self._health_node)
        self._judge_version(version)
        self._judge_consul(consul)

    def counts(self, instance: Instance) -> bool:
        """Whether the catalogue's answer counts this instance when services are chosen."""
        if self._catalog is None or self._catalog_node is None:
            return True
        return self._decide(self._catalog_node, self._catalog.of_catalog, instance)

    def answers(self, instance: Instance) -> bool:
        """Whether this instance of a chosen service becomes a target."""
        if self._health is None or self._health_node is None:
            return True
        return self._decide(self._health_node, self._health.of_health, instance)

    def _compiled(self, node: Node | None) -> Filter | None:
        if node is None or not node.text():
            return None
        try:
            return compiled(node.text())
        except FilterRefused as error:
            self._refused(node, error)
            return None

    def _decide(self, node: Node, ask: Callable[[Instance], bool | None], instance: Instance) -> bool:
        try:
            found = ask(instance)
        except FilterRefused as error:
            self._refused(node, error)
            return True
        if found is None:
            self._say(
                node,
                "it uses a field that no given file has: targets that it removes may be counted",
                "Save Consul's /v1/health/service/NAME, and give it as well.",
            )
            return True
        return found

    def _refused(self, node: Node, error: FilterRefused) -> None:
        self._say(
            node,
            f"Consul refuses this filter, {error}: Prometheus then finds no target; here its targets are counted",
            "Selectors: Service.Meta.KEY, Service.Tags, Node.Node … in health_filter; ServiceMeta.KEY, ServiceTags, Node …"
            " in filter.",
        )

    def _say(self, node: Node, reason: str, hint: str) -> None:
        if reason not in self._broken:
            self._broken.add(reason)
            self._problems.append(node.error(reason, hint=hint))

    def _judge_consul(self, consul: tuple[int, int] | None) -> None:
        """Forget a filter that this Consul ignores; without a version, it heeds both."""
        if consul is None:
            return
        hint = "Update Consul, or keep the instances by a relabel rule."
        if self._catalog_node is not None and self._catalog is not None and consul < FILTERS_CATALOG:
            self._say(self._catalog_node, f"Consul {consul[0]}.{consul[1]} ignores filter: every service counts", hint)
            self._catalog = None
        if self._health_node is not None and self._health is not None and consul < FILTERS_HEALTH:
            self._say(self._health_node, f"Consul {consul[0]}.{consul[1]} ignores health_filter", hint)
            self._health = None

    def _judge_version(self, version: Version) -> None:
        """Say where the version does not fit; 3.0 stands for an unknown one and fits everything."""
        hint = "Give the version that runs: --prometheus-version."
        for name, node in (("filter", self._catalog_node), ("health_filter", self._health_node)):
            if node is None or not node.text():
                continue
            since = (3, 0) if name == "filter" else (3, 11)
            if version < since and version[:2] != (3, 0):
                written = "3.0" if name == "filter" else "3.11.2"
                self._say(node, f"{name} exists since Prometheus {written}: {version} refuses it", hint)
        if self._catalog_node is not None and self._health_node is None and version[:2] == (3, 11):
            self._say(
                self._catalog_node,
                "3.11.0 and 3.11.1 apply filter to instances, too: taken for 3.11.2, which does not",
                "Update to 3.11.2 or later.",
            )
