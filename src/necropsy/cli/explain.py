"""``necropsy explain``: what a slug means."""

from __future__ import annotations

import difflib
import os
import sys
import textwrap
from collections.abc import Mapping
from importlib.resources import files
from typing import Annotated

import typer

from necropsy.cli.options import ColorOption
from necropsy.cli.output import use_color, width
from necropsy.model.errors import UsageError


def _complete(incomplete: str) -> list[str]:
    from necropsy.examine.registry import SLUGS

    return [slug for slug in SLUGS if slug.startswith(incomplete)]


def _list(slugs: Mapping[str, str]) -> str:
    """List the slugs: for a terminal wrapped to its width, for a pipe one a line."""
    column = max(map(len, slugs)) + 2
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return "\n".join(f"{name:<{column}}{meaning}" for name, meaning in slugs.items())
    hang = column if width() > 2 * column else 4
    return "\n".join(
        line
        for name, meaning in slugs.items()
        for line in textwrap.wrap(f"{name:<{column}}{meaning}", width(), subsequent_indent=" " * hang)
    )


def explain(
    slug: Annotated[
        str | None,
        typer.Argument(
            metavar="SLUG",
            help="For example probes/creates-sessions. Without it, all slugs are listed.",
            autocompletion=_complete,
        ),
    ] = None,
    color: ColorOption = None,
) -> None:
    """Explain a finding: its meaning, its signs, and what to do.

    \b
    Examples:
      necropsy explain
      necropsy explain probes/creates-sessions
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.examine.registry import SLUGS

    if slug is None:
        typer.echo(_list(SLUGS))
        return
    if slug not in SLUGS:
        area = [known for known in SLUGS if known.startswith(f"{slug.rstrip('/')}/")]
        if area:
            raise UsageError(f"{slug}: names several findings", hint=f"One of: {', '.join(area)}.")
        close = difflib.get_close_matches(slug, SLUGS, n=1)
        raise UsageError(
            f"{slug}: no such slug",
            hint=f"Did you mean {close[0]}?" if close else "`necropsy explain` lists them all.",
        )
    text = (files("necropsy.cli") / "pages" / f"{slug}.md").read_text(encoding="utf-8")
    if use_color(color):
        from rich.console import Console
        from rich.markdown import Markdown

        Console(file=sys.stdout, width=88).print(Markdown(text))
    else:
        typer.echo(text)
