"""Expected texts beside the tests. After an intended change: ``NECROPSY_GOLDEN=1 pytest tests/report``, and read the diff."""

from __future__ import annotations

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "golden"


def agrees(name: str, text: str, *, folder: Path = _FOLDER) -> bool:
    """Whether the text is the expected one; with NECROPSY_GOLDEN set, it becomes the expected one first."""
    expected = folder / name
    if os.environ.get("NECROPSY_GOLDEN"):
        expected.write_text(text, encoding="utf-8")
    return expected.read_text(encoding="utf-8") == text
