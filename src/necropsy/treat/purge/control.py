"""Control of a running purge: signals, and a control file whose lines may be changed while it runs.

::

    max-impact 2ms      latency that others may suffer
    rate 5000           most sessions a second; 0: as fast as the latency allows
    max-ops 20000       commands a second of the server above which to rest; 0: any number
    batch 2000          sessions a batch
    pause | run | stop

Ctrl-C or SIGTERM once finishes the batch; SIGUSR1 pauses and goes on again.
"""

from __future__ import annotations

import contextlib
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s)")
_LEAST_IMPACT_S, _MOST_IMPACT_S = 0.0001, 1.0


@dataclass(slots=True)
class Knobs:
    """Settings that may be changed while it runs."""

    max_impact_s: float = 0.002
    rate: float = 0.0
    batch: int = 2000
    max_ops: int = 0
    paused: bool = False
    stopping: bool = False
    complaint: str = ""
    """Lines of the control file that cannot be read."""


class Control:
    """Reads the control file when it changed; knobs are always the newest.

    Parameters
    ----------
    file
        The control file; it need not be there. None: signals alone.
    """

    def __init__(self, knobs: Knobs, file: Path | None = None) -> None:
        self.knobs = knobs
        self._file = file
        self._seen: tuple[int, int] | None = None

    def look(self) -> Knobs:
        """Return the knobs of the moment."""
        if self._file is not None:
            try:
                status = self._file.stat()
                seen = (status.st_mtime_ns, status.st_size)
                if seen != self._seen:
                    self._seen = seen
                    self.knobs.complaint = ""
                    for line in self._file.read_text(encoding="utf-8", errors="replace").splitlines():
                        self._take(line.split("#", 1)[0].split())
            except OSError:
                self._seen = None
        return self.knobs

    def _take(self, words: list[str]) -> None:
        match words:
            case []:
                pass
            case ["pause"]:
                self.knobs.paused = True
            case ["run"]:
                self.knobs.paused = False
            case ["stop"]:
                self.knobs.stopping = True
            case ["max-impact", text] if found := _TIME.fullmatch(text):
                seconds = float(found[1]) * _UNITS[found[2]]
                self.knobs.max_impact_s = min(_MOST_IMPACT_S, max(_LEAST_IMPACT_S, seconds))
            case ["rate", text] if text.isdecimal():
                self.knobs.rate = float(text)
            case ["max-ops", text] if text.isdecimal():
                self.knobs.max_ops = int(text)
            case ["batch", text] if text.isdecimal() and 1 <= int(text) <= 100_000:
                self.knobs.batch = int(text)
            case _:
                self.knobs.complaint = f"control file: {' '.join(words)[:40]!r} is not understood"

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Let signals turn the knobs while the block runs: nothing is interrupted half-way."""

        def stop(_number: int, _frame: object) -> None:
            self.knobs.stopping = True

        def pause(_number: int, _frame: object) -> None:
            self.knobs.paused = not self.knobs.paused

        before = {}
        for number, handler in ((signal.SIGINT, stop), (signal.SIGTERM, stop), (signal.SIGUSR1, pause)):
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
        try:
            yield
        finally:
            for number, old in before.items():
                signal.signal(number, old)
