"""The local backend: DuckDB in this process reads the files and analyses the lines."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from necropsy.case.scratch import Scratch, open_scratch
from necropsy.evidence.access_log import lines, loading
from necropsy.evidence.access_log.backends.interface import KIND, Backend, Part, WantedLines, unrecognised
from necropsy.evidence.access_log.files.copies import blemish, copies
from necropsy.evidence.access_log.files.sources import LogFile, attach, first_lines, nothing_in
from necropsy.evidence.access_log.formats.layout import NamedLogFormat
from necropsy.evidence.access_log.formats.unfit import noted
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Absent, Source
from necropsy.visits import analyse
from necropsy.visits.engines.duckdb_engine import DuckdbEngine

if TYPE_CHECKING:
    from necropsy.visits.analyse import Analysis
    from necropsy.visits.engines.interface import Engine


class LocalBackend:
    """DuckDB in this process."""

    def __init__(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.engine: Engine = DuckdbEngine(scratch)

    def read(self, wanted: WantedLines) -> Part:
        """See ``Backend``."""
        lines.create_tables(self.scratch)
        part, first_number = Part(), 0
        for number, locator in enumerate(wanted.locators):
            try:
                file = attach(locator, self.scratch.folder, number)
                report = partial(wanted.report_bytes, locator) if wanted.report_bytes is not None else None
                loaded = loading.load(self.scratch, file, wanted.formats, first_number, report_bytes=report)
            except UnreadableSource as error:
                part.absent.append(Absent(KIND, locator, error.message, error.hint))
                continue
            first_number += loaded.lines
            if not loaded.note:
                part.absent.append(Absent(KIND, locator, *_unrecognised(file, wanted.formats)))
                continue
            part.sources.append(
                Source(
                    KIND,
                    locator,
                    loaded.last_at,
                    None,
                    None,
                    None,
                    noted(loaded.note, wanted.formats, first_lines(file)),
                )
            )
            part.blemishes += loaded.blemishes
            part.requests += loaded.requests
            part.starts += loaded.starts
        part.requests -= lines.finish(self.scratch, wanted.condition)
        times = copies(self.scratch, part.requests)
        if times > 1:
            part.blemishes.append(blemish(times, part.sources, part.requests))
        part.first_us, part.last_us = self.scratch.rows("SELECT min(time_us), max(time_us) FROM line")[0]
        return part

    def analyse(self, *, slack_us: int, bins: bool, visits_between: tuple[int, int] | None) -> Analysis:
        """See ``Backend``."""
        return analyse.analyse(self.engine, slack_us=slack_us, bins=bins, visits_between=visits_between)


@contextlib.contextmanager
def open_local(meanwhile: Callable[[], object] | None = None) -> Iterator[Backend]:
    """Open DuckDB in this process."""
    with open_scratch(meanwhile=meanwhile) as scratch:
        yield LocalBackend(scratch)


def _unrecognised(file: LogFile, formats: Sequence[NamedLogFormat]) -> tuple[str, str]:
    """Why nothing could be made of a file, and what to do."""
    return unrecognised(file.damage or nothing_in(file), first_lines(file), formats)
