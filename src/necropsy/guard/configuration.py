"""The table ``[guard]`` of an incident file: how often to look, from when on to speak, to whom, and what else runs.

::

    [guard]
    listen = "127.0.0.1:9120"
    every = "10m"
    quiet = "22:00-07:00 Europe/Berlin"

    [[guard.tell]]
    alertmanager = "http://127.0.0.1:9093"

    [[guard.tell]]
    slack-file = "slack.url"          # the address is the secret: a file, or slack-env = "SLACK_URL"
    severity = "warning"
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from necropsy.guard.notify.channels import KINDS, LEAST_HOLD_S, Channel
from necropsy.guard.notify.plan import Quiet, ReceiverRules
from necropsy.guard.toml_table import TomlTable
from necropsy.guard.watch.former import Limits
from necropsy.guard.watch.notice import SEVERITIES
from necropsy.model.errors import ConfigurationError, NoEvidence
from necropsy.model.toml_document import parse_toml
from necropsy.wire.files import read_text

if TYPE_CHECKING:
    from necropsy.autopsy.sources import StoreSource

DEFAULT_LISTEN: Final = "127.0.0.1:9120"
_GUARD: Final = frozenset((
    "listen", "every", "case", "keep", "share", "least-per-day", "full-within", "event", "event-file", "hosts", "blackbox",
    "births", "session", "delegate", "web-config", "quiet", "repeat", "tell",
))  # fmt: skip
_TELL: Final = frozenset((
    *(f"{kind}{suffix}" for kind in KINDS for suffix in ("", "-file", "-env")), "token-file", "token-env", "severity", "quiet",
    "wakes", "repeat",
))  # fmt: skip
_LEAST_EVERY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class GuardConfig:
    """Settings of the table ``[guard]``, with defaults for those that are missing."""

    listen: str = DEFAULT_LISTEN
    every_s: float = 600.0
    case: str = ""
    """The case that keeps the last examination and the history; by default beside the file."""
    keep_s: float = 30 * 86_400.0
    limits: Limits = field(default_factory=Limits)
    events: tuple[str, ...] = ()
    event_file: str | None = None
    hosts: tuple[str, ...] = ()
    """Names under which the page may be asked for, beside addresses, localhost and this machine's name."""
    blackbox: str | None = None
    """Modules of the prober."""
    session: Mapping[str, str] = field(default_factory=dict)
    """Policy of the prober by module."""
    births: bool = True
    """Whether the stores are looked into while a target is probed: does a session come with each probe?"""
    delegate: str | None = None
    web_config: str | None = None
    quiet: Quiet | None = None
    """Hours in which only what is critical is told; of the channels, unless they say otherwise."""
    repeat_s: float | None = ReceiverRules().repeat_s
    channels: tuple[Channel, ...] = ()


def read_guard(path: str, environ: Mapping[str, str] | None = None) -> GuardConfig:
    """Read the table; a file without it has the defaults. Paths are relative to the file.

    Raises
    ------
    UnreadableSource
        Missing, or not text.
    ConfigurationError
        File and line, what is wrong, what was expected.
    """
    text = read_text(path)
    document = parse_toml(text, path, "See docs/guard.md.")
    said = document.get("guard", {})
    if not isinstance(said, dict):
        raise ConfigurationError(path, 1, "guard is not a table", hint="Write [guard] on a line of its own.")
    return _config(TomlTable(path, text, "guard", said, 0, dict(os.environ) if environ is None else environ))


def require_stores(path: str) -> tuple[StoreSource, ...]:
    """Return the stores that an incident file names, once all of the file was found to be right.

    Raises
    ------
    UnreadableSource, ConfigurationError
        As for ``examine``: better now than as the failure of each look.
    NoEvidence
        It names none: there is nothing to watch.
    """
    from necropsy.autopsy.incident_file import load

    stores = load(path).stores
    if not stores:
        hint = 'Write [[store]], then redis = "redis://HOST:6379"; the prober alone is `necropsy prober`.'
        raise NoEvidence(f"{path}: names no store: there is nothing to watch", hint=hint)
    return stores


def _config(table: TomlTable) -> GuardConfig:
    table.known(_GUARD)
    defaults = GuardConfig()
    limits = Limits(
        share=table.number("share", defaults.limits.share, most=1.0),
        least_per_day=table.number("least-per-day", defaults.limits.least_per_day),
        full_within_s=table.seconds("full-within", defaults.limits.full_within_s),
    )
    every_s = table.seconds("every", defaults.every_s)
    if every_s < _LEAST_EVERY_S:
        raise table.wrong("every", "every is less than 10s", 'Write every = "10m".')
    quiet = table.quiet("quiet", None)
    repeat_s = table.repeat("repeat", ReceiverRules().repeat_s)
    entries = table.values.get("tell", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise table.wrong(
            "tell", "not a list of channels", 'Write [[guard.tell]], in two brackets, then slack-file = "…".'
        )
    tables = [replace(table, name="guard.tell", values=entry, place=n) for n, entry in enumerate(entries)]
    return GuardConfig(
        listen=table.text("listen") or defaults.listen,
        every_s=every_s,
        case=table.file("case") or str(Path(table.path).with_suffix(".watch.case")),
        keep_s=table.seconds("keep", defaults.keep_s),
        limits=limits,
        events=table.events("event"),
        event_file=table.file("event-file"),
        hosts=table.texts("hosts"),
        blackbox=table.file("blackbox"),
        session=table.policies("session"),
        births=table.flag("births", default=True),
        delegate=table.url("delegate"),
        web_config=table.file("web-config"),
        quiet=quiet,
        repeat_s=repeat_s,
        channels=_numbered([_channel(one, quiet, repeat_s, 3 * every_s) for one in tables]),
    )


def _numbered(channels: list[Channel]) -> tuple[Channel, ...]:
    """Number the channels of one kind, so that each has a name of its own."""
    return tuple(
        replace(channel, number=1 + sum(other.kind == channel.kind for other in channels[:place]))
        for place, channel in enumerate(channels)
    )


def _channel(table: TomlTable, quiet: Quiet | None, repeat_s: float | None, holds_s: float) -> Channel:
    table.known(_TELL)
    kinds = [kind for kind in KINDS if any(table.values.get(f"{kind}{suffix}") for suffix in ("", "-file", "-env"))]
    if len(kinds) != 1:
        raise table.wrong(
            "",
            "a [[guard.tell]] has exactly one channel",
            f"Give one of {', '.join(KINDS)}, as KIND, KIND-file or KIND-env.",
        )
    (kind,) = kinds
    address = table.secret(kind)
    if kind != "apprise" and not address.reveal().startswith(("http://", "https://")):
        raise table.wrong(
            kind,
            f"{kind} is not given an http or https address",
            "The address is not shown because it may contain a secret.",
        )
    by_house = kind == "alertmanager"  # which has silences, routes and repeat intervals of its own
    return Channel(
        kind=kind,
        address=address,
        rules=ReceiverRules(
            least=table.choice("severity", SEVERITIES, "info"),
            quiet=table.quiet("quiet", None if by_house else quiet),
            wakes=table.choice("wakes", (*SEVERITIES, "never"), "critical"),
            repeat_s=table.repeat("repeat", None if by_house else repeat_s),
        ),
        token=table.secret("token") if table.values.get("token-file") or table.values.get("token-env") else None,
        holds_s=max(LEAST_HOLD_S, holds_s),
    )
