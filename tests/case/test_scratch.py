from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from necropsy.case.scratch import Scratch, open_scratch


@pytest.fixture
def scratch() -> Iterator[Scratch]:
    with open_scratch() as opened:
        yield opened


def test_statements_that_begin_come_before_all_others(scratch: Scratch) -> None:
    scratch.begin("CREATE TEMP TABLE a (x INTEGER)", "INSERT INTO a VALUES (1)")
    scratch.run("INSERT INTO a VALUES (2)")
    scratch.begin("DELETE FROM a WHERE x = 1")
    assert scratch.rows("FROM a") == [(2,)]


def test_all_is_made_ready_beside_the_caller_once() -> None:
    asked: list[str] = []
    ready = threading.Event()

    def meanwhile() -> None:
        asked.append(threading.current_thread().name)
        ready.set()

    with open_scratch(meanwhile=meanwhile) as scratch:
        scratch.get_ready()
        scratch.get_ready()
        assert ready.wait(30)
        assert scratch.value("SELECT 7") == 7
    assert len(asked) == 1
    assert asked[0] != threading.current_thread().name


def test_who_leaves_at_once_leaves_no_thread_behind(capfd: pytest.CaptureFixture[str]) -> None:
    before = set(threading.enumerate())
    daemons: list[bool] = []
    for _ in range(20):
        with open_scratch(meanwhile=lambda: daemons.append(threading.current_thread().daemon)) as scratch:
            scratch.get_ready()
        assert not scratch.folder.exists()
        assert set(threading.enumerate()) <= before
    # A daemon that loads compiled code while the interpreter ends makes the process abort (exit 134).
    assert daemons == [False] * 20
    assert capfd.readouterr() == ("", "")
