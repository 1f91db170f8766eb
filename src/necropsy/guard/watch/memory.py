"""The memory of a watch: read from, and written to, the history of its case."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.serialization import from_plain, to_plain
from necropsy.guard.watch.former import Former
from necropsy.guard.watch.look import SOURCE, Look
from necropsy.guard.watch.notice import Notice

if TYPE_CHECKING:
    from necropsy.case.store import Case

_COMPARED: Final = timedelta(days=1)
"""Age from which a prediction is compared with what came of it."""


def recall(case: Case) -> Former:
    """Return what the history says of the looks before."""
    open_notices = case.rows("SELECT value FROM notice WHERE resolved_at IS NULL ORDER BY opened_at, key")
    last = case.rows('SELECT "at", value FROM look ORDER BY "at" DESC LIMIT 1')
    said = json.loads(last[0]["value"]) if last else {}
    shares = said.get("shares", [])
    populations: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    for row in case.rows(
        'SELECT store, "at", value FROM history WHERE quantity = \'sessions\' AND source = ? ORDER BY "at"', [SOURCE]
    ):
        populations[row["store"]].append((row["at"].replace(tzinfo=UTC), row["value"]))
    return Former(
        notices=[from_plain(Notice, json.loads(row["value"])) for row in open_notices],
        shares={(row["store"], row["slug"]): row["share"] for row in shares},
        flushes=said.get("flushes", {}),
        at=last[0]["at"].replace(tzinfo=UTC) if last else None,
        populations=populations,
    )


def predict(case: Case, now: datetime) -> None:
    """Write what an earlier look predicted for the time since: of each store the earliest of a day, so that both can be compared.

    Parameters
    ----------
    now
        When this look is taken.
    """
    from necropsy.autopsy.course import predicted

    rows = case.rows('SELECT "at", value FROM look WHERE "at" >= ? ORDER BY "at"', [_naive(now - _COMPARED)])
    there: set[str] = set()
    for row in rows:
        for store, curve in json.loads(row["value"]).get("ahead", {}).items():
            if store not in there:
                there.add(store)
                case.append("history", predicted(store, SOURCE, row["at"].replace(tzinfo=UTC), curve))


def remember(
    case: Case,
    look: Look,
    notices: Sequence[Notice],
    measured: Iterable[dict[str, Any]],
    events: Iterable[tuple[datetime, str]],
) -> None:
    """Write what a look adds to the history; what stands there of these notices and events is replaced.

    A store that was not read anew (the same dump) adds no second row of the same moment.
    """
    for notice in notices:
        case.execute("DELETE FROM notice WHERE key = ? AND resolved_at IS NULL", [notice.key])
    case.append("notice", [_row(notice) for notice in notices])
    there = {
        (row["store"], row["quantity"], row["at"])
        for row in case.rows('SELECT DISTINCT store, quantity, "at" FROM history WHERE source = ?', [SOURCE])
    }
    case.append("history", [row for row in measured if (row["store"], row["quantity"], row["at"]) not in there])
    known = {(row["at"], row["text"]) for row in case.rows('SELECT "at", text FROM event')}
    told = [(_naive(at), text) for at, text in events]
    case.append("event", [{"at": at, "kind": "given", "text": text, "source": SOURCE} for at, text in told
                          if (at, text) not in known])  # fmt: skip
    case.execute('DELETE FROM look WHERE "at" = ?', [_naive(look.at)])
    case.append("look", [{"at": _naive(look.at), "value": json.dumps(_compared(look))}])


def _compared(look: Look) -> dict[str, Any]:
    """Return what later looks compare: who created at which rate, the shares, and what was predicted."""
    creators = [
        {"store": c.store, "slug": c.slug, "name": c.member.name, "per_day": c.member.per_day, "over": c.over}
        for c in look.creators
    ]
    ahead = {
        name: [[round(second), round(value, 1)] for second, value in store.ahead]
        for name, store in look.stores.items()
        if store.ahead
    }
    shares = [{"store": store, "slug": slug, "share": share} for (store, slug), share in look.shares.items()]
    flushes = {name: store.flushes for name, store in look.stores.items() if store.flushes is not None}
    return {"creators": creators, "shares": shares, "ahead": ahead, "flushes": flushes}


def newest(case: Case, number: int) -> list[Notice]:
    """Return the newest notices, open and resolved, newest first."""
    rows = case.rows(
        "SELECT value FROM notice ORDER BY coalesce(resolved_at, opened_at) DESC, opened_at DESC, key LIMIT ?", [number]
    )
    return [from_plain(Notice, json.loads(row["value"])) for row in rows]


def _row(notice: Notice) -> dict[str, Any]:
    return {
        "key": notice.key,
        "slug": notice.slug,
        "store": notice.store,
        "opened_at": _naive(notice.opened_at),
        "resolved_at": _naive(notice.resolved_at) if notice.resolved_at is not None else None,
        "value": json.dumps(to_plain(notice)),
    }


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
