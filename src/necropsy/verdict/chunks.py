"""Columns of ten million births, a chunk at a time: new memory for what comes between costs more than the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

AT_ONCE: Final = 1 << 17
"""Entries of a chunk: what a processor's cache holds."""


def chunks(size: int, at_once: int | None = None) -> Iterator[slice]:
    """Cut a column of ``size`` entries into chunks of ``at_once``, the last of them shorter; by default of ``AT_ONCE``.

    >>> list(chunks(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    step = AT_ONCE if at_once is None else at_once
    return (slice(start, min(start + step, size)) for start in range(0, size, step))
