"""Requests for evidence when there is no verdict, or an incomplete one: the shortest list, each with the command that gets it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from necropsy.model.figures import percent, several
from necropsy.model.verdict import Cause, EvidenceRequest, Kind, View

_MOST: Final = 3
_MUCH: Final = 0.2
"""Share of the births that may stay unexplained before more is asked for."""


def requests(
    kind: Kind,
    causes: Sequence[Cause],
    views: Sequence[View],
    *,
    stores: bool,
    sessions: bool,
    logs: bool,
    configured: bool,
    keys_command: str,
) -> tuple[EvidenceRequest, ...]:
    """Return what to bring.

    Parameters
    ----------
    kind, causes, views
        The verdict so far.
    stores, sessions
        Whether a store was read, and whether it held sessions of a known layout.
    logs, configured
        Whether an access log, and a configuration of monitoring, were among the evidence.
    keys_command
        The command that lists a store's keys.
    """
    if kind in (Kind.HEALTHY, Kind.NOTHING_FOUND):
        return ()
    if not stores:
        return (
            EvidenceRequest(
                "the session store, or a dump of it",
                "without it sessions cannot be counted",
                "necropsy examine --redis redis://HOST:6379 … (or: redis-cli -h HOST --rdb dump.rdb, then --rdb dump.rdb)",
            ),
        )
    if not sessions:
        return (EvidenceRequest("the layout of the keys", "they contain no session of a known layout", keys_command),)
    asked = [*_births(kind, views), *_logs(kind, views, logs=logs)]
    unnamed = any(cause.is_unnamed for cause in causes)
    if not configured and (unnamed or (kind is Kind.UNKNOWN and not asked) or _unexplained(views) > _MUCH):
        asked.append(
            EvidenceRequest(
                "the configuration of the monitoring",
                "it shows what sends requests at the interval that was found"
                if unnamed
                else "it shows what sends requests at fixed intervals",
                "necropsy examine … --prometheus prometheus.yml --consul services.json --nginx nginx.conf",
            )
        )
    return tuple(asked[:_MOST])


def _unexplained(views: Sequence[View]) -> float:
    births = sum(view.births for view in views)
    return 1.0 - min(1.0, sum(view.explained for view in views) / births) if births else 1.0


def _births(kind: Kind, views: Sequence[View]) -> list[EvidenceRequest]:
    unknown = [view for view in views if view.unknown > _MUCH * (view.births + view.unknown)]
    if kind is not Kind.UNKNOWN or not unknown:
        return []
    view = unknown[0]
    return [
        EvidenceRequest(
            "two dumps, an hour apart",
            f"the creation time of {several(view.unknown, 'session')} in store {view.store} is unknown; sessions that"
            " only the second dump has were created in between",
            "redis-cli -h HOST --rdb later.rdb",
        )
    ]


def _logs(kind: Kind, views: Sequence[View], *, logs: bool) -> list[EvidenceRequest]:
    seen = [view for view in views if view.births]
    if not seen or (kind is Kind.CAUSE and _unexplained(views) <= _MUCH):
        return []
    if not logs or all(view.covered_from is None for view in seen):
        return [
            EvidenceRequest(
                "the access log" if not logs else "the access log of the time when the sessions were created",
                "it shows which clients created the sessions",
                "necropsy examine … --access-log '/var/log/nginx/access.log*'",
            )
        ]
    part = min(seen, key=lambda view: view.covered / view.births)
    share = part.covered / part.births
    if share >= 1.0 - _MUCH or part.covered_from is None:
        if _unexplained(views) <= _MUCH:
            return []  # the creators are there: something else is not clear about them
        return [
            EvidenceRequest(
                "the other access logs of this application",
                f"the given ones explain {percent(1.0 - _unexplained(views))} of the births",
                "necropsy examine … --access-log access.log --access-log OTHER.log",
            )
        ]
    return [
        EvidenceRequest(
            f"the access log from before {_moment(part.covered_from)}",
            f"the given one covers {percent(share)} of the births in store {part.store}; earlier creators are unknown",
            "necropsy examine … --access-log '/var/log/nginx/access.log*' (access.log.1, access.log.2.gz)",
        )
    ]


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
