"""Compute the request that reaches an application because of a target: the scrape itself, or what a prober is asked to probe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from necropsy._internal.masking import masked
from necropsy.model.evidence import Origin
from necropsy.model.probe import Probe
from necropsy.probes.http.request import HttpUrl, mask_chain, mask_labels, presentable, set_headers, split_port
from necropsy.probes.prometheus.blackbox.modules import (
    CREDENTIALS,
    DEFAULT_MODULE,
    HARMLESS,
    Module,
    Modules,
    first_request,
)
from necropsy.probes.prometheus.blackbox.version import user_agents

if TYPE_CHECKING:
    from necropsy.probes.prometheus.relabel.relabelling import Rule
    from necropsy.probes.prometheus.targets.target import Target

_TARGET: Final = "__param_target"
ERASED: Final = "a rule deletes the target parameter"
"""Reason of a target whose parameter a rule deleted; that rule is the first line to blame."""
_MACHINE_PATHS: Final = ("/metrics", "/federate", "/probe", "/scrape", "/snmp", "/prometheus")
"""Ends of paths that answer machines: no page, no session expected."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Facts about a target that discovery knows beyond its labels."""

    service: str | None = None
    instance: str | None = None
    health: str | None = None
    health_path: str | None = None
    lines: tuple[Origin, ...] = ()
    """The line on which the target itself is written."""


def is_probe(target: Target) -> bool:
    """Whether Prometheus asks a prober about somebody else: the path ends in ``/probe``, and a target parameter is meant.

    A target that lost the parameter on its way through the rules is still one that a prober was to ask.
    """
    if not target.labels.get("__metrics_path__", "").endswith("/probe"):
        return False
    if "__param_target" in target.labels or target.scrape_job.params.keys() & {"target", "module"}:
        return True
    return any(rule.target_label == _TARGET for rule in target.scrape_job.rules.rules)


def erased_by(target: Target, label: str = _TARGET) -> tuple[Rule, str] | None:
    """Return the last rule that deleted a label of a target, with the names of its sources that the target lacks.

    Prometheus deletes a label that gets an empty value (model/relabel/relabel.go, ``relabel``). None if no rule did.
    """
    for step in reversed(target.steps):
        after = step.after or {}
        if label in step.written and label not in after:
            missing = [name for name in step.rule.source_labels if name not in step.before]
            return step.rule, ", ".join(missing)
        if label in after:
            return None
    return None


def scrape(target: Target, identity: Identity, phase_s: float | None) -> Probe:
    """Return the probe that a scrape of the target itself is."""
    url, host, port, path = presentable(target.url)
    bare = path.partition("?")[0]
    harmless = ""
    if bare.endswith(_MACHINE_PATHS):
        harmless = f"{bare} is an exporter's page: no session is expected there"
    return Probe(
        prober=f"prometheus/{target.job}",
        kind="scrape",
        method="GET",
        url=url,
        host=host,
        port=port,
        path=path,
        period_s=target.interval_s,
        phase_s=phase_s,
        user_agents=("Prometheus/",),
        follows_redirects=target.scrape_job.follow_redirects,
        creates_sessions=not harmless,
        harmless_because=harmless,
        service=identity.service,
        instance=identity.instance or target.labels.get("instance"),
        health=identity.health,
        health_path=identity.health_path,
        origin=mask_chain(target.origin),
        labels=mask_labels(target.labels),
        headers=_scrape_headers(target),
    )


def _scrape_headers(target: Target) -> tuple[tuple[str, str], ...]:
    node = target.scrape_job.node
    given = node.get("http_headers")
    names = [name for name, _ in (given.items() if given is not None else ())]
    if any(node.get(name) is not None for name in CREDENTIALS):
        names.append("Authorization")
    return (
        ("Accept-Encoding", "gzip"),
        ("X-Prometheus-Scrape-Timeout-Seconds", f"{target.timeout_s:g}"),
        *set_headers(names),
    )


def probe(target: Target, identity: Identity, modules: Modules, phase_s: float | None) -> Probe | str:
    """Return the request that the blackbox exporter sends for a target, or the reason why it sends none."""
    params = {name: values[0] for name, values in target.params.items() if values}
    name = params.get("module") or DEFAULT_MODULE
    module = modules.find(name)
    if module is None:
        return f'the exporter answers 400: unknown module "{name}"'
    asked = params.get("target", "")
    if not asked or _asks_itself(target, asked):
        return _unasked(target, asked)
    if module.prober in HARMLESS:
        return _harmless(target, identity, module, asked, phase_s)
    if module.prober not in ("http", "websocket"):
        return f'the exporter answers 400: module {name} has the unknown prober "{module.prober}"'
    request = first_request(asked, module)
    if isinstance(request, str):
        return f"the exporter cannot request it: {request}"
    hostname = params.get("hostname") or module.host_header
    return _blackbox(
        target,
        identity,
        module,
        phase_s,
        origin=_accuse(target, identity, params, request),
        url=masked(request.text),
        host=split_port(hostname)[0] or request.hostname,
        port=request.port,
        path=masked(request.target),
    )


def _unasked(target: Target, asked: str) -> str:
    if asked:
        return "the exporter's address is missing: no rule writes __address__, so the target itself gets /probe"
    return f"the exporter answers 400: {_without_target(target)}"


def _asks_itself(target: Target, asked: str) -> bool:
    """Whether the job forgot to say where the exporter is: what is to be probed is asked in its place."""
    if target.labels.get("__address__") != asked:
        return False
    trace = target.trace
    return trace is not None and not any("__address__" in names for names in trace.written)


def _without_target(target: Target) -> str:
    erased = erased_by(target)
    if erased is None:
        return "the target parameter is missing"
    where = f"there is no {erased[1]}" if erased[1] else "its value is empty"
    return f"{ERASED} where {where}"


def _harmless(target: Target, identity: Identity, module: Module, asked: str, phase_s: float | None) -> Probe:
    host, port = split_port(asked.partition("://")[2] or asked)
    return _blackbox(
        target,
        identity,
        module,
        phase_s,
        origin=target.origin,
        url=f"{module.prober}://{masked(asked.partition('://')[2] or asked)}",
        host=host,
        port=port,
        path="/",
    )


def _blackbox(
    target: Target,
    identity: Identity,
    module: Module,
    phase_s: float | None,
    *,
    origin: tuple[Origin, ...],
    url: str,
    host: str,
    port: int,
    path: str,
) -> Probe:
    harmless = HARMLESS.get(module.prober, "")
    return Probe(
        prober=f"prometheus/{target.job}",
        kind=f"blackbox-{module.prober}",
        method=module.method,
        url=url,
        host=host,
        port=port,
        path=path,
        period_s=target.interval_s,
        phase_s=phase_s,
        user_agents=() if harmless else (module.user_agent,) if module.user_agent else user_agents(module.version),
        follows_redirects=module.follows_redirects and not harmless,
        creates_sessions=not harmless,
        harmless_because=harmless,
        service=identity.service,
        instance=identity.instance or target.labels.get("instance"),
        health=identity.health,
        health_path=identity.health_path,
        origin=mask_chain((*origin, *((module.origin,) if module.origin else ()))),
        labels=mask_labels(target.labels),
        headers=() if harmless else (("Connection", "close"), *set_headers(module.header_names)),
    )


def _accuse(target: Target, identity: Identity, params: Mapping[str, str], request: HttpUrl) -> tuple[Origin, ...]:
    """Return the chain, and say on its first line what is wrong with it when the URL has no path.

    A target that was written as a URL is itself to blame, not the rule that copies it, and so is the label that holds one;
    an instance is that does not say what a rule would join to its address, and others do.
    """
    chain = target.origin
    asked = params["target"]
    label = target.label_line(asked)
    if not chain or request.target != "/":
        return _written_line_first(identity, label, chain, asked)
    missing = _missing(target)
    if missing and identity.lines:
        return _own_line_first(identity, chain, f"without {missing}, so / is requested", asked)
    if asked.endswith("/"):
        return chain
    if label is not None:
        return _first(label, f"{label.what} {masked(asked)}: no path, so / is requested", chain)
    if "://" in asked and identity.lines:
        return _own_line_first(identity, chain, "no path, so / is requested", asked)
    first = chain[0]
    return (Origin(first.file, first.line, f"{first.what}: an address has no path"), *chain[1:])


def _written_line_first(
    identity: Identity, label: Origin | None, chain: tuple[Origin, ...], asked: str
) -> tuple[Origin, ...]:
    """The line on which somebody wrote the URL, with its path; else the chain as it is."""
    own = identity.lines[0] if identity.lines else None
    if not chain:
        return chain
    if label is not None:
        return _first(label, f"{label.what} {masked(asked)}", chain)
    return _first(own, own.what, chain) if own is not None and "://" in own.what else chain


def _own_line_first(identity: Identity, chain: tuple[Origin, ...], why: str, asked: str) -> tuple[Origin, ...]:
    own = identity.lines[0]
    return _first(own, f"{own.what or masked(asked)}: {why}", chain)


def _first(own: Origin, what: str, chain: tuple[Origin, ...]) -> tuple[Origin, ...]:
    rest = tuple(origin for origin in chain if (origin.file, origin.line) != (own.file, own.line))
    return (Origin(own.file, own.line, what), *rest)


def _missing(target: Target) -> str:
    """Return a label of discovery that a rule needs for the URL and this target does not have; empty if there is none."""
    known = target.discovered_labels
    for rule in target.scrape_job.rules.rules:
        if rule.target_label == "__param_target":
            for name in rule.source_labels:
                if name.startswith("__meta_") and name not in known:
                    return name
    return ""
