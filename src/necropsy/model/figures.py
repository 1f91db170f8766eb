"""Figures as people read them, and the one that several rooms share."""

from __future__ import annotations

from typing import Final

IMMORTAL_S: Final = 400 * 86_400
"""Idle lifetime in seconds beyond which a session never expires in practice: no browser keeps a cookie for longer
(draft-ietf-httpbis-rfc6265bis, section 5.5), so nobody can come back to it."""


def percent(share: float) -> str:
    """Write a share with as many digits as matter near the ends.

    >>> percent(0.9312), percent(0.9996), percent(1.0), percent(0.004)
    ('93 %', '99.96 %', '100 %', '0.4 %')
    """
    value = share * 100
    if value in (0.0, 100.0) or 1 <= value <= 99:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if value < 99.9 else f"{min(value, 99.99):.2f} %"


def size(count: float) -> str:
    """Write bytes with two digits and a decimal unit.

    >>> size(36_512_000), size(1_400), size(0), size(1.25e9)
    ('37 MB', '1.4 kB', '0 B', '1.2 GB')
    """
    units = ("B", "kB", "MB", "GB", "TB")
    place = 0
    while count >= 999.5 and place < len(units) - 1:
        count, place = count / 1000, place + 1
    return f"{count:.1f} {units[place]}" if 0 < count < 9.95 and place else f"{count:.0f} {units[place]}"


def several(count: float, noun: str, nouns: str = "") -> str:
    """Write a count with its noun; ``nouns`` is a plural that is not regular.

    >>> several(1, "session"), several(1200, "session"), several(2, "entry")
    ('1 session', '1,200 sessions', '2 entries')
    >>> several(500, "key"), several(0, "error")
    ('500 keys', '0 errors')
    """
    if round(count) == 1:
        return f"1 {noun}"
    regular = noun[:-1] + "ies" if noun.endswith("y") and noun[-2:-1] not in "aeou" else noun + "s"
    return f"{count:,.0f} {nouns or regular}"
