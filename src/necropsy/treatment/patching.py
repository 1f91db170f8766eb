"""The patches of a report: the smallest set that stops what creates sessions, and their writing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Final

from necropsy.model.finding import Finding, Patch
from necropsy.treat.edits.text import unified_diff
from necropsy.treat.fixes.registry import GUESSED
from necropsy.treat.writing import (
    FileChange,
    PatchedAlready,
    PatchError,
    Written,
    change,
    patched,
    write_together,
)

if TYPE_CHECKING:
    from necropsy.model.report import Report


_ALL_TRIED: Final = 12


@dataclass(frozen=True, slots=True)
class Chosen:
    """A patch, and what it is for."""

    slug: str
    patch: Patch
    title: str
    """Of the remedy: one line, imperative."""


@dataclass(frozen=True, slots=True)
class Patches:
    """The patches to apply, and the others."""

    chosen: tuple[Chosen, ...]
    """The fewest that stop every request that any patch stops, and what else mends a cause of the verdict."""
    others: tuple[Chosen, ...]
    """Alternatives, further findings, and guesses that somebody has to confirm."""


def patches(report: Report, *, every: bool = False) -> Patches:
    """Return the patches of a report: the fewest remedies that together stop every request that a patch can stop.

    Remedies of the verdict's causes that stop no request (they mend how one is answered or logged) are applied as well.

    Parameters
    ----------
    every
        Those of all findings, and not only what is needed.
    """
    causes = list(_of_causes(report))
    found = [*causes, *_of_findings(report.findings)]
    remedies: dict[tuple[str, ...], list[Chosen]] = {}
    known: set[tuple[str, str]] = set()
    for one in found:
        if (one.patch.file, one.patch.diff) not in known:
            known.add((one.patch.file, one.patch.diff))
            remedies.setdefault((one.slug, one.title, *one.patch.stops), []).append(one)
    groups = list(remedies.values())
    if every:
        return Patches(tuple(one for group in groups for one in group), ())
    guesses = [one for group in groups if group[0].slug in GUESSED for one in group]
    groups = [group for group in groups if group[0].slug not in GUESSED]
    of_causes = {(one.patch.file, one.patch.diff) for one in causes}
    needed = fewest(groups)
    chosen: list[Chosen] = []
    rest: list[Chosen] = []
    for place, group in enumerate(groups):
        mends = not group[0].patch.stops and any((one.patch.file, one.patch.diff) in of_causes for one in group)
        (chosen if place in needed or mends else rest).extend(group)
    return Patches(tuple(chosen), (*rest, *guesses)) if chosen else Patches(tuple(rest), tuple(guesses))


def fewest(groups: Sequence[Sequence[Chosen]]) -> set[int]:
    """Return the places of the fewest groups that together stop all that any stops; of equals those with fewer lines.

    Up to twelve groups all choices are tried; of more each time the one that stops most of the rest is taken.
    """
    stops = [set(group[0].patch.stops) for group in groups]
    sizes = [sum(one.patch.added + one.patch.removed for one in group) for group in groups]
    useful = [place for place, stopped in enumerate(stops) if stopped]
    wanted = set().union(*stops) if stops else set()
    if not wanted:
        return set()
    if len(useful) <= _ALL_TRIED:
        for count in range(1, len(useful) + 1):
            whole = [
                choice
                for choice in combinations(useful, count)
                if set().union(*(stops[place] for place in choice)) == wanted
            ]
            if whole:
                return set(min(whole, key=lambda choice: sum(sizes[place] for place in choice)))
    taken: set[int] = set()
    while wanted:
        best = max(useful, key=lambda place: (len(stops[place] & wanted), -sizes[place]))
        taken.add(best)
        wanted -= stops[best]
    return taken


def write_all(report: Report, found: Patches, folder: Path) -> list[Written | PatchError]:
    """Write the chosen patches; of each file what was written, or why not. Files are found from ``folder``.

    Each file is written once: the patches of one file are applied one after the other first. Of a remedy that changes
    several files all are written or none: half of it may stop nothing, or break what the other half was to keep.
    """
    digests = {source.locator: source.sha256 for source in report.sources}
    diffs: dict[Path, list[str]] = {}
    names: dict[Path, str] = {}
    for one in found.chosen:
        real = Path(os.path.realpath(folder / one.patch.file))  # a link and what it leads to are one file
        names.setdefault(real, one.patch.file)
        if one.patch.file == names[real] or not diffs.get(real):
            diffs.setdefault(real, []).append(one.patch.diff)
    results: dict[Path, Written | PatchError] = {}
    for group in _together(found.chosen, folder):
        changes: list[tuple[Path, FileChange]] = []
        for real in group:
            try:
                changes.append((real, _change(folder / names[real], diffs[real], digests.get(names[real]))))
            except PatchError as error:
                results[real] = error
        failed = [real for real in group if real in results and not isinstance(results[real], PatchedAlready)]
        if changes and not failed:
            try:
                results |= zip((real for real, _ in changes), write_together([one for _, one in changes]), strict=True)
            except PatchError as error:
                results[changes[0][0]] = error
                failed = [changes[0][0]]
        for real in group:
            if real not in results:
                results[real] = PatchError(
                    f"{folder / names[real]}: not written: its patch belongs together with that of"
                    f" {folder / names[failed[0]]}, which was not",
                    hint="What stands in the way is said beside. Neither is changed.",
                )
    return [results[real] for real in names]


def _together(chosen: Sequence[Chosen], folder: Path) -> list[list[Path]]:
    """Return the files in groups: those that a remedy changes together, and those that share a file with them."""
    of_remedy: dict[tuple[str, ...], list[Path]] = {}
    for one in chosen:
        key = (one.slug, one.title, *one.patch.stops)
        of_remedy.setdefault(key, []).append(Path(os.path.realpath(folder / one.patch.file)))
    groups: list[list[Path]] = []
    for files in of_remedy.values():
        touching = [group for group in groups if set(group) & set(files)]
        groups = [group for group in groups if group not in touching]
        groups.append(list(dict.fromkeys([*(file for group in touching for file in group), *files])))
    return groups


def _change(file: Path, diffs: list[str], sha256: str | None) -> FileChange:
    if len(diffs) == 1:
        return change(file, diffs[0], sha256=sha256)
    try:
        before = file.read_bytes().decode()  # its line ends as they are
    except (OSError, UnicodeDecodeError) as error:
        raise PatchError(f"{file}: cannot read: {error}", hint="Apply the diffs by hand.") from error
    text = before
    for diff in diffs:
        made = patched(text, diff)
        if made is None:
            raise PatchError(
                f"{file}: two patches change the same lines or neighbours: not written",
                hint="Apply the first with --patch --write, examine again, then apply the next.",
            )
        text = made
    return change(file, unified_diff(str(file), before, text), sha256=sha256)


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
