"""``probes/wrong-path``: a probe asks for a page of the application although a health endpoint is known.

Sign: the URL that the configuration makes has no path, or one that is no health endpoint, while the discovered service
itself knows one (its own check, or its meta). Reason: a relabel rule copies an address where a URL is needed.

Other probers than the blackbox exporter (kubelet, compose, HAProxy, load balancers …) are asked by name: somebody wrote
their path by hand, so only a page for people is wrong there: ``/``, a login, a home page.

Before: ``source_labels: [__address__]``, ``target_label: __param_target`` asks ``http://10.0.0.1:8080/``.
After: the rule joins the address with the health endpoint: ``http://10.0.0.1:8080/health``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.model.figures import several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity
from necropsy.probes.session_risk import is_page, may_create

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.model.probe import Probe


_BLACKBOX: Final = "blackbox-http"


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding per prober; its exhibits are the URLs."""
    wrong: dict[str, list[Probe]] = defaultdict(list)
    right = unknown = 0
    for probe in case_queries.probes(case).values():
        if not probe.creates_sessions or (probe.kind == "scrape" and not _lost_its_path(probe)):
            continue
        if not may_create(probe):
            right += 1
        elif probe.kind in (_BLACKBOX, "scrape") or probe.health_path is not None or is_page(probe.path):
            wrong[probe.prober].append(probe)
        else:
            unknown += 1
    for prober, probes in sorted(wrong.items()):
        known = [probe for probe in probes if probe.health_path]
        paths = sorted({probe.path for probe in probes})
        health = sorted({probe.health_path for probe in known if probe.health_path})
        exhibits = _exhibits(probes)
        yield Finding(
            severity=Severity.WARNING,
            confidence=Confidence.HIGH if known else Confidence.MEDIUM,
            title=(
                f"{prober} requests {', '.join(paths)} from {several(len(probes), 'target')}"
                + (f", not {', '.join(health)}" if health else ", which is not the name of a health endpoint")
            ),
            text=(
                "A page of the application may start a session for every visitor without a cookie, and a prober never"
                " has one. A health endpoint outside the session middleware does not."
            ),
            primary=exhibits[0],
            supporting=tuple(exhibits[1:]),
            remedy=None if probes[0].kind == _BLACKBOX else _remedy(probes[0]),
            probers=(prober,),
        )
    if right and not wrong:
        rest = f"; {unknown} more have a path that may be a page or a health endpoint" if unknown else ""
        what = "all of them health endpoints" if right > 1 else "a health endpoint"
        yield Cleared("", f"{several(right, 'probed URL')}, {what}{rest}")


def _lost_its_path(probe: Probe) -> bool:
    """Whether a scrape asks for / only because a rule deleted its path: an empty value deletes a label."""
    return probe.path.partition("?")[0] == "/" and "__metrics_path__" not in dict(probe.labels)


def _remedy(probe: Probe) -> Remedy:
    if probe.kind == "scrape":
        return Remedy(
            title="Make the rule keep the path of other targets",
            text="Write regex: (.+) into the rule that copies the path: targets without the label keep metrics_path.",
            undo="restore the old rule and reload",
        )
    place = f" at {probe.origin[0]}" if probe.origin else ""
    return Remedy(
        title=f"Point {probe.prober.partition('/')[0]} at a health endpoint",
        text=(
            f"Write the path of an endpoint that starts no session{place}. An application without one can answer"
            " /healthz before its session middleware runs."
        ),
        undo="restore the old path and reload",
    )


def _exhibits(probes: list[Probe]) -> list[Exhibit]:
    """One for each request and line; replicas of a pod whose addresses are not known ask alike, and are counted."""
    alike: dict[tuple[object, ...], list[Probe]] = defaultdict(list)
    for probe in probes:
        alike[probe.method, probe.url, probe.period_s, probe.origin].append(probe)
    return [_exhibit(same[0], len(same)) for same in alike.values()]


def _exhibit(probe: Probe, targets: int) -> Exhibit:
    return Exhibit(
        title=f"{probe.method} {probe.url} every {probe.period_s:g} s"
        + (f", {targets} targets" if targets > 1 else ""),
        text="; ".join(_telling(probe)),
        origin=probe.origin[0] if probe.origin else None,
        query=f"SELECT url, period_s FROM probe WHERE kind = '{probe.kind}'",
    )


def _telling(probe: Probe) -> Iterator[str]:
    """The accused line, and the line that names the health endpoint: the rest of the chain is for `necropsy probes`."""
    for number, origin in enumerate(probe.origin):
        if number == 0 or origin.what.startswith("names the health endpoint"):
            yield f"{origin} {origin.what}".strip()


EXAMINER: Final = Examiner(
    slug="probes/wrong-path",
    meaning="A probe requests a page of the application although a health endpoint is known.",
    severity=Severity.WARNING,
    needs=("probe",),
    examine=examine,
)
