"""``necropsy lab guarded``: the incident replayed with the guard watching."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from necropsy.cli import output
from necropsy.cli.options import QuietOption


def guarded(
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where the lab keeps its files.")] = Path("lab-run"),
    quiet: QuietOption = False,
) -> None:
    """Replay the incident ten times faster with the guard watching, and print each notice with its time.

    Users work; the prober is switched on, and the guard reports it; its patch is applied to all machines but one, then
    to the last. Takes 15 minutes, as a creator counts as stopped after five minutes of silence. Stops the lab at
    the end, also when this command is killed; its files stay.

    \b
    Examples:
      necropsy lab guarded
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.lab.live.afterwards import ended_with_us
    from necropsy.lab.live.guarded import replay

    with ended_with_us(folder), output.progress(quiet=quiet) as say:
        for line in replay(folder, (sys.executable, "-m", "necropsy.cli.main"), lambda what: say(what, None)):
            typer.echo(line)
