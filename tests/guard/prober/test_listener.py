"""Listening to a store that stops answering as a store does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from necropsy.guard.prober import listener
from necropsy.guard.prober.listener import StoreListener
from necropsy.wire.redis.address import parse_address


class Odd:
    """A connection that is greeted well, and then answers numbers to everything."""

    pushes: list[Any] | None = None
    closed = False

    def command(self, *_: object) -> bytes:
        return b"OK"

    def pipeline(self, commands: list[object]) -> list[object]:
        return [7 for _ in commands]

    def raw(self) -> Any:
        return SimpleNamespace(settimeout=lambda _: None)

    def close(self) -> None:
        self.closed = True


def test_a_store_that_answers_oddly_is_hung_up_on_and_fails_no_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Odd()
    monkeypatch.setattr(listener, "discover", lambda _: SimpleNamespace(nodes=[SimpleNamespace(endpoint=None)]))
    monkeypatch.setattr(listener.Connection, "open", lambda *_, **__: odd)
    found = StoreListener("A", parse_address("redis://127.0.0.1:1", environ={}), print)
    found.connect()
    assert found.ready
    found.open()
    assert not found.ready
    assert odd.closed
    assert found.close() is None
