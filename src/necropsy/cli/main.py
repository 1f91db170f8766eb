"""The command line: parses, calls, prints, and turns errors into something to do. One module a command."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from necropsy import __version__
from necropsy.cli import cost, demo, examine, explain, keys, lint, probes, report
from necropsy.model.errors import NecropsyError

app = typer.Typer(
    name="necropsy",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich in --help costs 130 ms of the 150 that it may take
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=(
        "An autopsy for Redis-backed session stores: who creates the sessions, which line of configuration made them,"
        " and how to stop it.\n\n"
        "Start with `necropsy demo`, or with what you have at hand:\n\n"
        "  necropsy examine --rdb dump.rdb --access-log 'access*.log' --prometheus prometheus.yml --consul services.json"
    ),
    epilog="Exit codes: 0 nothing found, 1 failed, 2 usage, 3 no evidence, 11/12/13 info/warning/critical found.",
)
app.command("examine")(examine.examine)
app.command("report")(report.report)
app.command("probes")(probes.probes)
app.command("lint")(lint.lint)
app.command("cost")(cost.cost)
app.command("keys")(keys.keys)
app.command("explain")(explain.explain)
app.command("demo")(demo.demo)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"necropsy {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; the one place where errors are caught."""
    try:
        app()
    except NecropsyError as error:
        _complain(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: nothing was changed\n")
        sys.exit(130)


def _complain(error: NecropsyError) -> None:
    sys.stderr.write(f"error: {error.message}\n")
    if error.hint:
        sys.stderr.write(f"hint:  {error.hint}\n")


if __name__ == "__main__":
    main()
