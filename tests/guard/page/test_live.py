"""The stream of live figures, when a poll of it fails."""

from __future__ import annotations

import json
from concurrent.futures import Future
from typing import Any, cast

from necropsy.guard.exporter.target import ExporterTarget, Scrape
from necropsy.guard.page.live import LiveFigures
from waiting import wait_until


class Faulty:
    """A target that cannot be asked for the first time."""

    def __init__(self) -> None:
        self.times = 0

    def ask(self) -> Future[Scrape]:
        self.times += 1
        if self.times == 1:
            raise RuntimeError("cannot schedule new futures after shutdown")
        answered: Future[Scrape] = Future()
        answered.set_result(Scrape([]))
        return answered


def test_a_poll_that_fails_is_shown_as_that_and_the_next_one_is_taken() -> None:
    target = cast("ExporterTarget", Faulty())
    live = LiveFigures(lambda: {"A": target}, lambda: {"taken_at": None}, every_s=0.01)
    live.start()
    stream = live.stream()
    assert stream is not None
    wait_until(lambda: cast("Faulty", target).times >= 2, "it is asked again")
    said: list[dict[str, Any]] = []
    for event in stream:
        if event.startswith("data: "):
            said.append(json.loads(event.removeprefix("data: "))["servers"]["A"])
        if any(one["up"] for one in said):
            break
    live.stop()
    assert any(one["up"] for one in said)
    assert {one["error"] for one in said if not one["up"]} <= {"could not be asked: RuntimeError"}
