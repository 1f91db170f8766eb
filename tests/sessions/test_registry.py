"""The registry of layouts: every family says how it is cured."""

from __future__ import annotations

import pytest

from necropsy.sessions.registry import LAYOUTS, cure, cures


@pytest.mark.parametrize("name", cures())
def test_each_layout_says_what_starts_a_session_and_how_to_stop_it(name: str) -> None:
    told = cure(name)
    assert told is not None
    assert told.framework
    assert told.starts.endswith((".", "..."))
    assert told.stop.endswith(".")
    assert told.source


def test_each_family_has_a_cure_for_its_layouts() -> None:
    assert all(layout.cures for layout in LAYOUTS)
    assert cure("nobody's") is None
    assert cure(None) is None
