"""SQL expressions of a line's flags: session cookies (see ``cookies``), and whether the response had a body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from necropsy.evidence.access_log.formats import cookies
from necropsy.visits.line_flags import EMPTY_BODY

FIELDS: Final = (*cookies.FIELDS, "body")
"""Fields of a line that tell: those of cookies; bytes of the answer's body."""
NO_BYTES: Final = ("0", "-")
"""How logs write that; what is sent with its headers counted in is never so little."""


def expressions(values: Mapping[str, str]) -> dict[str, str]:
    """Return the expression of ``flags``, a column of ``line``, from those of the fields; none where a log tells nothing."""
    terms = cookies.terms(values)
    if "body" in values:
        terms.append(f"CASE WHEN {values['body']} IN {NO_BYTES} THEN {EMPTY_BODY} ELSE 0 END")
    return {"flags": f"({' + '.join(terms)})::TINYINT"} if terms else {}
