"""Figures as people read them."""

from __future__ import annotations


def percent(share: float) -> str:
    """Write a share with as many digits as matter near the ends.

    >>> percent(0.9312), percent(0.9996), percent(1.0), percent(0.004)
    ('93 %', '99.96 %', '100 %', '0.4 %')
    """
    value = share * 100
    if value in (0.0, 100.0) or 1 <= value <= 99:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if value < 99.9 else f"{min(value, 99.99):.2f} %"
