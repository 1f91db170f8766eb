"""Sentences of a report, decided once for the terminal, the page and the postmortem: values in, sentences out.

Nothing here knows the incident. A sentence exists only if the values behind it exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import PurePath
from urllib.parse import SplitResult, urlsplit

from necropsy.model.evidence import Absent, Blemish, Origin
from necropsy.model.figures import IMMORTAL_S, several
from necropsy.model.finding import Confidence, Finding, Patch, Remedy, Severity
from necropsy.model.report import Report, StoreSummary
from necropsy.model.verdict import HOW_KNOWN, Actor, Cause, Kind, Prediction, sessions_of_stopped, which_target
from necropsy.report.escaping import inert, inert_block
from necropsy.report.figures import a_day, between, count, duration, interval, moment, percent, size


@dataclass(frozen=True, slots=True)
class Also:
    """Something that is wrong beside the cause."""

    slug: str
    store: str | None
    title: str
    severity: Severity | None
    """None when only the verdict mentions it."""


def address(actor: Actor) -> str:
    """Address that an actor asks, as short as it stays exact: the URL without ``http://``.

    An actor without URL is called by its User-Agent, else by its prober; one of which the log names no host, by both.
    """
    if actor.one_of:
        return f"{which_target(len(actor.one_of))}, {_rhythm(actor)}"
    if actor.url.startswith("/") and actor.user_agent:
        return inert(f"{actor.user_agent} {actor.url}")
    return inert(actor.url.removeprefix("http://") or actor.user_agent or actor.prober or _nobody(actor))


def _nobody(actor: Actor) -> str:
    """Call whom nobody knows by when it comes: that tells one from the next."""
    if actor.period_s is None:
        return "unknown"
    if actor.phase_s is None:
        return f"unknown client, every {actor.period_s:.4g} s at no fixed moment"
    return f"unknown client, {_rhythm(actor)}"


def _rhythm(actor: Actor) -> str:
    return (
        f"every {duration(actor.period_s)} at {actor.phase_s:.2f} s"
        if actor.period_s and actor.phase_s is not None
        else ""
    )


def seen(actor: Actor, report: Report) -> str:
    """Whether a log shows the actor, and under which name; empty when no log was given.

    That it bypasses the proxy is said only if a finding about the blind spot of the log accuses this very port; that this is
    nginx, only if its configuration was given.
    """
    if actor.in_access_log is None:
        return ""
    if actor.in_access_log:
        logs = {_log(source.locator) for source in report.sources if source.reader == "access_log"}
        where = f"in {logs.pop()}" if len(logs) == 1 else "in the access logs"
        return f"{where}: {inert(actor.user_agent)}" if actor.user_agent else where
    if not _goes_round(actor, report):
        return "not in any access log"
    proxy = "nginx" if any(source.reader == "nginx" for source in report.sources) else "the proxy"
    return f"bypasses {proxy}: not logged"


def asks(actor: Actor) -> str:
    """Path that an actor asks, and how often: ``/ every 10 s``; empty without URL and period."""
    parts = []
    url = _split(actor.url)
    if url is not None:
        parts.append(inert((url.path or "/") + (f"?{url.query}" if url.query else "")))
    if actor.period_s is not None:
        parts.append(f"every {duration(actor.period_s)}")
    return " ".join(parts)


def how_known(actor: Actor) -> str:
    """The evidence that this actor creates sessions, in words."""
    return HOW_KNOWN.get(actor.evidence, inert(actor.evidence))


def origins(cause: Cause) -> list[Origin]:
    """Configuration lines of all actors of a cause, each once, in the order in which they tell most.

    The accused lines, then for each actor in turn the lines that are its own, then the lines that all actors share.
    """
    told = [own_lines(actor, cause) for actor in cause.actors]
    accused = [lines[0] for lines in told if lines]
    own = [lines[place] for place in range(1, max(map(len, told), default=0)) for lines in told if place < len(lines)]
    return _once([*accused, *own, *(origin for actor in cause.actors for origin in actor.origin)])


def own_lines(actor: Actor, cause: Cause) -> list[Origin]:
    """Its accused line, then the lines that it does not share with every actor of the cause."""
    others = [{_place(origin) for origin in other.origin} for other in cause.actors if other.origin]
    shared = set.intersection(*others) if len(others) > 1 else set()
    return _once([*actor.origin[:1], *(origin for origin in actor.origin[1:] if _place(origin) not in shared)])


def shared_lines(actor: Actor, cause: Cause) -> list[Origin]:
    """The rest of its lines, in the order of the chain."""
    own = {_place(origin) for origin in own_lines(actor, cause)}
    return _once([origin for origin in actor.origin if _place(origin) not in own])


def share_of(cause: Cause) -> str:
    """``93 % (91 to 95 %)``, or the share alone when the interval has no width that can be shown."""
    if percent(cause.share_low) == percent(cause.share) == percent(cause.share_high):
        return percent(cause.share)
    return f"{percent(cause.share)} ({interval(cause.share_low, cause.share_high)})"


def extent_of(cause: Cause) -> str:
    """Extent of a cause: ``93 % (91 to 95 %) of the births``, or ``12 % of the sessions``.

    Where nothing has a share, as of a server that is out of connections, its severity.
    """
    if cause.share_of == "births":
        return f"{share_of(cause)} of the births" if cause.share else str(cause.severity)
    return f"{percent(cause.share)} of the {inert(cause.share_of)}"


def after(cause: Cause, report: Report) -> list[str]:
    """Effect of the remedy of a cause; empty when nothing can be computed."""
    return list(dict.fromkeys([*_effects(cause), *_fate(cause, report)]))


def afterwards(report: Report) -> list[str]:
    """Effects of the remedies of all causes, each sentence once, with its store if there are two."""
    said = [effect for cause in report.verdict.causes for effect in _effects(cause)]
    for cause in report.verdict.causes:
        where = f"{inert(cause.store)}: " if cause.store and len(report.stores) > 1 else ""
        said += [f"{where}{sentence}" for sentence in _fate(cause, report)]
    return list(dict.fromkeys(said))


def _effects(cause: Cause) -> list[str]:
    return [patch.effect for patch in cause.remedy.patches if patch.effect] if cause.remedy is not None else []


def _fate(cause: Cause, report: Report) -> list[str]:
    """The future of the sessions of a cause; empty when nothing can be computed.

    Nothing is promised of a creator that is yet to be named: that is what its remedy is about.
    """
    if cause.is_unnamed:
        return []
    store = store_of(cause.store, report)
    if cause.remedy is None or cause.births_per_hour <= 0 or store is None or store.sessions <= 0:
        return []
    lifetime_s = store.lifetime_s if cause.lifetime_s is None else cause.lifetime_s
    if cause.over:
        return [_remains(cause, store)]
    left = max(0, store.sessions - cause.sessions)
    if lifetime_s is None:
        return [f"{several(cause.sessions, 'session')} fewer, as they expire"]
    if lifetime_s < 0 or lifetime_s > IMMORTAL_S:
        old = several(cause.sessions, "session")
        stay = "practically never expire: they have to be removed"
        return [f"births stop, but {old} that exist already {stay}"]
    fall = f"sessions fall from {count(store.sessions)} to about {count(left)}"
    stop = "if that is who creates them, births stop" if cause.confidence is Confidence.LOW else "births stop"
    sentence = f"{stop} at once; {fall} within {duration(lifetime_s)}, as they expire"
    if cause.confidence is not Confidence.LOW and (gone := _stopped(cause)):
        going = f"the births that go on, {a_day(cause.births_per_hour)}, stop"
        sentence = f"{going}; {count(gone)} of these sessions are of what stopped before; {fall} within"
        sentence += f" {duration(lifetime_s)}, as they expire"
    return [sentence]


def _stopped(cause: Cause) -> int:
    """Sessions of its creators that have stopped, where they are most; a client that has another address has not."""
    asked = {(actor.user_agent, actor.url, actor.method) for actor in cause.actors if not actor.over}
    gone = [replace(a, over=a.over and (a.user_agent, a.url, a.method) not in asked) for a in cause.actors]
    return sessions_of_stopped(gone)


def _remains(cause: Cause, store: StoreSummary) -> str:
    """Sessions that are left of births that are over: a fix stops nothing any more."""
    old = several(cause.sessions, "session")
    lifetime_s = store.lifetime_s if cause.lifetime_s is None else cause.lifetime_s
    if lifetime_s is None or cause.last_at is None:
        return f"{old} of it are left, and go as they expire"
    if lifetime_s < 0 or lifetime_s > IMMORTAL_S:
        return f"{old} of it are left, and have to be removed"
    gone = cause.last_at + timedelta(seconds=lifetime_s)
    return f"{old} of it are left; the last unused one expires by {moment(gone.replace(second=0, microsecond=0))}"


def counted(prediction: Prediction) -> str:
    """``70,412 keys, 36 MB``: what was counted in the store; empty when no store was counted."""
    return _amounts(prediction.counted_sessions, prediction.counted_keys, prediction.counted_bytes)


def predicted(prediction: Prediction) -> str:
    """Prediction from the configuration alone; empty when it predicts nothing."""
    if prediction.steady_state_sessions is None and prediction.steady_state_keys is None:
        if prediction.births_per_day > 0 and prediction.lifetime_s is not None:
            return f"unlimited growth: {count(prediction.births_per_day)} more sessions a day"
        return ""
    return _amounts(
        prediction.steady_state_sessions or 0, prediction.steady_state_keys or 0, prediction.steady_state_bytes or 0
    )


def store_of(name: str | None, report: Report) -> StoreSummary | None:
    """Population of the store of that name."""
    return next((store for store in report.stores if store.name == name), None)


def predictions_of(cause: Cause | None, report: Report) -> list[Prediction]:
    """Predictions to be told with a cause: those of its store, with the first cause of that store only.

    For None: the predictions of stores that have no cause.
    """
    first = {other.store: other for other in reversed(report.verdict.causes)}
    return [p for p in report.verdict.predictions if first.get(p.store) == cause]


def accusations(report: Report) -> list[Finding]:
    """Findings that are not told as a cause already, most severe first, what reassures left out."""
    told = {(cause.slug, cause.store) for cause in report.verdict.causes}
    return [f for f in report.findings if not f.reassures and (f.slug, f.store) not in told]


def also(report: Report) -> list[Also]:
    """Contributing conditions and the other findings, each (slug, store) once."""
    severities = {(finding.slug, finding.store): finding.severity for finding in report.findings}
    told: dict[tuple[str, str | None], Also] = {}
    for item in report.verdict.contributing:
        key = (item.slug, item.store)
        told.setdefault(key, Also(item.slug, item.store, item.title, severities.get(key)))
    for finding in accusations(report):
        key = (finding.slug, finding.store)
        told.setdefault(key, Also(finding.slug, finding.store, finding.title, finding.severity))
    return list(told.values())


def healthy(report: Report) -> str:
    """Sentence that says the store is healthy; empty when nobody says so."""
    said = [finding.title for finding in report.findings if finding.reassures]
    said += [cleared.text for cleared in report.verdict.ruled_out if cleared.reassures]
    return said[0] if said and not report.verdict.causes else ""


def remedies(report: Report) -> list[tuple[str, Remedy]]:
    """Every remedy once, with the slug that it cures; those of the causes first."""
    told = [(cause.slug, cause.remedy) for cause in report.verdict.causes]
    told += [(finding.slug, finding.remedy) for finding in report.findings]
    unique: dict[Remedy, str] = {}
    for slug, remedy in told:
        if remedy is not None:
            unique.setdefault(remedy, slug)
    return [(slug, remedy) for remedy, slug in unique.items()]


def patches(report: Report) -> list[Patch]:
    """Every diff once, in the order of the remedies."""
    return list(dict.fromkeys(patch for _, remedy in remedies(report) for patch in remedy.patches))


def extent(changes: Iterable[Patch]) -> str:
    """``2 files, +6 -2``."""
    chosen = list(changes)
    files = len({patch.file for patch in chosen})
    return f"{several(files, 'file')}, +{sum(p.added for p in chosen)} -{sum(p.removed for p in chosen)}"


def diff_lines(diff: str) -> list[tuple[str, str]]:
    """Lines of a unified diff, inert, each with its kind: ``head``, ``hunk``, ``add``, ``del`` or ``same``."""
    told: list[tuple[str, str]] = []
    inside = False
    for line in inert_block(diff).rstrip("\n").split("\n"):
        inside = inside or line.startswith("@@")
        kind = {"@": "hunk", "+": "add", "-": "del"}.get(line[:1], "same") if inside else "head"
        told.append((line, kind))
    return told


def damage(blemish: Blemish) -> str:
    """``access.log: 3 lines from line 17 on: not JSON``."""
    places = f"{blemish.unit} {count(blemish.place)}"
    if blemish.count > 1:
        places = f"{several(blemish.count, blemish.unit)}, the first is {places}"
    return f"{inert(blemish.file)}: {places}: {blemish.why}"


def absence(item: Absent) -> str:
    """Reason why something is absent, and the hint: two sentences."""
    hint = item.hint[:1].upper() + item.hint[1:]
    return ". ".join(filter(None, (item.reason.rstrip("."), hint)))


def unexamined(report: Report) -> list[tuple[str, str]]:
    """Examiners that could not judge, and what would help; slugs that lack the same evidence are told together."""
    lacking: dict[str, list[str]] = {}
    for item in report.verdict.unexamined:
        lacking.setdefault(item.hint or f"needs {', '.join(item.missing)}", []).append(item.slug)
    return [(", ".join(slugs), hint) for hint, slugs in lacking.items()]


def unexplained(report: Report) -> str:
    """Unexplained share of the sessions, in words; empty when no cause was found or no store was counted.

    A rhythm without a known creator is a cause, and yet nobody knows who it is.
    """
    if not report.verdict.causes or not report.stores:
        return ""
    unknown = any(cause.is_unnamed for cause in report.verdict.causes)
    what = "have no known creator" if unknown else "are unexplained"
    return f"{percent(report.verdict.unexplained_share)} of all sessions {what}"


def no_cause(report: Report) -> tuple[str, str]:
    """Words for a report without a cause: a label, and a sentence without its full stop."""
    if report.verdict.reason:
        return "No verdict" if report.verdict.kind is Kind.UNKNOWN else "No cause", report.verdict.reason
    if not report.stores:
        return "No verdict", "no session store was examined, so nothing could be counted"
    if not any(store.sessions for store in report.stores):
        return "No sessions", "no session of a known layout was found, so no cause can be named"
    return "No cause", "no cause was found in the evidence"


def exhausted(prediction: Prediction) -> str:
    """Time at which memory runs out at this rate; empty when it does not."""
    when = prediction.memory_exhausted_at
    if when is None:
        return ""
    return f"at this rate memory runs out {between(when, prediction.memory_exhausted_from, prediction.memory_exhausted_to)}"


def _place(origin: Origin) -> tuple[str, int]:
    return origin.file, origin.line


def _once(places: list[Origin]) -> list[Origin]:
    unique: dict[tuple[str, int], Origin] = {}
    for origin in places:
        unique.setdefault(_place(origin), origin)
    return list(unique.values())


def _amounts(sessions: float, keys: float, number_of_bytes: float) -> str:
    parts = [several(round(keys), "key")] if keys else [several(round(sessions), "session")] if sessions else []
    return ", ".join([*parts, *([size(number_of_bytes)] if number_of_bytes else [])])


def _log(locator: str) -> str:
    """Name of a log without what rotation has added: ``access.log-20190524.gz`` is ``access.log``."""
    return inert(re.sub(r"\.log[-.].*$", ".log", PurePath(locator).name))


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url) if url else None
    except ValueError:  # a log may hold anything: "http://[" is no URL
        return None


def _goes_round(actor: Actor, report: Report) -> bool:
    url = _split(actor.url)
    if url is None or not url.netloc:
        return False
    accused = re.compile(rf"(?<![\w.]){re.escape(url.netloc)}(?![\w.])")
    return any(accused.search(text) for text in _blind_spots(report))


def _blind_spots(report: Report) -> Iterator[str]:
    for finding in report.findings:
        if finding.hides_requests:
            yield finding.text
            for exhibit in (finding.primary, *finding.supporting):
                if exhibit is not None:
                    yield f"{exhibit.title} {exhibit.text}"
