"""The forms in which loggers write a time, each a regular expression (RE2) whose named groups say what a part is.

Forms stand from the surest to the least sure: of several that fit one text, the first counts::

    2024-02-05T10:00:07.345+01:00            most
    05-Feb-2024 10:00:07.345                 Tomcat, PHP, log4j's DATE; 05/Feb/2024:10:00:07 +0000
    Mon Feb 05 10:00:07.345678 2024          Apache's error log, date(1), Java's Date
    Feb 05, 2024 10:00:07 AM                 java.util.logging, in the language of the user
    2024년 2월 5일 오전 10:00:07             and the like in Chinese and Japanese
    02/05/2024 10:00:07 AM                   day and month in either order
    Feb  5 10:00:07, E0205 10:00:07.345678   syslog, glog: no year
    1707127207.345                           seconds to nanoseconds since 1970
    10:00:07.345                             no day
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from necropsy.evidence.app_log.times.names import HALF, ZONES

_CLOCK: Final = r"(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,:](?P<fraction>\d{1,9}))?"
_SHORT_CLOCK: Final = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,:](?P<fraction>\d{1,9}))?)?"
_ZONES: Final = "|".join(sorted(ZONES, key=len, reverse=True))
_ZONE: Final = rf"(?: ?\(?(?P<zone>[+-]\d\d(?::?\d\d)?|{_ZONES})\b)?"
_NAME: Final = r"(?P<month>\p{L}{3,11}\.?|[一二三四五六七八九十正]{1,2}月|\d{1,2}[月월])"
_GAP: Final = r"[\s\x{a0}\x{202f}]*"
_BEFORE: Final = rf"(?:(?P<half_before>{HALF}){_GAP})?"
_AFTER: Final = rf"(?:{_GAP}(?P<half>{HALF}))?"


@dataclass(frozen=True, slots=True)
class TimePattern:
    """One form of time."""

    name: str
    """Its column."""
    pattern: str
    """RE2, with named groups: ``year``, ``month``, ``day`` or ``one``, ``two``, ``three`` (order unknown), ``hour``,
    ``minute``, ``second``, ``fraction``, ``half``, ``half_before``, ``zone``; or ``epoch``; or ``tai``."""
    dated: bool = True
    """Whether it names a day."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Named groups, in their order."""
        return tuple(re.findall(r"\(\?P<(\w+)>", self.pattern))


FORMS: Final[tuple[TimePattern, ...]] = (
    TimePattern(
        "iso",
        r"(?P<year>(?:19|20)\d\d)[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?:[T _|,]+| - )"
        + _BEFORE
        + _SHORT_CLOCK
        + _ZONE
        + _AFTER,
    ),
    TimePattern(
        "year_first",
        r"\b(?P<year>(?:19|20)\d\d)[-/ ]"
        + _NAME
        + r"[-/ ](?P<day>\d{1,2})(?:[T,: ]+| - )"
        + _BEFORE
        + _CLOCK
        + _ZONE
        + _AFTER,
    ),
    TimePattern(
        "clock_first",
        _BEFORE + _CLOCK + r"[ ,]+(?P<year>20\d\d)\s?[-/.年년]\s?(?P<month>\d{1,2})\s?[-/.月월]\s?(?P<day>\d{1,2})",
    ),
    TimePattern(
        "eastern",
        r"(?P<year>20\d\d)\s?[年년.]\s?(?P<month>\d{1,2})\s?[月월.]\s?(?P<day>\d{1,2})\s?[日일.]?,?\s?"
        r"(?:\(?(?:星期|周|週)?\p{L}(?:曜日|요일)?\)?\s)?"
        + _BEFORE
        + r"(?P<hour>\d{1,2})(?::|時|时|点|點|시)\s?(?P<minute>\d{1,2})(?::|分|분)\s?(?P<second>\d{1,2})(?:[秒초])?(?:[.,](?P<fraction>\d{1,9}))?"
        + _ZONE,
    ),
    TimePattern(
        "named",
        r"(?:^|\D)(?P<day>\d{1,2})(?:[-/ ]|\. ?| de )"
        + _NAME
        + r"(?:[-/ .,]+| de )(?P<year>(?:19|20)\d\d|\d\d)(?:[:T,/ ]+| - |,? (?:à|at|um|às|a las|alle|kl\.?|в) )"
        + _BEFORE
        + _CLOCK
        + _ZONE
        + _AFTER,
    ),
    TimePattern(
        "ctime",
        _NAME
        + r" +(?P<day>\d{1,2}) "
        + _CLOCK
        + r"(?: ?"
        + _ZONE.removeprefix("(?: ?").removesuffix(")?")
        + r")? (?P<year>(?:19|20)\d\d)\b",
    ),
    TimePattern(
        "jul",
        r"(?P<month>\p{L}{3,11}\.?|[一二三四五六七八九十正]{1,2}月|\d{1,2}[月월]?) (?P<day>\d{1,2}),? (?P<year>(?:19|20)\d\d),?(?: at)? +"
        + _BEFORE
        + _CLOCK
        + _AFTER
        + _ZONE,
    ),
    TimePattern(
        "compact",
        r"\b(?P<year>20\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d)[T :_-]?(?P<hour>[0-2]\d):?(?P<minute>[0-5]\d):?(?P<second>[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?"
        + _ZONE,
    ),
    TimePattern(
        "numeric",
        r"\b(?P<one>\d{1,2})[-/.](?P<two>\d{1,2})[-/.](?P<three>(?:19|20)\d\d|\d\d),?(?:[T ]+| - )"
        + _BEFORE
        + _SHORT_CLOCK
        + _AFTER
        + _ZONE,
    ),
    TimePattern(
        "epoch",
        r"^\W{0,2}(?:audit\()?(?P<epoch>1\d{18}|1\d{15}(?:\.\d{1,3})?|1\d{12}(?:\.\d{1,6})?|1\d{9}(?:[.,]\d{1,9})?)(?:[^\w.]|$)",
    ),
    TimePattern("tai", r"@(?P<tai>4[0-9a-f]{15})[0-9a-f]{8}\b"),
    TimePattern("syslog", r"\b(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) " + _CLOCK),
    TimePattern("glog", r"^[IWEFD](?P<month>[01]\d)(?P<day>[0-3]\d) " + _CLOCK),
    TimePattern("clock", r"^\W{0,2}" + _BEFORE + _CLOCK + r"(?:\b|$)" + _AFTER, dated=False),
)
"""All forms, surest first."""
