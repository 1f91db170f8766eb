"""What is kept of the sessions that a busy store writes while a target is probed."""

from __future__ import annotations

import itertools

import pytest

from guard.prober.beside import settle
from necropsy.guard.prober import births
from necropsy.guard.prober.births import ProbedBirths
from necropsy.guard.prober.listener import Seen
from necropsy.wire.redis.address import parse_address

EACH = 100
"""Sessions of others that are written in each window."""


class Busy:
    """A listener to a store in which sessions are written all the time."""

    name, ready = "A", True
    numbers = itertools.count()

    def __init__(self, *_: object) -> None:
        pass

    def connect(self) -> None:
        pass

    def open(self) -> None:
        pass

    def close(self) -> Seen:
        return Seen(grew=False, sessions={b"session-%016d" % next(self.numbers): "sess:*" for _ in range(EACH)})

    def hang_up(self) -> None:
        pass


def test_the_ids_of_a_busy_store_are_forgotten_once_it_is_known_whether_a_probe_starts_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(births, "StoreListener", Busy)
    monkeypatch.setattr(births, "_PAUSE_S", 0.0)
    found = ProbedBirths([("A", parse_address("redis://127.0.0.1:1", environ={}))], print)
    key, most = ("http://a/", "http_2xx"), 0
    for _ in range(200):
        with found.probing(*key):
            window = found.open(*key)
            if window is not None:
                window.close(counts=True)
        settle(found)
        most = max(most, len(found._targets[key].ids))
    assert found.windows(*key)["A"].enough
    assert most >= 5 * EACH, "they were kept while they were needed"
    assert len(found._targets[key].ids) == 0
    found.stop()
