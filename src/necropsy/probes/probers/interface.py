"""The value that every prober's reader returns, and the two forms of a probe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from necropsy._internal.masking import masked
from necropsy.model.errors import ConfigurationError, NotJudged
from necropsy.model.evidence import Origin
from necropsy.model.probe import Probe
from necropsy.probes.http.request import HttpUrl, parse_http_url


@dataclass(slots=True)
class ProberReading:
    """Probes of one file, and what is wrong with it."""

    probes: list[Probe] = field(default_factory=list)
    problems: list[ConfigurationError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Prober:
    """One kind of prober."""

    kind: str
    """Kind of its configuration file, and first word of the kind of its probes."""
    title: str
    read: Callable[[str, str], ProberReading]
    """Text and file name to probes; raises ``ConfigurationError`` when the text is something else altogether."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The interval of a prober."""

    period_s: float
    timing: str = "renewal"
    """``ticker`` or ``renewal``, see ``Probe``."""


def http_probe(
    prober: str,
    kind: str,
    url: str,
    schedule: Schedule,
    origin: tuple[Origin, ...],
    *,
    method: str = "GET",
    user_agents: tuple[str, ...] = (),
    follows_redirects: bool = True,
    host_header: str = "",
    service: str | None = None,
    instance: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Probe | str:
    """Return a probe that asks a URL, or the reason why nobody can ask it."""
    parsed = parse_http_url(url)
    if not isinstance(parsed, HttpUrl):
        return parsed
    return Probe(
        prober=prober,
        kind=kind,
        method=method.upper(),
        url=masked(parsed.text),
        host=(host_header.partition(":")[0] if host_header else "") or parsed.hostname,
        port=parsed.port,
        path=masked(parsed.target),
        period_s=schedule.period_s,
        timing=schedule.timing,
        user_agents=user_agents,
        follows_redirects=follows_redirects,
        service=service,
        instance=instance,
        origin=origin,
        headers=headers,
    )


def harmless_probe(
    prober: str,
    kind: str,
    where: str,
    schedule: Schedule,
    origin: tuple[Origin, ...],
    because: str,
    *,
    service: str | None = None,
    instance: str | None = None,
) -> Probe:
    """Return a probe that reaches no HTTP handler.

    Parameters
    ----------
    where
        ``host:port``, ``host`` or nothing that can be named.
    """
    host, _, port = where.rpartition(":") if where.rpartition(":")[2].isdigit() else (where, "", "0")
    return Probe(
        prober=prober,
        kind=kind,
        method="",
        url=masked(where),
        host=host.strip("[]"),
        port=int(port),
        path="/",
        period_s=schedule.period_s,
        timing=schedule.timing,
        follows_redirects=False,
        creates_sessions=False,
        harmless_because=because,
        service=service,
        instance=instance,
        origin=origin,
    )


def add(found: ProberReading, probe: Probe | str, origin: Origin) -> None:
    """Keep a probe; a reason instead of one is a place that could not be judged."""
    if isinstance(probe, Probe):
        found.probes.append(probe)
    else:
        reason = f"cannot be probed: {probe}"
        found.problems.append(
            NotJudged(origin.file, origin.line, reason, hint="Write an absolute http:// or https:// URL.")
        )


def times(probe: Probe | str, count: int) -> list[Probe | str]:
    """Return a probe once for each of several equal instances, numbered from 0."""
    if isinstance(probe, str) or count == 1:
        return [probe]
    return [replace(probe, instance=f"{probe.instance or probe.service}-{number}") for number in range(count)]
