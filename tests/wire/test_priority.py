"""What a thread waited for a processor, and its priority."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from necropsy.wire.priority import ProcessorWait


def test_what_a_thread_waited_grows_and_is_that_which_the_system_says() -> None:
    wait = ProcessorWait()
    said = [int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9]
    mine = wait.so_far_s()
    said.append(int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9)
    assert said[0] <= mine <= said[1]
    wait.close()


def test_where_nothing_says_it_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(sys.modules["os"], "open", refuse)
    wait = ProcessorWait()
    assert wait.so_far_s() == 0.0
    wait.close()
