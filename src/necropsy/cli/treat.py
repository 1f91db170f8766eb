"""``necropsy treat``: what to do about a verdict, in order; and the patches applied."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from necropsy.cli import output
from necropsy.cli.options import QuietOption
from necropsy.model.errors import UsageError

if TYPE_CHECKING:
    from necropsy.model.report import Report


def treat(
    given: Annotated[
        Path,
        typer.Argument(
            metavar="CASE|INCIDENT.TOML", help="A case of `necropsy examine`, or an incident.toml that lists sources."
        ),
    ],
    patch: Annotated[
        bool, typer.Option("--patch", help="Print the patches of your configuration files as unified diffs.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="With --patch: apply them; each file gets a backup beside it.")
    ] = False,
    every: Annotated[
        bool,
        typer.Option("--all", help="With --patch: patches of all findings, not only of those that create sessions."),
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder that file names are relative to. Default: this one.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """List the steps of a treatment in order, and what each changes. Changes nothing without --patch --write.

    \b
    Examples:
      necropsy treat incident.case
      necropsy treat incident.toml --patch | patch -p1
      necropsy treat incident.case --patch --write
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.report.commands import treatment as text
    from necropsy.treat.writing import PatchError
    from necropsy.treatment import patching, steps

    if (write or every) and not patch:
        raise UsageError("--write and --all need --patch", hint="necropsy treat CASE --patch --write")
    report = _report(given, quiet=quiet)
    found = patching.patches(report, every=every)
    if not patch:
        output.say(text.treatment(steps.steps(report, found, given), found))
        return
    if not found.chosen:
        sys.stderr.write("no patch: no change to the examined configuration would help\n")
        raise typer.Exit(4)
    if not write:
        output.say("".join(one.patch.diff for one in found.chosen))
        return
    results = patching.write_all(report, found, folder or Path())
    failed = [result for result in results if isinstance(result, PatchError)]
    output.say(text.written(results))
    if failed:
        raise typer.Exit(1)


def _report(given: Path, *, quiet: bool) -> Report:
    from necropsy import autopsy

    if given.suffix.lower() != ".toml":
        return autopsy.report(given)
    from dataclasses import replace

    from necropsy.autopsy.incident_file import load

    with output.progress(quiet=quiet) as say:
        return autopsy.examine(replace(load(str(given)), checksums=True), progress=say)
