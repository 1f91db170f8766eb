from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

import pytest

from necropsy import lab
from necropsy.lab.machines import creates
from necropsy.lab.story import BLACKBOX, INCIDENT, NOW, STORIES, Story


def _phases(story: Story) -> list[int]:
    return sorted(target.phase_ms for admin in story.admins for server in admin.servers for target in server.targets)


def test_no_two_stories_have_one_name() -> None:
    assert len({story.name for story in STORIES}) == len(STORIES)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_every_target_is_asked_at_a_moment_of_its_own(story: Story) -> None:
    """So that a comb of births belongs to one target, and a day holds a whole number of births of each."""
    phases = _phases(story)
    assert all(later - earlier > 300 for earlier, later in pairwise(phases))
    assert phases[0] > 300
    assert phases[-1] < BLACKBOX.interval_s * 1000 - 300


def test_each_server_of_the_incident_has_two_ports_that_create_sessions_and_one_that_does_not() -> None:
    for admin in INCIDENT.admins:
        for server in admin.servers:
            assert [creates(BLACKBOX, server, target, NOW) for target in server.targets] == [True, True, False]


def test_the_incident_ends_at_a_full_minute_so_that_no_index_set_is_half_cleaned() -> None:
    assert NOW.timestamp() % 60 == 0


AFTERWARDS = {"dated", "purging"}
"""Modules for what is staged already: a dump gets the story's date, and the demo's end treats the stores."""


def test_the_lab_does_not_learn_the_answer_from_the_one_whom_it_examines() -> None:
    rooms = {
        name.split(".")[1]
        for path in Path(lab.__path__[0]).glob("*.py")
        if path.stem not in AFTERWARDS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
        if name.startswith("necropsy.")
    }
    assert rooms - {"_internal"} == {"lab", "model"}  # which is the standard library, made plain
