"""Shapes of ``necropsy/report/1``: the public format, apart from the internal values on purpose.

Frozen: a value of the model may be renamed tomorrow; these keys may not, and none is taken away. Keys may be added, and
readers ignore those that they do not know. What each key means is said once, in ``report-1.schema.json`` (and in
``docs/json-report.md``, made from it); a test keeps the two in step.
"""

from __future__ import annotations

from typing import Any, TypedDict


class OriginV1(TypedDict):
    """One line of one file."""

    file: str
    line: int


class ActorV1(TypedDict):
    """Somebody who creates sessions."""

    user_agent: str
    prober: str | None
    url: str
    period_s: float | None
    phase_s: float | None
    in_access_log: bool | None
    creation_probability: float
    origin: list[OriginV1]
    address: str
    clients: int | None
    visits: int | None
    sessions: int
    births_per_hour: float
    evidence: str
    first_at: str | None
    last_at: str | None
    over: bool
    find: str
    fix: str
    alternative: str
    one_of: list[str]


class CauseV1(TypedDict):
    """One cause with the share that it explains."""

    slug: str
    store: str | None
    title: str
    text: str
    share: float
    share_low: float
    share_high: float
    confidence: str
    births_per_hour: float
    sessions: int
    bytes: int
    actors: list[ActorV1]
    severity: str
    share_of: str
    first_at: str | None
    last_at: str | None
    over: bool
    explains: list[str]
    remedy: RemedyV1 | None


class ContributionV1(TypedDict):
    """A condition that made it worse."""

    slug: str
    store: str | None
    title: str
    explained_by: str


class ClearedV1(TypedDict):
    """Something that was looked at and is fine."""

    slug: str
    text: str


class UnexaminedV1(TypedDict):
    """An examiner that could not judge."""

    slug: str
    missing: list[str]
    hint: str


class ViewV1(TypedDict):
    """The part of one store's births that the evidence can show."""

    store: str
    births: int
    unknown: int
    explained: float
    horizon_at: str | None
    covered_from: str | None
    covered_to: str | None
    covered: int
    read: float
    reason: str


class ContradictionV1(TypedDict):
    """Sources that do not fit together."""

    source: str
    text: str
    set_aside: bool


class RequestV1(TypedDict):
    """Evidence that would tell more."""

    what: str
    why: str
    command: str


class VerdictV1(TypedDict):
    """The judgement as a whole."""

    causes: list[CauseV1]
    contributing: list[ContributionV1]
    ruled_out: list[ClearedV1]
    unexamined: list[UnexaminedV1]
    unexplained_share: float
    kind: str
    reason: str
    requests: list[RequestV1]
    views: list[ViewV1]
    contradictions: list[ContradictionV1]


class SessionsV1(TypedDict):
    """Sessions of all stores together."""

    total: int
    authenticated: int
    anonymous: int
    unknown: int
    immortal: int
    bytes: int
    frameworks: dict[str, int]


class StoreV1(TypedDict):
    """The population of one store."""

    name: str
    layout: str
    keys: int
    bytes: int
    sessions: int
    authenticated: int
    anonymous: int
    unknown: int
    immortal: int
    dead: int
    session_keys: int
    session_bytes: int
    other_keys: int
    lifetime_s: float | None
    oldest_birth: str | None
    newest_birth: str | None
    taken_at: str | None


class ExhibitV1(TypedDict):
    """One piece of proof."""

    title: str
    text: str
    origin: OriginV1 | None
    query: str


class PatchV1(TypedDict):
    """A change to one configuration file."""

    file: str
    diff: str
    added: int
    removed: int
    effect: str


class RemedyV1(TypedDict):
    """A remedy."""

    title: str
    text: str
    undo: str
    safe: bool
    patches: list[PatchV1]


class FindingV1(TypedDict):
    """One finding."""

    slug: str
    store: str | None
    severity: str
    confidence: str
    title: str
    text: str
    exhibits: list[ExhibitV1]
    remedy: RemedyV1 | None
    share: float | None
    share_of: str
    probers: list[str]


class PredictionV1(TypedDict):
    """The steady state of the most important store, from configuration alone."""

    steady_state_sessions: int | None
    steady_state_keys: int | None
    steady_state_bytes: int | None
    memory_exhausted_at: str | None
    memory_exhausted_from: str | None
    memory_exhausted_to: str | None


class StorePredictionV1(PredictionV1):
    """The steady state of one store beside what was counted in it."""

    store: str
    births_per_day: float
    lifetime_s: float | None
    counted_sessions: int
    counted_keys: int
    counted_bytes: int
    formula: str


class SourceV1(TypedDict):
    """One source from which evidence was taken."""

    reader: str
    locator: str
    taken_at: str | None
    sha256: str | None
    size: int | None
    store: str | None
    note: str


class AbsentV1(TypedDict):
    """Evidence that could not be had."""

    kind: str
    locator: str
    reason: str
    hint: str


class BlemishV1(TypedDict):
    """Damage inside a source that was otherwise used."""

    file: str
    unit: str
    place: int
    count: int
    why: str
    sample: str


class ChangeV1(TypedDict):
    """A moment at which the rate of births changed."""

    at: str
    earliest_at: str
    latest_at: str
    before_per_hour: float
    after_per_hour: float
    event: str


class HistoryV1(TypedDict):
    """A store over time, by one source."""

    store: str
    source: str
    start: str
    end: str
    births_of: str
    changes: list[ChangeV1]


class EventV1(TypedDict):
    """Something that happened at a known time."""

    at: str
    kind: str
    text: str
    source: str
    store: str | None


class ReportV1(TypedDict):
    """The whole report."""

    schema: str
    necropsy: str
    taken_at: str
    verdict: VerdictV1
    sessions: SessionsV1
    stores: list[StoreV1]
    findings: list[FindingV1]
    prediction: PredictionV1
    predictions: list[StorePredictionV1]
    sources: list[SourceV1]
    absent: list[AbsentV1]
    blemishes: list[BlemishV1]
    histories: list[HistoryV1]
    events: list[EventV1]


DEFINITIONS: dict[str, Any] = {
    "origin": OriginV1,
    "actor": ActorV1,
    "cause": CauseV1,
    "contribution": ContributionV1,
    "cleared": ClearedV1,
    "unexamined": UnexaminedV1,
    "verdict": VerdictV1,
    "view": ViewV1,
    "contradiction": ContradictionV1,
    "request": RequestV1,
    "sessions": SessionsV1,
    "store": StoreV1,
    "exhibit": ExhibitV1,
    "patch": PatchV1,
    "remedy": RemedyV1,
    "finding": FindingV1,
    "prediction": PredictionV1,
    "store_prediction": StorePredictionV1,
    "source": SourceV1,
    "absent": AbsentV1,
    "blemish": BlemishV1,
    "change": ChangeV1,
    "history": HistoryV1,
    "event": EventV1,
}
"""Names under ``$defs`` of the schema, and the shape that each describes."""
