"""Forms of time in access logs, and the DuckDB expressions that read them as UTC.

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
==============================  ==========================================

A time without a zone is taken for UTC, and the source's note says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_ISO: Final = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?P<fraction>[.,]\d+)? ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d|[+-]\d\d)?"
)
_COMMON: Final = re.compile(r"\[?\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?P<zone> [+-]\d{4})?\]?")
_EPOCH: Final = re.compile(r"\d{9,10}(?P<fraction>\.\d+)?|\d{13}|\d{16}|\d{19}")

_HAPROXY: Final = re.compile(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3}")

COMMON_FORMAT: Final = "%d/%b/%Y:%H:%M:%S %z"
_EARLIEST: Final = "TIMESTAMP '1990-01-01'"
_LATEST: Final = "TIMESTAMP '2200-01-01'"
_EARLIEST_S: Final = 631152000
_LATEST_S: Final = 7258118400


@dataclass(frozen=True, slots=True)
class TimeForm:
    """How one field of a log carries the time."""

    kind: str
    """``iso``, ``common`` or ``epoch``."""
    zoned: bool
    """False: the log does not say its zone."""
    fine: bool
    """Whether it resolves less than a second."""

    def expression(self, column: str) -> str:
        """Return the DuckDB expression of type TIMESTAMP, in UTC; NULL for what is no time or out of all reason."""
        if self.kind in _UNITS:
            value = f"TRY_CAST({column} AS DOUBLE) * {_UNITS[self.kind]}"
            return f"CASE WHEN {value} BETWEEN {_EARLIEST_S}e6 AND {_LATEST_S}e6 THEN make_timestamp(({value})::BIGINT) END"
        value = _EXPRESSIONS[self.kind if self.kind != "common" or self.zoned else "common-local"].format(column)
        return f"CASE WHEN {value} BETWEEN {_EARLIEST} AND {_LATEST} THEN {value} END"


_EXPRESSIONS: Final = {
    # A cast is three times as fast as strptime, and takes every zone; the comma and the space before a zone it does not.
    "iso": "TRY_CAST({0} AS TIMESTAMPTZ)::TIMESTAMP",
    "iso-loose": "TRY_CAST(regexp_replace(replace({0}, ',', '.'), ' ([+-])', '\\1') AS TIMESTAMPTZ)::TIMESTAMP",
    "common": "try_strptime({0}, '" + COMMON_FORMAT + "')::TIMESTAMP",
    "common-local": "try_strptime({0}, '%d/%b/%Y:%H:%M:%S')::TIMESTAMP",
    "common-fine": "try_strptime({0}, '%d/%b/%Y:%H:%M:%S.%g')::TIMESTAMP",
    "common-spaced": "try_strptime({0}, '%d/%b/%Y %H:%M:%S')::TIMESTAMP",
    "gin": "try_strptime({0}, '%Y/%m/%d - %H:%M:%S')::TIMESTAMP",
    "ctime": "try_strptime(replace({0}, '  ', ' '), '%a %b %d %H:%M:%S %Y')::TIMESTAMP",
    "iso-tab": "TRY_CAST(replace({0}, chr(9), ' ') AS TIMESTAMP)",
    "bracketed": "try_strptime(trim({0}, '[]'), '" + COMMON_FORMAT + "')::TIMESTAMP",
}

_UNITS: Final = {"epoch": "1e6", "epoch-ms": "1e3", "epoch-us": "1", "epoch-ns": "1e-3"}
"""Microseconds in one unit of a number since 1970."""


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
    if match := _EPOCH.fullmatch(value):
        digits = len(value.split(".", maxsplit=1)[0])
        kind = {13: "epoch-ms", 16: "epoch-us", 19: "epoch-ns"}.get(digits, "epoch")
        return TimeForm(kind, zoned=True, fine=digits > 10 or bool(match["fraction"]))
    return None


def earlier_by(stamp: str, seconds: str) -> str:
    """Return the expression for a time so many seconds earlier; what is no duration of a day at most moves nothing."""
    took = f"TRY_CAST({seconds} AS DOUBLE)"
    return f"({stamp}) - to_microseconds((CASE WHEN {took} BETWEEN 0 AND 86400 THEN {took} * 1e6 ELSE 0 END)::BIGINT)"
