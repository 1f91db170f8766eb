"""``necropsy keys``: the keyspace itself."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from necropsy.cli import live, output
from necropsy.cli.options import (
    ColorOption,
    FormerReadMethodOption,
    ImpactOption,
    PasswordOption,
    QuietOption,
    ReadMethod,
    ReadMethodOption,
)
from necropsy.model.errors import UsageError


class KeysFormat(StrEnum):
    """Formats of a keyspace."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


class Grouping(StrEnum):
    """By what to sum up."""

    PATTERN = "pattern"
    DATABASE = "database"
    TYPE = "type"
    NODE = "node"
    SLOT = "slot"


def keys(
    dumps: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DUMP]...",
            help="RDB files, folders of an append-only file, or - for standard input. Several are taken as nodes of one store.",
        ),
    ] = None,
    redis: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="Address of a live server: redis://, rediss:// or unix://.")
    ] = None,
    read_method: ReadMethodOption = ReadMethod.AUTO,
    redis_way: FormerReadMethodOption = None,
    max_impact: ImpactOption = "1ms",
    redis_ask_password: PasswordOption = False,
    diff: Annotated[
        list[str] | None, typer.Option(metavar="OLD", help="Compare with this older dump or server, to show what grew.")
    ] = None,
    by: Annotated[
        list[Grouping] | None,
        typer.Option(
            help="Group by this. Repeatable. Default: pattern in CSV and Parquet, everything except slot otherwise."
        ),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="Rows of each table in text output.")] = 20,
    top: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="How many of the biggest keys to list.")] = 10,
    distributions: Annotated[
        bool, typer.Option("--distributions", help="Show TTLs, idle times and sizes of each pattern in text output.")
    ] = False,
    show_keys: Annotated[
        bool,
        typer.Option(
            "--show-keys", help="Show the full names of the biggest keys. Session ids in them are credentials."
        ),
    ] = False,
    sample: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Read only this share of a dump's keys, such as 0.1; always the same keys. Not for servers.",
        ),
    ] = 1.0,
    now: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Treat this time as now (ISO, UTC). Default: when each dump was taken."),
    ] = None,
    format: Annotated[  # noqa: A002 -- the option's name
        KeysFormat | None,
        typer.Option("--format", "-f", help="Output format. Default: by the suffix of --output, else text."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output."),
    ] = None,
    color: ColorOption = None,
    quiet: QuietOption = False,
) -> None:
    """Show what a keyspace consists of, by key pattern, with TTLs, idle times and sizes. Changes nothing.

    Ids, numbers and hashes in key names are replaced by *: cache:products:1042 counts as cache:products:*.

    \b
    Examples:
      necropsy keys dump.rdb
      necropsy keys node1.rdb node2.rdb node3.rdb --by pattern --by node
      necropsy keys today.rdb --diff yesterday.rdb
      necropsy keys dump.rdb --by pattern --by slot --output keys.parquet
      ssh server cat dump.rdb | necropsy keys - --sample 0.1
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.autopsy.sources import as_address, parse_time
    from necropsy.keyspace.survey import survey
    from necropsy.report.commands import keys as text
    from necropsy.report.commands import keys_rows
    from necropsy.wire.files import expand

    kind = format or _by_suffix(out)
    if kind is KeysFormat.PARQUET and out is None and sys.stdout.isatty():
        raise UsageError("Parquet output cannot be written to a terminal", hint="Name a file with --output.")
    tabular = kind in {KeysFormat.CSV, KeysFormat.PARQUET}
    usual = [Grouping.PATTERN, Grouping.DATABASE, Grouping.TYPE]
    if not diff:
        usual.append(Grouping.NODE)  # the sources of two sides have nothing in common
    groupings = [grouping.value for grouping in by or ([Grouping.PATTERN] if tabular else usual)]
    options = live.options(redis_way or read_method, max_impact, ask_password=redis_ask_password)
    read, before = expand(dumps or ()), expand(diff or ())
    output.spare_files([*read, *before], out)
    with output.progress(quiet=quiet) as say:
        found = survey(
            [*read, *map(as_address, redis or ())],
            before=before,
            by=groupings,
            top=top,
            show_keys=show_keys,
            sample=sample,
            now=parse_time(now) if now else None,
            live=options,
            progress=say,
        )
    if kind is KeysFormat.TEXT:
        width = output.width() if out is None else 80
        colored = output.use_color(color) and out is None
        shown = text.render(found, width=width, color=colored, rows=rows, distributions=distributions)
        output.put(shown.encode(), out, quiet=quiet)
    elif kind is KeysFormat.JSON:
        output.put(keys_rows.as_json(found).encode(), out, quiet=quiet)
    elif kind is KeysFormat.CSV:
        output.put(keys_rows.as_csv(found).encode(), out, quiet=quiet)
    else:
        output.put(keys_rows.as_parquet(found), out, quiet=quiet)


def _by_suffix(out: Path | None) -> KeysFormat:
    suffix = out.suffix.removeprefix(".") if out is not None else ""
    return KeysFormat(suffix) if suffix in set(KeysFormat) else KeysFormat.TEXT
