r"""Simulate monitoring: configuration texts in, the requests that it will send out.

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
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from necropsy.model.errors import ConfigurationError, NotJudged
from necropsy.model.evidence import Origin
from necropsy.model.probe import Probe, UpstreamPort
from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.nginx.logs import LogFormat

if TYPE_CHECKING:
    from necropsy.probes.monitoring import FoundTarget, Monitoring
    from necropsy.probes.nginx.servers import ServerBlock
    from necropsy.probes.prometheus.blackbox.modules import Module, Modules
    from necropsy.probes.prometheus.targets.target import Target

__all__ = ["Dropped", "LogFormat", "Simulation", "scheduled", "simulate"]

SIMULATED: Final = ("prometheus", "blackbox", "consul", "nginx", "file_sd", "http_sd", "dns_sd", "values")
_SIMULATED: Final = frozenset((*SIMULATED, "prometheus_api"))
"""Kinds that are understood together; each file of another kind is read on its own."""


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
    """The effect of the configuration, once it runs."""

    probes: tuple[Probe, ...] = ()
    backends: tuple[UpstreamPort, ...] = ()
    log_formats: tuple[LogFormat, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    proxies: tuple[ServerBlock, ...] = ()
    """The ``server`` blocks of nginx."""
    problems: tuple[ConfigurationError, ...] = ()
    """Files that could not be read or that the real program would refuse, and assumptions that had to be made."""
    monitoring: Monitoring | None = field(default=None, compare=False, repr=False)
    """The servers and what they discover, parsed: for whoever asks about a target or a rule what is not told here."""


def simulate(
    files: Sequence[ConfigurationFile],
    *,
    prometheus_version: str | None = None,
    prometheus_host: str | None = None,
    blackbox_version: str | None = None,
    consul_version: str | None = None,
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

    blackbox_version
        Version of the blackbox exporter, ``0.28.0``; if not given, what holds for all releases.
    consul_version
        Version of Consul, ``1.20``; if not given, the newest.

    Returns
    -------
    Simulation
        Nothing is raised for what is in the texts: see its ``problems``.

    Raises
    ------
    UsageError
        One of them is no version.
    """
    from necropsy.probes.monitoring import Monitoring

    monitoring = Monitoring(files, prometheus_version=prometheus_version, consul_version=consul_version)
    problems = monitoring.problems
    probes: list[Probe] = []
    dropped: list[Dropped] = []
    for _, item in _prometheus(monitoring, prometheus_host, blackbox_version):
        if isinstance(item, Probe):
            probes.append(item)
        else:
            dropped.append(item)
    if monitoring.catalog is not None:
        from necropsy.probes.consul.checks import consul_probes

        probes.extend(consul_probes(monitoring.catalog))
    probes.extend(_others(files, problems))
    backends: tuple[UpstreamPort, ...] = ()
    log_formats: tuple[LogFormat, ...] = ()
    proxies: tuple[ServerBlock, ...] = ()
    texts = {file.name: file.text for file in files if file.kind == "nginx"}
    if texts:
        from necropsy.probes.nginx.backends import read_nginx
        from necropsy.probes.probers.nginx_checks import nginx_probes

        nginx = read_nginx(texts)
        probes.extend(nginx_probes(texts))
        backends, log_formats, proxies = nginx.backends, nginx.log_formats, nginx.servers
        problems.extend(nginx.problems)
    return Simulation(tuple(probes), backends, log_formats, tuple(dropped), proxies, _distinct(problems), monitoring)


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


def _modules(files: Sequence[ConfigurationFile], problems: list[ConfigurationError], version: str | None) -> Modules:
    from necropsy.probes.prometheus.blackbox.modules import Modules, read_modules
    from necropsy.probes.prometheus.blackbox.version import blackbox_version

    found = []
    for file in files:
        try:
            found.append(read_modules(file.text, file.name, version=version))
        except ConfigurationError as error:
            problems.append(error)
    problems.extend(problem for modules in found for problem in modules.problems)
    # A file that cannot be read says nothing: then modules are assumed, as without one.
    named = {name: module for modules in reversed(found) for name, module in modules.modules.items()}
    problems.extend(_other_modules(named, found))
    return Modules(named, given=bool(found), version=blackbox_version(version) if version else None)


def _other_modules(named: Mapping[str, Module], found: Sequence[Modules]) -> Iterator[NotJudged]:
    """Yield what several exporters call by one name and ask in different ways: which of them a job asks is not known."""
    for modules in found:
        for name, module in modules.modules.items():
            first = named[name]
            if replace(module, origin=None) != replace(first, origin=None) and module.origin and first.origin:
                yield NotJudged(
                    module.origin.file,
                    module.origin.line,
                    f"module {name} differs from that of {first.origin.file}:{first.origin.line}, which was taken for every job",
                    hint="Run this once for each exporter, with its configuration alone.",
                )


def scheduled(monitoring: Monitoring) -> Iterator[tuple[FoundTarget, Probe]]:
    """Yield each target that is asked, with the request that reaches an application because of it; without its moment."""
    for found, item in _prometheus(monitoring, None, None):
        if isinstance(item, Probe):
            yield found, item


def _prometheus(
    monitoring: Monitoring, host: str | None, exporter: str | None
) -> Iterator[tuple[FoundTarget, Probe | Dropped]]:
    exporters = [file for file in monitoring.files if file.kind == "blackbox"]
    if not monitoring.servers:
        if exporters:
            _modules(
                exporters, monitoring.problems, exporter
            )  # nobody asks for them; a refused file is told all the same
        return
    from necropsy.probes.prometheus.targets.requests import is_probe

    modules = _modules(exporters, monitoring.problems, exporter)
    assumed: set[str] = set()
    for found in monitoring.targets():
        target = found.target
        if not modules.given and not target.dropped_because and is_probe(target):
            assumed.add((target.params.get("module") or ("http_2xx",))[0])
        yield found, _asked(found, modules, host)
    if assumed:
        monitoring.problems.append(
            ConfigurationError(
                "blackbox.yml",
                0,
                f"not given; {'module' if len(assumed) == 1 else 'modules'} {', '.join(sorted(assumed))} assumed to be as in"
                " the exporter's example configuration",
                hint="Add --blackbox blackbox.yml.",
            )
        )


def _asked(found: FoundTarget, modules: Modules, host: str | None) -> Probe | Dropped:
    from necropsy._internal.masking import masked
    from necropsy.probes.http.request import mask_chain
    from necropsy.probes.prometheus.targets.requests import is_probe, probe, scrape

    target, identity = found.target, found.identity()
    reason = target.dropped_because or target.unrequestable_because
    if not reason:
        phase_s = _phase(found, host)
        if not is_probe(target):
            return scrape(target, identity, phase_s)
        answer = probe(target, identity, modules, phase_s)
        if isinstance(answer, Probe):
            return answer
        reason = answer
    address = target.discovered_labels.get("__address__", "")
    origin = (target.dropped_by,) if target.dropped_by is not None else _eraser(target)
    return Dropped(f"prometheus/{target.job}", masked(address), masked(reason), mask_chain((*origin, *identity.lines)))


def _eraser(target: Target) -> tuple[Origin, ...]:
    """Return the rule that deleted what is needed to ask this target: its parameter, or its address."""
    from necropsy.probes.prometheus.targets.requests import erased_by

    for label in ("__address__", "__param_target"):
        if label not in target.labels:
            erased = erased_by(target, label)
            if erased is not None:
                return (erased[0].node.origin(erased[0].describe()),)
    return ()


def _phase(found: FoundTarget, host: str | None) -> float | None:
    if host is None:
        return None
    from necropsy.probes.prometheus.targets.scrape_phase import phase

    server = found.server
    return phase(found.target, host, server.external_labels, str(server.version))
