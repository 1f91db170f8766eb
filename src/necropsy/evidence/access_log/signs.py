"""What a line tells in bits, one column of ``line``: of cookies (see ``cookies``), and that its answer had no body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from necropsy.evidence.access_log import cookies

FIELDS: Final = (*cookies.FIELDS, "body")
"""Fields of a line that tell: those of cookies; bytes of the answer's body."""
EMPTY: Final = 16
"""Bit: the answer had no body; the others are those of cookies."""
NO_BYTES: Final = ("0", "-")
"""How logs write that; what is sent with its headers counted in is never so little."""


def expressions(values: Mapping[str, str]) -> dict[str, str]:
    """Return the expression of ``signs``, a column of ``line``, from those of the fields; none where a log tells nothing."""
    terms = cookies.terms(values)
    if "body" in values:
        terms.append(f"CASE WHEN {values['body']} IN {NO_BYTES} THEN {EMPTY} ELSE 0 END")
    return {"signs": f"({' + '.join(terms)})::TINYINT"} if terms else {}
