"""Alertmanager's API v2: alerts of ours beside those of Prometheus, so that routes and silences of the house apply.

An alert is posted again and again while it lasts, and says until when it holds; Alertmanager decides whom it wakes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from necropsy.guard.notify.message import Message, MessageState
from necropsy.report.figures import iso


def payload(messages: Iterable[Message], now: datetime, holds_s: float) -> list[dict[str, Any]]:
    """Return the body of ``POST /api/v2/alerts``.

    Parameters
    ----------
    holds_s
        Seconds for which an alert holds without being posted again.
    """
    return [_alert(message, now, holds_s) for message in messages]


def _alert(message: Message, now: datetime, holds_s: float) -> dict[str, Any]:
    notice = message.notice
    labels = {
        "alertname": "NecropsyTest" if message.state is MessageState.TEST else alert_name(notice.slug),
        "slug": notice.slug,
        "kind": notice.kind,
        "severity": notice.severity,
        "notice": hashlib.sha256(notice.key.encode()).hexdigest()[:12],  # two of one kind are two alerts
    }
    if notice.store:
        labels["store"] = notice.store
    over = message.state is MessageState.RESOLVED and notice.resolved_at is not None
    ends = notice.resolved_at if over and notice.resolved_at is not None else now + timedelta(seconds=holds_s)
    return {
        "labels": labels,
        "annotations": {
            "summary": message.title,
            "description": "\n".join(message.body),
            "runbook": notice.command or f"necropsy explain {notice.slug}",
        },
        "startsAt": iso(notice.opened_at),
        "endsAt": iso(max(ends, notice.opened_at)),
    }


def alert_name(slug: str) -> str:
    """Return the name that the rules give to an alert about this slug.

    >>> alert_name("probes/creates-sessions")
    'NecropsyProbesCreatesSessions'
    """
    return "Necropsy" + "".join(word.capitalize() for word in slug.replace("/", "-").split("-"))
