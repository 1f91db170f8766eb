"""A plain webhook: the notice as JSON, ``necropsy/notice/1`` (``notice-1.schema.json``)."""

from __future__ import annotations

from typing import Any

from necropsy.guard.notify.message import Message
from necropsy.report.figures import iso

SCHEMA = "necropsy/notice/1"


def payload(message: Message) -> dict[str, Any]:
    """Return the body of the request."""
    notice = message.notice
    return {
        "schema": SCHEMA,
        "state": message.state.value,
        "key": notice.key,
        "kind": notice.kind,
        "slug": notice.slug,
        "store": notice.store,
        "severity": notice.severity,
        "title": message.title,
        "text": message.text,
        "opened_at": iso(notice.opened_at),
        "since": iso(notice.since) if notice.since is not None else None,
        "resolved_at": iso(notice.resolved_at) if notice.resolved_at is not None else None,
        "who": [
            {"name": member.name, "about": member.about or None, "url": member.url or None, "prober": member.prober or None,
             "period_s": member.period_s, "sessions_per_day": member.per_day}
            for member in notice.members
        ],
        "figures": list(notice.figures),
        "line": notice.line or None,
        "command": notice.command or None,
    }  # fmt: skip
