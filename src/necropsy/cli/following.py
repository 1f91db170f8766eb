"""``necropsy traffic --follow``: a screen on a terminal, a line an interval anywhere else."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from necropsy.cli import output

if TYPE_CHECKING:
    from necropsy.evidence.access_log.formats.layout import NamedLogFormat
    from necropsy.model.traffic import Beat


@dataclass(frozen=True, slots=True)
class Following:
    """The logs to follow, and how to show them."""

    logs: tuple[str, ...]
    formats: tuple[NamedLogFormat, ...]
    interval_s: float
    window: int
    """Bytes of each log that are looked at."""
    sort: str
    hash_clients: bool


def show(chosen: Following, *, as_json: bool, limit: int | None, color: bool | None, quiet: bool) -> None:
    """Follow until Ctrl-C, SIGTERM or the end of standard input, then sum up."""
    from necropsy.report.commands import traffic_live
    from necropsy.traffic.follow import follow

    if not quiet:
        output.report_uncompiled()
    with stoppable() as stopped:
        beats = follow(
            chosen.logs,
            interval_s=chosen.interval_s,
            stopped=stopped,
            log_formats=chosen.formats,
            hash_clients=chosen.hash_clients,
            sort=chosen.sort,
            window=chosen.window,
        )
        with closing(beats):
            if as_json:
                for beat in beats:
                    output.say(traffic_live.as_json_line(beat, limit=limit or traffic_live.MOST_ROWS))
                return
            colored = output.use_color(color)
            last = _on_screen(beats, color=colored) if sys.stdout.isatty() else _line_by_line(beats)
    if not quiet:
        width = max(80, output.width())
        output.say(traffic_live.summary(last, width=width, color=colored, rows=limit or traffic_live.MOST_ROWS))


def _line_by_line(beats: Iterator[Beat]) -> Beat:
    from necropsy.report.commands import traffic_live

    for beat in beats:
        last = beat
        output.say(traffic_live.line(beat))
    return last


def _on_screen(beats: Iterator[Beat], *, color: bool) -> Beat:
    """Show each beat in the place of the one before."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from necropsy.report.commands import traffic_live

    console = Console(no_color=not color, highlight=False)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        for beat in beats:
            last = beat
            size = console.size
            shown = traffic_live.screen(beat, width=max(80, output.width()), height=size.height - 1, color=color)
            live.update(Text.from_ansi(shown, no_wrap=True), refresh=True)
    return last


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Have Ctrl-C and SIGTERM noted while the block runs: what was found is still to be said.

    A plain list, not ``threading.Event``: a handler runs in the thread that it interrupts, and would wait for ever for the
    lock of an event that this thread is just waiting for.
    """
    signals: list[int] = []
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, lambda number, _frame: signals.append(number))
    try:
        yield lambda: bool(signals)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
