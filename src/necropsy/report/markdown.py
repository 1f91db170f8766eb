"""The postmortem: what happened, who did it, why, how it is fixed, and how to check every figure."""

from __future__ import annotations

from datetime import datetime

from necropsy.model.finding import Exhibit, Remedy
from necropsy.model.report import Report
from necropsy.model.verdict import Cause, Prediction
from necropsy.report.figures import a_day, count, moment, size
from necropsy.report.markdown_text import block, code, plain, table
from necropsy.report.terminal import footer
from necropsy.report.wording import sentences


def render(report: Report) -> str:
    """Render the report as a postmortem in GitHub-flavoured Markdown, ending in a line break.

    A section without content is left out; "Not examined" is left out only if everything was examined.
    """
    sections = [
        *_head(report),
        *_timeline(report),
        *_causes(report),
        *_fix(report),
        *_section("Also wrong", [f"{code(item.slug)}: {plain(item.title)}" for item in sentences.also(report)]),
        *_section("Ruled out", [f"{code(item.slug)}: {plain(item.text)}" for item in report.verdict.ruled_out]),
        *_section("Not examined", _not_examined(report)),
        *_verify(report),
        *_sources(report),
    ]
    return "\n\n".join(sections) + "\n"


def _head(report: Report) -> list[str]:
    verdict = report.verdict
    summary = [f"{plain(cause.title)} ({cause.confidence} confidence)" for cause in verdict.causes]
    if not summary:
        healthy = sentences.healthy(report)
        nothing = sentences.no_cause(report)[1]
        summary = [plain(healthy) if healthy else f"{nothing[0].upper()}{nothing[1:]}."]
    if sentences.unexplained(report):
        summary.append(f"{sentences.unexplained(report)}.")
    summary += [f"Store {code(store.name)}: {plain(footer.population(store))}." for store in report.stores]
    title = plain(verdict.causes[0].title) if verdict.causes else "session store"
    kept = f"; case file {code(report.case)}" if report.case else ""
    written = f"Written by necropsy {plain(report.necropsy)} from evidence up to {moment(report.taken_at)}{kept}."
    return [f"# Postmortem: {title}", written, "## Summary", _list(summary)]


_LOGS = frozenset(("access_log", "app_log"))


def _timeline(report: Report) -> list[str]:
    events: list[tuple[datetime, str]] = []
    for store in report.stores:
        if store.oldest_birth is not None:
            events.append((store.oldest_birth, f"the oldest session of store {code(store.name)} is created"))
        if store.newest_birth is not None:
            events.append((store.newest_birth, f"the newest session of store {code(store.name)} is created"))
    events += [
        (source.taken_at, f"{code(source.locator)} {'ends' if source.reader in _LOGS else 'was taken'}")
        for source in report.sources
        if source.taken_at is not None
    ]
    events += [
        (prediction.memory_exhausted_at, f"predicted: memory of store {code(prediction.store)} runs out")
        for prediction in report.verdict.predictions
        if prediction.memory_exhausted_at is not None
    ]
    if not events:
        return []
    events.sort(key=lambda event: (moment(event[0]), event[1]))
    return ["## Timeline", table(("time", "what"), [(moment(time), what) for time, what in events])]


def _causes(report: Report) -> list[str]:
    parts: list[str] = []
    for number, cause in enumerate(report.verdict.causes, start=1):
        where = f" in store {code(cause.store)}" if cause.store else ""
        parts += [f"## Cause {number}: {code(cause.slug)}{where}", plain(cause.title)]
        if cause.text:
            parts.append(plain(cause.text))
        parts.append(table(("figure", "value"), _figures(cause, report)))
        if cause.actors:
            parts += ["### Who", _actors(cause, report)]
        parts += _why(cause, report)
    return parts


def _figures(cause: Cause, report: Report) -> list[tuple[str, str]]:
    rows = [("share of the sessions", sentences.share_of(cause)), ("confidence", str(cause.confidence))]
    rows += [("sessions", count(cause.sessions))] if cause.sessions else []
    rows += [("memory", size(cause.bytes))] if cause.bytes else []
    rows += [("births", a_day(cause.births_per_hour))] if cause.births_per_hour else []
    for prediction in sentences.predictions_of(cause, report):
        rows += _prediction(prediction)
    return rows


def _prediction(prediction: Prediction) -> list[tuple[str, str]]:
    rows = [
        ("counted", sentences.counted(prediction)),
        ("predicted from configuration alone", sentences.predicted(prediction)),
        ("the sum", code(prediction.formula)),
        ("forecast", sentences.exhausted(prediction)),
    ]
    return [(name, value) for name, value in rows if value]


def _actors(cause: Cause, report: Report) -> str:
    rows = [
        (
            code(sentences.address(actor)),
            code(actor.prober or ""),
            plain(sentences.asks(actor)),
            plain(actor.answer),
            plain(sentences.seen(actor, report)),
            a_day(actor.births_per_hour) if actor.births_per_hour else "",
            count(actor.sessions) if actor.sessions else "",
            plain(sentences.how_known(actor)),
        )
        for actor in cause.actors
    ]
    head = ("target", "prober", "requests", "answer", "access log", "births", "sessions", "known because")
    return table(head, rows)


def _why(cause: Cause, report: Report) -> list[str]:
    parts: list[str] = []
    chains = [chain for chain in report.chains if (chain.slug, chain.store) == (cause.slug, cause.store)]
    steps = [
        f"{number}. **{plain(link.title)}** {plain(link.text)}" + (f" ({plain(link.figure)})" if link.figure else "")
        for chain in chains
        for number, link in enumerate(chain.links, start=1)
    ]
    places = [
        f"{code(str(origin))}" + (f" {plain(origin.what)}" if origin.what else "")
        for origin in sentences.origins(cause)
    ]
    if steps or places:
        parts.append("### Why")
    parts += ["\n".join(steps)] if steps else []
    parts += ["Lines of configuration involved:", _list(places)] if places else []
    return parts


def _fix(report: Report) -> list[str]:
    parts: list[str] = []
    for slug, remedy in sentences.remedies(report):
        parts += [f"### {plain(remedy.title)}", f"Fixes {code(slug)}. " + _safety(remedy)]
        parts.append("\n".join(f"{plain(line)}  " for line in remedy.text.splitlines()).rstrip())
        for patch in remedy.patches:
            parts += [
                f"{code(patch.file)}, +{patch.added} -{patch.removed}: {plain(patch.effect)}",
                block(patch.diff, "diff"),
            ]
        parts += [f"To undo: {plain(remedy.undo)}"] if remedy.undo else []
    afterwards = [plain(text) for text in sentences.afterwards(report)]
    parts += ["### Afterwards", _list(afterwards)] if afterwards else []
    return ["## Fix", *filter(None, parts)] if parts else []


def _safety(remedy: Remedy) -> str:
    return "Safe: it cannot lose data or log anybody out." if remedy.safe else "Review before applying."


def _not_examined(report: Report) -> list[str]:
    said = [f"{', '.join(map(code, slugs.split(', ')))}: {plain(hint)}" for slugs, hint in sentences.unexamined(report)]
    said += [f"{code(item.kind)} {code(item.locator)}: {plain(sentences.absence(item))}" for item in report.absent]
    said += [
        f"{plain(sentences.damage(item))}" + (f": {code(item.sample)}" if item.sample else "")
        for item in report.blemishes
    ]
    return said


def _verify(report: Report) -> list[str]:
    queries: dict[str, Exhibit] = {}
    for finding in report.findings:
        for exhibit in (finding.primary, *finding.supporting):
            if exhibit is not None and exhibit.query:
                queries.setdefault(exhibit.query, exhibit)
    if not queries:
        return []
    kept = code(report.case) if report.case else "kept with `--case`"
    parts = [
        "## How to verify",
        f"Each figure can be reproduced with SQL on the case file ({kept}), a DuckDB database.",
    ]
    for query, exhibit in queries.items():
        parts += [f"{plain(exhibit.title)}: {plain(exhibit.text)}" if exhibit.text else plain(exhibit.title)]
        parts.append(block(query, "sql"))
    return parts


def _sources(report: Report) -> list[str]:
    rows = [
        (
            code(source.locator),
            plain(source.reader),
            moment(source.taken_at) if source.taken_at else "",
            plain(source.note),
            code(source.sha256 or ""),
        )
        for source in report.sources
    ]
    return ["## Sources", table(("source", "reader", "taken at", "note", "SHA-256"), rows)] if rows else []


def _section(title: str, items: list[str]) -> list[str]:
    return [f"## {title}", _list(items)] if items else []


def _list(items: list[str]) -> str:
    return "\n".join(f"* {item}" for item in items)
