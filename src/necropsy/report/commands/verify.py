"""The result of ``necropsy verify`` as text and as JSON (``necropsy/verify/1``)."""

from __future__ import annotations

import json
from textwrap import wrap
from typing import Any, Final

from necropsy.model.figures import several
from necropsy.model.verification import (
    CREATES,
    CURED,
    NOT_CURED,
    PARTLY,
    STOPPED,
    TOO_EARLY,
    CheckedCreator,
    StoreCheck,
    Verification,
)
from necropsy.report.escaping import inert
from necropsy.report.figures import count, duration, iso_second, moment

SCHEMA: Final = "necropsy/verify/1"
_WIDTH: Final = 79
_HEADLINES: Final = {
    CURED: "CURED",
    PARTLY: "PARTLY CURED",
    NOT_CURED: "NOT CURED",
    TOO_EARLY: "TOO EARLY",
}
_STATES: Final = {CREATES: "CREATES", STOPPED: "stopped"}


def as_text(made: Verification) -> str:
    """Return what became of each creator, store by store."""
    return "\n".join("\n".join(_store(check)) + "\n" for check in made.stores)


def _store(check: StoreCheck) -> list[str]:
    read = f", read {moment(check.taken_at)}" if check.taken_at is not None else ""
    lines = [f"{_HEADLINES.get(check.outcome, 'NOT JUDGED')}  store {inert(check.store)}{read}"]
    if check.reason:
        lines += wrap(inert(check.reason), _WIDTH, initial_indent="  ", subsequent_indent="  ")
    if check.until is not None:
        lines.append(f"  too early: there will be a result from {moment(check.until)} on")
    for creator in check.creators:
        lines += wrap(
            _creator(creator), _WIDTH, subsequent_indent=" " * 12, break_long_words=False, break_on_hyphens=False
        )
    lines.append(f"  sessions  {check.sessions_before:,} before, {_now(check)}")
    lines += _where_to(check)
    return lines


def _now(check: StoreCheck) -> str:
    if check.sessions_now is None:
        return "not counted now"
    return f"{'at least ' if check.is_partial else ''}{check.sessions_now:,} now"


def _creator(creator: CheckedCreator) -> str:
    name = inert(creator.name)
    state = "NEW" if creator.is_new else _STATES.get(creator.state, "unknown")
    if creator.state == CREATES:
        said = f"{count(creator.births_per_day_now)} sessions a day"
    elif creator.state == STOPPED:
        last = f"last session {moment(creator.last_at)}" if creator.last_at else "none of its sessions is left"
        said = f"{last}; {count(creator.births_per_day_before)} a day before"
    else:
        said = creator.reason
    asks = f" ({inert(creator.url)})" if creator.url and creator.url not in name else ""
    zombie = (
        f"; Consul still has it of {inert(creator.zombie)}, whose agent is gone: a zombie" if creator.zombie else ""
    )
    return f"  {state:<8}  {name}{asks}: {said}{zombie}"


def _where_to(check: StoreCheck) -> list[str]:
    """Say where the population goes at today's rate."""
    if not check.births_per_day_now:
        return []
    if check.plateau is None:
        return [f"  leads to  unlimited growth: {several(round(check.births_per_day_now), 'more session')} a day"]
    lives = f": each session lives for {duration(check.lifetime_s)}" if check.lifetime_s else ""
    said = f"  leads to  a plateau of {several(round(check.plateau), 'session')} by the creators that go on{lives}"
    return wrap(said, _WIDTH, subsequent_indent=" " * 12)


def as_json(made: Verification) -> str:
    """Return the same as JSON."""
    document = {
        "schema": SCHEMA,
        "necropsy": made.necropsy,
        "case": made.case,
        "case_at": iso_second(made.case_at),
        "outcome": made.outcome,
        "stores": [_store_row(check) for check in made.stores],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _store_row(check: StoreCheck) -> dict[str, Any]:
    return {
        "store": check.store,
        "outcome": check.outcome,
        "taken_at": iso_second(check.taken_at),
        "until": iso_second(check.until),
        "reason": check.reason,
        "sessions_before": check.sessions_before,
        "sessions_now": check.sessions_now,
        "is_partial": check.is_partial,
        "plateau": check.plateau,
        "births_per_day_now": check.births_per_day_now,
        "lifetime_s": check.lifetime_s,
        "creators": [
            {
                "name": one.name,
                "url": one.url,
                "state": one.state,
                "is_new": one.is_new,
                "births_per_day_before": one.births_per_day_before,
                "births_per_day_now": one.births_per_day_now,
                "last_at": iso_second(one.last_at),
                "reason": one.reason,
                "zombie": one.zombie,
            }
            for one in check.creators
        ],
    }
