"""What an application that listens for the end of markers sees: nothing, or the session that ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from servers import Server, running
from treat.purge.population import SPRING, apply, make_plan, spring

pytestmark = pytest.mark.integration

_MARKER = f"{SPRING}:sessions:expires:".encode()


@contextmanager
def _listening(server: Server, found: list[bool]) -> Iterator[None]:
    """Do as Spring does: when a marker is deleted, look for the session's hash."""
    client, beside = server.client(), server.client()
    heard = client.pubsub()
    heard.psubscribe("__keyevent@*__:del")
    heard.get_message(timeout=5)
    stop = threading.Event()

    def listen() -> None:
        while not stop.is_set():
            message = heard.get_message(timeout=0.1)
            if message and message["type"] == "pmessage" and message["data"].startswith(_MARKER):
                identifier = message["data"].removeprefix(_MARKER).decode()
                found.append(bool(beside.exists(f"{SPRING}:sessions:{identifier}")))

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield
    finally:
        threading.Event().wait(0.5)
        stop.set()
        thread.join()
        heard.close()


@pytest.mark.parametrize("notify", [False, True])
def test_listeners_find_the_session_only_when_they_are_to_hear_of_it(notify: bool, tmp_path: Path) -> None:
    with running("redis-8.2", "--notify-keyspace-events", "Egx") as server:
        spring(server.client(), anonymous=12, recent=2, users=2)
        plan, path = make_plan(server.url, tmp_path)
        assert any("keyspace events are on" in note for note in plan.notes)
        found: list[bool] = []
        with _listening(server, found):
            done = apply(path, tmp_path / "journal", notify=notify)
        assert done.deleted == 12
        assert found == [notify] * 12
