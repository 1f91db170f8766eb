"""Signals for a program that waits for them: none is lost, whichever thread the system gives it to."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def told_of(*numbers: signal.Signals) -> Iterator[Callable[[], int]]:
    """Return what waits for the next of these signals, and gives its number; before a handler of Python would run.

    A handler of Python runs in the main thread when that is awake. Where the system gave the signal to another thread, a main
    thread that waits for a lock sleeps on, and the signal is noticed with the next one. A byte on a socket wakes it.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    with reader, writer:
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        handlers = {number: signal.signal(number, lambda *_: None) for number in numbers}

        def wait() -> int:
            while True:
                (number,) = reader.recv(1)
                if number in numbers:
                    return int(number)

        try:
            yield wait
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)
