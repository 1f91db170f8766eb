"""Files in which users describe their own session layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from necropsy.sessions.writers.form import SessionForm
    from necropsy.sessions.writers.hashes import HashForm


def described_in(paths: Iterable[str]) -> tuple[SessionForm | HashForm, ...]:
    """Return the layouts of these files, in their order.

    Raises
    ------
    UnreadableSource
        Missing, or not text.
    ConfigurationError
        It is not understood; with file, line and what to write.
    """
    from necropsy.sessions.writers.described import parse
    from necropsy.wire.files import read_text

    return tuple(form for path in paths for form in parse(read_text(path), path))
