"""Which birth belongs to which claim, for pictures: claims are stored as windows and creators, not session by session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from necropsy.verdict.combs import in_window
from necropsy.verdict.evidence import Births, Claim

if TYPE_CHECKING:
    from numpy.typing import NDArray


def label_births(births: Births, claims: Sequence[Claim]) -> NDArray[np.int64]:
    """Index into ``claims`` for each birth; -1 where no claim points at it.

    Claims by visits count births without pointing at them, so their births keep -1.
    """
    label = np.full(births.born_ms.size, -1, dtype=np.int64)
    named = births.creator >= 0
    for number, claim in enumerate(claims):
        free = label < 0
        if claim.evidence == "named":
            if claim.creator == "people":
                others = {c.user_agent for c in claims if c.evidence == "named" and c.creator != "people"}
                mine = [i for i, creator in enumerate(births.creators) if creator.user_agent not in others]
            else:
                mine = [
                    i
                    for i, c in enumerate(births.creators)
                    if f"{c.user_agent or 'nameless client'} {c.method} {c.host}{c.path}".strip() == claim.label
                ]
            mask = named & np.isin(births.creator, mine)
        elif claim.phase_low_s is not None and claim.phase_high_s is not None and claim.period_s is not None:
            phase = (births.born_ms % round(claim.period_s * 1000)) / 1000.0
            mask = ~named & in_window(phase, claim.phase_low_s, claim.phase_high_s)
        else:
            continue
        label[free & mask] = number
    for number, claim in enumerate(claims):
        if claim.evidence == "authenticated":
            label[(label < 0) & births.authenticated] = number
    return label
