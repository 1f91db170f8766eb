"""``necropsy report``: render a case again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from necropsy.cli import output
from necropsy.cli.options import (
    ColorOption,
    FailOn,
    FailOnOption,
    FormatOption,
    OutputOption,
    PatchesOption,
    QuietOption,
)


def report(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="A case file that `necropsy examine --case` wrote.")],
    format: FormatOption = None,  # noqa: A002 -- the option's name
    out: OutputOption = None,
    fail_on: FailOnOption = FailOn.NEVER,
    patches: PatchesOption = False,
    color: ColorOption = None,
    quiet: QuietOption = False,
) -> None:
    """Render the report of a saved case again, in any format. Reads only the case.

    \b
    Examples:
      necropsy report incident.case
      necropsy report incident.case --output report.html
      necropsy report incident.case --format json | jq .verdict
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy import autopsy

    kind = output.chosen(format, out)
    output.ready(kind, out)
    output.spare_files([case], out)
    made = autopsy.report(case)
    output.write(made, kind, out, color=color, quiet=quiet, patches=patches)
    raise typer.Exit(output.exit_code(made, fail_on))
