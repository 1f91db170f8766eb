"""SARIF 2.1.0: the findings that point at lines of configuration, for editors and code review.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0 Plus Errata 01, 28 August 2023.

Findings about sessions or memory have no line that an editor could underline; they are in the other reports. What
could not be examined is a notification of the run, so that an empty list of results is never read as "fine".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from json import dumps
from typing import Any, Final
from urllib.parse import quote

from necropsy.model.evidence import Origin
from necropsy.model.finding import Confidence, Finding, Remedy, Severity
from necropsy.model.report import Report
from necropsy.report.escaping import inert, prose
from necropsy.report.figures import iso
from necropsy.report.hunks import Replacement, replacements
from necropsy.report.wording import sentences

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {Severity.CRITICAL: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_NOTIFICATIONS: Final = {
    "unexamined": "A check could not be made because evidence was missing.",
    "absent": "Evidence could not be read.",
    "blemish": "Part of a source was damaged and skipped.",
}


@dataclass(frozen=True, slots=True)
class _Accusation:
    slug: str
    store: str | None
    severity: Severity
    confidence: Confidence
    title: str
    text: str
    places: tuple[Origin, ...]
    """The accused line first; at least one."""
    remedy: Remedy | None


def render(report: Report) -> str:
    """Render the report as SARIF text with one run, ending in a line break."""
    accusations = _accusations(report)
    slugs = sorted({accusation.slug for accusation in accusations})
    meanings = {finding.slug: finding.meaning for finding in report.findings}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "necropsy",
                "version": report.necropsy,
                "rules": [_rule(slug, meanings.get(slug) or slug) for slug in slugs],
                "notifications": [
                    {"id": kind, "shortDescription": {"text": meaning}} for kind, meaning in _NOTIFICATIONS.items()
                ],
            }
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "endTimeUtc": iso(report.taken_at),
                "toolExecutionNotifications": _notifications(report),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(accusation, slugs.index(accusation.slug)) for accusation in accusations],
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, allow_nan=False) + "\n"


def _accusations(report: Report) -> list[_Accusation]:
    told = [_of_finding(finding, report) for finding in report.findings if not finding.reassures]
    known = {(finding.slug, finding.store) for finding in report.findings}
    told += [
        _Accusation(
            cause.slug,
            cause.store,
            Severity.CRITICAL,
            cause.confidence,
            cause.title,
            cause.text,
            tuple(sentences.origins(cause)),
            cause.remedy,
        )
        for cause in report.verdict.causes
        if (cause.slug, cause.store) not in known
    ]
    return [accusation for accusation in told if accusation.places]


def _of_finding(finding: Finding, report: Report) -> _Accusation:
    exhibits = [exhibit for exhibit in (finding.primary, *finding.supporting) if exhibit is not None]
    places = [exhibit.origin for exhibit in exhibits if exhibit.origin is not None]
    for cause in report.verdict.causes:
        if (cause.slug, cause.store) == (finding.slug, finding.store):
            places += sentences.origins(cause)
    unique: dict[tuple[str, int], Origin] = {}
    for place in places:
        unique.setdefault((place.file, place.line), place)
    return _Accusation(
        finding.slug,
        finding.store,
        finding.severity,
        finding.confidence,
        finding.title,
        finding.text,
        tuple(unique.values()),
        finding.remedy,
    )


def _rule(slug: str, meaning: str) -> dict[str, Any]:
    page = Finding(Severity.INFO, Confidence.LOW, "", slug=slug).url
    return {
        "id": slug,
        "shortDescription": {"text": meaning},
        "help": {"text": f"necropsy explain {slug}"},
        "helpUri": page,
    }


def _result(accusation: _Accusation, rule_index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": accusation.slug,
        "ruleIndex": rule_index,
        "level": _LEVELS[accusation.severity],
        "message": {"text": prose(f"{accusation.title} {accusation.text}")},
        "locations": [_location(accusation.places[0])],
        "partialFingerprints": {"accusedLine/v1": _fingerprint(accusation)},
        "properties": {"confidence": accusation.confidence.value},
    }
    if accusation.store is not None:
        result["properties"]["store"] = accusation.store
    if len(accusation.places) > 1:
        result["relatedLocations"] = [
            {"id": number, **_location(place)} for number, place in enumerate(accusation.places[1:], start=1)
        ]
    fix = _fix(accusation.remedy)
    if fix is not None:
        result["fixes"] = [fix]
    return result


def _location(origin: Origin) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(origin.file)}
    if origin.line > 0:
        physical["region"] = {"startLine": origin.line}
    location: dict[str, Any] = {"physicalLocation": physical}
    if origin.what:
        location["message"] = {"text": prose(origin.what)}
    return location


def _artifact(file: str) -> dict[str, str]:
    # A URI reference: an absolute path keeps its slashes, everything else that a URI does not allow is encoded.
    return {"uri": quote(file.encode("utf-8", "replace"), safe="/.-_~")}


def _fingerprint(accusation: _Accusation) -> str:
    """Fingerprint what is accused, without line numbers and figures, which change when a file is edited."""
    place = accusation.places[0]
    parts = (accusation.slug, accusation.store or "", place.file, place.what)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def _fix(remedy: Remedy | None) -> dict[str, Any] | None:
    """Express the patches of a remedy, if all of them can be; half a fix would be none."""
    if remedy is None or not remedy.patches:
        return None
    changes = []
    for patch in remedy.patches:
        replaced = replacements(patch.diff)
        if replaced is None:
            return None
        changes.append(
            {"artifactLocation": _artifact(patch.file), "replacements": [_replacement(part) for part in replaced]}
        )
    return {"description": {"text": prose(remedy.title)}, "artifactChanges": changes}


def _replacement(part: Replacement) -> dict[str, Any]:
    # From the start of the first line to the start of the line after the last: whole lines, line breaks included.
    region = {"startLine": part.first, "startColumn": 1, "endLine": part.first + part.removed, "endColumn": 1}
    inserted = {"insertedContent": {"text": part.inserted}} if part.inserted else {}
    return {"deletedRegion": region, **inserted}


def _notifications(report: Report) -> list[dict[str, Any]]:
    said = [
        ("unexamined", "note", f"{item.slug}: {item.hint or ', '.join(item.missing)}")
        for item in report.verdict.unexamined
    ]
    said += [("absent", "warning", f"{item.kind} {item.locator}: {item.reason}") for item in report.absent]
    said += [("blemish", "warning", sentences.damage(blemish)) for blemish in report.blemishes]
    return [
        {"descriptor": {"id": kind}, "level": level, "message": {"text": inert(prose(text))}}
        for kind, level, text in said
    ]
