"""A summary of one examination: everything that can change, taken from a judged case, small, and without secrets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.masking import masked
from necropsy.guard.watch.notice import Member
from necropsy.report.escaping import inert
from necropsy.report.figures import duration

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.model.report import Report
    from necropsy.verdict.evidence import Births

SOURCE: Final = "guard"
"""The name of a watch in the history."""
ZOMBIE: Final = "probes/zombie-service"
_KNOWN: Final = 0.95
"""Share of a store's sessions whose birth must be known to say how many are older than a moment."""
_WINDOW_S: Final = 3_600.0
"""Births this long before and after an event are compared, where so much can be seen."""


@dataclass(frozen=True, slots=True)
class WatchedCreator:
    """One creator of sessions in one store."""

    member: Member
    slug: str
    store: str
    births: float
    first_at: datetime | None
    """First birth that survives, UTC."""
    last_at: datetime | None
    over: bool
    """Whether it had stopped when the store was read."""
    line: str = ""
    """Accused line of configuration."""


@dataclass(frozen=True, slots=True)
class StoreLook:
    """One store that could be read."""

    name: str
    at: datetime
    """When it was read, UTC."""
    sessions: int
    anonymous: int
    keys: int
    bytes: int
    lifetime_s: float | None
    immortal: bool
    """Whether its usual lifetime has no end in practice."""
    predicted: float | None
    """Sessions at its steady state, from configuration alone."""
    full_at: datetime | None
    """When its memory is used up; None: it is not, or the limit is unknown."""
    older: int | None = None
    """Of its sessions those that were born before the last look; None: that is not known, or this is the first."""
    ages_move: bool = False
    """Whether some births are last uses: then whoever was used since the last look is not among the older."""
    flushes: int | None = None
    """How often FLUSHALL and FLUSHDB ran since the server started; None: unknown."""
    ahead: tuple[tuple[float, float], ...] = ()
    """Seconds from now, and sessions: as it goes on if nobody changes anything."""


@dataclass(frozen=True, slots=True)
class EventLook:
    """Births around one event, as the sessions that are left tell them."""

    at: datetime
    text: str
    store: str
    before: int
    after: int
    before_s: float
    """Seconds of the window before it."""
    after_s: float


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that one look saw."""

    at: datetime
    readers: frozenset[str]
    """Kinds of sources that were read, and ``store:NAME`` of each store."""
    stores: Mapping[str, StoreLook]
    unread: Mapping[str, str]
    """Stores that were given and could not be read, and why."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """Of these the next step, where one is known."""
    creators: Sequence[WatchedCreator] = ()
    shares: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Share of the sessions of a store, by store and slug of a cause."""
    zombies: Sequence[tuple[str, str]] = ()
    """Instances that are gone and still known, and the line that registers each."""
    events: Sequence[EventLook] = ()
    misread: str = ""
    """Why the incident file cannot be used as it is now; empty when it can."""
    patched: frozenset[str] = frozenset()
    """Slugs of causes for which the case holds a patch."""


def look_of(
    case: Case,
    report: Report,
    births: Mapping[str, Births],
    given: Mapping[str, str],
    events: Sequence[tuple[datetime, str]] = (),
    last_at: datetime | None = None,
    misread: str = "",
) -> Look:
    """Take from a judged case what can change.

    Parameters
    ----------
    births
        Births by store.
    given
        All stores that were to be read: name, and locator without a password.
    events
        Moment (UTC) and text of what happened to the system.
    last_at
        When the look before was taken, UTC; None: this is the first.
    misread
        Why the incident file cannot be used as it is now.
    """
    older = {name: _older(one, last_at) for name, one in births.items()}
    moving = {name for name, one in births.items() if one.derived > 1 - _KNOWN}
    stores = _stores(case, report, older, moving)
    readers = {source.reader for source in report.sources if source.store is None}
    return Look(
        at=max((store.at for store in stores.values()), default=report.taken_at),
        readers=frozenset(readers | {f"store:{name}" for name in stores}),
        stores=stores,
        unread=unread(report, given),
        hints=hints(report, given),
        creators=tuple(_creators(case, stores)),
        shares=_shares(case),
        zombies=tuple(_zombies(report)),
        events=tuple(_around(births[name], at, text) for at, text in events for name in births if name in stores),
        misread=misread,
        patched=frozenset(c.slug for c in report.verdict.causes if c.remedy is not None and c.remedy.patches),
    )


def unread(report: Report, given: Mapping[str, str]) -> dict[str, str]:
    """Return the stores that could not be read, and why.

    Parameters
    ----------
    given
        All stores that were to be read: name, and locator without a password.
    """
    read = {store.name for store in report.stores}
    why = {absent.locator: absent.reason for absent in report.absent}
    return {
        name: inert(masked(why.get(locator, "it could not be read")))
        for name, locator in given.items()
        if name not in read
    }


def hints(report: Report, given: Mapping[str, str]) -> dict[str, str]:
    """Return what to do about stores that could not be read; placeholders of a hint, such as ``?password_file=FILE``, stay."""
    read = {store.name for store in report.stores}
    steps = {absent.locator: absent.hint for absent in report.absent if absent.hint}
    return {name: inert(steps[locator]) for name, locator in given.items() if name not in read and locator in steps}


def _stores(
    case: Case, report: Report, older: Mapping[str, int | None], moving: Collection[str]
) -> dict[str, StoreLook]:
    from necropsy.autopsy.course import outlook
    from necropsy.verdict.forecast import is_immortal

    predictions = {prediction.store: prediction for prediction in report.verdict.predictions}
    found = {}
    for store in report.stores:
        prediction = predictions.get(store.name)
        found[store.name] = StoreLook(
            name=store.name,
            at=store.taken_at or report.taken_at,
            sessions=store.sessions,
            anonymous=store.anonymous,
            keys=store.keys,
            bytes=store.bytes,
            lifetime_s=store.lifetime_s,
            immortal=is_immortal(store.lifetime_s),
            predicted=prediction.steady_state_sessions if prediction else None,
            full_at=prediction.memory_exhausted_at if prediction else None,
            older=older.get(store.name),
            ages_move=store.name in moving,
            flushes=_flushes(case, store.name),
            ahead=outlook(case, store.name, store.taken_at or report.taken_at).curve if store.sessions else (),
        )
    return found


def _older(births: Births, last_at: datetime | None) -> int | None:
    """Return how many sessions were born before a moment, where that is known of nearly all."""
    import numpy as np

    known = births.born_ms
    if last_at is None or known.size < _KNOWN * births.total:
        return None
    return int(np.count_nonzero(known < last_at.timestamp() * 1000))


def _flushes(case: Case, store: str) -> int | None:
    """Return how often the store was emptied since its server started, as the server counts commands."""
    rows = case.rows(
        "SELECT regexp_extract(value, 'calls=([0-9]+)', 1) AS calls FROM server_fact WHERE store = ?"
        " AND regexp_matches(name, 'cmdstat_flush(all|db)$')",
        [store],
    )
    known = case.value("SELECT count(*) FROM server_fact WHERE store = ? AND name LIKE '%cmdstat_%'", [store])
    return sum(int(row["calls"] or 0) for row in rows) if known else None


def _creators(case: Case, stores: Mapping[str, StoreLook]) -> list[WatchedCreator]:
    from necropsy.autopsy.kept_claims import claim_of
    from necropsy.autopsy.what_if import per_day
    from necropsy.examine import case_queries, creation
    from necropsy.verdict.actors import is_over, utc

    probes = case_queries.probes(case)
    found = []
    for row in creation.claims(case):
        store = stores.get(row["store"])
        if store is None or row["slug"] == creation.PEOPLE:
            continue
        probe = probes.get(row["probe_id"]) if row["probe_id"] is not None else None
        origin = probe.origin[0] if probe is not None and probe.origin else None
        name = inert(masked(row["label"]))
        found.append(
            WatchedCreator(
                Member(
                    name=name,
                    about=_about(row, probe.prober if probe else "", name),
                    url=masked(probe.url) if probe else "",
                    prober=probe.prober if probe else "",
                    period_s=row["period_s"],
                    phase_s=row["phase_s"],
                    per_day=per_day(row),
                ),
                slug=row["slug"],
                store=store.name,
                births=row["births"],
                first_at=utc(row["first_at"]),
                last_at=utc(row["last_at"]),
                over=is_over(claim_of(row), store.at),
                line=inert(f"{origin.file}:{origin.line}  {origin.what}".rstrip()) if origin else "",
            )
        )
    return found


def _about(row: Mapping[str, Any], prober: str, name: str) -> str:
    """Its prober or client, its interval, and whether a log shows it."""
    parts = [f"probed by {prober}"] if prober else []
    if row["period_s"] and " every " not in name:  # whom nobody knows is called by when it comes
        parts.append(f"every {duration(row['period_s'])}")
    if row["in_access_log"] is False:
        parts.append("not in any access log")
    return ", ".join(parts)


def _shares(case: Case) -> dict[tuple[str, str], float]:
    from necropsy.examine import creation

    slugs = (creation.PROBES, creation.UNLOGGED, creation.LOGIN, creation.DROPS, creation.BOTS)
    return {(made.store, slug): made.share for slug in slugs for made in creation.created(case, slug)}


def _zombies(report: Report) -> list[tuple[str, str]]:
    found = []
    for finding in report.findings:
        if finding.slug != ZOMBIE:
            continue
        for exhibit in filter(None, (finding.primary, *finding.supporting)):
            line = f"{exhibit.origin.file}:{exhibit.origin.line}  {exhibit.origin.what}" if exhibit.origin else ""
            found.append((inert(masked(f"{exhibit.title}: {exhibit.text}")), inert(line)))
    return found


def _around(births: Births, at: datetime, text: str) -> EventLook:
    """Count births before and after an event; sessions that have expired since are not there to be counted."""
    import numpy as np

    when = at.timestamp() * 1000
    read = births.taken_ms if births.taken_ms is not None else when
    lifetime = births.lifetime_s if births.lifetime_s is not None and births.lifetime_s > 0 else float("inf")
    horizon = max(read - lifetime * 1000, when - _WINDOW_S * 1000)
    end = min(float(read), when + _WINDOW_S * 1000)
    born = births.born_ms
    return EventLook(
        at=at.astimezone(UTC),
        text=inert(text),
        store=births.store,
        before=int(np.count_nonzero((born >= horizon) & (born < when))),
        after=int(np.count_nonzero((born >= when) & (born < end))),
        before_s=max(0.0, (when - horizon) / 1000),
        after_s=max(0.0, (end - when) / 1000),
    )


def measured(look: Look, births: Mapping[str, Births], last_at: datetime | None) -> list[dict[str, object]]:
    """Return the rows of ``history`` that a look adds: levels, and births since the look before.

    Parameters
    ----------
    last_at
        When the look before was taken, UTC; None: this is the first, and shows the births of the last hour.
    """
    import numpy as np

    rows: list[dict[str, object]] = []
    for store in look.stores.values():
        for quantity, value in (("sessions", store.sessions), ("keys", store.keys), ("bytes", store.bytes)):
            rows.append(_measured(store.name, quantity, store.at, 0.0, value))
        since = last_at if last_at is not None and last_at < store.at else store.at - timedelta(hours=1)
        born = births[store.name].born_ms
        if born.size:  # a layout that tells no births has none to count: unknown is not 0
            number = np.count_nonzero((born >= since.timestamp() * 1000) & (born < store.at.timestamp() * 1000))
            rows.append(_measured(store.name, "births", since, (store.at - since).total_seconds(), int(number)))
    return rows


def _measured(store: str, quantity: str, at: datetime, seconds: float, value: float) -> dict[str, object]:
    naive = at.astimezone(UTC).replace(tzinfo=None)
    return {
        "store": store,
        "source": SOURCE,
        "quantity": quantity,
        "at": naive,
        "seconds": seconds,
        "value": float(value),
    }
