"""Claims of births, for pictures: claims are stored as windows and creators, not session by session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from necropsy.verdict.evidence import Births, Claim

if TYPE_CHECKING:
    from numpy.typing import NDArray


def label_births(births: Births, claims: Sequence[Claim]) -> NDArray[np.int64]:
    """Index into ``claims`` for each birth; -1 where no claim points at it.

    Claims by visits count births without pointing at them, so their births keep -1.
    """
    label = _makers(births, claims)[births.creator]  # -1, of those that name nobody, is the last place of the table
    unnamed = np.flatnonzero(births.creator < 0)
    born_ms, owner = births.born_ms[unnamed], np.full(unnamed.size, -1, dtype=np.int64)
    for number, claim in enumerate(claims):
        if (
            claim.evidence == "named"
            or claim.phase_low_s is None
            or claim.phase_high_s is None
            or claim.period_s is None
        ):
            continue
        phase = (born_ms % round(claim.period_s * 1000)) / 1000.0
        owner[(owner < 0) & in_window(phase, claim.phase_low_s, claim.phase_high_s)] = number
    label[unnamed] = owner
    for number, claim in enumerate(claims):
        if claim.evidence == "authenticated":
            label[(label < 0) & births.authenticated] = number
    return label


def in_window(phase_s: NDArray[np.float64], low_s: float, high_s: float) -> NDArray[np.bool_]:
    """Whether each phase lies in a circular window.

    >>> in_window(np.array([0.1, 5.0, 9.9]), 9.8, 0.2).tolist()
    [True, False, True]
    """
    if low_s <= high_s:
        return (phase_s >= low_s) & (phase_s <= high_s)
    return (phase_s >= low_s) | (phase_s <= high_s)


def _makers(births: Births, claims: Sequence[Claim]) -> NDArray[np.int64]:
    """Return the claim of each creator, -1 where there is none; one place more at the end, for births without a name."""
    makers = np.full(len(births.creators) + 1, -1, dtype=np.int64)
    named = [(number, claim) for number, claim in enumerate(claims) if claim.evidence == "named"]
    others = {claim.user_agent for _, claim in named if claim.creator != "people"}
    by_label = {claim.label: number for number, claim in reversed(named) if claim.creator != "people"}
    people = next((number for number, claim in named if claim.creator == "people"), -1)
    for place, creator in enumerate(births.creators):
        label = f"{creator.user_agent or 'no User-Agent'} {creator.method} {creator.host}{creator.path}".strip()
        known = [n for n in (by_label.get(label, -1), people if creator.user_agent not in others else -1) if n >= 0]
        makers[place] = min(known, default=-1)
    return makers
