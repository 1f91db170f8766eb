"""The channels, by kind: what each would send, and sending it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from necropsy.guard.notify import alertmanager, slack, webhook
from necropsy.guard.notify.message import Message, MessageState
from necropsy.guard.notify.plan import ReceiverRules
from necropsy.guard.notify.post import NotSent, host_of, post
from necropsy.wire.redis.address import Secret

KINDS: Final = ("alertmanager", "slack", "webhook", "apprise")
LEAST_HOLD_S: Final = 1_800.0
_ALERTS: Final = "/api/v2/alerts"


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel to tell people."""

    kind: str
    """``alertmanager``, ``slack``, ``webhook`` or ``apprise``."""
    address: Secret
    """The address of the receiver: may be a secret."""
    rules: ReceiverRules = field(default_factory=ReceiverRules)
    token: Secret | None = None
    """Sent as a bearer token, of a webhook or Alertmanager."""
    number: int = 1
    """Its number among receivers of its kind."""
    holds_s: float = LEAST_HOLD_S
    """Of Alertmanager: seconds for which an alert holds without being posted again."""

    @property
    def name(self) -> str:
        """Its name in messages about it: its kind, and its host where that is no secret."""
        number = f" {self.number}" if self.number > 1 else ""
        where = "" if self.kind == "apprise" else f" ({host_of(self.address.reveal())})"
        return f"{self.kind}{number}{where}"

    @property
    def is_repeated(self) -> bool:
        """Whether what goes on is posted again and again, and the receiver decides what to do with it."""
        return self.kind == "alertmanager"

    @property
    def is_read_by_people(self) -> bool:
        """Whether many messages at once are too many: a webhook's program wants each."""
        return self.kind in ("slack", "apprise")

    def payload(self, messages: Sequence[Message]) -> Any:
        """Return what is sent for messages: one body, or of apprise title and text."""
        if self.kind == "alertmanager":
            return alertmanager.payload(messages, datetime.now(UTC).replace(microsecond=0), self.holds_s)
        (message,) = messages
        if self.kind == "slack":
            return slack.payload(message)
        if self.kind == "webhook":
            return webhook.payload(message)
        return {"title": message.title, "body": "\n".join(message.body)}

    def send(self, messages: Sequence[Message]) -> None:
        """Send messages: Alertmanager all at once, the others one by one.

        Raises
        ------
        NotSent
            They were not taken.
        """
        body = self.payload(messages)
        if self.kind == "apprise":
            _by_apprise(self.address, body, messages[0])
            return
        headers = {"Authorization": f"Bearer {self.token.reveal()}"} if self.token is not None else {}
        url = self.address.reveal()
        post(f"{url.rstrip('/')}{_ALERTS}" if self.kind == "alertmanager" else url, body, headers)


def _by_apprise(address: Secret, body: dict[str, str], message: Message) -> None:
    try:
        import apprise
    except ImportError:
        raise NotSent("apprise is not installed: pip install 'necropsy[apprise]'", again=False) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it would write addresses, which are secrets
    sender = apprise.Apprise()
    if not sender.add(address.reveal()):
        raise NotSent("apprise does not support this address", again=False)
    failure = apprise.NotifyType.FAILURE if message.notice.severity == "critical" else apprise.NotifyType.WARNING
    kind = apprise.NotifyType.SUCCESS if message.state is MessageState.RESOLVED else failure
    if not sender.notify(
        title=body["title"], body=body["body"], notify_type=kind, body_format=apprise.NotifyFormat.TEXT
    ):
        raise NotSent("apprise could not deliver it", again=True)
