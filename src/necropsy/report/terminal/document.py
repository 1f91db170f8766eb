"""The verdict for a terminal: who did it and the fix in the first screen of 80 x 24, the proof below, two lines of recap last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.model.figures import several
from necropsy.model.finding import Confidence, Exhibit, Finding, Remedy
from necropsy.model.report import Report
from necropsy.model.verdict import Actor, Cause, Prediction
from necropsy.report.escaping import inert, prose
from necropsy.report.figures import a_day, count, size
from necropsy.report.terminal import footer
from necropsy.report.terminal.layout import LABEL_WIDTH, Sheet, shortened
from necropsy.report.wording import completeness, sentences

MOST_ACTORS: Final = 8
"""Actors of one cause that are named one by one."""
MOST_PLACES: Final = 4
"""Configuration lines of one cause that are named one by one."""
MOST_EXHIBITS: Final = 8
"""Exhibits of one finding that are named one by one."""
_PLACE_COLUMN: Final = 36
"""Widest column of ``file:line``; longer ones push their text to the right."""


def render(report: Report, *, width: int = 80, color: bool = False, patches: bool = False) -> str:
    """Render the report as text.

    Parameters
    ----------
    report
        What the autopsy found.
    width
        Columns of the terminal. Only the diffs may be wider: a wrapped diff does not apply.
    color
        Whether to write ANSI colours; every word is there without them.
    patches
        Whether to show the diffs, before the recap.

    Returns
    -------
    str
        Lines, the last one ended.
    """
    sheet = Sheet(width=width, color=color)
    for cause in report.verdict.causes:
        _cause(sheet, cause, report)
    if not report.verdict.causes:
        _no_cause(sheet, report)
    footer.write(sheet, report)
    if patches:
        _diffs(sheet, report)
    _recap(sheet, report)
    return sheet.text()


def _cause(sheet: Sheet, cause: Cause, report: Report) -> None:
    sheet.gap()
    label = ("CAUSE".ljust(LABEL_WIDTH), "bold red")
    sheet.ends([label, (cause.slug, "bold")], f"{cause.confidence} confidence", style="dim")
    sheet.line((prose(cause.title), "bold"), indent=2)
    figures = [several(cause.sessions, "session")] if cause.sessions else []
    figures += [size(cause.bytes)] if cause.bytes else []
    figures += [f"{'was ' if cause.over else ''}{a_day(cause.births_per_hour)}"] if cause.births_per_hour else []
    sheet.line(sentences.extent_of(cause), *(f" · {figure}" for figure in figures), indent=2, hang=2)
    if cause.text:
        sheet.gap()
        for line in cause.text.splitlines():
            sheet.line(prose(line), indent=2)
    _actors(sheet, cause.actors, report)
    if cause.remedy is not None:
        sheet.gap()
        _remedy(sheet, cause.remedy, "CHECK" if cause.confidence is Confidence.LOW else "FIX")
    for number, sentence in enumerate(sentences.after(cause, report)):
        sheet.labelled("AFTER" if number == 0 else "", prose(sentence))
    for prediction in sentences.predictions_of(cause, report):
        _prediction(sheet, prediction)
    _places(sheet, sentences.origins(cause))
    _lines_of_configured(sheet, cause.actors)


def _actors(sheet: Sheet, actors: tuple[Actor, ...], report: Report) -> None:
    rows = [
        (
            sentences.address(actor),
            inert(actor.answer),
            sentences.seen(actor, report),
            a_day(actor.births_per_hour) if actor.births_per_hour else "",
        )
        for actor in actors[:MOST_ACTORS]
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    fits = 2 + sum(widths) + 2 * sum(1 for width in widths[1:] if width) <= sheet.width
    for (who, answer, seen, rate), actor in zip(rows, actors, strict=False):
        if fits:
            cells = [text.ljust(room) for text, room in zip((who, answer, seen), widths, strict=False) if room]
            sheet.ends(["  ".join(cells).rstrip()], rate, indent=2)
        else:
            sheet.ends([(who, "bold"), *([f"  {answer}"] if answer else [])], rate, indent=2)
            if seen:
                sheet.line(seen, indent=4, hang=2)
        if not actor.origin:
            _source_and_times(sheet, actor)
    if len(actors) > MOST_ACTORS:
        sheet.line(f"... {len(actors) - MOST_ACTORS} more", indent=2)


def _source_and_times(sheet: Sheet, actor: Actor) -> None:
    """The source of a creator that no configuration names, and the command that finds its lines."""
    where = completeness.source_and_times(actor)
    if where:
        sheet.line(where, indent=4, hang=2)
    if actor.find:
        sheet.line(inert(actor.find), indent=4, hang=2)


def _lines_of_configured(sheet: Sheet, actors: tuple[Actor, ...]) -> None:
    """The same of configured probes: below what configures them, so that the fix stays on the first screen."""
    shown = [actor for actor in actors[:MOST_ACTORS] if actor.origin and actor.find]
    if shown:
        sheet.gap()
    for actor in shown:
        sheet.line(sentences.address(actor), indent=2)
        _source_and_times(sheet, actor)


def _places(sheet: Sheet, origins: list[Origin]) -> None:
    _pairs(sheet, [(str(origin), origin.what) for origin in origins[:MOST_PLACES]])
    if len(origins) > MOST_PLACES:
        sheet.line(f"... {several(len(origins) - MOST_PLACES, 'more line')}", indent=2)


def _pairs(sheet: Sheet, pairs: list[tuple[str, str]]) -> None:
    """Places with what happens there, in two columns."""
    if pairs:
        sheet.gap()
    column = max((len(inert(place)) for place, _ in pairs if len(inert(place)) <= _PLACE_COLUMN), default=0)
    for place, what in pairs:
        said = [f"  {prose(what)}"] if what else []
        sheet.line((inert(place).ljust(column if said else 0), "cyan"), *said, indent=2, hang=column + 2)


def _exhibits(sheet: Sheet, exhibits: Sequence[Exhibit]) -> None:
    """Exhibits in two columns; those whose text begins with the accused line have it below them, as that is no sentence."""
    if all(exhibit.origin is None or not exhibit.text.startswith(str(exhibit.origin)) for exhibit in exhibits):
        _pairs(sheet, [(exhibit.title, exhibit.text) for exhibit in exhibits])
        return
    sheet.gap()
    for exhibit in exhibits:
        sheet.line((inert(exhibit.title), "cyan"), indent=2, hang=4)
        if exhibit.text:
            sheet.line(prose(exhibit.text), indent=4, hang=2)


def _prediction(sheet: Sheet, prediction: Prediction) -> None:
    counted, predicted = sentences.counted(prediction), sentences.predicted(prediction)
    if counted or predicted:
        sheet.gap()
    if counted:
        sheet.line("counted    ", (counted, "bold"), indent=2, hang=11)
    if predicted:
        sheet.line("predicted  ", (predicted, "bold"), ", from configuration alone", indent=2, hang=11)
        sheet.line(prose(prediction.formula), indent=13)
    if sentences.exhausted(prediction):
        sheet.line((sentences.exhausted(prediction), "bold"), indent=2)


def _remedy(sheet: Sheet, remedy: Remedy, label: str) -> None:
    """The remedy; for a guess, what to check before it."""
    sheet.labelled(label, (prose(remedy.title), "bold"))
    if label != "FIX" or not remedy.patches:
        for line in remedy.text.splitlines():
            sheet.labelled("", prose(line))
    if remedy.patches:
        safety = "safe" if remedy.safe else "review before applying"
        sheet.labelled("", f"{sentences.extent(remedy.patches)}, simulated; {safety} (diffs: --patches)")


def _no_cause(sheet: Sheet, report: Report) -> None:
    sentence = sentences.healthy(report)
    if sentence:
        sheet.labelled("HEALTHY", (prose(sentence), "bold"), style="bold green")
    else:
        label, sentence = sentences.no_cause(report)
        sheet.labelled(label.upper(), prose(sentence))
    for number, (what, why, command) in enumerate(completeness.requests(report)):
        sheet.labelled("" if number else "ADD", (what, "bold"), f": {why}")
        sheet.beside(command)
    for prediction in sentences.predictions_of(None, report):
        if prediction.births_per_day > 0:
            sheet.labelled("FORECAST", f"{count(prediction.births_per_day)} births a day, from configuration alone")
            sheet.line(prose(prediction.formula), indent=10)
            _prediction(sheet, prediction)
    for finding in sentences.accusations(report):
        _found(sheet, finding)


def _found(sheet: Sheet, finding: Finding) -> None:
    sheet.gap()
    weight = f"{finding.severity}, {finding.confidence} confidence"
    sheet.ends([("FOUND".ljust(LABEL_WIDTH), "bold yellow"), (finding.slug, "bold")], weight, style="dim")
    sheet.line((prose(finding.title), "bold"), indent=2)
    if finding.text:
        sheet.line(prose(finding.text), indent=2)
    exhibits = [exhibit for exhibit in (finding.primary, *finding.supporting) if exhibit is not None]
    _exhibits(sheet, exhibits[:MOST_EXHIBITS])
    if len(exhibits) > MOST_EXHIBITS:
        sheet.line(f"... {len(exhibits) - MOST_EXHIBITS} more", indent=2)
    if finding.remedy is not None:
        sheet.gap()
        _remedy(sheet, finding.remedy, "IF SO" if finding.confidence is Confidence.LOW else "FIX")


def _diffs(sheet: Sheet, report: Report) -> None:
    colors = {"head": "bold", "hunk": "cyan", "add": "green", "del": "red", "same": ""}
    for patch in sentences.patches(report):
        sheet.gap()
        effect = f"  +{patch.added} -{patch.removed}  {prose(patch.effect)}".rstrip()
        sheet.labelled("DIFF", (inert(patch.file), "bold"), effect)
        for line, kind in sentences.diff_lines(patch.diff):
            sheet.verbatim(line, colors[kind])


def _recap(sheet: Sheet, report: Report) -> None:
    """Two lines that stand above the prompt when everything else has scrolled away."""
    sheet.gap()
    for label, text in zip(("VERDICT", "NEXT"), completeness.recap(report), strict=True):
        room = sheet.width - len("VERDICT") - 2
        sheet.labelled(label.ljust(len("VERDICT")), (shortened(text, room), "bold"))
