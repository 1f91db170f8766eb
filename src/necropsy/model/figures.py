"""Figures as people read them, and the one that several rooms share."""

from __future__ import annotations

from typing import Final

IMMORTAL_S: Final = 400 * 86_400
"""Idle lifetime in seconds beyond which a session never expires in practice: no browser keeps a cookie for longer
(draft-ietf-httpbis-rfc6265bis, section 5.5), so nobody can come back to it."""


def percent(share: float) -> str:
    """Share (0 to 1) as a percentage that is never rounded to nothing or to everything.

    >>> percent(0.93), percent(0.004), percent(0.00001), percent(0.9999), percent(1.0), percent(0.0)
    ('93 %', '0.4 %', '< 0.1 %', '> 99.9 %', '100 %', '0 %')
    """
    hundredths = share * 100
    if 0 < hundredths < 0.1:
        return "< 0.1 %"
    if 99.9 < hundredths < 100:
        return "> 99.9 %"
    if 0 < hundredths < 1 or 99 < hundredths < 100:
        return f"{hundredths:.1f} %"
    return f"{hundredths:.0f} %"


def size(number: float) -> str:
    """Bytes in decimal units.

    >>> size(36_000_000), size(3_400_000_000), size(512), size(1_540_000)
    ('36 MB', '3.4 GB', '512 B', '1.5 MB')
    """
    scaled = float(number)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(scaled) < 999.5 or unit == "TB":
            break
        scaled /= 1000
    if unit != "B" and abs(scaled) < 9.95:
        return f"{scaled:.1f}".removesuffix(".0") + f" {unit}"
    return f"{scaled:.0f} {unit}"


def factor(number: float, noun: str) -> str:
    """Write a factor of a product with its noun.

    >>> factor(2.5, "key"), factor(1, "session")
    ('2.5 keys', '1 session')
    """
    return f"{number:g} {noun if number == 1 else noun + 's'}"


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
