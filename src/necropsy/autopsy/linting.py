"""Linting: the findings that configuration alone supports, for a check before a change is merged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.paths import is_dir
from necropsy._internal.serialization import to_plain
from necropsy.model.errors import ConfigurationError, NoEvidence, NotJudged, UnreadableSource, UsageError
from necropsy.model.evidence import Absent
from necropsy.model.verdict import Kind, Verdict

if TYPE_CHECKING:
    from necropsy.autopsy.sources import Sources
    from necropsy.autopsy.survey import Survey
    from necropsy.case.store import Case
    from necropsy.examine.interface import Examination, Examiner
    from necropsy.model.report import Report
    from necropsy.probes.configuration_file import ConfigurationFile
    from necropsy.probes.simulate import Simulation

_CONFIGURATION: Final = frozenset(("probe", "backend"))
"""Kinds of evidence that configuration files bring."""


@dataclass(frozen=True, slots=True)
class Linted:
    """The result of linting."""

    report: Report
    files: tuple[str, ...]
    """Files that were recognised and read, in their order; those that they include are among the report's sources."""
    refused: tuple[Absent, ...]
    """Files that could not be read, or that their own program would refuse to load."""
    unjudged: tuple[Absent, ...] = ()
    """Parts that were read and could not be judged: targets that nobody knows, a template that nobody rendered."""


def configuration_examiners() -> tuple[Examiner, ...]:
    """Return the examiners that need no store and no log."""
    from necropsy.examine.registry import EXAMINERS

    own = "sessions/application-settings"
    return tuple(
        examiner
        for examiner in EXAMINERS
        if examiner.slug == own or (examiner.needs and set(examiner.needs) <= _CONFIGURATION)
    )


def lint(
    names: Sequence[str],
    *,
    prometheus_version: str | None = None,
    blackbox_version: str | None = None,
    consul_version: str | None = None,
) -> Linted:
    """Examine configuration files, whatever they are called.

    Parameters
    ----------
    names
        Files, or folders: of a folder whatever is recognised below it. What was named itself and is not recognised is
        said.
    prometheus_version, blackbox_version, consul_version
        As for ``simulate``.

    Raises
    ------
    NoEvidence
        Nothing was recognised as configuration of monitoring.
    """
    from necropsy.autopsy import reporting
    from necropsy.autopsy.simulation_tables import chart
    from necropsy.autopsy.survey import survey
    from necropsy.case.store import Case
    from necropsy.examine.case_queries import remember

    kinds, unread, passed = _recognised(names)
    applications, unread = _applications(names, kinds, unread)
    rows = [row for found_in in applications.values() for row in found_in]
    if not kinds and applications:
        return Linted(_applications_alone(rows), tuple(applications), tuple(unread), tuple(passed))
    _require(kinds, (*unread, *passed), names)
    sources = replace(
        _sources(kinds, prometheus_version), blackbox_version=blackbox_version, consul_version=consul_version
    )
    found = survey(sources)
    with Case.create(None) as case:
        case.set_meta("now", datetime.now(UTC).isoformat())
        case.append("source", [to_plain(source) for source in found.sources])
        case.append("absence", [to_plain(item) for item in (*unread, *passed, *found.absent)])
        case.append("application_setting", rows)
        chart(case, found.simulation, whole=False)
        remember(case, found.simulation.probes)
        _judge(case, found.files, found.simulation, sources)
        report = reporting.report(case)
    return Linted(
        report,
        (*kinds, *applications),
        (*unread, *_refused(found, sources)),
        (*passed, *(_absent(problem) for problem in found.simulation.problems if isinstance(problem, NotJudged))),
    )


def _applications_alone(rows: list[dict[str, Any]]) -> Report:
    """Return the report of an application without any configuration of monitoring."""
    from necropsy.autopsy import reporting
    from necropsy.case.store import Case
    from necropsy.examine.interface import examine_all
    from necropsy.examine.sessions.application_settings import EXAMINER

    with Case.create(None) as case:
        case.set_meta("now", datetime.now(UTC).isoformat())
        case.append("application_setting", rows)
        examination = examine_all(case, (EXAMINER,))
        case.append("finding", [{"slug": one.slug, "value": json.dumps(to_plain(one))} for one in examination.findings])
        verdict = Verdict((), (), (), (), unexplained_share=0.0, kind=Kind.NOTHING_FOUND)
        case.append("verdict", [{"value": json.dumps(to_plain(verdict))}])
        return reporting.report(case)


def _applications(
    names: Sequence[str], kinds: dict[str, str], unread: list[Absent]
) -> tuple[dict[str, list[dict[str, Any]]], list[Absent]]:
    """Return settings of applications by file, and what is still unread: a source is read, if nothing else is in it."""
    from necropsy.evidence.configuration.applications import read

    found = read(names)
    mine = {file: rows for file, rows in found.items() if rows or (file in names and file not in kinds)}
    return mine, [item for item in unread if _file(item.locator) not in found]


def _file(place: str) -> str:
    """Return the file of a place, which may name a line.

    >>> _file("a.yml"), _file("a.yml:12")
    ('a.yml', 'a.yml')
    """
    file, _, line = place.rpartition(":")
    return file if file and line.isdigit() else place


def recognised(names: Sequence[str], *, prometheus_version: str | None = None) -> Sources:
    """Return the configuration files that are recognised among files and folders, as sources.

    Parameters and errors as for ``lint``, whose other versions matter later.
    """
    kinds, unread, passed = _recognised(names)
    _require(kinds, (*unread, *passed), names)
    return _sources(kinds, prometheus_version)


def _require(kinds: dict[str, str], unread: Sequence[Absent], names: Sequence[str]) -> None:
    if not kinds:
        reasons = "; ".join(f"{item.locator}: {item.reason}" for item in unread[:3])
        said = ", ".join("this folder" if name == "." else name for name in names)
        raise NoEvidence(
            f"no monitoring configuration found: {reasons or said}",
            hint="Name files or folders with configuration of Prometheus, blackbox exporter, Consul, nginx …",
        )


def _refuse_standard_input(names: Iterable[str]) -> None:
    """Raise a ``UsageError`` for ``-``: each file is read twice, to recognise it, and with the others."""
    from necropsy.wire.files import STANDARD_INPUT

    if STANDARD_INPUT in names:
        raise UsageError(
            "lint does not read standard input",
            hint="Give files or folders; `necropsy probes --prometheus -` reads it.",
        )


def _recognised(names: Iterable[str]) -> tuple[dict[str, str], list[Absent], list[Absent]]:
    """Return file → kind, what was named and could not be used, and what was passed over in a folder and should not."""
    from necropsy.evidence.configuration.recognise import (
        closed_folders,
        configurations,
        damage,
        passed_over,
        recognise,
        recognise_bytes,
    )
    from necropsy.wire.files import expand, read_text

    _refuse_standard_input(names)
    kinds: dict[str, str] = {}
    unread: list[Absent] = []
    passed: list[Absent] = []
    for name in expand(names):
        folder = is_dir(name)
        for closed in closed_folders(Path(name)) if folder else ():
            shut = Absent("configuration", closed, "Permission denied", "Make it readable for this user.")
            (unread if closed == name.rstrip("/") else passed).append(shut)
        for file in map(str, configurations(Path(name))) if folder else (name,):
            try:
                text = read_text(file)
            except UnreadableSource as error:
                kind = recognise_bytes(file)
                if kind is not None:
                    kinds.setdefault(file, kind)
                else:
                    reason = error.message.removeprefix(f"{file}: ")
                    (passed if folder else unread).append(Absent("configuration", file, reason, error.hint))
                continue
            kind = recognise(text, file)
            if kind is not None:
                kinds.setdefault(file, kind)
            elif (what := passed_over(text)) is not None:
                passed.append(Absent("configuration", file, *what))
            elif not folder and (broken := damage(text, file)) is not None:
                unread.append(_absent(broken))
            elif not folder:
                hint = "necropsy examine --prober KIND=FILE reads files that cannot be recognised by their content."
                unread.append(Absent("configuration", file, "not recognised as monitoring configuration", hint))
    return kinds, unread, passed


def _absent(problem: ConfigurationError) -> Absent:
    return Absent("configuration", problem.place, problem.reason, problem.hint)


def _sources(kinds: dict[str, str], prometheus_version: str | None) -> Sources:
    from necropsy.autopsy.sources import Sources
    from necropsy.autopsy.survey import KINDS

    def of(wanted: str) -> tuple[str, ...]:
        return tuple(file for file, kind in kinds.items() if kind == wanted)

    return Sources(
        prometheus=of("prometheus"),
        blackbox=of("blackbox"),
        consul=of("consul"),
        nginx=of("nginx"),
        prober=tuple(f"{kind}={file}" for file, kind in kinds.items() if kind not in KINDS),
        prometheus_version=prometheus_version,
    )


def _judge(case: Case, files: Sequence[ConfigurationFile], simulation: Simulation, sources: Sources) -> None:
    """Write findings, with their remedies, and a verdict without causes: nothing was counted."""
    from necropsy.autopsy.reading import simulate
    from necropsy.examine.interface import examine_all
    from necropsy.treat.fixes.attach import attach_fixes

    examination: Examination = examine_all(case, configuration_examiners())
    findings = attach_fixes(examination.findings, files, simulation, lambda patched: simulate(list(patched), sources))
    case.append("finding", [{"slug": found.slug, "value": json.dumps(to_plain(found))} for found in findings])
    verdict = Verdict(
        (), (), examination.cleared, examination.unexamined, unexplained_share=0.0, kind=Kind.NOTHING_FOUND
    )
    case.append("verdict", [{"value": json.dumps(to_plain(verdict))}])


def _refused(found: Survey, sources: Sources) -> list[Absent]:
    version = sources.prometheus_version
    servers = found.simulation.monitoring.servers if found.simulation.monitoring is not None else ()
    # A running server said which version it is, unless somebody names another.
    versions = {server.file: str(server.version) for server in servers}
    errors = [error for file in found.files for error in _refusals(file, versions.get(file.name, version), sources)]
    errors += [error for server in servers for error in server.problems]  # what is wrong with all parts together
    return [
        Absent("configuration", f"{error.file}:{error.line}", error.reason, error.hint)
        for error in {error.message: error for error in errors}.values()
        if not isinstance(error, NotJudged)
    ]


def _refusals(file: ConfigurationFile, version: str | None, sources: Sources) -> Sequence[ConfigurationError]:
    """Read one file as its own program would; return why that would refuse it, unknown fields all at once."""
    from necropsy.probes.probers.registry import BY_KIND

    try:
        if file.kind == "prometheus":
            from necropsy.probes.monitoring import DEFAULT_PROMETHEUS
            from necropsy.probes.prometheus.configuration import parse_prometheus

            read = parse_prometheus(file.text, file.name, prometheus=version or DEFAULT_PROMETHEUS, lenient=True)
            return read.problems
        if file.kind == "blackbox":
            from necropsy.probes.prometheus.blackbox.modules import read_modules

            return read_modules(file.text, file.name, version=sources.blackbox_version).problems
        if file.kind == "consul":
            from necropsy.probes.syntax.hcl import parse_hcl

            parse_hcl(file.text, file.name)
        elif file.kind == "nginx":
            from necropsy.probes.nginx.tokens import read as read_nginx

            read_nginx(file.text, file.name)
        elif file.kind in BY_KIND:
            BY_KIND[file.kind].read(file.text, file.name)
    except ConfigurationError as error:
        return (error,)
    return ()
