r"""Lines of producers that no ``log_format`` describes: a regular expression each, with the names of the fields.

HAProxy's ``option httplog``, with captured headers in braces::

    203.0.113.9:35595 [05/Feb/2024:10:00:01.206] www~ app/app1 0/0/1/12/13 200 5120 - - ---- 3/3/0/0/0 0/0 {shop|curl/8.5} "GET / HTTP/1.1"

Which captured value is the host and which the program is told by what all of them look like; others are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from necropsy.evidence.access_log.formats.fields.timestamps import TimeForm
from necropsy.evidence.access_log.formats.layout import FIELDS, LineLayout
from necropsy.evidence.access_log.formats.values import Pattern

_ISO: Final = TimeForm("iso", zoned=True, fine=True)
_ISO_START: Final = r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))"


@dataclass(frozen=True, slots=True)
class Producer:
    """One producer's lines."""

    name: str
    pattern: str
    """RE2 and Python alike; groups ``time``, ``client``, ``request`` or ``method`` and ``target``, ``host``, ``status``,
    ``agent``, ``referer``, ``captured``."""
    form: TimeForm
    starts: bool = False
    """Whether the time is the request's start."""


PRODUCERS: Final[tuple[Producer, ...]] = (
    Producer(
        "HAProxy httplog",
        r"^(?P<client>\S+):\d+ \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3})\] \S+ \S+ [+\d/-]+ (?P<status>-?\d+) \+?\d+ \S+ \S+"
        r" \S{4} [+\d/-]+ [\d/]+ (?P<captured>(?:\{[^}]*\} ?){0,2})(?:[^\" ]+ ){0,8}\"(?P<request>[^\"]*)\"",
        TimeForm("common-fine", zoned=False, fine=True),
        starts=True,
    ),
    Producer(
        "HAProxy clf",
        r"^(?P<client>\S+) - \S+ \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] \"(?P<request>[^\"]*)\" (?P<status>-?\d+) \d+ \"[^\"]*\""
        r" \"[^\"]*\" \d+ \d+ \"(?P<frontend>[^\"]*)\" \"[^\"]*\" \"[^\"]*\" [\d-]+",
        TimeForm("common", zoned=True, fine=False),
    ),
    Producer(
        "classic load balancer",
        rf"^{_ISO_START} \S+ (?P<client>\S+):\d+ \S+ -?[\d.]+ -?[\d.]+ -?[\d.]+ (?P<status>\d+|-) \S+ \d+ \d+"
        r' "(?P<request>[^"]*)"(?: "(?P<agent>[^"]*)")?',
        _ISO,
        starts=True,
    ),
    Producer(
        "Cloud Foundry's router",
        r"^(?P<host>\S+) - \[(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))\] \"(?P<request>[^\"]*)\" (?P<status>\d+|-) \S+ \S+"
        r' "(?P<referer>[^"]*)" "(?P<agent>[^"]*)" "?(?P<balancer>[^" ]*)"?.*? x_forwarded_for:"(?P<client>[^"]*)"',
        _ISO,
        starts=True,
    ),
    Producer(
        "Heroku's router",
        rf"^(?:\d+ )?(?:<\d+>1 )?{_ISO_START} (?:\S+ )?heroku(?:\[router\]:| router -) (?:-\s)?.*?\bmethod=(?P<method>[A-Z]+) path=\"(?P<target>[^\"]*)\""
        r' host=(?P<host>\S+) .*?fwd="(?P<client>[^"]*)" .*?status=(?P<status>\d+)',
        _ISO,
    ),
    Producer(
        "uvicorn",
        rf'^{_ISO_START} .*?INFO:\s+(?P<client>\S+):\d+ - "(?P<request>[^"]*)" (?P<status>\d{{3}})',
        _ISO,
    ),
    Producer(
        "Gin",
        r"^(?:.*?)?\[GIN\] (?P<time>\d{4}/\d\d/\d\d - \d\d:\d\d:\d\d) \|\s*(?P<status>\d{3}) \|\s*\S+ \|\s*(?P<client>\S+) \|\s*(?P<method>[A-Z]+)\s+\"(?P<target>[^\"]*)\"",
        TimeForm("gin", zoned=False, fine=False),
    ),
    Producer(
        "Rails",
        r'^.*?Started (?P<method>[A-Z]+) "(?P<target>[^"]*)" for (?P<client>\S+) at (?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4})',
        TimeForm("iso-loose", zoned=True, fine=False),
        starts=True,
    ),
    Producer(
        "Werkzeug",
        r'^.*?(?P<client>[0-9A-Fa-f:.]+) - - \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4} \d\d:\d\d:\d\d)\] "(?P<request>[^"]*)" (?P<status>\d{3}) ',
        TimeForm("common-spaced", zoned=False, fine=False),
    ),
    Producer(
        "uWSGI",
        r"^\[pid: [^\]]*\] (?P<client>\S+) \([^)]*\) \{[^}]*\} \[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})\]"
        r" (?P<request>[A-Z]+ \S+) => generated .*?\(HTTP/[\d.]+ (?P<status>\d{3})\)",
        TimeForm("ctime", zoned=False, fine=False),
    ),
    Producer(
        "IIS without its header",
        r"^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:W3SVC\d+ \S+ )?\S+ (?P<method>[A-Z]+) (?P<target>/\S*) \S+ \d+ \S+ (?P<client>[0-9A-Fa-f:.]+) (?:HTTP/\S+ )?(?P<agent>\S+)"
        r"(?: (?P<referer>\S+))? (?P<status>\d{3}) \d+ \d+",
        TimeForm("iso", zoned=True, fine=False),
    ),
    Producer(
        "CloudFront without its header",
        r"^(?P<time>\d{4}-\d\d-\d\d\t\d\d:\d\d:\d\d)\t[A-Z]{3}\d+(?:-[A-Z]\d+)?\t\d+\t(?P<client>\S+)\t(?P<method>[A-Z]+)\t\S+\t(?P<target>\S+)\t(?P<status>\d+)"
        # The distribution's own name stands before the path, the host that was asked for behind the program.
        r"\t(?P<referer>\S+)\t(?P<agent>\S+)\t(?:[^\t]*\t){4}(?P<host>\S+)",
        TimeForm("iso-tab", zoned=True, fine=False),
    ),
)
"""All of them; the surest first."""

_AGENT: Final = re.compile(r"[A-Za-z][\w. -]*/\d.*|.*\b(?:Mozilla|[Bb]ot|curl|Check)\b.*")
_HOST: Final = re.compile(r"[A-Za-z0-9_.-]+\.[A-Za-z0-9-]+(:\d+)?|localhost(:\d+)?|\[[0-9A-Fa-f:]+\](:\d+)?")
_ADDRESS: Final = re.compile(r"\d+\.\d+\.\d+\.\d+(, ?\S+)*")
_ESCAPES: Final = {"CloudFront without its header": "percent", "IIS without its header": "plus"}


def layouts(lines: Sequence[str]) -> list[LineLayout]:
    """Return the layouts of the producers whose lines these are, those that fit most of them."""
    found = []
    for producer in PRODUCERS:
        matches = [match for line in lines if (match := re.match(producer.pattern, line))]
        if len(matches) * 2 > len(lines):
            found.append(_layout(producer, matches))
    return found


def _layout(producer: Producer, matches: Sequence[re.Match[str]]) -> LineLayout:
    captured, said = _captured([match["captured"] for match in matches]) if "captured" in producer.pattern else ({}, "")
    lines = Pattern(producer.pattern, ("time",), captured)
    zone = "" if producer.form.zoned else "; times without a zone, read as UTC"
    return LineLayout(
        producer.name,
        producer.name + said + zone,
        lines,
        {name: (name,) for name in [*lines.names, *captured] if name in FIELDS},
        producer.form,
        producer.starts,
        clients_are_lists=True,
        clients_are_untidy=True,
        escapes=_ESCAPES.get(producer.name, ""),
    )


def _captured(samples: Sequence[str]) -> tuple[dict[str, int], str]:
    """Tell which captured header is the host, which the program, which a forwarded client; and what to say of it."""
    rows = [match[1].split("|") for sample in samples if (match := re.match(r"\{([^}]*)\}", sample))]
    fields: dict[str, int] = {}
    said = []
    for place in range(max(map(len, rows), default=0)):
        values = [row[place] for row in rows if len(row) > place and row[place] not in {"", "-"}]
        if values and "agent" not in fields and sum(bool(_AGENT.fullmatch(one)) for one in values) * 2 > len(values):
            fields["agent"] = place + 1
            said.append(f"user agent=captured header {place + 1}")
        elif values and "host" not in fields and all(map(_HOST.fullmatch, values)):
            fields["host"] = place + 1
            said.append(f"host=captured header {place + 1}")
    return fields, f": {', '.join(said)}" if said else ""
