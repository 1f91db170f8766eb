"""The command line: parses, calls, prints, and turns errors into something to do. One module a command."""

from __future__ import annotations

import contextlib
import copy
import errno
import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from necropsy import __version__
from necropsy._internal.masking import masked
from necropsy.cli import (
    cap_ttl,
    completion,
    consul,
    cost,
    demo,
    examine,
    explain,
    exporter,
    guard,
    keys,
    lab,
    lint,
    notify,
    prober,
    probes,
    purge,
    report,
    traffic,
    treat,
    verify,
    watch,
    what_if,
)
from necropsy.cli.exporter_flags import GoCommand
from necropsy.cli.process import tune
from necropsy.cli.stopping import Stopped, stoppable
from necropsy.model.errors import NecropsyError

app = typer.Typer(
    name="necropsy",
    no_args_is_help=True,
    add_completion=False,  # it would edit the shell's own files; `necropsy completion` prints
    rich_markup_mode=None,  # rich in --help costs 130 ms of the 150 that it may take
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=(
        "An autopsy for Redis-backed session stores: what creates the sessions, which line of configuration causes"
        " it, and how to stop it.\n\n"
        "Start with `necropsy demo`, or with the files that you have:\n\n"
        "  necropsy examine --rdb dump.rdb --access-log 'access*.log' --prometheus prometheus.yml --consul services.json"
    ),
    epilog=(
        "Exit codes: 0 nothing found, 1 failed, 2 usage, 3 no evidence, 4 could not judge, 11/12/13 info/warning/critical"
        " found."
    ),
)
app.command("examine", short_help="Find out why a session store grows, what causes it, and how to stop it.")(
    examine.examine
)
app.command("report", short_help="Render the report of a saved case again.")(report.report)
app.command("probes", short_help="List every request that the monitoring sends.")(probes.probes)
app.command("lint", short_help="Check the configuration of the monitoring for mistakes.")(lint.lint)
app.command("cost", short_help="Calculate how many sessions the probes create.")(cost.cost)
app.command("keys", short_help="Sum up the keys of a store by pattern.")(keys.keys)
app.command("traffic", short_help="List clients and how often they come, from access logs.")(traffic.traffic)
app.command("treat", short_help="List the steps of a treatment, in order.")(treat.treat)
app.command("purge", short_help="Delete useless sessions without logging anybody out.")(purge.purge)
app.command("cap-ttl", short_help="Shorten the lifetime of existing sessions.")(cap_ttl.cap_ttl)
app.command("verify", short_help="Check whether a fix worked.")(verify.verify)
app.command("what-if", short_help="Predict a store's size with and without each fix.")(what_if.what_if)
app.command("consul", short_help="Find stale services in Consul.")(consul.consul)
app.command("explain", short_help="Explain a finding.")(explain.explain)
app.command("exporter", cls=GoCommand, short_help="Export Redis servers and sessions to Prometheus.")(exporter.exporter)
app.command("prober", short_help="Probe URLs for Prometheus without leaking sessions.")(prober.prober)
app.command("watch", short_help="Examine at an interval, and report changes.")(watch.watch)
app.command("notify", short_help="Test the notification channels.")(notify.notify)
app.add_typer(guard.app, name="guard", short_help="Run the guard; write alerting rules and dashboards.")
app.command("demo", short_help="Replay an incident of 2019, and examine it.")(demo.demo)
app.add_typer(lab.app, name="lab", short_help="Run the incident as real processes, to try things out.")
app.command("completion", short_help="Print the shell completion script.")(completion.completion)


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


def command_line(arguments: Sequence[str]) -> typer.Typer:
    """Return the command line with the one command that the arguments name; with all of them if they name none.

    Typer builds every command before it runs one, which takes 40 ms.
    """
    name = next((word for word in arguments if not word.startswith("-")), "")
    if not name:
        return app
    commands = [one for one in app.registered_commands if one.name == name]
    groups = [one for one in app.registered_groups if one.name == name]
    if not commands and not groups:
        return app
    some = copy.copy(app)
    some.registered_commands, some.registered_groups = commands, groups
    return some


def main() -> None:
    """Run the command line; the one place where errors are caught."""
    _encode()
    tune()
    if completion.VARIABLE in os.environ:
        completion.answer()
    try:
        with stoppable():
            command_line(sys.argv[1:])(prog_name="necropsy")
    except NecropsyError as error:
        _complain(error)
        _discard()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        _discard()
        sys.exit(1)
    except PermissionError as error:
        if not error.filename:
            raise
        hint = "Let this user read and write it, or give another place."
        _complain(NecropsyError(f"{error.filename}: {error.strerror}", hint=hint))
        _discard()
        sys.exit(1)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        place = error.filename or "standard output"
        _complain(
            NecropsyError(f"{place}: cannot write: {error.strerror}", hint="Make room there, or choose another place.")
        )
        _discard()
        sys.exit(1)
    except Stopped as stopped:
        what = ": no report and no case was written" if sys.argv[1:2] == ["examine"] else ""
        sys.stderr.write(f"stopped{what}\n")
        _discard()
        sys.exit(stopped.exit_code)


_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def _encode() -> None:
    """Show what the terminal's encoding has no sign for as an escape, rather than fail on it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _discard() -> None:
    """Let what is still buffered go nowhere: Python would complain of it on its way out."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


def _complain(error: NecropsyError) -> None:
    # Libraries and other programs put the address into what they raise, as it was typed.
    sys.stderr.write(f"error: {masked(error.message)}\n")
    if error.hint:
        sys.stderr.write(f"hint:  {masked(error.hint)}\n")


if __name__ == "__main__":
    main()
