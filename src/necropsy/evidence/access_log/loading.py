"""Lines of all files of one log become rows of one scratch table; what cannot be read becomes blemishes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from necropsy.evidence.access_log import duckdb_reader, lines, parallel_scan, reference
from necropsy.evidence.access_log.files import damaged_lines
from necropsy.evidence.access_log.files.sources import LogFile, first_lines
from necropsy.evidence.access_log.files.wrappers import unwrapped
from necropsy.evidence.access_log.formats.layout import BLANK, FAULTS, LineLayout, NamedLogFormat
from necropsy.evidence.access_log.masking import mask
from necropsy.evidence.access_log.recognise import recognise
from necropsy.evidence.access_log.scanner import scan
from necropsy.evidence.access_log.scanner.plan import plan_of
from necropsy.model.evidence import Blemish

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from necropsy.case.scratch import Scratch

_PASSES: Final = 3
"""How many layouts are tried on one file: a format changes with a deployment, not with every line."""


@dataclass(slots=True)
class Loaded:
    """The result of reading one file."""

    note: str = ""
    """Layouts that it was read with; empty when none was recognised."""
    lines: int = 0
    requests: int = 0
    starts: int = 0
    """Requests whose time is their start, as the duration is logged."""
    last_at: datetime | None = None
    blemishes: list[Blemish] = field(default_factory=list)


def load(
    scratch: Scratch,
    file: LogFile,
    formats: Sequence[NamedLogFormat],
    first_number: int = 0,
    *,
    head: Sequence[str] | None = None,
    report_bytes: Callable[[int], object] | None = None,
) -> Loaded:
    """Load one file into ``line``; nothing in it is ever fatal.

    Plain lines are scanned where the layout has a plan, other well-formed ones are read by DuckDB, all others one by one, as
    they are and repaired. What the layout of the first lines cannot read is tried with another, as the format may change in
    the middle of the file.

    Parameters
    ----------
    first_number
        Number of the file's first line in the log.
    head
        Lines by which its layout is recognised, if the file is a piece of another; by default its own first ones.
    report_bytes
        Called now and then with the bytes that were read, or what its lines make up in the mean.

    Raises
    ------
    UnreadableSource
        Not one byte could be read.
    """
    import numpy as np

    loaded = Loaded()
    writer = lines.Writer(scratch)
    notes: list[str] = []
    source = file
    failed = _Failed.of(first_number)
    for attempt in range(_PASSES):
        source, layout = _recognised(scratch, source, formats, None if attempt else head, may_be_wrapped=not attempt)
        if layout is None:
            break
        scratch.get_ready()
        before = writer.requests
        scanned = 0
        plan = plan_of(layout) if not attempt and scan.is_compiled() else None
        if plan is not None:
            copy = scratch.folder / f"{file.path.name}-hard"
            hard = parallel_scan.read(source, plan, first_number, writer, copy, report_bytes)
            file = replace(file, damage=hard.file.damage)
            source, scanned = hard.file, hard.lines
            failed = _Failed(hard.numbers, hard.numbers, np.zeros_like(hard.numbers), first_number)
        if not attempt:
            loaded.lines = scanned
        if failed.is_whole or failed.order.size:
            report_lines = None if attempt or scanned else _in_bytes(report_bytes, source)
            known = None if failed.is_whole else failed.order.size
            passed = duckdb_reader.read(
                scratch, source, layout, failed.numbers, writer, report_lines, known_lines=known
            )
            if not attempt and not scanned:
                file, loaded.lines = passed.file, passed.lines
            rest = scratch.folder / f"{file.path.name}-rest{attempt}"
            failed = _by_reference(passed, layout, failed, writer, rest)
            source = LogFile(file.locator, rest, "none")
        if writer.requests > before:
            notes.append(layout.note)
            loaded.starts += layout.times_are_starts * (writer.requests - before)
        elif attempt:
            break
        if not failed.lines.size:
            break
    writer.flush()
    loaded.requests, loaded.last_at = writer.requests, writer.last_at
    loaded.note = "; then ".join(dict.fromkeys(notes))
    loaded.blemishes = _blemishes(file, failed)
    return loaded


@dataclass(frozen=True, slots=True)
class _Failed:
    """Lines that no layout could read until now, which are in a file of their own; at first, all lines."""

    lines: NDArray[np.int64]
    """Which lines of the file, from 0."""
    order: NDArray[np.int64]
    """Their numbers among the lines that were read at first, which are in the order of the log."""
    faults: NDArray[np.int64]
    """Why; see ``FAULTS``."""
    first_number: int
    is_whole: bool = False
    """Whether all lines are meant, and none is named."""

    @classmethod
    def of(cls, first_number: int) -> _Failed:
        """Return all lines of a file, the first of which has this number."""
        import numpy as np

        none = np.empty(0, np.int64)
        return cls(none, none, none, first_number, is_whole=True)

    def numbers(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers in the log of lines by their places here."""
        if self.is_whole:
            return places + self.first_number
        # Rows of torn lines are more than there are lines; they are withdrawn.
        numbers: NDArray[np.int64] = self.order[places.clip(max=self.order.size - 1)] + self.first_number
        return numbers


def _by_reference(
    passed: duckdb_reader.Passed, layout: LineLayout, before: _Failed, writer: lines.Writer, rest: Path
) -> _Failed:
    """Read the lines that were left, as they are and repaired; write those that cannot be read into a file, repaired."""
    import numpy as np

    taken = 0
    kept: list[tuple[int, int, int]] = []
    with rest.open("wb") as out:
        for data, places in damaged_lines.take(passed.file, passed.left, nonblank=layout.kind == "json"):
            numbers = before.numbers(passed.left[taken : taken + places.size])
            taken += places.size
            texts = data.decode("utf-8", "replace").split("\n")[: places.size]
            found = list(reference.read(layout, [text.rstrip("\r").lstrip("\0") for text in texts]))
            again = [i for i, row in enumerate(found) if row in FAULTS]
            mended = damaged_lines.repaired("".join(f"{texts[i]}\n" for i in again).encode()).decode().split("\n")
            for i, row in zip(again, reference.read(layout, mended[: len(again)]), strict=True):
                found[i] = row
            rows = [(int(numbers[i]), row) for i, row in enumerate(found) if isinstance(row, reference.ParsedLine)]
            duckdb_reader.write_rows(rows, writer)
            for i, text in zip(again, mended, strict=False):
                fault = found[i]
                if isinstance(fault, int) and fault != BLANK:
                    out.write(f"{text}\n".encode())
                    place = int(places[i])
                    kept.append(
                        (
                            place if before.is_whole else int(before.lines[place]),
                            int(numbers[i]) - before.first_number,
                            fault,
                        )
                    )
    columns = np.array(kept, np.int64).reshape(len(kept), 3)
    return _Failed(columns[:, 0], columns[:, 1], columns[:, 2], before.first_number)


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
    formats: Sequence[NamedLogFormat],
    head: Sequence[str] | None,
    *,
    may_be_wrapped: bool,
) -> tuple[LogFile, LineLayout | None]:
    """Recognise the layout of a file, or of the lines inside its lines; return the file that has the layout.

    A shipper's own keys can pass for a request's (a ``path`` that is the log's, a ``date``): where an object carries a line
    that tells more than its keys do, the line counts.
    """
    head = first_lines(file) if head is None else head
    layout = recognise(head, formats)
    if may_be_wrapped and head and (layout is None or (layout.lines.kind == "json" and "client" not in layout.fields)):
        told = _told(layout)

        def better(lines: Sequence[str]) -> LineLayout | None:
            found = recognise(lines, formats)
            return found if found is not None and _told(found) > told else None

        inner = unwrapped(scratch, file, head, better)
        if inner is not None:
            return inner
    return file, layout


def _told(layout: LineLayout | None) -> int:
    """Count what a layout tells of a visit: its time, client, page, status and program."""
    if layout is None:
        return 0
    page = bool({"request", "target"} & layout.fields.keys())
    return page + len({"time", "client", "status", "agent"} & layout.fields.keys())


def _blemishes(file: LogFile, failed: _Failed) -> list[Blemish]:
    """Describe the damage: for each reason the first line, a masked sample of it, and how many there are."""
    blemishes = []
    for fault, why in FAULTS.items():
        numbers = failed.lines[failed.faults == fault]
        if numbers.size:
            data = b"".join(data for data, _ in damaged_lines.take(file, numbers[:1], nonblank=False))
            sample = mask(data.decode("utf-8", "replace").rstrip("\r\n"))
            blemishes.append(Blemish(file.locator, "line", int(numbers[0]) + 1, why, sample, int(numbers.size)))
    if file.damage:
        blemishes.append(Blemish(file.locator, "byte", file.path.stat().st_size, f"what follows is {file.damage}"))
    return blemishes
