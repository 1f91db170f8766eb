"""``necropsy guard``: what stays running, and files for what stands around it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from necropsy.cli import output
from necropsy.cli.guard_files import alertmanager, compose, dashboards, scrape
from necropsy.model.errors import NecropsyError

if TYPE_CHECKING:
    from necropsy.guard.watch.notice import Notice

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Run exporter, prober and watch in one process, and write the configuration around them: alerting rules,"
    " dashboards, scrape jobs.",
)


@app.callback()
def _root() -> None:
    pass


@app.command("rules", short_help="Write alerting rules for Prometheus.")
def rules(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write necropsy.rules.yml to this folder. Default: print it."),
    ] = None,
) -> None:
    """Write recording and alerting rules for Prometheus: one alert for each way in which sessions get out of hand.

    \b
    Examples:
      necropsy guard rules --out /etc/prometheus/rules
      necropsy guard rules | promtool check rules /dev/stdin
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.guard.rules import as_yaml

    text = as_yaml()
    if out is None:
        sys.stdout.write(text)
        return
    path = out / "necropsy.rules.yml"
    try:
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NecropsyError(
            f"{path}: cannot write: {output.unwritable(error)}", hint="Name another folder with --out."
        ) from error
    typer.echo(f"Wrote {path}. Add it to rule_files in prometheus.yml.", err=True)


@app.command("run", short_help="Run everything, in one process on one port.")
def run(
    config: Annotated[Path, typer.Argument(metavar="GUARD.TOML", help="An incident file with a table [guard].")],
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="HOST:PORT", help="Address to listen on; overrides the file."),
    ] = None,
    case: Annotated[
        Path | None,
        typer.Option(
            "--case",
            metavar="FILE",
            help="File for the last examination and the history. Default: as set in GUARD.TOML.",
        ),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="NAME", help="Host name by which others reach this guard. Repeatable."),
    ] = None,
) -> None:
    """Run exporter, prober, watch, notifications and a page in one process on one port.

    The file is an incident.toml as for `necropsy examine`, with a table [guard] (docs/guard.md); it needs nothing but
    the stores. SIGHUP reloads it; if the new file has an error, the guard keeps the old configuration. SIGTERM finishes
    open requests, then ends.

    \b
    Examples:
      necropsy guard run guard.toml
      necropsy notify guard.toml --test    # shows what each channel would get
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    import signal

    from necropsy.cli.census import COMMAND
    from necropsy.cli.signals import told_of
    from necropsy.cli.watch import text_of
    from necropsy.guard.allocator import stay_small
    from necropsy.guard.notify.message import MessageState
    from necropsy.guard.notify.plan import ReceiverRules, Told, due
    from necropsy.guard.running import Given, Guard

    output.report_uncompiled()
    stay_small()
    told: dict[str, Told] = {}

    def log(text: str) -> None:
        typer.echo(text, err=True)

    def say(notices: Sequence[Notice]) -> None:
        now = datetime.now(UTC)
        for message in due(notices, told, ReceiverRules(repeat_s=None), now):
            told[message.notice.key] = Told(now, message.state is MessageState.RESOLVED, message.notice.revision)
            log(text_of(message))
        for key in set(told) - {notice.key for notice in notices}:
            del told[key]

    given = Given(listen, tuple(host or ()), str(case) if case else None)
    running = Guard(config, COMMAND, log, say, given)
    with told_of(signal.SIGHUP, signal.SIGTERM, signal.SIGINT) as next_signal:
        running.start()
        log(f"Listening on {running.address}, examining every {running.census.every_s:g} s")
        while next_signal() == signal.SIGHUP:
            running.reload()
        log("Ending.")
        answered = running.stop()
    log("Stopped." if answered else "Stopped; some requests were not answered in time.")


app.command("dashboards", short_help="Write dashboards for Grafana.")(dashboards)
app.command("scrape", short_help="Write prometheus.yml for a guard.")(scrape)
app.command("alertmanager", short_help="Write alertmanager.yml and its messages.")(alertmanager)
app.command("compose", short_help="Write a compose file around your stores.")(compose)
