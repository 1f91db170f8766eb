"""The patches of a report: the smallest set that stops what creates sessions, and their writing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from necropsy.model.finding import Finding, Patch
from necropsy.treat.writing import PatchError, Written, patched, write

if TYPE_CHECKING:
    from necropsy.model.report import Report


@dataclass(frozen=True, slots=True)
class Chosen:
    """A patch, and what it is for."""

    slug: str
    patch: Patch
    title: str
    """Of the remedy: one line, imperative."""


@dataclass(frozen=True, slots=True)
class Patches:
    """What to apply, and what else could be."""

    chosen: tuple[Chosen, ...]
    """Those of the verdict's causes, each file of each once; without causes, those of the findings."""
    others: tuple[Chosen, ...]
    """Alternatives and further findings."""


def patches(report: Report, *, every: bool = False) -> Patches:
    """Return the patches of a report.

    Parameters
    ----------
    every
        Those of all findings, and not only of the verdict's causes.
    """
    causes = list(_of_causes(report))
    known = {(one.patch.file, one.patch.diff) for one in causes}
    rest: list[Chosen] = []
    for one in _of_findings(report.findings):
        if (one.patch.file, one.patch.diff) not in known:
            known.add((one.patch.file, one.patch.diff))
            rest.append(one)
    if every or not causes:
        return Patches((*causes, *rest), ())
    return Patches(tuple(causes), tuple(rest))


def write_all(report: Report, found: Patches, folder: Path) -> list[Written | PatchError]:
    """Write the chosen patches; of each file what was written, or why not. Files are found from ``folder``.

    Each file is written once: the patches of one file are applied one after the other first.
    """
    digests = {source.locator: source.sha256 for source in report.sources}
    by_file: dict[str, list[str]] = {}
    for one in found.chosen:
        by_file.setdefault(one.patch.file, []).append(one.patch.diff)
    results: list[Written | PatchError] = []
    for name, diffs in by_file.items():
        try:
            results.append(_write(folder / name, diffs, digests.get(name)))
        except PatchError as error:
            results.append(error)
    return results


def _write(file: Path, diffs: list[str], sha256: str | None) -> Written:
    if len(diffs) == 1:
        return write(file, diffs[0], sha256=sha256)
    try:
        before = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PatchError(f"{file}: cannot read: {error}", hint="Apply the diffs by hand.") from error
    text = before
    for diff in diffs:
        made = patched(text, diff)
        if made is None:
            raise PatchError(
                f"{file}: two patches change the same lines: not written",
                hint="Apply the first with --patch --write, examine again, then the next.",
            )
        text = made
    from necropsy.treat.edits.text import unified_diff

    return write(file, unified_diff(str(file), before, text), sha256=sha256)


def _of_causes(report: Report) -> Iterator[Chosen]:
    seen = set()
    for cause in report.verdict.causes:
        for patch in cause.remedy.patches if cause.remedy else ():
            if (patch.file, patch.diff) not in seen:
                seen.add((patch.file, patch.diff))
                yield Chosen(cause.slug, patch, cause.remedy.title if cause.remedy else "")


def _of_findings(findings: tuple[Finding, ...]) -> Iterator[Chosen]:
    for finding in findings:
        for patch in finding.remedy.patches if finding.remedy else ():
            yield Chosen(finding.slug, patch, finding.remedy.title if finding.remedy else "")
