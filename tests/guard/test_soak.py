"""Two minutes of the soak: nothing leaks, no scrape is late, who is well is shown to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from guard.soak import TROUBLED, soak

pytestmark = pytest.mark.integration


def test_servers_that_die_hang_talk_nonsense_and_fail_over_neither_leak_nor_touch_the_others(tmp_path: Path) -> None:
    story = soak(2.0, tmp_path)
    assert story.late_by_guard == 0
    # The processor is shared with other tests: Prometheus itself may be late with one scrape of some 1,200.
    assert sum(story.late.values()) <= 3
    assert story.unsteady == {}
    down = {name for name in TROUBLED if name != "fails-over"}  # a replica answers
    assert {name for name, up in story.went_down.items() if up == 0} == down
    assert {name for name, up in story.came_back.items() if up == 0} == {"garbage"}
    assert story.end["process_resident_memory_bytes"] < story.begin["process_resident_memory_bytes"] + 8e6
    assert story.end["process_open_fds"] < story.begin["process_open_fds"] + 20
    assert story.end["necropsy_threads"] < story.begin["necropsy_threads"] + 20
    assert story.failed_probes == 0
    assert story.sessions == 1
    assert story.looked
    assert story.notices > 0
