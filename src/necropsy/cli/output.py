"""Write results: the report to standard output or a file, progress and summary to standard error."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from necropsy._internal.paths import exists, is_dir, is_file
from necropsy.cli.options import FailOn, Format
from necropsy.model.errors import UsageError

if TYPE_CHECKING:
    from necropsy._internal.progress import Progress
    from necropsy.autopsy.sources import Sources
    from necropsy.model.report import Report


WITH_CHECKSUMS: Final = frozenset({Format.JSON, Format.HTML, Format.MARKDOWN})
"""Formats that show the checksums of sources."""


_NARROWEST: Final = 40
"""Columns below which nothing is readable."""
_STANDARD: Final = (None, Path("-"))
"""Outputs that are standard output."""


_SUFFIXES: Final = {
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".json": Format.JSON,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".sarif": Format.SARIF,
}


def chosen(kind: Format | None, output: Path | None) -> Format:
    """Return the format that was asked for, else the one that the suffix of the output means, else text.

    >>> chosen(None, Path("report.html")).value, chosen(Format.JSON, Path("report.html")).value, chosen(None, None).value
    ('html', 'json', 'text')
    """
    if kind is not None:
        return kind
    return _SUFFIXES.get(output.suffix.lower(), Format.TEXT) if output is not None else Format.TEXT


def fresh(case: Path | None, *, force: bool) -> None:
    """Refuse to write over a case that is there: it may be another incident's."""
    if case is not None and exists(case) and not force:
        raise UsageError(f"{case}: already exists", hint="Choose another name, or overwrite it with --force.")


def ready(kind: Format, output: Path | None) -> None:
    """Refuse an output that cannot be, before minutes are spent on what is to be written there."""
    if output in _STANDARD:
        if kind is Format.HTML and sys.stdout.isatty():
            raise UsageError("an HTML page cannot be written to a terminal", hint="Name a file: --output report.html")
        return
    if is_dir(output):
        raise UsageError(f"{output}: is a folder", hint=f"Name a file in it: --output {output / 'report'}.")
    if not is_dir(output.parent) or not os.access(output if exists(output) else output.parent, os.W_OK):
        reason = "permission denied" if is_dir(output.parent) else f"no folder {output.parent}"
        raise UsageError(f"{output}: cannot write: {reason}", hint="Choose another place with --output.")


def spare(sources: Sources, *outputs: Path | None) -> None:
    """Refuse to write over what is to be read."""
    from necropsy.autopsy.sources import KINDS

    read = [store.locator.text for store in sources.stores]
    read += [name for kind in KINDS for name in getattr(sources, kind.replace("-", "_"))]
    spare_files(read, *outputs)


def spare_files(read: Iterable[str | Path], *outputs: Path | None) -> None:
    """Refuse to write over files that are to be read; ``read`` may hold ``ADDRESS=FILE`` and ``KIND=FILE``, and URLs."""
    for output in outputs:
        if output is None or output in _STANDARD or not exists(output):
            continue
        for name in map(str, read):
            file = Path(name if exists(name) else name.partition("=")[2])
            if exists(file) and is_file(file) and file.samefile(output):
                raise UsageError(f"{output}: is one of the sources, and is not overwritten", hint="Name another file.")


def write(
    report: Report, kind: Format, output: Path | None, *, color: bool | None, quiet: bool, patches: bool = False
) -> None:
    """Render a report and write it where it belongs."""
    text = render(report, kind, color=use_color(color) and output in _STANDARD, patches=patches)
    if output is None or output in _STANDARD:
        say(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{output}: cannot write: {error.strerror}", hint="Choose another place with --output."
        ) from error
    if not quiet:
        sys.stderr.write(f"wrote {output}\n")


def put(data: bytes, output: Path | None, *, quiet: bool) -> None:
    """Write a result that is rendered already where it belongs."""
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise UsageError(
            f"{output}: cannot write: {error.strerror}", hint="Choose another place with --output."
        ) from error
    if not quiet:
        sys.stderr.write(f"wrote {output}\n")


def say(text: str) -> None:
    """Write a result to standard output at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def width() -> int:
    """Columns to write for: those of the terminal, or of COLUMNS, within reason; 80 for a file or a pipe."""
    asked = sys.stdout.isatty() or "COLUMNS" in os.environ
    columns = shutil.get_terminal_size((80, 24)).columns if asked else 80
    return max(_NARROWEST, min(columns, 120))


def render(report: Report, kind: Format, *, color: bool = False, patches: bool = False) -> str:
    """Render a report as text of this format; ``patches``: the text for a terminal shows whole diffs, too."""
    if kind is Format.TEXT:
        from necropsy.report.terminal import document as terminal

        return terminal.render(report, width=width(), color=color, patches=patches)
    from necropsy.report.registry import FORMATS

    return next(entry for entry in FORMATS if entry.name == kind.value).render(report)


def use_color(wanted: bool | None) -> bool:
    """Whether to use colours: the option, else NO_COLOR (https://no-color.org), else whether this is a terminal."""
    if wanted is not None:
        return wanted
    return not os.environ.get("NO_COLOR") and sys.stdout.isatty()


def unwritable(error: OSError) -> str:
    """Say why a folder cannot be made or written: the system says "File exists" of a file in its place."""
    return (
        "a file is where the folder should be" if isinstance(error, FileExistsError) else error.strerror or str(error)
    )


def report_uncompiled() -> None:
    """Say on standard error that dumps and logs are read by an installation that is not compiled, if it is so."""
    from necropsy._internal.compiled import HINT, why_uncompiled

    why = why_uncompiled()
    if why:
        typer.echo(f"note: {why}; reading dumps and logs takes several times as long\nhint:  {HINT}", err=True)


class Estimate:
    """Progress of a stage in per cent, and the time that the rest of it will take at the pace so far."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._stage = ""
        self._began = 0.0
        self._first = 0.0

    def rest(self, stage: str, share: float | None) -> str:
        """Return ``42 %, 0:01:10 left``; per cent alone until the pace is known, nothing without a share."""
        words = stage.rpartition(": ")[0] or stage
        if words != self._stage:
            self._stage, self._began, self._first = words, self._clock(), share or 0.0
        if share is None:
            return ""
        done, spent = share - self._first, self._clock() - self._began
        if done < _TELLING or spent < 1:
            return f"{share:.0%}".replace("%", " %")
        left = int((1 - share) * spent / done)
        return f"{share:.0%}, {left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left".replace("%", " %", 1)


_TELLING: Final = 0.005
"""Share of a stage after which its pace says something."""


@contextmanager
def progress(*, quiet: bool, is_first: bool = True) -> Iterator[Progress]:
    """Show progress on standard error while the block runs; nothing when it is quiet or no terminal.

    An installation that runs uncompiled is reported before the first of a command, wherever standard error goes: it
    explains the time.
    """
    if not quiet and is_first:
        report_uncompiled()
    if quiet or not sys.stderr.isatty():
        yield lambda _stage, _share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[rest]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, rest="")
        estimate = Estimate(time.monotonic)

        def say(stage: str, share: float | None) -> None:
            rest = estimate.rest(stage, share)
            bar.update(task, description=stage, total=None if share is None else 1.0, completed=share or 0.0, rest=rest)

        yield say


def exit_code(report: Report, fail_on: FailOn) -> int:
    """Exit code of a report: the worst severity at or above the threshold; 0 for none, and for health; 4 for no verdict.

    Something worth knowing does not make a verdict: with findings of severity ``info`` alone it is 4 as well.
    """
    from necropsy.model.errors import NotJudged
    from necropsy.model.verdict import Kind

    ranks = ("info", "warning", "critical")
    if fail_on is FailOn.NEVER:
        return 0
    worst = max(
        (
            f.severity.rank
            for f in report.findings
            if f.slug != "healthy" and f.severity.rank >= ranks.index(fail_on.value)
        ),
        default=-1,
    )
    # Application logs alone are asked one thing, and a log that was understood answers it: nothing points at the store.
    answered = (
        {source.reader for source in report.sources} == {"app_log"} and report.verdict.ruled_out and not report.absent
    )
    if report.verdict.kind is Kind.UNKNOWN and worst < ranks.index("warning") and not answered:
        return NotJudged.exit_code
    return 11 + worst if worst >= 0 else 0
