"""When the census is taken: at an interval, in the background, one at a time; a scrape answers from memory."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import Final

from necropsy.guard.census.worker import decode
from necropsy.guard.exposition import Family, Sample

_LONGEST: Final = 300
"""Characters of an error that are kept."""


class Census:
    """The last census of some stores.

    Parameters
    ----------
    command
        Starts the process that takes one census: what to ask on its standard input, metrics on its output.
    stores
        Name and address of each.
    every_s
        Seconds from the beginning of one census to that of the next.
    incident
        Path of an incident file with logs and configuration; None: the stores alone.
    """

    def __init__(
        self, command: Sequence[str], stores: Sequence[tuple[str, str]], every_s: float, incident: str | None = None
    ) -> None:
        self._command = tuple(command)
        self._asked = json.dumps({"stores": list(stores), "incident": incident})
        self._every_s = every_s
        self._families: list[Family] = []
        self._taken_at: float | None = None
        self._took_s = 0.0
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
             [Sample((), float(self._taken_at is not None and not self._error))]),
            ("necropsy_census_failures_total", "counter", "Censuses that failed.", [Sample((), float(self._failures))]),
            ("necropsy_census_duration_seconds", "gauge", "How long the last census took.", [Sample((), self._took_s)]),
        ]  # fmt: skip
        if self._taken_at is not None:
            age = [Sample((), now - self._taken_at)]
            own.append(("necropsy_census_age_seconds", "gauge", "How long ago the census below was taken.", age))
        return [Family(name, kind, text, samples) for name, kind, text, samples in own] + self._families

    @property
    def error(self) -> str:
        """Why the last census failed; empty when it did not."""
        return self._error

    def take(self) -> None:
        """Take one census; what fails leaves the last one in place, with its age."""
        began = time.time()
        self._process = subprocess.Popen(  # noqa: S603 -- the command of our own command line
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        written, said = self._process.communicate(self._asked)
        code = self._process.returncode
        self._process = None
        self._took_s = time.time() - began
        if code != 0:
            self._failures += 1
            self._error = (said.strip().splitlines() or [f"the process ended with {code}"])[-1][:_LONGEST]
            return
        self._families, self._taken_at, self._error = decode(written), began, ""

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            self.take()
            self._stop.wait(max(1.0, self._every_s - (time.monotonic() - began)))
