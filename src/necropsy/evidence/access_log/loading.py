"""Lines of all files of one log become rows of one scratch table; what cannot be read becomes blemishes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from necropsy.evidence.access_log import damaged_lines, duckdb_reader, lines, plain_lines, scan
from necropsy.evidence.access_log.formats.layout import FAULTS, Layout, LogFormat
from necropsy.evidence.access_log.masking import mask
from necropsy.evidence.access_log.recognise import recognise
from necropsy.evidence.access_log.sources import LogFile, first_lines
from necropsy.evidence.access_log.wrappers import unwrapped
from necropsy.model.evidence import Blemish

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from necropsy.case.scratch import Scratch

_PASSES: Final = 3
"""How many layouts are tried on one file: a format changes with a deployment, not with every line."""


@dataclass(slots=True)
class Loaded:
    """What became of one file."""

    note: str = ""
    """Layouts that it was read with; empty when none was recognised."""
    lines: int = 0
    requests: int = 0
    starts: int = 0
    """Requests whose time is their start, as the duration is logged."""
    last_at: datetime | None = None
    blemishes: list[Blemish] = field(default_factory=list)

    def count(self, requests: int, last_at: datetime | None) -> None:
        """Count requests in, the last of which was at that time."""
        self.requests += requests
        if last_at is not None:
            self.last_at = max(last_at, self.last_at or last_at)


def load(
    scratch: Scratch,
    file: LogFile,
    formats: Sequence[LogFormat],
    first_number: int = 0,
    *,
    head: Sequence[str] | None = None,
    report_bytes: Callable[[int], object] | None = None,
) -> Loaded:
    """Load one file into ``line``; nothing in it is ever fatal.

    Plain lines go the short way, all others the long one. What the layout of the first lines cannot read is repaired
    and tried again, with another layout if the format changed in the middle of the file.

    Parameters
    ----------
    first_number
        Number of the file's first line in the log.
    head
        Lines by which its layout is recognised, if the file is a piece of another; by default its own first ones.
    report_bytes
        Called now and then with the bytes that were read; of the long way with what its lines make up in the mean.

    Raises
    ------
    UnreadableSource
        Not one byte could be read.
    """
    import numpy as np

    loaded = Loaded()
    notes: list[str] = []
    source, origin, order = file, None, None
    failed = none = duckdb_reader.Failed(np.empty(0, np.int64), np.empty(0, np.int64))
    for attempt in range(_PASSES):
        source, layout = _recognised(scratch, source, formats, None if attempt else head, may_be_wrapped=not attempt)
        if layout is None:
            break
        scratch.get_ready()
        before = loaded.requests
        if not attempt and layout.plan is not None and scan.is_compiled():
            writer = lines.Writer(scratch)
            copy = scratch.folder / f"{file.path.name}-hard"
            hard = plain_lines.read(source, layout.plan, first_number, writer, copy, report_bytes)
            file = replace(source, damage=hard.file.damage)
            source, origin, order, loaded.lines = hard.file, hard.numbers, hard.numbers, hard.lines
            loaded.count(writer.requests, writer.last_at)
        failed_here = none
        if origin is None or origin.size:
            report_lines = _in_bytes(report_bytes, source) if origin is None else None
            passed = duckdb_reader.read(scratch, source, layout, first_number, order, report_lines)
            source, failed_here = passed.file, passed.failed
            if origin is None:
                file, loaded.lines = source, passed.lines
            loaded.count(passed.requests, passed.last_at)
        if loaded.requests > before:
            notes.append(layout.note)
            loaded.starts += layout.times_are_starts * (loaded.requests - before)
        elif attempt:
            break
        rest, numbers = _set_aside(scratch, source, layout, failed_here.numbers, attempt)
        origin = numbers if origin is None else origin[numbers]
        # DuckDB does not count blank lines of JSON, so that its numbers are not those of the file: the order is theirs.
        order = failed_here.numbers if order is None else order[failed_here.numbers]
        failed = duckdb_reader.Failed(origin, failed_here.faults)
        source = rest
        if not origin.size:
            break
    loaded.note = "; then ".join(dict.fromkeys(notes))
    loaded.blemishes = _blemishes(file, failed)
    return loaded


def _in_bytes(report_bytes: Callable[[int], object] | None, file: LogFile) -> Callable[[int], object] | None:
    """Return what reports so many lines as the bytes that they have in the mean."""
    head = first_lines(file) if report_bytes is not None else []
    if report_bytes is None or not head:
        return None
    mean = sum(map(len, head)) / len(head) + 1
    return lambda count: report_bytes(round(count * mean))


def _recognised(
    scratch: Scratch,
    file: LogFile,
    formats: Sequence[LogFormat],
    head: Sequence[str] | None,
    *,
    may_be_wrapped: bool,
) -> tuple[LogFile, Layout | None]:
    """Recognise the layout of a file, or of the lines inside its lines; return the file that has the layout."""
    head = first_lines(file) if head is None else head
    layout = recognise(scratch, head, formats)
    if layout is None and may_be_wrapped and head:
        inner = unwrapped(scratch, file, head, lambda lines: recognise(scratch, lines, formats))
        if inner is not None:
            return inner
    return file, layout


def _set_aside(
    scratch: Scratch, source: LogFile, layout: Layout, failed: NDArray[np.int64], attempt: int
) -> tuple[LogFile, NDArray[np.int64]]:
    """Write lines that could not be read, repaired, into a file of their own; return it and their numbers."""
    import numpy as np

    copy = scratch.folder / f"{source.path.name}-rest{attempt}"
    numbers = [np.empty(0, np.int64)]
    with copy.open("wb") as out:
        if failed.size:
            for data, taken in damaged_lines.take(source, failed, nonblank=layout.kind == "json"):
                out.write(damaged_lines.repaired(data))
                numbers.append(taken)
    return LogFile(source.locator, copy, "none"), np.concatenate(numbers)


def _blemishes(file: LogFile, failed: duckdb_reader.Failed) -> list[Blemish]:
    """Describe the damage: for each reason the first line, a masked sample of it, and how many there are."""
    blemishes = []
    for fault, why in FAULTS.items():
        numbers = failed.numbers[failed.faults == fault]
        if numbers.size:
            data = b"".join(data for data, _ in damaged_lines.take(file, numbers[:1], nonblank=False))
            sample = mask(data.decode("utf-8", "replace").rstrip("\r\n"))
            blemishes.append(Blemish(file.locator, "line", int(numbers[0]) + 1, why, sample, int(numbers.size)))
    if file.damage:
        blemishes.append(Blemish(file.locator, "byte", file.path.stat().st_size, f"what follows is {file.damage}"))
    return blemishes
