"""Lines of all files of one log become rows of one scratch table; what cannot be read becomes blemishes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from necropsy.evidence.access_log import remainder
from necropsy.evidence.access_log.layout import BLANK, FAULTS, Layout, LogFormat
from necropsy.evidence.access_log.layouts import recognise
from necropsy.evidence.access_log.masking import mask
from necropsy.evidence.access_log.sources import LogFile, first_lines, spool
from necropsy.evidence.access_log.wrappers import unwrapped
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Blemish

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from necropsy.evidence.access_log.scratch import Scratch

_PASSES: Final = 3
"""How many layouts are tried on one file: a format changes with a deployment, not with every line."""

TEXTS: Final = ("client", "agent", "host", "request")
"""Fields of which a line holds the text and a key (64-bit hash) by which it is grouped and joined."""


@dataclass(slots=True)
class Loaded:
    """What became of one file."""

    note: str = ""
    """Layouts that it was read with; empty when none was recognised."""
    requests: int = 0
    last_at: datetime | None = None
    blemishes: list[Blemish] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Failed:
    """Lines that a layout could not read."""

    numbers: NDArray[np.int64]
    """Which, from 0, sorted."""
    faults: NDArray[np.int64]
    """Why; see ``FAULTS``."""


def create_tables(scratch: Scratch) -> None:
    """Create the empty table ``line``: one row a line, in the order of the files."""
    columns = ["stamp TIMESTAMP", "status SMALLINT", "fault TINYINT", "referer_key UBIGINT"]
    columns += [f"{field}_key UBIGINT" for field in TEXTS] + [f"{field} VARCHAR" for field in TEXTS]
    scratch.run(f"CREATE OR REPLACE TEMP TABLE line ({', '.join(columns)})")


def create_texts(scratch: Scratch, field: str, needed: str) -> None:
    """Create ``<field>_text`` (<field>_key, text) for the keys that a query names; empty texts are left out."""
    key = f"{field}_key"
    scratch.run(
        f"CREATE OR REPLACE TEMP TABLE {field}_text AS SELECT {key}, any_value({field}) AS text FROM"
        f" (SELECT {key}, {field} FROM line WHERE {field} <> '')"
        f" SEMI JOIN ({needed}) USING ({key}) GROUP BY {key}"
    )


def load(scratch: Scratch, file: LogFile, formats: Sequence[LogFormat]) -> Loaded:
    """Load one file into ``line``; nothing in it is ever fatal.

    What the layout of the first lines cannot read is repaired and tried again, with another layout if the format
    changed in the middle of the file.

    Raises
    ------
    UnreadableSource
        Not one byte could be read.
    """
    import numpy as np

    begin = scratch.value("SELECT count(*) FROM line")
    loaded = Loaded()
    notes: list[str] = []
    source, origin = file, None
    failed = _Failed(np.empty(0, np.int64), np.empty(0, np.int64))
    for attempt in range(_PASSES):
        layout = recognise(scratch, first_lines(source), formats)
        if layout is None and not attempt:
            inner = unwrapped(scratch, source, first_lines(source))
            if inner is not None:
                source = inner
                layout = recognise(scratch, first_lines(source), formats)
        if layout is None:
            break
        before = scratch.value("SELECT count(*) FROM line WHERE fault = 0")
        source = _insert(scratch, source, layout)
        failed_here = _failures(scratch, layout)
        file = file if attempt else source
        if scratch.value("SELECT count(*) FROM line WHERE fault = 0") > before:
            notes.append(layout.note)
        elif attempt:
            break
        rest, numbers = _set_aside(scratch, source, layout, failed_here.numbers, attempt)
        origin = numbers if origin is None else origin[numbers]
        failed = _Failed(origin, failed_here.faults)
        source = rest
        if not origin.size:
            break
    loaded.note = "; then ".join(dict.fromkeys(notes))
    loaded.requests, last = scratch.rows(f"SELECT count(*), max(stamp) FROM line WHERE rowid >= {begin} AND fault = 0")[
        0
    ]
    loaded.last_at = last.replace(tzinfo=UTC) if last is not None else None
    loaded.blemishes = _blemishes(file, failed)
    return loaded


def _insert(scratch: Scratch, file: LogFile, layout: Layout) -> LogFile:
    """Read a file into ``line``; of what DuckDB refuses, a copy that it takes. Return what was read."""
    scratch.run(f"SET VARIABLE begin_of_file = {scratch.value('SELECT count(*) FROM line')}")
    gentler: list[Callable[[LogFile], LogFile]] = [
        lambda given: given,
        lambda given: _unpacked(scratch, given),
        lambda given: remainder.tidy(given, given.path.with_name(f"{given.path.name}-tidy")),
    ]
    problem = ""
    for soften in gentler:
        softened = soften(file)
        if softened is file and problem:
            continue
        file = softened
        try:
            scratch.forget_rejects()
            scratch.run(_insertion(layout.query(str(file.path), file.compression)))
        except scratch.errors as error:
            problem = str(error).splitlines()[0]
            continue
        if layout.kind == "json" or not _misnumbered(scratch, file):
            return file
        problem = "holds carriage returns"
        begin = scratch.value("SELECT getvariable('begin_of_file')")
        scratch.run(f"UPDATE line SET fault = {BLANK} WHERE rowid >= {begin}")
        scratch.run(f"SET VARIABLE begin_of_file = {scratch.value('SELECT count(*) FROM line')}")
    raise UnreadableSource(f"{file.locator}: {problem}", hint="Take the file again, or leave it out.")


def _misnumbered(scratch: Scratch, file: LogFile) -> bool:
    """Whether the rows of the file read last are not its lines: DuckDB ends a line at a carriage return, too.

    A line that such a return tears apart fails, so only files with failures are looked at.
    """
    begin = scratch.value("SELECT getvariable('begin_of_file')")
    failed = scratch.value(f"SELECT count(*) FROM line WHERE rowid >= {begin} AND fault <> 0")
    return bool(failed) and remainder.has_returns(file)


def _keyed(query: str) -> str:
    keys = ", ".join(f"hash({field}) AS {field}_key" for field in TEXTS)
    return f"SELECT stamp, status, fault, hash(referer) AS referer_key, {keys}, {', '.join(TEXTS)} FROM ({query})"


def _insertion(query: str) -> str:
    """Insert as plainly as can be: a join in here, or ``IN``, and the rows would no longer be in the order of the lines."""
    return f"INSERT INTO line {_keyed(query)}"


def _unpacked(scratch: Scratch, file: LogFile) -> LogFile:
    """Unpack a compressed file as far as it goes; others stay as they are."""
    if file.compression == "none":
        return file
    with file.open() as stream:
        return spool(file.locator, stream, scratch.folder / f"{file.path.name}-unpacked")


def _failures(scratch: Scratch, layout: Layout) -> _Failed:
    """Return which lines of the file read last failed: of JSON by their place among lines that are not blank."""
    import numpy as np

    begin = scratch.value("SELECT getvariable('begin_of_file')")
    rows = scratch.columns(
        f"SELECT rowid - {begin} AS number, fault FROM line WHERE rowid >= {begin} AND fault NOT IN (0, {BLANK}) ORDER BY 1"
    )
    numbers = np.asarray(rows["number"], dtype=np.int64)
    faults = np.asarray(rows["fault"], dtype=np.int64)
    if layout.kind == "lines":
        skipped = np.asarray(
            scratch.columns("SELECT DISTINCT line - 1 AS number FROM reject_errors ORDER BY 1")["number"]
            if scratch.value("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'")
            else [],
            dtype=np.int64,
        )
        # The reader leaves such lines out (no UTF-8, too long), so that those behind them move up.
        numbers += np.searchsorted(skipped - np.arange(skipped.size), numbers, side="right")
        numbers = np.concatenate([numbers, skipped])
        faults = np.concatenate([faults, np.ones_like(skipped)])
        order = np.argsort(numbers, kind="stable")
        numbers, faults = numbers[order], faults[order]
    return _Failed(numbers, faults)


def _set_aside(
    scratch: Scratch, source: LogFile, layout: Layout, failed: NDArray[np.int64], attempt: int
) -> tuple[LogFile, NDArray[np.int64]]:
    """Write lines that could not be read, repaired, into a file of their own; return it and their numbers."""
    import numpy as np

    copy = scratch.folder / f"{source.path.name}-rest{attempt}"
    numbers = [np.empty(0, np.int64)]
    with copy.open("wb") as out:
        if failed.size:
            for data, taken in remainder.take(source, failed, nonblank=layout.kind == "json"):
                out.write(remainder.repaired(data))
                numbers.append(taken)
    return LogFile(source.locator, copy, "none"), np.concatenate(numbers)


def _blemishes(file: LogFile, failed: _Failed) -> list[Blemish]:
    """Describe the damage: for each reason the first line, a masked sample of it, and how many there are."""
    blemishes = []
    for fault, why in FAULTS.items():
        numbers = failed.numbers[failed.faults == fault]
        if numbers.size:
            data = b"".join(data for data, _ in remainder.take(file, numbers[:1], nonblank=False))
            sample = mask(data.decode("utf-8", "replace").rstrip("\r\n"))
            blemishes.append(Blemish(file.locator, "line", int(numbers[0]) + 1, why, sample, int(numbers.size)))
    if file.damage:
        blemishes.append(Blemish(file.locator, "byte", file.path.stat().st_size, f"what follows is {file.damage}"))
    return blemishes
