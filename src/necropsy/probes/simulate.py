r"""Everything together: configuration texts in, the requests that monitoring will send out.

>>> found = simulate([ConfigurationFile("prometheus.yml", '''
... scrape_configs:
...   - job_name: up
...     metrics_path: /probe
...     static_configs: [{targets: ["http://admin.example.com"]}]
...     relabel_configs:
...       - {source_labels: [__address__], target_label: __param_target}
...       - {target_label: __address__, replacement: "blackbox:9115"}
... ''', "prometheus")])
>>> [(probe.kind, probe.url, probe.period_s, str(probe.origin[0])) for probe in found.probes]
[('blackbox-http', 'http://admin.example.com/', 60.0, 'prometheus.yml:5')]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from necropsy.model.errors import ConfigurationError
from necropsy.model.evidence import Origin
from necropsy.model.probe import Backend, Probe
from necropsy.probes.nginx.logs import LogFormat

if TYPE_CHECKING:
    from necropsy.probes.blackbox import Modules
    from necropsy.probes.consul.catalog import Catalog
    from necropsy.probes.discovered import Discoveries
    from necropsy.probes.finders import World
    from necropsy.probes.node import Node
    from necropsy.probes.prometheus import PrometheusConfiguration
    from necropsy.probes.target import Target

__all__ = ["ConfigurationFile", "Dropped", "LogFormat", "Simulation", "simulate"]

DEFAULT_PROMETHEUS: Final = "3.0"
"""Version whose rules count when nobody says which one runs. It differs from 2.x where a target has no port."""


_SIMULATED: Final = frozenset(
    ("prometheus", "prometheus_api", "blackbox", "consul", "nginx", "file_sd", "http_sd", "dns_sd")
)
"""Kinds that are understood together; each file of another kind is read on its own."""


@dataclass(frozen=True, slots=True)
class ConfigurationFile:
    """One configuration text."""

    name: str
    """Path as it was given: errors and origins show it, includes are resolved against it."""
    text: str
    kind: str
    """``prometheus``, ``blackbox``, ``consul``, ``nginx``, ``file_sd``, ``http_sd``, ``dns_sd``, ``prometheus_api`` (what a
    running Prometheus answered), ``kubernetes``, or a kind of ``probers.registry``."""
    node_address: str | None = None
    """Consul: address of the node whose agent reads this file. ``http_sd``: the URL that this text answers.
    ``prometheus_api``: name of the configuration that the server runs."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A discovered target that is never asked."""

    prober: str
    """``prometheus/<job>``."""
    address: str
    """Its address as discovered."""
    reason: str
    origin: tuple[Origin, ...] = ()
    """The rule that dropped it, if one did; then where it was discovered."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the configuration does, once it runs."""

    probes: tuple[Probe, ...] = ()
    backends: tuple[Backend, ...] = ()
    log_formats: tuple[LogFormat, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    problems: tuple[ConfigurationError, ...] = ()
    """What could not be read, what the real program would refuse, and what had to be assumed."""


def simulate(
    files: Sequence[ConfigurationFile], *, prometheus_version: str | None = None, prometheus_host: str | None = None
) -> Simulation:
    """Simulate monitoring: discovery, relabelling, scraping, probing.

    Parameters
    ----------
    files
        All texts, of whichever kind. Several ``prometheus`` files are several servers, unless one names the other in its
        ``scrape_config_files``; several ``blackbox`` files are read together.
    prometheus_version
        Version of Prometheus, ``2.42.0``; if not given, what a running server said of itself, else ``3.0``.
    prometheus_host
        Fully qualified name of the machine that Prometheus runs on: with it the moment of each scrape is computed.

    Returns
    -------
    Simulation
        Nothing is raised for what is in the texts: see its ``problems``.

    Raises
    ------
    UsageError
        ``prometheus_version`` is no version.
    """
    by_kind: dict[str, list[ConfigurationFile]] = {}
    for file in files:
        by_kind.setdefault(file.kind, []).append(file)
    problems: list[ConfigurationError] = []
    probes: list[Probe] = []
    dropped: list[Dropped] = []
    catalog = _catalog(by_kind.get("consul", ()), problems)
    if "prometheus" in by_kind or "kubernetes" in by_kind:
        found = _prometheus(by_kind, catalog, prometheus_version, prometheus_host, problems)
        for item in found:
            if isinstance(item, Probe):
                probes.append(item)
            else:
                dropped.append(item)
    if catalog is not None:
        from necropsy.probes.consul.checks import consul_probes

        probes.extend(consul_probes(catalog))
    probes.extend(_others(files, problems))
    backends: tuple[Backend, ...] = ()
    log_formats: tuple[LogFormat, ...] = ()
    if "nginx" in by_kind:
        from necropsy.probes.nginx.backends import read_nginx
        from necropsy.probes.probers.nginx_checks import nginx_probes

        texts = {file.name: file.text for file in by_kind["nginx"]}
        nginx = read_nginx(texts)
        probes.extend(nginx_probes(texts))
        backends, log_formats = nginx.backends, nginx.log_formats
        problems.extend(nginx.problems)
    return Simulation(tuple(probes), backends, log_formats, tuple(dropped), _distinct(problems))


def _others(files: Sequence[ConfigurationFile], problems: list[ConfigurationError]) -> Iterator[Probe]:
    """Yield what probers with a configuration of their own ask."""
    others = [file for file in files if file.kind not in _SIMULATED]
    if not others:
        return
    from necropsy.probes.probers.registry import BY_KIND

    for file in others:
        try:
            found = BY_KIND[file.kind].read(file.text, file.name)
        except ConfigurationError as error:
            problems.append(error)
            continue
        problems.extend(found.problems)
        yield from found.probes


def _distinct(problems: list[ConfigurationError]) -> tuple[ConfigurationError, ...]:
    """Several Consul servers in one job repeat their problems."""
    return tuple({problem.message: problem for problem in problems}.values())


def _catalog(files: Sequence[ConfigurationFile], problems: list[ConfigurationError]) -> Catalog | None:
    if not files:
        return None
    from necropsy.probes.consul.catalog import ConsulText, read_catalog

    catalog = read_catalog([ConsulText(file.name, file.text, file.node_address) for file in files])
    problems.extend(catalog.problems)
    return catalog


def _modules(files: Sequence[ConfigurationFile], problems: list[ConfigurationError]) -> Modules:
    from necropsy.probes.blackbox import Modules, read_modules

    found = []
    for file in files:
        try:
            found.append(read_modules(file.text, file.name))
        except ConfigurationError as error:
            problems.append(error)
    problems.extend(problem for modules in found for problem in modules.problems)
    # A file that cannot be read says nothing: then modules are assumed, as without one.
    named = {name: module for modules in reversed(found) for name, module in modules.modules.items()}
    return Modules(named, given=bool(found))


def _prometheus(
    by_kind: Mapping[str, list[ConfigurationFile]],
    catalog: Catalog | None,
    version: str | None,
    host: str | None,
    problems: list[ConfigurationError],
) -> Iterator[Probe | Dropped]:
    from necropsy.probes.discovered import Discoveries, servers
    from necropsy.probes.scrapes import is_probe

    modules = _modules(by_kind.get("blackbox", ()), problems)
    texts = {file.name: file.text for file in by_kind.get("prometheus", ())}
    world = _world(by_kind, catalog, problems)
    assumed: set[str] = set()
    for configuration in (*servers(texts, version, problems, world.live), *_operated(world, version, problems)):
        discoveries = Discoveries(configuration, world, problems)
        for target in discoveries.targets():
            if not modules.given and not target.dropped_because and is_probe(target):
                assumed.add((target.params.get("module") or ("http_2xx",))[0])
            yield from _asked(target, discoveries, modules, configuration, host)
    if assumed:
        problems.append(
            ConfigurationError(
                "blackbox.yml",
                0,
                f"not given: {', '.join(sorted(assumed))} taken for what the exporter's example configuration says",
                hint="Add --blackbox blackbox.yml.",
            )
        )


def _world(
    by_kind: Mapping[str, list[ConfigurationFile]], catalog: Catalog | None, problems: list[ConfigurationError]
) -> World:
    from necropsy.probes.finders import World
    from necropsy.probes.kubernetes.objects import manifests
    from necropsy.probes.prometheus_api import read_live
    from necropsy.probes.zone import records

    objects: list[Node] = []
    for file in by_kind.get("kubernetes", ()):
        try:
            objects.extend(manifests(file.text, file.name))
        except ConfigurationError as error:
            problems.append(error)
    return World(
        catalog=catalog,
        target_files={file.name: file.text for file in by_kind.get("file_sd", ())},
        answers=[(file.name, file.text, file.node_address) for file in by_kind.get("http_sd", ())],
        records=[record for file in by_kind.get("dns_sd", ()) for record in records(file.text, file.name)],
        manifests=objects,
        live=read_live(
            [(file.name, file.text, file.node_address) for file in by_kind.get("prometheus_api", ())], problems
        ),
    )


def _operated(world: World, version: str | None, problems: list[ConfigurationError]) -> list[PrometheusConfiguration]:
    """Configurations that prometheus-operator makes of its objects among the manifests."""
    if not world.manifests:
        return []
    from necropsy.probes.kubernetes.operator import operated

    return operated(world.manifests, version or DEFAULT_PROMETHEUS, problems)


def _asked(
    target: Target,
    discoveries: Discoveries,
    modules: Modules,
    configuration: PrometheusConfiguration,
    host: str | None,
) -> Iterator[Probe | Dropped]:
    from necropsy.probes.request import mask_chain, masked
    from necropsy.probes.scrapes import is_probe, probe, scrape

    identity = discoveries.identity(target)
    if target.duplicate_of is not None and target.discovered_labels == target.duplicate_of.discovered_labels:
        return  # the same target, found through the next Consul server
    reason = target.dropped_because or target.unrequestable_because
    if not reason:
        phase_s = _phase(target, configuration, host)
        if not is_probe(target):
            yield scrape(target, identity, phase_s)
            return
        answer = probe(target, identity, modules, phase_s)
        if isinstance(answer, Probe):
            yield answer
            return
        reason = answer
    address = target.discovered_labels.get("__address__", "")
    origin = (target.dropped_by,) if target.dropped_by is not None else ()
    yield Dropped(f"prometheus/{target.job}", masked(address), masked(reason), mask_chain((*origin, *identity.lines)))


def _phase(target: Target, configuration: PrometheusConfiguration, host: str | None) -> float | None:
    if host is None:
        return None
    from necropsy.probes.phase import phase

    return phase(target, host, configuration.external_labels, str(configuration.version))
