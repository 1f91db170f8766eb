"""A stop-watch and a table: what every benchmark prints."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

NECROPSY: Final = (sys.executable, str(Path(__file__).with_name("alone.py")))
"""The command line, as if nothing else were installed."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians of one thing that was measured."""

    seconds: float
    """Wall clock."""
    peak_bytes: int | None = None
    """Largest resident memory of the process; None when it ran inside this one."""
    processor_seconds: float = 0.0
    """Time of the processors, of all threads, user and system: steadier than the clock on a machine with company."""


def command(*words: str, repeat: int = 5, expect: Sequence[int] = (0,), warm: bool = True) -> Measured:
    """Run a command ``repeat`` times after one that is thrown away (if ``warm``); its output is discarded.

    Raises
    ------
    SystemExit
        It ended with a code other than those expected: a benchmark of something broken says nothing.
    """
    runs = [_once(words, expect) for _ in range(repeat + warm)][warm:]
    return Measured(
        statistics.median(run.seconds for run in runs),
        max(run.peak_bytes or 0 for run in runs),
        statistics.median(run.processor_seconds for run in runs),
    )


def _once(words: Sequence[str], expect: Sequence[int]) -> Measured:
    start = time.perf_counter()
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in expect:
        raise SystemExit(f"{' '.join(words)}: exit code {process.returncode}")
    memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Measured(seconds, memory, usage.ru_utime + usage.ru_stime)


def function(call: Callable[[], object], *, repeat: int = 5) -> Measured:
    """Call a function ``repeat`` times after one call that is thrown away."""
    seconds = []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return Measured(statistics.median(seconds[1:]))


@dataclass
class Table:
    """Rows of one benchmark; the first row is the peer that the others are compared with."""

    title: str
    rows: list[tuple[str, Measured]] = field(default_factory=list)

    def add(self, name: str, measured: Measured) -> None:
        """Add a row and print it at once, so that a long run shows what it has."""
        if not self.rows:
            print(f"\n{self.title}\n{'':44} {'seconds':>9} {'ratio':>8} {'memory':>9} {'cpu s':>8}")
        self.rows.append((name, measured))
        peer = self.rows[0][1].seconds
        memory = f"{measured.peak_bytes / 1e6:.0f} MB" if measured.peak_bytes else ""
        processor = f"{measured.processor_seconds:.2f}" if measured.processor_seconds else ""
        print(
            f"{name:<44} {measured.seconds:>9.3f} {measured.seconds / peer:>7.2f}x {memory:>9} {processor:>8}",
            flush=True,
        )


@dataclass(frozen=True, slots=True)
class Bar:
    """A limit, and what was measured of it."""

    what: str
    limit: str
    measured: str
    met: bool | None
    """None: there was nothing to compare with."""


def print_bars(bars: Sequence[Bar]) -> None:
    """Print limits and what was measured, a line each."""
    print(f"\n{'':58} {'limit':>10} {'measured':>10}")
    for bar in bars:
        verdict = {True: "met", False: "MISSED", None: ""}[bar.met]
        print(f"{bar.what:<58} {bar.limit:>10} {bar.measured:>10}  {verdict}", flush=True)
