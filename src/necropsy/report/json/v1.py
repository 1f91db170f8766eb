"""``necropsy/report/1``: the model's values put into the frozen public shape.

Nothing is made inert here, as JSON escapes control characters itself; non-ASCII is escaped, too, so that the text is
safe to print. The order of keys is the order of the shapes, and always the same.
"""

from __future__ import annotations

from datetime import datetime
from importlib import resources
from json import dumps
from typing import Final

from necropsy.model.evidence import Absent, Blemish, Origin, Source
from necropsy.model.finding import Exhibit, Finding, Remedy
from necropsy.model.history import StoreHistory
from necropsy.model.report import Report, StoreSummary
from necropsy.model.verdict import Actor, Cause, Prediction, Verdict, View
from necropsy.report.figures import iso
from necropsy.report.json import types_v1 as shape

SCHEMA: Final = "necropsy/report/1"
"""Value of ``schema`` in every report of this version."""


def render(report: Report) -> str:
    """Render the report as JSON text, version 1, ending in a line break.

    Times are ISO 8601 in UTC with ``Z``; durations are seconds; sizes are bytes; shares are 0 to 1.

    Raises
    ------
    ValueError
        A figure is not a finite number: a bug of whoever computed it, which must not reach a reader as ``NaN``.
    """
    return dumps(convert(report), indent=2, allow_nan=False) + "\n"


def schema() -> str:
    """Text of the published JSON Schema (2020-12) of this version."""
    return resources.files(__package__).joinpath("report-1.schema.json").read_text(encoding="utf-8")


def convert(report: Report) -> shape.ReportV1:
    """Put the report into the public shape."""
    predictions = [_store_prediction(prediction) for prediction in report.verdict.predictions]
    return {
        "schema": SCHEMA,
        "necropsy": report.necropsy,
        "taken_at": iso(report.taken_at),
        "verdict": _verdict(report.verdict),
        "sessions": {
            "total": sum(store.sessions for store in report.stores),
            "authenticated": sum(store.authenticated for store in report.stores),
            "anonymous": sum(store.anonymous for store in report.stores),
            "unknown": sum(store.unknown for store in report.stores),
            "immortal": sum(store.immortal for store in report.stores),
            "bytes": sum(store.session_bytes for store in report.stores),
            "frameworks": dict(sorted(report.frameworks.items())),
        },
        "stores": [_store(store) for store in report.stores],
        "findings": [_finding(finding) for finding in report.findings],
        "prediction": _prediction(report.verdict),
        "predictions": predictions,
        "sources": [_source(source) for source in report.sources],
        "absent": [_absent(absent) for absent in report.absent],
        "blemishes": [_blemish(blemish) for blemish in report.blemishes],
        "histories": [_history(history) for history in report.histories],
        "events": [
            {"at": iso(one.at), "kind": one.kind, "text": one.text, "source": one.source, "store": one.store}
            for one in report.events
        ],
    }


def _history(history: StoreHistory) -> shape.HistoryV1:
    return {
        "store": history.store,
        "source": history.source,
        "start": iso(history.start),
        "end": iso(history.end),
        "births_of": history.births_of,
        "changes": [
            {
                "at": iso(change.at),
                "earliest_at": iso(change.earliest_at),
                "latest_at": iso(change.latest_at),
                "before_per_hour": change.before_per_hour,
                "after_per_hour": change.after_per_hour,
                "event": change.event,
            }
            for change in history.changes
        ],
    }


def _verdict(verdict: Verdict) -> shape.VerdictV1:
    return {
        "causes": [_cause(cause) for cause in verdict.causes],
        "contributing": [
            {"slug": item.slug, "store": item.store, "title": item.title, "explained_by": item.explained_by}
            for item in verdict.contributing
        ],
        "ruled_out": [{"slug": item.slug, "text": item.text} for item in verdict.ruled_out],
        "unexamined": [
            {"slug": item.slug, "missing": list(item.missing), "hint": item.hint} for item in verdict.unexamined
        ],
        "unexplained_share": verdict.unexplained_share,
        "kind": verdict.kind.value,
        "reason": verdict.reason,
        "requests": [{"what": item.what, "why": item.why, "command": item.command} for item in verdict.requests],
        "views": [_view(view) for view in verdict.views],
        "contradictions": [
            {"source": item.source, "text": item.text, "set_aside": item.set_aside} for item in verdict.contradictions
        ],
    }


def _view(view: View) -> shape.ViewV1:
    return {
        "store": view.store,
        "births": view.births,
        "unknown": view.unknown,
        "explained": view.explained,
        "horizon_at": _time(view.horizon_at),
        "covered_from": _time(view.covered_from),
        "covered_to": _time(view.covered_to),
        "covered": view.covered,
        "read": view.read,
        "reason": view.reason,
    }


def _cause(cause: Cause) -> shape.CauseV1:
    return {
        "slug": cause.slug,
        "store": cause.store,
        "title": cause.title,
        "text": cause.text,
        "share": cause.share,
        "share_low": cause.share_low,
        "share_high": cause.share_high,
        "confidence": cause.confidence.value,
        "births_per_hour": cause.births_per_hour,
        "sessions": cause.sessions,
        "bytes": cause.bytes,
        "actors": [_actor(actor) for actor in cause.actors],
        "severity": cause.severity.value,
        "share_of": cause.share_of,
        "first_at": _time(cause.first_at),
        "last_at": _time(cause.last_at),
        "over": cause.over,
        "explains": list(cause.explains),
        "remedy": None if cause.remedy is None else _remedy(cause.remedy),
    }


def _actor(actor: Actor) -> shape.ActorV1:
    return {
        "user_agent": actor.user_agent,
        "prober": actor.prober,
        "url": actor.url,
        "period_s": actor.period_s,
        "phase_s": actor.phase_s,
        "in_access_log": actor.in_access_log,
        "creation_probability": actor.creation_probability,
        "origin": [_origin(origin) for origin in actor.origin],
        "address": actor.address,
        "clients": actor.clients,
        "visits": actor.visits,
        "sessions": actor.sessions,
        "births_per_hour": actor.births_per_hour,
        "evidence": actor.evidence,
        "first_at": _time(actor.first_at),
        "last_at": _time(actor.last_at),
        "over": actor.over,
        "find": actor.find,
        "fix": actor.fix,
        "alternative": actor.alternative,
        "one_of": list(actor.one_of),
    }


def _origin(origin: Origin) -> shape.OriginV1:
    return {"file": origin.file, "line": origin.line}


def _finding(finding: Finding) -> shape.FindingV1:
    exhibits = [exhibit for exhibit in (finding.primary, *finding.supporting) if exhibit is not None]
    return {
        "slug": finding.slug,
        "store": finding.store,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "title": finding.title,
        "text": finding.text,
        "exhibits": [_exhibit(exhibit) for exhibit in exhibits],
        "remedy": None if finding.remedy is None else _remedy(finding.remedy),
        "share": finding.share,
        "share_of": finding.share_of,
        "probers": list(finding.probers),
    }


def _exhibit(exhibit: Exhibit) -> shape.ExhibitV1:
    return {
        "title": exhibit.title,
        "text": exhibit.text,
        "origin": None if exhibit.origin is None else _origin(exhibit.origin),
        "query": exhibit.query,
    }


def _remedy(remedy: Remedy) -> shape.RemedyV1:
    return {
        "title": remedy.title,
        "text": remedy.text,
        "undo": remedy.undo,
        "safe": remedy.safe,
        "patches": [
            {
                "file": patch.file,
                "diff": patch.diff,
                "added": patch.added,
                "removed": patch.removed,
                "effect": patch.effect,
            }
            for patch in remedy.patches
        ],
    }


def _prediction(verdict: Verdict) -> shape.PredictionV1:
    """Predict the store of the first cause that has a prediction, else the first predicted store."""
    by_store = {prediction.store: prediction for prediction in reversed(verdict.predictions)}
    accused = [by_store[cause.store] for cause in verdict.causes if cause.store in by_store]
    chosen = next(iter([*accused, *verdict.predictions]), None)
    return {
        "steady_state_sessions": None if chosen is None else _whole(chosen.steady_state_sessions),
        "steady_state_keys": None if chosen is None else _whole(chosen.steady_state_keys),
        "steady_state_bytes": None if chosen is None else _whole(chosen.steady_state_bytes),
        "memory_exhausted_at": None if chosen is None else _time(chosen.memory_exhausted_at),
        "memory_exhausted_from": None if chosen is None else _time(chosen.memory_exhausted_from),
        "memory_exhausted_to": None if chosen is None else _time(chosen.memory_exhausted_to),
    }


def _store_prediction(prediction: Prediction) -> shape.StorePredictionV1:
    return {
        "store": prediction.store,
        "births_per_day": prediction.births_per_day,
        "lifetime_s": prediction.lifetime_s,
        "steady_state_sessions": _whole(prediction.steady_state_sessions),
        "steady_state_keys": _whole(prediction.steady_state_keys),
        "steady_state_bytes": _whole(prediction.steady_state_bytes),
        "memory_exhausted_at": _time(prediction.memory_exhausted_at),
        "memory_exhausted_from": _time(prediction.memory_exhausted_from),
        "memory_exhausted_to": _time(prediction.memory_exhausted_to),
        "counted_sessions": prediction.counted_sessions,
        "counted_keys": prediction.counted_keys,
        "counted_bytes": prediction.counted_bytes,
        "formula": prediction.formula,
    }


def _store(store: StoreSummary) -> shape.StoreV1:
    return {
        "name": store.name,
        "layout": store.layout,
        "keys": store.keys,
        "bytes": store.bytes,
        "sessions": store.sessions,
        "authenticated": store.authenticated,
        "anonymous": store.anonymous,
        "unknown": store.unknown,
        "immortal": store.immortal,
        "dead": store.dead,
        "session_keys": store.session_keys,
        "session_bytes": store.session_bytes,
        "other_keys": store.other_keys,
        "lifetime_s": store.lifetime_s,
        "oldest_birth": _time(store.oldest_birth),
        "newest_birth": _time(store.newest_birth),
        "taken_at": _time(store.taken_at),
    }


def _source(source: Source) -> shape.SourceV1:
    return {
        "reader": source.reader,
        "locator": source.locator,
        "taken_at": _time(source.taken_at),
        "sha256": source.sha256,
        "size": source.size,
        "store": source.store,
        "note": source.note,
    }


def _absent(absent: Absent) -> shape.AbsentV1:
    return {"kind": absent.kind, "locator": absent.locator, "reason": absent.reason, "hint": absent.hint}


def _blemish(blemish: Blemish) -> shape.BlemishV1:
    return {
        "file": blemish.file,
        "unit": blemish.unit,
        "place": blemish.place,
        "count": blemish.count,
        "why": blemish.why,
        "sample": blemish.sample,
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else iso(time)


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)
