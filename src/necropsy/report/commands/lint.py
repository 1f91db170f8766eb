"""Findings of configuration as lines: for a terminal, and as annotations of a pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from necropsy.model.evidence import Absent, Origin
from necropsy.model.figures import several
from necropsy.model.finding import Exhibit, Finding, Severity
from necropsy.model.report import Report
from necropsy.report.escaping import inert, prose
from necropsy.report.terminal.layout import Sheet
from necropsy.report.wording.sentences import patches

_STYLES: Final = {Severity.CRITICAL: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold"}
_COMMANDS: Final = {Severity.CRITICAL: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_MOST_PLACES: Final = 6
_SHORT: Final = 120
"""Characters of a reason that is shown beside its place."""


def render(
    report: Report,
    refused: Sequence[Absent] = (),
    files: Sequence[str] = (),
    unjudged: Sequence[Absent] = (),
    *,
    width: int = 80,
    color: bool = False,
) -> str:
    """Render the findings for a terminal: place, severity and slug, then the reason and what to do."""
    sheet = Sheet(width=width, color=color)
    for finding in report.findings:
        _finding(sheet, finding)
    _unread(sheet, report, refused, unjudged)
    sheet.gap()
    counts = Counter(finding.severity for finding in report.findings)
    said = [several(counts[severity], str(severity)) for severity in reversed(Severity) if counts[severity]]
    said = [text.replace("infos", "info").replace("criticals", "critical") for text in said]
    if refused:
        said.append(several(len(refused), "error"))
    if unjudged:
        said.append(f"{several(len(unjudged), 'place')} not examined")
    sheet.line((", ".join(said) or "nothing found", "bold"), f" in {several(len(files), 'file')}")
    if patches(report):
        sheet.line("necropsy lint --format diff prints the patches.")
    if report.findings:
        sheet.line("necropsy explain SLUG describes a finding and how to undo its remedy.")
    return sheet.text()


def _finding(sheet: Sheet, finding: Finding) -> None:
    sheet.gap()
    exhibits = _placed(finding)
    place = inert(str(exhibits[0].origin)) if exhibits else ""
    severity = (str(finding.severity), _STYLES[finding.severity])
    sheet.line((f"{place}: " if place else "", "cyan"), severity, " ", (finding.slug, "bold"), hang=2)
    sheet.line((prose(finding.title), "bold"), indent=2)
    sheet.line(prose(finding.text), indent=2)
    further = [exhibit for exhibit in (finding.primary, *finding.supporting) if exhibit is not None]
    for exhibit in further[:_MOST_PLACES]:
        where = f"  {inert(str(exhibit.origin))}" if exhibit.origin else ""
        text = exhibit.text.removeprefix(f"{exhibit.origin} ") if exhibit.origin else exhibit.text
        why = f": {prose(text)}" if 0 < len(text) <= _SHORT and text != str(exhibit.origin) else ""
        sheet.line("- ", prose(exhibit.title), (where, "cyan"), why, indent=2, hang=2)
    if len(further) > _MOST_PLACES:
        sheet.line(f"- {len(further) - _MOST_PLACES} more", indent=2)
    if finding.remedy is not None:
        sheet.line("fix: ", prose(finding.remedy.title), indent=2, hang=5)
        for patch in finding.remedy.patches:
            size = f"patch of {inert(patch.file)}, +{patch.added} -{patch.removed}, simulated: "
            sheet.line(size, prose(patch.effect), indent=7, hang=2)


def _placed(finding: Finding) -> list[Exhibit]:
    exhibits = [exhibit for exhibit in (finding.primary, *finding.supporting) if exhibit is not None]
    return [exhibit for exhibit in exhibits if exhibit.origin is not None]


def _unread(sheet: Sheet, report: Report, refused: Sequence[Absent], unjudged: Sequence[Absent]) -> None:
    shown = {(item.locator, item.reason) for item in refused}
    unknown = {(item.locator, item.reason) for item in unjudged}
    accused = {str(exhibit.origin) for finding in report.findings for exhibit in _placed(finding)[:1]}
    for item in refused:
        if item.locator in accused:  # a finding says it better
            continue
        sheet.gap()
        sheet.line((f"{inert(item.locator)}: ", "cyan"), ("error:", "bold red"), f" {prose(item.reason)}", hang=2)
        sheet.line(prose(item.hint), indent=2)
    for item in report.absent:
        reason = item.reason.removeprefix(f"{item.locator}: ")
        if (item.locator, reason) not in shown:
            sheet.gap()
            place = item.locator.removesuffix(":0")
            word = "not examined:" if (item.locator, item.reason) in unknown else "note:"
            sheet.line((f"{inert(place)}: ", "cyan"), (word, "bold"), f" {prose(reason)}", hang=2)
            sheet.line(prose(item.hint), indent=2)


def render_diff(report: Report) -> str:
    """Render the patches of all findings, one behind the other, as ``patch -p1`` takes them."""
    diffs = dict.fromkeys(patch.diff for patch in patches(report))  # two findings may have one patch
    return "".join(diff if diff.endswith("\n") else f"{diff}\n" for diff in diffs)


def render_github(report: Report, refused: Sequence[Absent] = ()) -> str:
    r"""Render workflow commands, one a line, which GitHub shows beside the lines of a pull request.

    Source: GitHub Docs, "Workflow commands for GitHub Actions", setting an error, warning or notice message.
    """
    accused = {str(exhibit.origin) for finding in report.findings for exhibit in _placed(finding)[:1]}
    lines = [*_annotations(report.findings), *(_refusal(item) for item in refused if item.locator not in accused)]
    return "".join(f"{line}\n" for line in lines)


def _annotations(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        exhibits = _placed(finding)
        message = f"{prose(finding.title)}. {prose(finding.text)}"
        if finding.remedy is not None:
            message += f" Fix: {prose(finding.remedy.title)}."
        origin = exhibits[0].origin if exhibits else None
        yield _command(_COMMANDS[finding.severity], origin, finding.slug, message)


def _refusal(item: Absent) -> str:
    file, _, line = item.locator.rpartition(":")
    origin = Origin(file, int(line)) if file and line.isdigit() else Origin(item.locator, 0)
    return _command("error", origin, "refused", f"{prose(item.reason)}. {prose(item.hint)}")


def _command(name: str, origin: Origin | None, title: str, message: str) -> str:
    place = {"file": origin.file, **({"line": str(origin.line)} if origin.line else {})} if origin else {}
    values = ",".join(f"{key}={_property(value)}" for key, value in {**place, "title": title}.items())
    return f"::{name} {values}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
