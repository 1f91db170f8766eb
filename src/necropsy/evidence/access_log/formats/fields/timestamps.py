"""Forms of time in access logs, read as UTC: by DuckDB where they are plain, by Python in any case.

==============================  ==========================================
form                            seen in
==============================  ==========================================
2019-05-24T18:41:32+00:00       nginx $time_iso8601, Envoy, Traefik, ALB
24/May/2019:18:41:32 +0000      nginx $time_local, Apache %t
1558723292.123                  nginx $msec, Caddy (also in ms, us, ns)
2019-05-24 18:41:32,123         log4j, Tomcat
24/May/2019:18:41:32.123        HAProxy
2019/05/24 - 18:41:32           Gin
24/May/2019 18:41:32            Werkzeug
Fri May 24 18:41:32 2019        uWSGI
24.05.2019 18:41:32             where people write dates so: the day is first
==============================  ==========================================

A time without a zone is taken for UTC, and the source's note says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_ISO: Final = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?P<fraction>[.,]\d+)? ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d|[+-]\d\d)?"
)
_COMMON: Final = re.compile(r"\[?\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?P<zone> [+-]\d{4})?\]?")
_EPOCH: Final = re.compile(r"\d{9,10}(?P<fraction>\.\d+)?|\d{13}|\d{16}|\d{19}")

_DOTTED: Final = re.compile(
    r"\d\d\.\d\d\.\d{4},?[T ]\d\d:\d\d:\d\d(?P<fraction>[.,]\d+)?(?P<zone> ?(?:Z|[+-]\d\d(?::?\d\d)?))?"
)
_HAPROXY: Final = re.compile(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3}")

COMMON_FORMAT: Final = "%d/%b/%Y:%H:%M:%S %z"
_DAY_S: Final = 86400


@dataclass(frozen=True, slots=True)
class TimeForm:
    """The form in which one field of a log carries the time."""

    kind: str
    """``iso``, ``common`` or ``epoch``."""
    zoned: bool
    """False: the log does not say its zone."""
    fine: bool
    """Whether it resolves less than a second."""

    def sql(self, column: str) -> str:
        """Return the DuckDB expression in microseconds since 1970, UTC; NULL for what is not plainly a time in this form."""
        if self.kind in _UNITS:
            value = f"TRY_CAST({column} AS DOUBLE) * {_UNITS[self.kind]!r}"
            return f"CASE WHEN {value} BETWEEN {_EARLIEST_US} AND {_LATEST_US} THEN ({value})::BIGINT END"
        shaped, read = (text.format(column) for text in _READ_BY_SQL[self._form])
        value = f"epoch_us({read})"
        return f"CASE WHEN ({shaped}) AND {value} BETWEEN {_EARLIEST_US} AND {_LATEST_US} THEN {value} END"

    def read(self, text: str | None) -> int | None:
        """Return the time in microseconds since 1970, UTC; None for what is no time in this form, or out of all reason.

        >>> TimeForm("iso", zoned=True, fine=True).read("2019-05-24T18:41:32.5+02:00")
        1558716092500000
        """
        if text is None:
            return None
        found = _number(text, _UNITS[self.kind]) if self.kind in _UNITS else _date(text, _FORMS[self._form])
        return found if found is not None and _EARLIEST_US <= found <= _LATEST_US else None

    @property
    def _form(self) -> str:
        return self.kind if self.kind != "common" or self.zoned else "common-local"


_EARLIEST_US: Final = 631152000_000000
_LATEST_US: Final = 7258118400_000000
"""1990 to 2200: beyond, it is no time of a log."""
_UNITS: Final = {"epoch": 1e6, "epoch-ms": 1e3, "epoch-us": 1.0, "epoch-ns": 1e-3}
"""Microseconds in one unit of a number since 1970."""

_CLOCK: Final = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_DAY: Final = r"(?P<day>\d\d)/(?P<month>[A-Za-z]{3})/(?P<year>\d{4})"
_ZONE: Final = r"(?P<zone>Z|[+-]\d\d(?::?\d\d)?)"
_ISO_DATE: Final = rf"(?P<year>\d{{4}})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[T ]{_CLOCK}"


def _glob(shape: str) -> str:
    """Return the condition that a time looks so: ``d`` is a digit, ``a`` a letter, ``s`` a sign.

    >>> _glob("dd:d")
    "{0} GLOB '[0-9][0-9]:[0-9]'"
    """
    classes = {"d": "[0-9]", "a": "[A-Za-z]", "s": "[+-]", "[": "[[]"}
    return "{0} GLOB '" + "".join(classes.get(one, one) for one in shape) + "'"


_READ_BY_SQL: Final[dict[str, tuple[str, str]]] = {
    # A cast is three times as fast as strptime, and takes every zone.
    "iso": (
        " OR ".join(
            map(
                _glob,
                (
                    "dddd-dd-ddTdd:dd:ddsdd:dd",
                    "dddd-dd-ddTdd:dd:dd.dddZ",
                    "dddd-dd-ddTdd:dd:ddZ",
                    "dddd-dd-dd dd:dd:dd",
                ),
            )
        )
        + r" OR regexp_full_match({0}, '\d\d\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{{1,9}})?(Z|[+-]\d\d(:?\d\d)?)?')",
        "TRY_CAST({0} AS TIMESTAMPTZ)",
    ),
    "iso-loose": (
        r"regexp_full_match({0}, '\d\d\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d{{1,9}})?( ?(Z|[+-]\d\d(:?\d\d)?))?')",
        r"TRY_CAST(regexp_replace(replace({0}, ',', '.'), ' ([+-])', '\1') AS TIMESTAMPTZ)",
    ),
    "common": (_glob("dd/aaa/dddd:dd:dd:dd sdddd"), f"try_strptime({{0}}, '{COMMON_FORMAT}')"),
    "common-local": (_glob("dd/aaa/dddd:dd:dd:dd"), "try_strptime({0}, '%d/%b/%Y:%H:%M:%S')"),
    "common-fine": (_glob("dd/aaa/dddd:dd:dd:dd.ddd"), "try_strptime({0}, '%d/%b/%Y:%H:%M:%S.%g')"),
    "common-spaced": (_glob("dd/aaa/dddd dd:dd:dd"), "try_strptime({0}, '%d/%b/%Y %H:%M:%S')"),
    "gin": (_glob("dddd/dd/dd - dd:dd:dd"), "try_strptime({0}, '%Y/%m/%d - %H:%M:%S')"),
    "ctime": (
        f"({_glob('aaa aaa dd dd:dd:dd dddd')} OR {_glob('aaa aaa  d dd:dd:dd dddd')})",
        "try_strptime(replace({0}, '  ', ' '), '%a %b %d %H:%M:%S %Y')",
    ),
    "dotted": (_glob("dd.dd.dddd dd:dd:dd"), "try_strptime({0}, '%d.%m.%Y %H:%M:%S')"),
    "iso-tab": (_glob("dddd-dd-dd\tdd:dd:dd"), "TRY_CAST(replace({0}, chr(9), ' ') AS TIMESTAMP)"),
    "bracketed": (_glob("[dd/aaa/dddd:dd:dd:dd sdddd]"), f"try_strptime({{0}}, '[{COMMON_FORMAT}]')"),
}
"""Kind to what a plain time looks like, and how DuckDB reads it."""

_FORMS: Final = {
    kind: re.compile(pattern, re.ASCII)
    for kind, pattern in {
        "iso": rf"{_ISO_DATE}(?:\.(?P<fraction>\d*))?(?: UTC|{_ZONE})?",
        "iso-loose": rf"{_ISO_DATE}(?:[.,](?P<fraction>\d*))?(?: ?(?:UTC|{_ZONE}))?",
        "common": rf"{_DAY}:{_CLOCK} {_ZONE}",
        "common-local": rf"{_DAY}:{_CLOCK}",
        "common-fine": rf"{_DAY}:{_CLOCK}\.(?P<fraction>\d{{3}})",
        "common-spaced": rf"{_DAY} {_CLOCK}",
        "gin": rf"(?P<year>\d{{4}})/(?P<month>\d\d)/(?P<day>\d\d) - {_CLOCK}",
        "ctime": rf"[A-Za-z]{{3}} (?P<month>[A-Za-z]{{3}}) {{1,2}}(?P<day>\d{{1,2}}) {_CLOCK} (?P<year>\d{{4}})",
        "dotted": rf"(?P<day>\d\d)\.(?P<month>\d\d)\.(?P<year>\d{{4}}),?[T ]{_CLOCK}(?:[.,](?P<fraction>\d+))?(?: ?{_ZONE})?",
        "iso-tab": rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[\t ]{_CLOCK}",
        "bracketed": rf"\[?{_DAY}:{_CLOCK} {_ZONE}\]?",
    }.items()
}
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBER: Final = re.compile(
    r"[ \t]*[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?[ \t]*", re.ASCII
)
_LONGEST: Final = 64
"""Characters of a number that is worth reading."""


def number(text: str | None) -> float | None:
    """Return a decimal number; None for what is none."""
    if text is None or len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return None
    return float(text)


def _number(text: str, unit: float) -> int | None:
    value = number(text)
    return None if value is None or abs(value) > _LATEST_US * 1000 else round(value * unit)


def _date(text: str, form: re.Pattern[str]) -> int | None:
    found = form.fullmatch(text)
    if found is None:
        return None
    groups = found.groupdict()
    named = groups["month"].lower()
    if not named.isdecimal() and named not in _MONTHS:
        return None
    month = int(named) if named.isdecimal() else _MONTHS.index(named) + 1
    hour, minute, second = (int(groups[name]) for name in ("hour", "minute", "second"))
    at_midnight = (hour, minute, second) == (24, 0, 0)  # the end of a day (ISO 8601)
    try:
        moment = datetime(
            int(groups["year"]), month, int(groups["day"]), 0 if at_midnight else hour, minute, second, tzinfo=UTC
        )
    except ValueError:
        return None
    zone = (groups.get("zone") or "Z").replace(":", "")
    ahead = 0 if zone == "Z" else (int(zone[1:3]) * 60 + int(zone[3:] or 0)) * (-60 if zone[0] == "-" else 60)
    fraction = int(((groups.get("fraction") or "") + "000000")[:6])
    return (round(moment.timestamp()) + at_midnight * _DAY_S - ahead) * 1_000_000 + fraction


def recognise(samples: Iterable[str]) -> TimeForm | None:
    """Recognise the form that most samples share; None when they are no times.

    >>> recognise(["2019-05-24T18:41:32+00:00"])
    TimeForm(kind='iso', zoned=True, fine=False)
    >>> recognise(["1558723292.123"])
    TimeForm(kind='epoch', zoned=True, fine=True)
    >>> recognise(["yesterday"]) is None
    True
    """
    found = [form for form in map(_form, samples) if form is not None]
    if not found:
        return None
    best = max(dict.fromkeys(found), key=found.count)
    return TimeForm(best.kind, best.zoned, any(form.fine for form in found if form.kind == best.kind))


def _form(value: str) -> TimeForm | None:
    if match := _ISO.fullmatch(value):
        zone, fraction = match["zone"] or "", match["fraction"] or ""
        loose = "," in fraction or (" " in value[19:] and zone != "UTC")
        return TimeForm("iso-loose" if loose else "iso", bool(zone), bool(fraction.strip(".,0")))
    if match := _COMMON.fullmatch(value):
        if value.startswith("[") and match["zone"]:
            return TimeForm("bracketed", zoned=True, fine=False)
        return TimeForm("common", bool(match["zone"]), fine=False)
    if _HAPROXY.fullmatch(value):
        return TimeForm("common-fine", zoned=False, fine=True)
    if match := _DOTTED.fullmatch(value):
        return TimeForm("dotted", bool(match["zone"]), bool((match["fraction"] or "").strip(".,0")))
    return _number_form(value)


def _number_form(value: str) -> TimeForm | None:
    match = _EPOCH.fullmatch(value)
    if match is None:
        return None
    digits = len(value.split(".", maxsplit=1)[0])
    kind = {13: "epoch-ms", 16: "epoch-us", 19: "epoch-ns"}.get(digits, "epoch")
    return TimeForm(kind, zoned=True, fine=digits > 10 or bool(match["fraction"]))


def took_us(text: str | None) -> int:
    """Return a duration, written in seconds, in microseconds; 0 for what is no duration of a day at most."""
    took = number(text)
    return round(took * 1e6) if took is not None and 0 <= took <= _DAY_S else 0


def took_sql(column: str) -> str:
    """Return the same as a DuckDB expression."""
    took = f"TRY_CAST({column} AS DOUBLE)"
    return f"(CASE WHEN {took} BETWEEN 0 AND {_DAY_S} THEN {took} * 1e6 ELSE 0 END)::BIGINT"
