"""Prefixes that log shippers put before each line of a log, and the keys of JSON that hold the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_ISO: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)"


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A prefix that a shipper puts before each line."""

    name: str
    pattern: str
    """RE2 and Python alike; groups ``rest``, perhaps ``stamp`` (its time) and ``stream`` (whose line it is)."""
    needs_frames: bool = False
    """True when an application could begin its own entries so: it is a shipper's only if stack frames stand behind it."""


WRAPPERS: Final[tuple[Wrapper, ...]] = (
    Wrapper("container runtime", rf"^(?P<stamp>{_ISO}) (?:stdout|stderr) [FP] (?P<rest>.*)$"),
    Wrapper("kubectl", r"^\[(?P<stream>pod/[^\]]+)\] ?(?P<rest>.*)$"),
    Wrapper("Docker Compose", r"^(?P<stream>[A-Za-z][\w.-]*)\s+\| ?(?P<rest>.*)$"),
    Wrapper("Foreman", r"^(?P<stamp>\d\d:\d\d:\d\d) (?P<stream>[\w.-]+)\s+\| ?(?P<rest>.*)$"),
    Wrapper("PM2", r"^(?P<stream>\d+\|[\w.-]+)\s*\| ?(?P<rest>.*)$"),
    Wrapper(
        "syslog",
        r"^(?:\d+ )?<\d{1,3}>1 (?P<stamp>\S+) (?P<stream>\S+ \S+ \S+) \S+ (?:-|\[(?:[^\]\\]|\\.)*\]) ?(?P<rest>.*)$",
    ),
    Wrapper("Heroku", rf"^(?P<stamp>{_ISO}) (?P<stream>(?:app|heroku)\[[\w.-]+\]): ?(?P<rest>.*)$"),
    Wrapper("Cloud Foundry", rf"^\s*(?P<stamp>{_ISO}) \[(?P<stream>[A-Z]+/[^\]]+)\] *(?:OUT|ERR) ?(?P<rest>.*)$"),
    Wrapper(
        "syslog",
        r"^(?:<\d{1,3}>)?(?P<stamp>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?|\d{10}\.\d{6}|[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w+)"
        r" (?P<stream>(?:[\w.:-]+ )?[\w./@:-]+(?:\[\d+\])?): ?(?P<rest>.*)$",
    ),
    Wrapper(
        "journal",
        r"^(?:<\d{1,3}>)?(?P<stamp>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)"
        r" (?P<stream>[\w.:-]+ [\w./@-]+\[\d+\]): ?(?P<rest>.*)$",
    ),
    Wrapper(
        "fluentd",
        r"^(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [+-]\d{4}) (?P<stream>[\w.-]+): (?P<rest>\{.*)$",
    ),
    Wrapper("Loki", rf"^(?P<stamp>{_ISO}) \{{(?P<stream>[^}}]*)\}} (?P<rest>.*)$"),
    Wrapper("multilog", r"^(?P<stamp>@4[0-9a-f]{23}) (?P<rest>.*)$"),
    Wrapper("svlogd", r"^(?P<stamp>\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\.\d+) (?P<rest>.*)$"),
    Wrapper("docker logs", rf"^(?P<stamp>{_ISO}) (?P<rest>.*)$", needs_frames=True),
    Wrapper(
        "PM2", r"^(?P<stamp>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?: ?[+-]\d\d:\d\d)?): (?P<rest>.*)$", needs_frames=True
    ),
    Wrapper("CloudWatch", rf"^(?P<stamp>{_ISO}) (?P<stream>\S+) (?P<rest>.*)$", needs_frames=True),
    Wrapper("a name in brackets", r"^\[(?P<stream>[\w:./-]+)\] ?(?P<rest>.*)$", needs_frames=True),
    Wrapper("stern", r"^(?P<stream>[\w.-]+ [\w.-]+) (?P<rest>.*)$", needs_frames=True),
)
"""Prefixes, the most telling first."""

MESSAGES: Final = (
    "log", "message", "MESSAGE", "textPayload", "msg", "_raw", "Log", "line", "body", "content", "@message", "event",
    "jsonPayload.message", "event.original", "result._raw", "attributes.message", "properties.log", "fields.message",
)  # fmt: skip
"""Keys under which shippers keep the line that they carry; a dot goes one object deeper."""


def whole_text(text: str) -> str:
    r"""Return what JSON said as a text that can be written: an object may escape half of a surrogate pair.

    >>> whole_text("\ud800 GET /"), whole_text("한")
    ('? GET /', '한')
    """
    return text.encode("utf-8", "replace").decode()
