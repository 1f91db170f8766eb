"""Schedule of the census: at an interval, in the background, one at a time; a scrape answers from memory."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from necropsy.guard.allocator import give_back
from necropsy.guard.census.worker import Asked, Taken, decode, encode_asked
from necropsy.guard.exposition import Family, Sample

STORE_UP: Final = "necropsy_census_store_up"
"""Whether the last census could read a store."""
_LONGEST: Final = 300
"""Characters of an error that are kept."""
_WITHIN: Final = 3.0
"""Intervals that one look may take: then its process is ended, and the next one begins."""
_LEAST_WITHIN_S: Final = 600.0
_LONGER, _EARLIER = 1.25, 0.1

_FRUGAL: Final = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "100000",
}
"""Environment of a census that gives memory back at once: a fifth less of it at most, for a fifth more processor time."""


def environment() -> dict[str, str]:
    """Return the environment of the process of a look; what the user has set himself is left."""
    return {**_FRUGAL, **os.environ}


class CensusSchedule:
    """The last look at some stores.

    Parameters
    ----------
    command
        Starts the process that takes one look: what to ask on its standard input, what came out on its output.
    asked
        What each look is to do.
    every_s
        Seconds that its figures may be old: the next look begins early enough to be over by then.
    after
        Is called after each look, whether it succeeded (``taken``) or not (``error``); None: nobody is told.
    stores
        Returns name and address of each store before a look, with the password as its file has it then; None: as in ``asked``.
    """

    def __init__(
        self,
        command: Sequence[str],
        asked: Asked,
        every_s: float,
        after: Callable[[CensusSchedule], None] | None = None,
        stores: Callable[[], tuple[tuple[str, str], ...]] | None = None,
    ) -> None:
        self._command = tuple(command)
        self.asked = asked
        self.every_s = every_s
        self._after = after
        self._stores = stores
        self.taken: Taken | None = None
        """Result of the last census that succeeded; None before the first."""
        self.taken_at: float | None = None
        """When it was begun, Unix time."""
        self._taken_monotonic = time.monotonic()
        self.next_at: float | None = None
        """When the next one begins; None before the first has ended."""
        self.took_s = 0.0
        """Seconds that the last one took."""
        self._error = ""
        self._failures = 0
        self._stop = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name="census", daemon=True)

    def start(self) -> None:
        """Begin with the first census now."""
        self._thread.start()

    def stop(self) -> None:
        """End the one that is under way."""
        self._stop.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
        if self._thread.is_alive():
            self._thread.join(10)

    def families(self) -> list[Family]:
        """Return the last census and its age; without one, that there is none."""
        now = time.time()
        own = [
            ("necropsy_census_up", "gauge", "Whether the last census succeeded.",
             [Sample((), float(self.taken_at is not None and not self._error))]),
            ("necropsy_census_failures_total", "counter", "Censuses that failed.", [Sample((), float(self._failures))]),
            ("necropsy_census_duration_seconds", "gauge", "How long the last census took.", [Sample((), self.took_s)]),
            ("necropsy_census_interval_seconds", "gauge", "How old the figures of a census may be.", [Sample((), self.every_s)]),
        ]  # fmt: skip
        if self.taken_at is not None:
            # The clock may be set back, and a machine that sleeps stops the other: the older is the safer.
            age = [Sample((), max(now - self.taken_at, time.monotonic() - self._taken_monotonic))]
            own.append(("necropsy_census_age_seconds", "gauge", "How long ago the census below was taken.", age))
        taken = self.taken.families if self.taken is not None else []
        if self._error:  # it read none of them
            taken = [
                replace(family, samples=[replace(sample, value=0.0) for sample in family.samples])
                if family.name == STORE_UP
                else family
                for family in taken
            ]
        return [Family(name, kind, text, samples) for name, kind, text, samples in own] + taken

    @property
    def error(self) -> str:
        """Why the last census failed; empty when it did not."""
        return self._error

    def take(self) -> None:
        """Take one look; what fails leaves the last one in place, with its age."""
        began, began_monotonic = time.time(), time.monotonic()
        if self._stores is not None:
            self.asked = replace(self.asked, stores=self._stores())
        process = self._process = subprocess.Popen(  # noqa: S603 -- the command of our own command line
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            process_group=0,  # a signal to the group of the guard, such as SIGHUP to reload, is not for the look
        )
        within_s = max(_LEAST_WITHIN_S, _WITHIN * self.every_s)
        too_long = ""
        try:
            written, said = process.communicate(encode_asked(self.asked), within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            written, said = process.communicate()
            too_long = f"the examination took longer than {within_s:.0f} s"
        self._process = None
        self.took_s = time.time() - began
        if process.returncode == 0 and not too_long:
            taken = decode(written)
            self.taken, self.taken_at, self._error = taken, began, ""
            self._taken_monotonic = began_monotonic
            if taken.incident_text:  # what a later look uses, should the file be wrong by then
                self.asked = replace(self.asked, incident_text=taken.incident_text)
        elif not self._stop.is_set():
            self._failures += 1
            self._error = (too_long or _reason(said) or f"the process ended with {process.returncode}")[:_LONGEST]
        if self._after is not None and not self._stop.is_set():
            self._after(self)

    def forget_page(self) -> None:
        """Give the memory of the page back, once it was taken over by who shows it."""
        if self.taken is not None:
            self.taken = replace(self.taken, page=b"")

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self.take()
            except Exception as error:  # noqa: BLE001 -- no process could be started, or it wrote nonsense: the next look may
                self._failures += 1
                self._error = f"{type(error).__name__}: {error}"[:_LONGEST]
            give_back()
            pause = pause_s(self.every_s, time.monotonic() - began)
            self.next_at = time.time() + pause
            self._stop.wait(pause)


def pause_s(every_s: float, took_s: float) -> float:
    """Return the seconds between the end of a look and the beginning of the next.

    It may take a quarter longer than the last one; more than a tenth of the interval is not given for it.

    >>> pause_s(600, 24), pause_s(600, 120), pause_s(10, 4), pause_s(10, 30)
    (546.0, 420.0, 5.0, 1.0)
    """
    return max(1.0, every_s - took_s - min(_LONGER * took_s, every_s * _EARLIER))


def _reason(said: str) -> str:
    r"""Return what a process said last; of a traceback the line that names the exception.

    >>> _reason("a: cannot be read\n"), _reason("Traceback (most recent call last):\n  File\nBinderError: no\n\nLINE 1: x\n    ^")
    ('a: cannot be read', 'BinderError: no')
    """
    before, traceback, after = said.rpartition("Traceback (most recent call last):")
    if traceback:
        return next((line for line in after.splitlines() if line and not line.startswith(" ")), "")
    return (before + after).strip().splitlines()[-1] if said.strip() else ""
