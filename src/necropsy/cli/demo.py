"""``necropsy demo``: the incident, relived and examined."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Annotated, Final

import typer

from necropsy.cli import output
from necropsy.cli.options import ColorOption, Format, QuietOption
from necropsy.model.errors import UsageError

_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
"""A full disk: said in one place, for every command."""


def demo(
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where the evidence, the case and the report go.")] = Path(
        "demo"
    ),
    seed: Annotated[
        int, typer.Option(metavar="NUMBER", help="Seed of the random numbers; the same seed gives the same incident.")
    ] = 1,
    color: ColorOption = None,
    purge: Annotated[
        bool, typer.Option("--purge/--no-purge", help="At the end, purge both stores while simulated users work.")
    ] = True,
    quiet: QuietOption = False,
) -> None:
    """Replay an incident of 2019 on an embedded server, then examine the evidence that it left.

    It simulates a day of probes, health checks and users of two admin applications, and writes real RDB files, access
    logs and configuration. Needs `pip install 'necropsy[demo]'`, but neither root nor a network.

    \b
    Examples:
      necropsy demo
      necropsy demo --folder evidence --seed 7
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy import autopsy
    from necropsy.autopsy.incident_file import load
    from necropsy.lab.demo import stage

    case, page = folder / "incident.case", folder / "report.html"
    try:
        with output.progress(quiet=quiet) as say:
            staged = stage(folder, seed=seed, progress=lambda what: say(what, None))
            case.unlink(missing_ok=True)
            report = autopsy.examine(load(str(staged.incident)), case_path=case, progress=say)
        page.write_text(output.render(report, Format.HTML), encoding="utf-8")
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise UsageError(
            f"{error.filename or folder}: cannot write: {error.strerror}", hint="Choose another place with --folder."
        ) from error
    typer.echo(output.render(report, Format.TEXT, color=output.use_color(color)), nl=False)
    if purge:
        _purge(seed, quiet=quiet)
    typer.echo(f"\nEvidence  {folder}/    Case  {case}\nReport    {page}  (open it in a browser)")


def _purge(seed: int, *, quiet: bool) -> None:
    from necropsy.lab.purging import purge_while_users_work
    from necropsy.model.figures import several, size

    typer.echo("\nPURGE  both stores on a live server, while simulated users work")
    with output.progress(quiet=quiet, is_first=False) as say:
        for one in purge_while_users_work(seed, lambda what: say(what, None)):
            out = "nobody was logged out" if not one.noticed else f"{several(one.noticed, 'visit')} found no session"
            edge = " " * len(f"  {one.name}  ")
            typer.echo(
                f"  {one.name}  {one.deleted:,} of {several(one.sessions, 'session')} deleted, {size(one.freed)} freed\n"
                f"{edge}meanwhile {several(one.users, 'user')} made {several(one.visits, 'visit')}: {out}\n"
                f"{edge}one batch undone: {several(one.undone, 'session')} back"
            )
