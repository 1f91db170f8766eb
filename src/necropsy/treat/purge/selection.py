"""Conditions of ``--where``: SQL over ``session``, all of which must hold.

=====================  ================================================================================================
anonymous              nobody is logged in
idle=1h                unused for this long (s, m, h, d, w)
immortal               no expiry at all, or a lifetime beyond 30 days
born-before=TIME       created before (ISO, UTC)
born-by=SLUG           attributed by the case to what this finding blames, such as probes/creates-sessions
creator=TEXT           the session names a User-Agent with this text in it
framework=NAME         layouts that begin so: spring, express, flask, django …
pattern=GLOB           keys such as 'spring:session:sessions:*' or 'sess:*'
=====================  ================================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from necropsy.model.durations import seconds_of
from necropsy.model.errors import UsageError

KINDS: Final = (
    "anonymous", "idle", "immortal", "born-before", "born-by", "creator", "framework", "pattern",
)  # fmt: skip
_WITHOUT_VALUE: Final = ("anonymous", "immortal")
_IMMORTAL: Final = "(session.expires_at IS NULL OR session.lifetime_s > 2592000)"
_KEY: Final = (
    "CASE WHEN starts_with(session.layout, 'spring') THEN session.namespace || ':sessions:'"
    " WHEN session.namespace = '' THEN '' ELSE session.namespace || ':' END"
)
"""The beginning of a session's key."""
_LEAST_WEIGHT: Final = 0.5
_BLAMED: Final = {
    "probes/": "(claim.creator = 'probe' OR (claim.creator = 'visitor' AND claim.period_s IS NOT NULL))",
    "traffic/unlogged-creator": "claim.creator = 'unlogged'",
    "traffic/": "(claim.creator = 'visitor' AND claim.period_s IS NULL)",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions that a session must meet, all of them."""

    words: tuple[str, ...]
    """As a person wrote them."""
    sql: str
    """Over ``session``; true for what was meant."""
    parameters: tuple[tuple[str, object], ...]
    """Names and values of what stands in it as ``$name``."""
    needs_case: bool
    """Whether only an examined case can tell."""
    idle_s: int = 0
    """The longest ``idle=``."""


def parse(words: Sequence[str]) -> Selection:
    """Read the ``--where`` options.

    Raises
    ------
    UsageError
        None was given, or one is not understood.

    >>> parse(["anonymous", "idle=2h"]).sql
    "(session.authentication <> 'yes') AND (session.last_seen_at <= $now - to_seconds(7200))"
    """
    if not words:
        raise UsageError(
            "a purge needs --where",
            hint=f"Add --where anonymous. Known: {', '.join(KINDS)}; several must all hold.",
        )
    conditions: list[str] = []
    parameters: list[tuple[str, object]] = []
    longest = 0
    for word in words:
        kind, equals, value = word.partition("=")
        if kind not in KINDS or bool(equals and value) == (kind in _WITHOUT_VALUE):
            raise UsageError(f"--where {word}: no such condition", hint=f"One of: {', '.join(_shown())}.")
        name = f"{kind.replace('-', '_')}{len(parameters)}"
        condition, parameter = _condition(kind, value, f"${name}")
        conditions.append(condition)
        if parameter is not None:
            parameters.append((name, parameter))
        if kind == "idle":
            longest = max(longest, int(seconds_of(value)))
    return Selection(
        words=tuple(words),
        sql=" AND ".join(f"({condition})" for condition in conditions),
        parameters=tuple(parameters),
        needs_case=any(word.startswith("born-by=") for word in words),
        idle_s=longest,
    )


def _condition(kind: str, value: str, place: str) -> tuple[str, object]:
    """Return the SQL of one condition, and its parameter; None without one."""
    parameter: object = None
    match kind:
        case "anonymous":
            condition = "session.authentication <> 'yes'"
        case "immortal":
            condition = _IMMORTAL
        case "idle":
            condition = f"session.last_seen_at <= $now - to_seconds({int(seconds_of(value))})"
        case "born-before":
            condition, parameter = f"session.born_at < {place}", _moment(value)
        case "creator":
            condition, parameter = f"contains(lower(session.creator_user_agent), lower({place}))", value
        case "framework":
            condition = f"(session.layout = {place} OR starts_with(session.layout, {place} || '-'))"
            parameter = value.lower()
        case "pattern":
            condition, parameter = f"({_KEY} || 'x') GLOB {place}", value
        case _:
            condition = (
                "session.id_hash IN (SELECT s.id_hash FROM session_claim s JOIN birth_claim claim ON claim.store = s.store"
                f" AND claim.claim_id = s.claim_id WHERE s.store = $store AND s.weight >= {_LEAST_WEIGHT}"
                f" AND {_blamed(value)})"
            )
    return condition, parameter


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"not a time: {text!r}", hint="Write it as 2026-11-29 or 2026-11-29T20:00:00.") from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _blamed(slug: str) -> str:
    for beginning, condition in _BLAMED.items():
        if slug.startswith(beginning):
            return condition
    raise UsageError(
        f"born-by={slug}: not a finding about a creator of sessions",
        hint="Such as born-by=probes/creates-sessions, traffic/bot-creates-sessions or traffic/unlogged-creator.",
    )


def _shown() -> list[str]:
    return [kind if kind in _WITHOUT_VALUE else f"{kind}=…" for kind in KINDS]
