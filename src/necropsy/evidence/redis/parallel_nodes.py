"""Read several nodes at once, each in a thread of its own and at its own rate; batches are yielded as they come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar, cast

Item = TypeVar("Item")
WAITING: Final = 4
"""Batches that may wait for whoever takes them."""


def interleaved(sources: Sequence[Iterable[Item]]) -> Iterator[Item]:
    """Yield from all sources as they yield, in no order; the first exception of one of them is raised here.

    >>> sorted(interleaved([[1, 2], [3], []]))
    [1, 2, 3]
    """
    if len(sources) == 1:
        yield from sources[0]
        return
    waiting: queue.Queue[tuple[str, Item | BaseException | None]] = queue.Queue(WAITING)
    stopped = threading.Event()
    threads = [threading.Thread(target=_run, args=(source, waiting, stopped), daemon=True) for source in sources]
    for thread in threads:
        thread.start()
    running = len(threads)
    try:
        while running:
            what, item = waiting.get()
            if what == "error" and isinstance(item, BaseException):
                raise item
            if what == "end":
                running -= 1
            else:
                yield cast("Item", item)
    finally:
        stopped.set()
        while any(thread.is_alive() for thread in threads):
            _drain(waiting)
            threads[0].join(0.01)


def _run(
    source: Iterable[Item], waiting: queue.Queue[tuple[str, Item | BaseException | None]], stopped: threading.Event
) -> None:
    try:
        for item in source:
            waiting.put(("item", item))
            if stopped.is_set():
                break
    except Exception as error:  # noqa: BLE001 -- raised again where it can be dealt with
        waiting.put(("error", error))
    else:
        waiting.put(("end", None))


def _drain(waiting: queue.Queue[tuple[str, Item | BaseException | None]]) -> None:
    try:
        while True:
            waiting.get_nowait()
    except queue.Empty:
        return
