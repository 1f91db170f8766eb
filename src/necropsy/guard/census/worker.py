"""One look at the stores: an autopsy, as metrics and, for a watch, as what changed. It runs in a process of its own.

A process of its own (``cli.census``) gives its memory back when it ends, and cannot take the guard with it. What is asked of
the stores, and how fast, is what ``necropsy examine --redis`` asks: read-only, backing off when the store answers slowly, idle
times kept.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.paths import is_file
from necropsy._internal.serialization import from_plain, to_plain
from necropsy.guard.exposition import Family, Sample
from necropsy.guard.watch.former import Limits
from necropsy.guard.watch.notice import Notice
from necropsy.model.errors import CaseOutOfMemory
from necropsy.model.history import Course

if TYPE_CHECKING:
    from necropsy.autopsy.sources import Sources
    from necropsy.case.store import Case
    from necropsy.model.report import Report
    from necropsy.verdict.evidence import Births

_NEWEST = 100
"""Notices that a look shows, resolved ones included."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Parameters of an examination for a watch, beside the metrics."""

    case: str
    """The case that is kept: the last look, with the history of all before it."""
    keep_s: float = 30 * 86_400.0
    """Seconds of history that are kept."""
    limits: Limits = field(default_factory=Limits)
    events: tuple[str, ...] = ()
    """``TIME=TEXT`` each."""
    event_file: str | None = None
    page: bool = False
    """Whether the HTML report is wanted, too."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The order for one census."""

    stores: tuple[tuple[str, str], ...] = ()
    """Name and address of each store."""
    incident: str | None = None
    """Path of an incident file with stores, logs and configuration."""
    incident_text: str = field(default="", repr=False)
    """Its last right text: used while it is wrong, or gone. Empty: then the look fails."""
    watch: Watched | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """The result."""

    families: list[Family]
    notices: tuple[Notice, ...] = ()
    """Those that are open, and those that this look resolved."""
    newest: tuple[Notice, ...] = ()
    """The newest of all, newest first."""
    verdict: str = ""
    """The first sentence of the verdict."""
    page: bytes = b""
    """The report as HTML, packed by zlib, if it was asked for: who keeps it keeps a third."""
    courses: tuple[Course, ...] = ()
    """Fill levels of each store, past and future, where its past is known."""
    anew: str = ""
    """Why the history began anew, where a file lay there that is no case; else empty."""
    warnings: tuple[str, ...] = ()
    """Input that could not be used, such as lines of the file of events."""
    unread: tuple[tuple[str, str], ...] = ()
    """Stores that could not be read, and why."""
    incident_text: str = field(default="", repr=False)
    """The incident file as it was read, where it was right; else empty."""


_MEMORY: Final = ("32MB", "160MB")
"""Memory of the database in a look: the first, and where that is too little, the second. A look runs beside others all day."""


def take(asked: Asked) -> Taken:
    """Examine stores, with the evidence that an incident file names.

    Raises
    ------
    NecropsyError
        Nothing could be read, or the case cannot be written.
    """
    # Only code that is loaded by then is given back: of what a look loads later, all stays.
    import duckdb  # noqa: F401
    import pyarrow.compute  # noqa: F401

    from necropsy.guard.census.given_back import code_given_back

    try:
        with code_given_back():
            return _take(asked, _MEMORY[0])
    except CaseOutOfMemory:
        return _take(asked, _MEMORY[1])


def _take(asked: Asked, memory: str) -> Taken:
    from necropsy.autopsy import judging, past, reading, reporting, verdict_inputs
    from necropsy.case.store import Case
    from necropsy.guard.census.families import families
    from necropsy.guard.watch.events import read_events
    from necropsy.guard.watch.look import unread
    from necropsy.report.html import page
    from necropsy.report.wording.completeness import recap

    sources, text, misread = _sources(asked)
    watch = asked.watch
    place, large = Path(watch.case) if watch is not None else None, reading.needs_disk(sources)
    with Case.create(place, large=large, memory=memory) as case:
        case.execute(
            "SET threads = 1"
        )  # a second one would take a processor from the store and from who answers scrapes
        evidence = reading.read(case, sources, lambda _stage, _share: None, may_be_empty=True)
        births = verdict_inputs.births_by_store(case)
        past.record(evidence, sources, births, lambda _stage, _share: None)
        anew = _carry_over(case, watch, evidence.now) if watch is not None else ""
        judging.judge(case, evidence, sources, births)
        report = reporting.report(case, births)
        locators = {store.name: store.locator.masked for store in sources.stores}
        shown, missing = families(case, report, locators), tuple(unread(report, locators).items())
        if watch is None:
            return Taken(shown, incident_text=text, unread=missing)
        events, warnings = read_events((*watch.events, *sources.event), watch.event_file)
        notices, newest = _watch(case, watch, report, births, sources, events, misread)
        shown_page = zlib.compress(page.render(report).encode()) if watch.page else b""
        return Taken(
            shown, notices, newest, recap(report)[0], shown_page, report.courses, anew, tuple(warnings), missing, text
        )


def _carry_over(case: Case, watch: Watched, now: datetime) -> str:
    """Take over the history of the look before; return why it begins anew, if something lies there that is no case."""
    from necropsy.case.carrying import carry_over
    from necropsy.guard.watch import memory
    from necropsy.guard.watch.look import SOURCE

    older = Path(watch.case)
    carried = carry_over(case, older, now.astimezone(UTC).replace(tzinfo=None), watch.keep_s, SOURCE)
    memory.predict(case, now)
    return "" if carried or not is_file(older) else f"{older}: cannot be read as a case; its history is lost"


def _watch(
    case: Case,
    watch: Watched,
    report: Report,
    births: Mapping[str, Births],
    sources: Sources,
    events: list[tuple[datetime, str]],
    misread: str,
) -> tuple[tuple[Notice, ...], tuple[Notice, ...]]:
    """Judge what changed, write it into the case, and return this look's notices and the newest of all."""
    from necropsy.guard.watch import judge, memory
    from necropsy.guard.watch.look import look_of, measured

    locators = {store.name: store.locator.masked for store in sources.stores}
    former = memory.recall(case)
    seen = look_of(case, report, births, locators, events, former.at, misread)
    notices = judge.judge(seen, former, watch.limits, watch.case)
    memory.remember(case, seen, notices, measured(seen, births, former.at), events)
    return tuple(notices), tuple(memory.newest(case, _NEWEST))


def _sources(asked: Asked) -> tuple[Sources, str, str]:
    """Return what is to be read, the incident file's text where it is right, and what is wrong with it where it is not."""
    from necropsy.autopsy import incident_file
    from necropsy.autopsy.sources import LiveAddress, Sources, StoreSource
    from necropsy.evidence.redis.options import LiveOptions
    from necropsy.model.errors import ConfigurationError, UnreadableSource
    from necropsy.wire.files import read_text

    stores = tuple(StoreSource(name, LiveAddress(url)) for name, url in asked.stores)
    sources = Sources(stores=stores, checksums=False, live=LiveOptions(patient=True))
    if asked.incident is None:
        return sources, "", ""
    try:
        text = read_text(asked.incident)
        return sources.join(incident_file.parse(text, asked.incident)), text, ""
    except (UnreadableSource, ConfigurationError) as error:
        if not asked.incident_text:
            raise
        return sources.join(incident_file.parse(asked.incident_text, asked.incident)), "", error.message


def encode(taken: Taken) -> str:
    """Return what came out as JSON."""
    plain = {name: getattr(taken, name) for name in ("verdict", "anew", "warnings", "incident_text")}
    plain["unread"] = [list(one) for one in taken.unread]
    plain["page"] = base64.b64encode(taken.page).decode("ascii")
    plain["courses"] = to_plain(taken.courses)
    plain |= {"notices": to_plain(taken.notices), "newest": to_plain(taken.newest)}
    return json.dumps({**plain, "families": [asdict(family) for family in taken.families]})


def decode(text: str) -> Taken:
    """Return what ``encode`` wrote."""
    said: dict[str, Any] = json.loads(text)
    families = [
        Family(row["name"], row["type"], row["help"],
               [Sample(tuple((name, value) for name, value in sample["labels"]), sample["value"], sample["suffix"])
                for sample in row["samples"]])
        for row in said["families"]
    ]  # fmt: skip
    courses = tuple(from_plain(Course, row) for row in said["courses"])
    notices, newest = (tuple(from_plain(Notice, row) for row in said[name]) for name in ("notices", "newest"))
    return Taken(
        families,
        notices,
        newest,
        said["verdict"],
        base64.b64decode(said["page"]),
        courses,
        said["anew"],
        tuple(said["warnings"]),
        tuple((name, reason) for name, reason in said["unread"]),
        said["incident_text"],
    )


def encode_asked(asked: Asked) -> str:
    """Return what is asked as JSON."""
    return json.dumps(to_plain(asked))


def decode_asked(text: str) -> Asked:
    """Return what ``encode_asked`` wrote."""
    return from_plain(Asked, json.loads(text))
