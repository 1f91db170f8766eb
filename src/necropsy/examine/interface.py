"""The interface of an examiner, and the one way to run them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from necropsy.examine.case_queries import sessions_by_store, share_read, unknown_layout
from necropsy.model.figures import percent
from necropsy.model.finding import Cleared, Finding, Severity, Unexamined

if TYPE_CHECKING:
    from necropsy.case.store import Case

_PROBERS: Final = (
    "prometheus", "consul", "kubernetes", "terraform", "cloudformation", "haproxy", "caddy", "traefik",
    "compose", "gatus", "uptime_kuma",
)  # fmt: skip

EVIDENCE: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "session": (("rdb", "redis"), "--rdb dump.rdb"),
    "server": (("rdb", "redis"), "--redis redis://host:6379"),
    "live_server": (("redis",), "--redis redis://host:6379"),
    "index_entry": (("rdb", "redis"), "--rdb dump.rdb"),
    "key_family": (("rdb", "redis"), "--rdb dump.rdb"),
    "visitor_class": (("access_log",), "--access-log 'access*.log'"),
    "cookie_use": (("access_log",), "--access-log with $http_cookie and $sent_http_set_cookie"),
    "probe": (_PROBERS, "--prometheus prometheus.yml --consul services.json"),
    "backend": (("nginx",), "--nginx nginx.conf"),
    "error_event": (("app_log",), "--app-log error.log"),
}
"""Kind of evidence: the readers that bring it, and the option that names a source for them.

A kind is present when one of its readers read something, even if that held no row: an empty store was looked at.
"""
_BY_ROWS: Final = frozenset({"cookie_use"})
"""Kinds that are present only with rows: most logs do not tell."""
_ALSO_BY_ROWS: Final = frozenset({"probe"})
"""Kinds that are present with rows whoever brought them: an nginx that checks its upstreams is a prober, most are none."""


@dataclass(frozen=True, slots=True)
class Examiner:
    """One examiner: what it finds, what it needs, and the function that judges. It is a value of its own module."""

    slug: str
    """``area/name``: the same in file, test, page, JSON and SARIF."""
    meaning: str
    """Its finding in one sentence."""
    severity: Severity
    """The highest that its findings have."""
    needs: tuple[str, ...]
    """All of these kinds of evidence must be present."""
    examine: Callable[[Case], Iterable[Finding | Cleared | Unexamined]]
    helped_by: tuple[str, ...] = ()
    """Kinds of evidence by which it says more."""


@dataclass(frozen=True, slots=True)
class Examination:
    """The results of all examiners."""

    findings: tuple[Finding, ...]
    cleared: tuple[Cleared, ...]
    unexamined: tuple[Unexamined, ...]


def present(case: Case) -> frozenset[str]:
    """Kinds of evidence that the case holds."""
    readers = {row["reader"] for row in case.rows("SELECT DISTINCT reader FROM source")}
    return frozenset(
        kind
        for kind, (needed, _) in EVIDENCE.items()
        if (readers & set(needed) and (kind not in _BY_ROWS or case.has(kind)))
        or (kind in _ALSO_BY_ROWS and case.has(kind))
    )


def _strange(case: Case) -> list[str]:
    """Name each store whose keys are no sessions of a known layout."""
    rows = case.rows(
        "SELECT store, sum(keys)::BIGINT AS keys FROM key_family WHERE store NOT IN (SELECT DISTINCT store FROM session)"
        " GROUP BY store HAVING sum(keys) > 0 ORDER BY store"
    )
    return [unknown_layout(case, row["store"], row["keys"]) for row in rows]


def in_order(findings: Iterable[Finding], slugs: Iterable[str]) -> tuple[Finding, ...]:
    """Return findings with the most severe first, then by share, then in the order of the slugs: causes before symptoms."""
    place = {slug: number for number, slug in enumerate(slugs)}
    return tuple(
        sorted(
            findings, key=lambda f: (-f.severity.rank, -(f.share or 0.0), place.get(f.slug, len(place)), f.store or "")
        )
    )


def _stamped(finding: Finding, examiner: Examiner) -> Finding:
    if finding.severity.rank > examiner.severity.rank:
        raise ValueError(f"{examiner.slug} declares {examiner.severity}, and found something {finding.severity}")
    return replace(finding, slug=examiner.slug, meaning=examiner.meaning)


def examine_all(case: Case, examiners: Sequence[Examiner]) -> Examination:
    """Run the examiners over a case.

    An examiner whose needs are not met is not run: it becomes ``Unexamined``, with the option that would help. So it
    is, for one store, where the store has keys but no session that any layout knows. The framework stamps slug and meaning,
    so that an examiner cannot misspell itself.
    """
    kinds = present(case)
    strange = _strange(case) if "session" in kinds else []
    findings: list[Finding] = []
    cleared: list[Cleared] = []
    unexamined: list[Unexamined] = []
    for examiner in examiners:
        missing = tuple(kind for kind in examiner.needs if kind not in kinds)
        if missing:
            options = " ".join(dict.fromkeys(EVIDENCE[kind][1] for kind in missing))
            unexamined.append(Unexamined(examiner.slug, missing, f"needs {options}"))
            continue
        if "session" in examiner.needs:
            unexamined += [Unexamined(examiner.slug, ("session",), hint) for hint in strange]
        for said in examiner.examine(case):
            if isinstance(said, Finding):
                findings.append(_stamped(said, examiner))
            elif isinstance(said, Cleared):
                cleared.append(replace(said, slug=examiner.slug))
            else:
                unexamined.append(replace(said, slug=examiner.slug))
    cleared = [replace(one, text=one.text + _in_part(case)) for one in cleared] if cleared else []
    found = in_order(_without_false_health(findings), (examiner.slug for examiner in examiners))
    return Examination(found, tuple(cleared), tuple(unexamined))


def _in_part(case: Case) -> str:
    """The restriction of each acquittal where a dump breaks off: no evidence clears what was not read."""
    shares = {store: share_read(case, store) for store in sessions_by_store(case)}
    told = ", ".join(f"{percent(share)} of store {store}" for store, share in shares.items() if share < 1.0)
    return f"; of what could be read ({told})" if told else ""


_ILL: Final = ("sessions/", "memory/", "latency/", "traffic/", "probes/creates-sessions")


def _without_false_health(findings: Sequence[Finding]) -> list[Finding]:
    """Leave out the health of stores of which another examiner warns: its sessions are not all there is to a store."""
    ill = {f.store for f in findings if f.severity is not Severity.INFO and f.slug.startswith(_ILL)}
    return [finding for finding in findings if finding.slug != "healthy" or finding.store not in ill]
