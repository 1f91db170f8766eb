"""Alertmanager's configuration for a guard: routes, receivers, inhibition rules, and Slack's texts.

An alert of the rules and a notice of the guard can be about one matter. Both have the label ``slug``; a notice has ``kind``
besides, and names who, since when, and the line to change: it takes the place of the alert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

from necropsy.guard.notify.plan import Quiet, ReceiverRules
from necropsy.guard.watch.notice import SEVERITIES

SLACK: Final = "slack"
WEBHOOK: Final = "webhook"
TEMPLATE: Final = "necropsy.tmpl"
_NOBODY: Final = "nobody"
_OURS: Final = 'slug=~".+"'
_UNWATCHED: Final = "monitoring/store-unwatched"
_NEVER: Final = "8760h"
"""A year: Alertmanager knows no "never"."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One way out of Alertmanager."""

    kind: str
    """``slack`` or ``webhook``."""
    file: str
    """Holds its address, which may be a secret: Alertmanager reads it from there."""
    rules: ReceiverRules = field(default_factory=ReceiverRules)


def as_yaml(receivers: Sequence[Receiver], page: str = "") -> str:
    """Return ``alertmanager.yml``.

    Parameters
    ----------
    receivers
        At least one; what is not of the guard goes to the first.
    page
        Address of the guard's page, to which a message leads; empty: none.
    """
    import yaml

    names = [f"{one.kind}-{number}" for number, one in enumerate(receivers, 1)]
    hours = {
        name: one.rules.quiet
        for name, one in zip(names, receivers, strict=True)
        if one.rules.quiet is not None and _held(one.rules)
    }
    document: dict[str, Any] = {
        "templates": [TEMPLATE],
        "route": {
            "receiver": names[0],
            "group_by": ["slug", "store"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "4h",
            "routes": [
                *(_route(name, one.rules) for name, one in zip(names, receivers, strict=True)),
                {"matchers": [_OURS], "receiver": _NOBODY},  # what nobody wants to be told of
            ],
        },
        "inhibit_rules": _inhibitions(),
        "receivers": [
            *(_receiver(name, one, page) for name, one in zip(names, receivers, strict=True)),
            {"name": _NOBODY},
        ],
    }
    if hours:
        document["time_intervals"] = [_interval(name, quiet) for name, quiet in hours.items()]
    header = "# Written by `necropsy guard alertmanager`. Alerts and notices of the guard have the label slug.\n"
    return header + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def template() -> str:
    """Return the texts of messages, ``necropsy.tmpl``."""
    return resources.files(__package__).joinpath("assets", TEMPLATE).read_text(encoding="utf-8")


def _route(name: str, rules: ReceiverRules) -> dict[str, Any]:
    told = SEVERITIES[SEVERITIES.index(rules.least) :]
    repeat = _NEVER if rules.repeat_s is None else f"{max(1, round(rules.repeat_s / 60))}m"
    route: dict[str, Any] = {
        "matchers": [_OURS, f'severity=~"{"|".join(told)}"'],
        "receiver": name,
        "repeat_interval": repeat,
        "continue": True,
    }
    if held := _held(rules):
        route["routes"] = [{"matchers": [f'severity=~"{"|".join(held)}"'], "mute_time_intervals": [_hours(name)]}]
    return route


def _held(rules: ReceiverRules) -> list[str]:
    """Return the severities that quiet hours hold back."""
    if rules.quiet is None or rules.quiet.begins == rules.quiet.ends:
        return []
    wakes = len(SEVERITIES) if rules.wakes == "never" else SEVERITIES.index(rules.wakes)
    return [*SEVERITIES[SEVERITIES.index(rules.least) : wakes]]


def _hours(name: str) -> str:
    return f"quiet-{name}"


def _interval(name: str, quiet: Quiet) -> dict[str, Any]:
    """Return quiet hours; those over midnight are two ranges."""
    begins, ends = f"{quiet.begins:%H:%M}", f"{quiet.ends:%H:%M}"
    over_midnight = quiet.begins > quiet.ends
    ranges = [(begins, "24:00"), ("00:00", ends)] if over_midnight else [(begins, ends)]
    times = [{"start_time": start, "end_time": end} for start, end in ranges if start != end]
    return {"name": _hours(name), "time_intervals": [{"times": times, "location": quiet.zone}]}


def _inhibitions() -> list[dict[str, Any]]:
    return [
        # A store that is down: what else is said of it is old.
        {
            "source_matchers": ['alertname="NecropsyStoreDown"', 'store=~".+"'],
            "target_matchers": [_OURS, f'slug!="{_UNWATCHED}"'],
            "equal": ["store"],
        },
        # A notice says more than the alert on the same matter. What is full now is another matter than what will be.
        {
            "source_matchers": ['kind=~".+"', f'slug!="{_UNWATCHED}"'],
            "target_matchers": ['kind=""', _OURS, f'slug!="{_UNWATCHED}"', 'alertname!="NecropsyMemoryNearLimit"'],
            "equal": ["slug", "store"],
        },
        # Many matters are about what is not watched: of these a message takes the place of what it causes alone.
        {
            "source_matchers": ['alertname="NecropsyStoreDown"', 'store=~".+"'],
            "target_matchers": ['kind="unread"'],
            "equal": ["store"],
        },
        {
            "source_matchers": ['kind="unread"', 'store=~".+"'],
            "target_matchers": ['alertname="NecropsyStoreNotCounted"'],
            "equal": ["store"],
        },
        {"source_matchers": ['kind="unread"', 'store=""'], "target_matchers": ['alertname="NecropsyCensusFails"']},
        # A store that is full already.
        {
            "source_matchers": ['alertname="NecropsyMemoryNearLimit"', 'store=~".+"'],
            "target_matchers": ['alertname="NecropsyStoreFullWithinADay"'],
            "equal": ["store"],
        },
    ]


def _receiver(name: str, one: Receiver, page: str) -> dict[str, Any]:
    if one.kind == WEBHOOK:
        return {"name": name, "webhook_configs": [{"url_file": one.file, "send_resolved": True}]}
    said = {
        part: f'{{{{ template "necropsy.{part}" . }}}}' for part in ("color", "title", "text", "fallback", "footer")
    }
    slack: dict[str, Any] = {"api_url_file": one.file, "send_resolved": True, **said, "mrkdwn_in": ["text"]}
    if page:
        slack["title_link"] = page
    return {"name": name, "slack_configs": [slack]}
