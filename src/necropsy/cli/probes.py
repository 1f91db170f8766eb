"""``necropsy probes``: what monitoring asks, when, and which lines make it do so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from necropsy.cli import output
from necropsy.cli.options import (
    BlackboxOption,
    BlackboxVersionOption,
    ColorOption,
    ConsulOption,
    ConsulVersionOption,
    HostOption,
    KubernetesOption,
    NginxOption,
    ProberOption,
    PrometheusOption,
    PrometheusVersionOption,
    TextOrJson,
    TextOrJsonOption,
)
from necropsy.model.errors import NoEvidence, UsageError

if TYPE_CHECKING:
    from necropsy.autopsy.sources import Sources
    from necropsy.autopsy.survey import Survey
    from necropsy.model.evidence import Origin
    from necropsy.probes.monitoring import Monitoring
    from necropsy.probes.nginx.servers import Location
    from necropsy.probes.prometheus.targets.target import Target
    from necropsy.probes.simulate import Dropped
    from necropsy.report.commands.probe_map import Entry, Lost
    from necropsy.report.commands.relabel_steps import RelabelWalk

_MOST_WALKS = 5


def probes(
    prometheus: PrometheusOption = None,
    blackbox: BlackboxOption = None,
    consul: ConsulOption = None,
    nginx: NginxOption = None,
    kubernetes: KubernetesOption = None,
    prober: ProberOption = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Show when each probe is first sent after this time (ISO, UTC). Needs --prometheus-host.",
        ),
    ] = None,
    who_hits: Annotated[
        str | None, typer.Option(metavar="URL", help="Only probes of this URL, host, host:port or /path.")
    ] = None,
    steps: Annotated[
        str | None, typer.Option(metavar="JOB", help="Show the relabelling of this job's targets, rule by rule.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="With --steps: only targets whose address contains this.")
    ] = None,
    prometheus_version: PrometheusVersionOption = None,
    blackbox_version: BlackboxVersionOption = None,
    consul_version: ConsulVersionOption = None,
    prometheus_host: HostOption = None,
    format: TextOrJsonOption = TextOrJson.TEXT,  # noqa: A002 -- the option's name
    color: ColorOption = None,
) -> None:
    """List every request that the monitoring sends, and the lines of configuration behind it.

    Without a source, the configuration recognised in this folder is read. No server is contacted, except those named
    by URL.

    \b
    Examples:
      necropsy probes --prometheus prometheus.yml --blackbox blackbox.yml --consul services.json
      necropsy probes --prometheus prometheus.yml --consul services.json --nginx nginx.conf \\
          --who-hits https://admin.example.com/login
      necropsy probes --prometheus prometheus.yml --consul services.json --steps blackbox
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.autopsy.survey import survey

    if target is not None and steps is None:
        raise UsageError("--target needs --steps", hint="Add --steps JOB.")
    if at is not None and prometheus_host is None:
        raise UsageError(
            "--at needs --prometheus-host", hint="When a probe is sent depends on the host name of Prometheus."
        )
    if steps is not None and who_hits is not None:
        raise UsageError("--steps and --who-hits cannot be combined", hint="Use one at a time.")
    sources = replace(
        named(prometheus, blackbox, consul, nginx, kubernetes, prober, prometheus_version, prometheus_host),
        blackbox_version=blackbox_version,
        consul_version=consul_version,
    )
    found = survey(sources)
    if steps is not None:
        text = _steps(found, steps, target, format, color=output.use_color(color))
    else:
        text = _map(found, at, who_hits, format, color=output.use_color(color))
    output.say(text)
    if found.absent and not found.simulation.probes and not found.simulation.dropped:
        raise typer.Exit(NoEvidence.exit_code)  # what was given says nothing, and the text says why
    if sources.prometheus and not _asks(found):
        refused = [item for item in found.absent if item.locator.startswith(sources.prometheus)]
        raise typer.Exit(1 if refused else 0)  # the others ask, but what was named as Prometheus' was refused


def _asks(found: Survey) -> bool:
    simulation = found.simulation
    probers = [*(probe.prober for probe in simulation.probes), *(lost.prober for lost in simulation.dropped)]
    return any(prober.startswith("prometheus/") for prober in probers)


def named(
    prometheus: Iterable[str] | None,
    blackbox: Iterable[str] | None,
    consul: Iterable[str] | None,
    nginx: Iterable[str] | None,
    kubernetes: Iterable[str] | None,
    prober: Iterable[str] | None,
    version: str | None,
    host: str | None,
) -> Sources:
    """Gather the sources that options of configuration name; without any, what lies in the current folder."""
    from necropsy.autopsy.sources import Sources
    from necropsy.wire.files import expand

    if not any((prometheus, blackbox, consul, nginx, kubernetes, prober)):
        from necropsy.autopsy.linting import recognised

        found = recognised(["."], prometheus_version=version)
        _say_read(found)
        return replace(found, prometheus_host=host)
    manifests = [f"kubernetes={name}" for name in kubernetes or ()]
    return Sources(
        prometheus=tuple(expand(prometheus or ())),
        blackbox=tuple(expand(blackbox or ())),
        consul=tuple(expand(consul or ())),
        nginx=tuple(expand(nginx or ())),
        prober=(*manifests, *(prober or ())),
        prometheus_version=version,
        prometheus_host=host,
    )


_MOST_NAMED = 12


def _say_read(found: Sources) -> None:
    """Say on standard error which files of this folder are read: nobody named them."""
    named = [*found.prometheus, *found.blackbox, *found.consul, *found.nginx]
    names = sorted({*named, *(name.partition("=")[2] for name in found.prober)})
    rest = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    typer.echo(f"reading the configuration recognised in this folder: {', '.join(names[:_MOST_NAMED])}{rest}", err=True)


def _map(found: Survey, at: str | None, who_hits: str | None, kind: TextOrJson, *, color: bool) -> str:
    from necropsy.report.commands import probe_map

    entries = _entries(found, at, who_hits)
    made = probe_map.ProbeMap(tuple(entries), tuple(_lost(found.simulation.dropped)), found.absent, who_hits)
    if kind is TextOrJson.JSON:
        return probe_map.render_json(made)
    return probe_map.render(made, width=output.width(), color=color)


def _entries(found: Survey, at: str | None, who_hits: str | None) -> Iterable[Entry]:
    from necropsy.autopsy.sources import parse_time
    from necropsy.probes.session_risk import idle_probes, may_create
    from necropsy.probes.visibility import RequestQuestion, fires_after, location, logs
    from necropsy.report.commands.probe_map import Entry

    simulation = found.simulation
    moment = parse_time(at) if at else None
    question = RequestQuestion.of(who_hits) if who_hits else RequestQuestion()
    silent = idle_probes(simulation.probes, simulation.backends)
    live = {backend.port for backend in simulation.backends if backend.state != "idle"}
    unused = {backend.port for backend in simulation.backends if backend.state == "idle"} - live
    for number, probe in enumerate(simulation.probes):
        hit = question.hit_by(probe, simulation.backends)
        if hit:
            yield Entry(
                probe=probe,
                logs=logs(probe, simulation.backends, simulation.proxies),
                location=_place(location(probe, simulation.proxies)),
                idle=number in silent or probe.port in unused,
                may_create=may_create(probe),
                fires_at=fires_after(probe, moment) if moment else None,
                hit=hit,
            )


def _place(served: Location | None) -> Origin | None:
    """Name a location; a server itself is named by nothing more."""
    from necropsy.model.evidence import Origin

    if served is None or not served.pattern:
        return None
    name = " ".join(filter(None, ("location", served.modifier, served.pattern)))
    return Origin(served.origin.file, served.origin.line, name)


def _lost(dropped: Iterable[Dropped]) -> Iterable[Lost]:
    from necropsy.report.commands.probe_map import Lost

    groups: dict[tuple[str, str], list[Dropped]] = {}
    for entry in dropped:
        groups.setdefault((entry.prober, entry.reason), []).append(entry)
    for (prober, reason), group in groups.items():
        yield Lost(prober, reason, tuple(e.address for e in group), group[0].origin[0] if group[0].origin else None)


def _steps(found: Survey, job: str, address: str | None, kind: TextOrJson, *, color: bool) -> str:
    from necropsy.report.commands import relabel_steps

    monitoring = found.simulation.monitoring
    targets = [one.target for one in monitoring.targets()] if monitoring is not None else []
    name = job.removeprefix("prometheus/")
    mine = [target for target in targets if target.job == name]
    if not mine:
        raise _no_targets(name, list(dict.fromkeys(target.job for target in targets)), monitoring)
    if address is not None:
        mine = [target for target in mine if address in target.discovered_labels.get("__address__", "")]
        if not mine:
            raise UsageError(
                f"{address}: no target of {name} has an address that contains this", hint="Leave --target out."
            )
    if kind is TextOrJson.JSON:
        return relabel_steps.render_json([_walk(target) for target in mine])
    shown = [_walk(target) for target in mine[:_MOST_WALKS]]
    return relabel_steps.render(shown, len(mine) - len(shown), width=output.width(), color=color)


def _no_targets(name: str, with_targets: list[str], monitoring: Monitoring | None) -> UsageError:
    """Tell a job that discovers nothing from one that nobody configured; name those of each kind."""
    configured = {job.name for server in monitoring.servers for job in server.jobs} if monitoring is not None else set()
    found = f"Jobs with targets: {', '.join(with_targets)}." if with_targets else "No job has targets."
    empty = sorted(configured.difference(with_targets))
    without = f" Without targets: {', '.join(empty)}." if empty else ""
    hint = f"{found}{without}{' Add --consul, or the files with the targets.' if empty else ''}"
    return UsageError(
        f"{name}: the job discovers no target" if name in configured else f"{name}: no job of this name", hint=hint
    )


def _walk(target: Target) -> RelabelWalk:
    from necropsy._internal.masking import masked
    from necropsy.probes.http.request import mask_chain, mask_labels
    from necropsy.probes.relabel_coverage import presentable_url
    from necropsy.report.commands.relabel_steps import RelabelWalk, RuleStep

    steps = []
    for step in target.steps:
        (line,) = mask_chain([step.rule.node.origin(step.rule.describe())])
        after = dict(mask_labels(step.after)) if step.after is not None else None
        collisions = tuple(collision.name for collision in step.collisions)
        steps.append(RuleStep(line, dict(mask_labels(step.before)), after, collisions))
    labels = target.discovered_labels
    outcome = presentable_url(target) if not target.dropped_because else f"not probed: {masked(target.dropped_because)}"
    return RelabelWalk(
        target.job, masked(labels.get("__address__", "no address")), dict(mask_labels(labels)), tuple(steps), outcome
    )
