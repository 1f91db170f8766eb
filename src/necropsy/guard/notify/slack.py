"""Slack: an incoming webhook, with blocks that read well on a phone and a text for where there are none.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: a header has 150 characters at most, a section
3,000; ``&``, ``<`` and ``>`` are escaped in mrkdwn.
"""

from __future__ import annotations

from typing import Any, Final

from necropsy.guard.notify.message import Message, MessageState
from necropsy.guard.watch.notice import who
from necropsy.report.figures import moment

_HEADER: Final = 150
_SECTION: Final = 2_900
_SIGNS: Final = {"info": "🔵", "warning": "🟠", "critical": "🔴"}
_UNKNOWN: Final = "⚪"
_STATES: Final = {MessageState.RESOLVED: "🟢", MessageState.TEST: "🔧"}


def payload(message: Message) -> dict[str, Any]:
    """Return the body of the request."""
    notice = message.notice
    sign = _UNKNOWN if notice.unwatched else _STATES.get(message.state) or _SIGNS[notice.severity]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _short(f"{sign} {message.title}", _HEADER)}}
    ]
    if message.state is MessageState.RESOLVED:
        blocks.append(_section(_escaped(" ".join(message.body))))
    else:
        if message.state is MessageState.TEST:
            blocks.append(_section(_escaped(message.example)))
        blocks += _open(message)
    about = [notice.severity, notice.slug, *([f"store {notice.store}"] if notice.store else [])]
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _escaped(" · ".join(about))}]})
    return {"text": _escaped(f"{sign} {message.text}"), "blocks": blocks}


def _open(message: Message) -> list[dict[str, Any]]:
    notice = message.notice
    facts = []
    if notice.members:
        facts.append("\n".join(["*Who*", *(f"• {_escaped(text)}" for text in who(notice))]))
    if notice.since is not None:
        facts.append(f"*Since* {moment(notice.since)}")
    if notice.figures:
        facts.append("\n".join(["*Figures*", *(f"• {_escaped(figure)}" for figure in notice.figures)]))
    if notice.line:
        facts.append(f"*Change* `{_escaped(notice.line.replace('`', ' '))}`")
    if notice.hint:
        facts.append(f"*Hint* {_escaped(notice.hint)}")
    if notice.command:
        facts.append(f"*Run*\n```{_escaped(notice.command.replace('`', ' '))}```")
    return [_section(fact) for fact in facts]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _short(text, _SECTION)}}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
