"""Reading: every source becomes evidence of a case, or an absence with a reason."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from necropsy.autopsy.evidence_log import EvidenceInMemory, EvidenceLog
from necropsy.autopsy.simulation_tables import chart
from necropsy.autopsy.sources import KINDS, DumpPath, LiveAddress, Sources, StoreSource
from necropsy.model.errors import NecropsyError, NoEvidence, UsageError
from necropsy.model.evidence import Absent, Blemish, Origin, Source

if TYPE_CHECKING:
    from necropsy._internal.progress import Progress
    from necropsy.case.store import Case
    from necropsy.probes.configuration_file import ConfigurationFile
    from necropsy.probes.simulate import Simulation


def read(case: Case, sources: Sources, report_progress: Progress, *, may_be_empty: bool = False) -> EvidenceInMemory:
    """Read all sources into the case.

    Configuration comes first: it is small, and the access log's format may be in it.

    Parameters
    ----------
    may_be_empty
        Whether a store without a single key is an answer: it is for who looks again and again.

    Raises
    ------
    NoEvidence
        Not one source could be read.
    """
    evidence_log = EvidenceLog(case)
    sources = _nameable(evidence_log, sources)
    evidence = EvidenceInMemory(evidence_log)
    _configuration(evidence_log, sources, evidence, report_progress)
    _access_logs(evidence_log, sources, evidence, report_progress)
    _time_probes(evidence_log, sources, evidence)
    if evidence.simulation is not None:
        chart(case, evidence.simulation)
    _app_logs(evidence_log, sources, report_progress)
    moments = [sources.now] if sources.now else []
    for store in sources.stores:
        taken_at = _store(evidence_log, store, sources, report_progress)
        if taken_at is not None and not sources.now:
            moments.append(taken_at)
    evidence.now = max(moments) if moments else _newest(case) or datetime.now(UTC)
    case.set_meta("now", evidence.now.isoformat())
    if not sources.history:  # with one it is known when the past has been read: ``require_evidence``
        require_evidence(evidence_log, may_be_empty=may_be_empty)
    return evidence


def require_evidence(evidence_log: EvidenceLog, *, may_be_empty: bool = False) -> None:
    """Raise ``NoEvidence`` when a case holds nothing that can be examined.

    Parameters
    ----------
    evidence_log
        Of this case; its absences are the reasons.
    may_be_empty
        Whether a store without a key is enough.
    """
    case = evidence_log.case
    silent = case.value("SELECT count(*) FROM source WHERE reader = 'app_log'")  # a log without an error says something
    silent = silent or (may_be_empty and case.has("server_fact"))
    if not case.has("source") or not (silent or any(case.has(table) for table in _EVIDENCE)):
        raise _no_evidence(case, evidence_log.absent)


def _nameable(evidence_log: EvidenceLog, sources: Sources) -> Sources:
    """Leave out files whose names are no text: a case, and what is made of it, could not name them."""

    def has_no_text(kind: str, locator: str) -> bool:
        try:
            locator.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(locator).decode("utf-8", "backslashreplace")
            hint = "Rename it, or give it through standard input (-)."
            evidence_log.record(absent=[Absent(kind, shown, "its name is not UTF-8", hint)])
            return True
        return False

    kept: dict[str, Any] = {
        name: tuple(locator for locator in getattr(sources, name) if not has_no_text(name, locator))
        for name in (kind.replace("-", "_") for kind in KINDS)
    }
    return replace(sources, stores=tuple(s for s in sources.stores if not has_no_text("rdb", s.locator.text)), **kept)


_LARGE: Final = 256 << 20
"""Bytes of dumps from which on a case is too large for memory. What is compressed counts as it is: about a third."""


def needs_disk(sources: Sources) -> bool:
    """Tell whether there may be millions of sessions."""
    from necropsy.wire.files import size_of

    dumps = [store.locator.text for store in sources.stores if isinstance(store.locator, DumpPath)]
    return len(dumps) < len(sources.stores) or sum(size_of(dump) or 0 for dump in dumps) > _LARGE


_EVIDENCE: Final = ("history", "key_family", "visitor_class", "error_event", "probe", "backend")
"""At least one of these has a row once there is anything to examine: a store without a key is no evidence."""


_MOST_REASONS: Final = 8


def _no_evidence(case: Case, absent: list[Absent]) -> NoEvidence:
    if not absent:
        damage = case.rows("SELECT file, why FROM blemish ORDER BY file, place")
        if damage:
            said = [
                row["why"] if _host(row["file"]) in row["why"] else f"{row['file']}: {row['why']}" for row in damage
            ]
            again = "Copy the dump again, or take a new one; of a server, check the number of the database and its log."
            return NoEvidence(_listed(said), hint=again)
        hint = "Add the other sources of the incident: a dump (--rdb), a log (--access-log), --prometheus."
        if case.has("server_fact"):
            hint = "Is it the server and the database that the application uses, and a dump of the right time?"
        said = [
            f"{row['locator']}: {'contains nothing to examine' if row['store'] is None else _without_keys(case, row['store'])}"
            for row in case.rows("SELECT locator, store FROM source ORDER BY locator")
        ]
        return NoEvidence(_listed(said), hint=hint)
    said = [value.reason if _names(value) else f"{value.locator}: {value.reason}" for value in absent]
    hints = {value.hint for value in absent}
    if len(hints) == 1:
        return NoEvidence(_listed(said), hint=hints.pop())
    return NoEvidence(
        _listed([f"{reason}. {value.hint}".rstrip() for reason, value in zip(said, absent, strict=True)]),
        hint="One source is enough to begin: --redis redis://HOST:6379, or --rdb FILE.",
    )


def _without_keys(case: Case, store: str) -> str:
    """Say that a store has no keys, and which of its server's databases do."""
    from necropsy.model.figures import several
    from necropsy.wire.redis.info import databases

    facts = {
        row["name"]: row["value"] for row in case.rows("SELECT name, value FROM server_fact WHERE store = ?", [store])
    }
    others = [f"database {number} has {several(keys, 'key')}" for number, keys in databases(facts).items()]
    return "; ".join(["the store has no keys", *others])


def _names(value: Absent) -> bool:
    """Whether a reason names its server already: what fails there says with which address."""
    return _host(value.locator) in value.reason


def _host(locator: str) -> str:
    """Return the host of an address; of a file, its name."""
    host = locator.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return host or locator


def _listed(reasons: list[str]) -> str:
    if len(reasons) == 1:
        return reasons[0]
    more = [f"and {len(reasons) - _MOST_REASONS} more"] if len(reasons) > _MOST_REASONS else []
    return "\n  ".join(["none of the sources could be used", *reasons[:_MOST_REASONS], *more])


def _newest(case: Case) -> datetime | None:
    newest = case.value("SELECT max(taken_at) FROM source")
    return newest.replace(tzinfo=UTC) if newest is not None else None


def _configuration(
    evidence_log: EvidenceLog, sources: Sources, evidence: EvidenceInMemory, report_progress: Progress
) -> None:
    from necropsy.evidence.configuration.reader import read as read_configuration

    named = [(kind, getattr(sources, kind)) for kind in ("prometheus", "blackbox", "consul", "nginx")]
    for kind, locators in [*named, *others(sources.prober)]:
        if not locators:
            continue
        report_progress(f"reading {kind} configuration", None)
        files, taken, absent = read_configuration(kind, locators)
        evidence.files += files
        evidence_log.record(taken, absent)
    if evidence.files:
        evidence.simulation = simulate(evidence.files, sources)
        for problem in evidence.simulation.problems:
            evidence_log.record(absent=[Absent("configuration", problem.place, problem.reason, problem.hint)])


def _time_probes(evidence_log: EvidenceLog, sources: Sources, evidence: EvidenceInMemory) -> None:
    """Compute when each probe fires, if nobody said on which machine Prometheus runs and the access log tells."""
    if sources.prometheus_host or not evidence.logs_given or not (evidence.simulation and evidence.simulation.probes):
        return
    from necropsy.autopsy.prometheus_host import solve

    monitoring = evidence.simulation.monitoring
    found = solve(evidence_log.case, monitoring) if monitoring is not None else None
    if found is None:
        return
    file, solution, tried = found
    said = (
        f"runs on {solution.host}: of {tried:,} names tried the one that explains the moments of"
        f" {solution.explained} of {solution.observed} probes in the access log"
    )
    evidence.simulation = simulate(evidence.files, replace(sources, prometheus_host=solution.host))
    evidence_log.case.execute(
        "UPDATE source SET note = concat_ws('; ', nullif(note, ''), $1) WHERE reader = 'prometheus' AND locator = $2",
        [said, file],
    )


def others(named: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Split ``KIND=FILE`` of the other probers.

    Raises
    ------
    UsageError
        No kind, or one that is not known.
    """
    from necropsy.evidence.configuration.reader import KINDS

    pairs: list[tuple[str, tuple[str, ...]]] = []
    for name in named:
        kind, equals, locator = name.partition("=")
        if not equals or kind not in KINDS:
            raise UsageError(f"{name}: not KIND=FILE", hint=f"Known kinds: {', '.join(sorted(KINDS))}.")
        pairs.append((kind, (locator,)))
    return pairs


def simulate(files: list[ConfigurationFile], sources: Sources) -> Simulation:
    """Simulate configuration texts under the versions and hosts that the sources name."""
    from necropsy.probes.simulate import simulate as run

    return run(
        files,
        prometheus_version=sources.prometheus_version,
        prometheus_host=sources.prometheus_host,
        blackbox_version=sources.blackbox_version,
        consul_version=sources.consul_version,
    )


def _access_logs(
    evidence_log: EvidenceLog, sources: Sources, evidence: EvidenceInMemory, report_progress: Progress
) -> None:
    if not sources.access_log:
        return
    from necropsy.evidence.access_log.formats.given import name_keys
    from necropsy.evidence.access_log.reader import read as read_log
    from necropsy.probes.simulate import LogFormat

    report_progress("reading access logs", None)
    formats: list[Any] = list(evidence.simulation.log_formats) if evidence.simulation else []
    if sources.log_format:
        formats.insert(0, LogFormat("--log-format", sources.log_format, "default", Origin("--log-format", 0)))
    formats += name_keys(sources.field)
    try:
        hash_with = evidence_log.case.hashes if sources.hash_clients else None
        log = read_log(
            evidence_log.case,
            list(sources.access_log),
            log_formats=formats,
            hash_with=hash_with,
            engine=sources.engine,
            visits=True,
            checksums=sources.checksums,
            progress=report_progress,
        )
    except NecropsyError as error:
        evidence_log.fail("access_log", ", ".join(sources.access_log), error)
        return
    evidence_log.record(log.sources, log.absent, log.blemishes)
    evidence.logs_given = bool(log.sources)


def _app_logs(evidence_log: EvidenceLog, sources: Sources, report_progress: Progress) -> None:
    if not sources.app_log:
        return
    from necropsy.evidence.app_log.reader import read as read_log

    try:
        log = read_log(evidence_log.case, sources.app_log, checksums=sources.checksums, progress=report_progress)
    except NecropsyError as error:
        evidence_log.fail("app_log", ", ".join(sources.app_log), error)
        return
    evidence_log.record(log.sources, log.absent, log.blemishes)


def _store(
    evidence_log: EvidenceLog, store: StoreSource, sources: Sources, report_progress: Progress
) -> datetime | None:
    """Read one store, dump or live; when it was in this state, or None if it could not be read."""
    from necropsy.autopsy.filling import fill
    from necropsy.autopsy.layout_files import described_in
    from necropsy.evidence import open_keyspace
    from necropsy.sessions.registry import projection
    from necropsy.wire.files import fingerprint_beside

    def progress(share: float | None) -> None:
        report_progress(f"reading the keys of store {store.name}", share)

    progress(None)
    described = described_in(sources.layout)
    locator = store.locator
    reader = "redis" if isinstance(locator, LiveAddress) else "rdb"
    # Of a dump the bytes are summed while its keys are read.
    summed = sources.checksums and isinstance(locator, DumpPath)
    fingerprint = fingerprint_beside(locator.text) if summed else lambda: (None, None)
    try:
        # Idle times decide nothing here, and of the memory of sessions the mean is as good: births are exact either way.
        keys = open_keyspace(
            locator.text, projection(described), name=store.name, live=sources.live, each=False, progress=progress
        )
        census = fill(evidence_log.case, store.name, keys, sources.now, described)
    except NecropsyError as error:
        evidence_log.fail(reader, locator.masked, error)
        return None
    facts = dict(keys.facts)
    if store.memory_limit is not None:
        facts["memory-limit"] = str(store.memory_limit)
    evidence_log.case.append(
        "server_fact", [{"store": store.name, "name": n, "value": v} for n, v in sorted(facts.items())]
    )
    digest, size = fingerprint()
    note = keys.note or f"RDB version {facts.get('rdb-version', '?')}, checksum {facts.get('checksum', 'unknown')}"
    source = Source(reader, keys.locator, keys.taken_at, digest, size, store.name, note)
    remarks = [Blemish(keys.locator, "byte", 0, remark) for remark in census.remarks]
    evidence_log.record([source], keys.absent, [*keys.blemishes, *remarks])
    return keys.taken_at
