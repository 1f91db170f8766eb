"""``necropsy purge``: delete sessions of no use, log nobody out, and have a way back."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from necropsy._internal.paths import exists
from necropsy.cli import live, output
from necropsy.cli.options import (
    FormerReadMethodOption,
    ImpactOption,
    PasswordOption,
    QuietOption,
    ReadMethod,
    ReadMethodOption,
    StoreAddressOption,
    YesOption,
    refuse_idle,
)
from necropsy.model.durations import seconds_of
from necropsy.model.errors import UsageError

if TYPE_CHECKING:
    from necropsy.evidence.redis.options import LiveOptions
    from necropsy.treat.purge.plan import PurgePlan
    from necropsy.treatment import purging
    from necropsy.wire.redis.address import Address

_STORE: Final = frozenset({"redis", "redis_ask_password", "quiet"})
_OF_MODE: Final = {
    "--verify": frozenset({"journal_key", "quiet"}),
    "--shred": frozenset({"yes", "quiet"}),
    "--undo": _STORE | {"batch", "journal_key", "other_store", "as_far_as_it_goes"},
    "--apply": _STORE
    | {
        "journal",
        "max_impact",
        "rate",
        "max_ops",
        "batch_size",
        "control",
        "journal_key",
        "journal_by",
        "notify_application",
        "yes",
    }
    | {"read_method", "redis_way"},
    "a plan": _STORE
    | {
        "case",
        "where",
        "plan",
        "idle",
        "include_unknown",
        "trust_lifetime",
        "store",
        "max_impact",
        "read_method",
        "redis_way",
    },
}
"""Parameters that each thing that the command does has a use for."""
_ON_TERMINAL_S, _ELSEWHERE_S = 0.2, 10.0


class JournalBy(StrEnum):
    """Sources of the values in a journal."""

    AUTO = "auto"
    SNAPSHOT = "snapshot"
    DUMP = "dump"


def purge(
    context: typer.Context,
    case: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CASE]",
            help="A case of `necropsy examine`: needed for --where born-by=, or to select sessions from it.",
        ),
    ] = None,
    redis: StoreAddressOption = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            help="anonymous, idle=1h, immortal, born-before=TIME, born-by=SLUG, creator=TEXT, framework=NAME,"
            " pattern=GLOB. Repeatable; all must hold.",
        ),
    ] = None,
    plan: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the plan to this file.")] = None,
    apply: Annotated[Path | None, typer.Option(metavar="PLAN", help="Delete the sessions in this plan.")] = None,
    journal: Annotated[
        Path | None, typer.Option(metavar="DIR", help="New folder for the journal, or the journal to continue.")
    ] = None,
    undo: Annotated[Path | None, typer.Option(metavar="DIR", help="Restore the sessions in this journal.")] = None,
    verify: Annotated[Path | None, typer.Option(metavar="DIR", help="Check a journal and count its sessions.")] = None,
    shred: Annotated[Path | None, typer.Option(metavar="DIR", help="Overwrite and remove a journal.")] = None,
    batch: Annotated[
        list[int] | None,
        typer.Option(min=1, metavar="NUMBER", help="With --undo: restore this batch only. Repeatable."),
    ] = None,
    idle: Annotated[
        str, typer.Option(metavar="DURATION", help="Keep sessions that were used within this time.")
    ] = "1h",
    include_unknown: Annotated[
        bool,
        typer.Option(
            "--include-unknown-may-log-out",
            help="Also delete sessions that may or may not belong to a logged-in user. This may log users out.",
        ),
    ] = False,
    trust_lifetime: Annotated[
        bool,
        typer.Option(
            "--trust-inferred-lifetime",
            help="If sessions do not record their lifetime, assume the longest TTL that was seen. Dangerous: a"
            " session with a shorter lifetime then looks idle, and may be deleted while it is in use.",
        ),
    ] = False,
    store: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the store in the case, if it has several.")
    ] = None,
    notify_application: Annotated[
        bool,
        typer.Option(
            "--notify-application/--silent",
            help="Notify applications of each deleted session (Spring: SessionDeletedEvent): markers are deleted"
            " first, hashes a second later.",
        ),
    ] = False,
    max_impact: ImpactOption = "2ms",
    rate: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="NUMBER",
            help="Maximum number of sessions to delete a second; 0: as fast as --max-impact allows.",
        ),
    ] = 0,
    max_ops: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="NUMBER",
            help="Rest while the server handles more commands a second than this, those of the purge included; 0: never.",
        ),
    ] = 0,
    batch_size: Annotated[
        int, typer.Option(min=1, max=100_000, metavar="NUMBER", help="Sessions in each batch.")
    ] = 2000,
    control: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File to control a running purge: write pause, run, stop, max-impact 2ms, rate 5000, max-ops 20000 or"
            " batch 2000 into it.",
        ),
    ] = None,
    journal_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Encrypt the journal with the 32-byte key in this file; an undo needs the same key."
        ),
    ] = None,
    journal_by: Annotated[
        JournalBy,
        typer.Option(
            help="How to get the values for the journal: snapshot (the server forks once, no cost per key), or dump"
            " (a DUMP of each key). auto: a snapshot if it saves work and memory allows it."
        ),
    ] = JournalBy.AUTO,
    yes: YesOption = False,
    other_store: Annotated[
        bool,
        typer.Option(
            "--other-store",
            help="With --undo: restore to another store than the one purged (after a migration or upgrade).",
        ),
    ] = False,
    as_far_as_it_goes: Annotated[
        bool, typer.Option("--as-far-as-it-goes", help="With --undo: restore from a damaged journal up to the damage.")
    ] = False,
    read_method: ReadMethodOption = ReadMethod.AUTO,
    redis_way: FormerReadMethodOption = None,
    redis_ask_password: PasswordOption = False,
    quiet: QuietOption = False,
) -> None:
    """Delete useless sessions without logging anybody out. Without --apply it only makes a plan.

    Each session is checked again right before it is deleted, written to a journal, and deleted only if it has not
    changed.
    Sessions that are logged in, or were used within --idle, are kept. Press Ctrl-C once to stop after the current batch;
    run the same command again to go on.

    \b
    Examples:
      necropsy purge --redis redis://store:6379 --where anonymous --plan night.plan
      necropsy purge --apply night.plan --journal night.journal
      necropsy purge --undo night.journal
      necropsy purge --redis redis://store:6379 --where immortal --where idle=7d
      necropsy purge incident.case --redis redis://store:6379 --where born-by=probes/creates-sessions --plan night.plan
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.report.commands import treatment as text
    from necropsy.treat.purge.control import Knobs
    from necropsy.treatment import purging
    from necropsy.wire.redis.address import parse_address

    chosen = [
        name
        for name, value in (("--apply", apply), ("--undo", undo), ("--verify", verify), ("--shred", shred))
        if value
    ]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} together", hint="One at a time.")
    mode = chosen[0] if chosen else "a plan"
    refuse_idle(context, mode, _OF_MODE[mode])
    options = live.options(redis_way or read_method, max_impact, ask_password=redis_ask_password)
    password = options.password.reveal() if options.password else None
    address: Address | None = parse_address(redis, password=password) if redis else None
    if verify is not None:
        output.say(text.verified(verify, purging.verify(verify, journal_key=journal_key)))
        return
    if shred is not None:
        if not yes and not asked(f"Overwrite and remove {shred}? The purge cannot be undone afterwards"):
            return
        output.say(text.shredded(shred, purging.shred(shred), others=exists(shred)))
        return
    if undo is not None:
        with status(quiet=quiet) as tell:
            done = purging.undo(
                undo, redis=address, journal_key=journal_key, batches=batch or (), lenient=as_far_as_it_goes,
                other_store=other_store, report=lambda restored: tell(restored.line()),
            )  # fmt: skip
        output.say(done.line() + "\n")
        return
    if apply is not None:
        if journal is None:
            raise UsageError("--apply needs a journal", hint="Add --journal DIR, a new folder.")
        knobs = Knobs(options.max_impact_s, float(rate), batch_size, max_ops)
        _apply(
            purging.PurgeOrder(
                apply, journal, address, journal_key, control, knobs, notify_application, journal_by.value
            ),
            options,
            yes,
            quiet=quiet,
        )
        return
    if address is None:
        raise UsageError("a plan needs a store", hint="necropsy purge --redis redis://HOST:PORT --where anonymous")
    wish = purging.PurgeSelection(
        tuple(where or ()), int(seconds_of(idle)), include_unknown, trust_lifetime, case, store
    )
    output.spare_files([case] if case else [], plan)
    with output.progress(quiet=quiet) as say:
        made, key = purging.make_plan(address, wish, options, say)
    if plan is not None:
        from necropsy.treat.purge.plan import save

        save(made, plan, key)
    output.say(text.plan(made, plan))


def _apply(order: purging.PurgeOrder, options: LiveOptions, yes: bool, *, quiet: bool) -> None:
    from necropsy.report.commands import treatment as text
    from necropsy.treatment import purging

    def confirm(made: PurgePlan) -> bool:
        if yes:
            return True
        sys.stderr.write(text.plan(made, None, asked=True))
        return asked(f"Delete {made.sessions:,} sessions from {made.address}?")

    with status(quiet=quiet) as tell:
        done = purging.apply_plan(order, options, lambda progress: tell(progress.line()), confirm=confirm)
    if done is None:
        sys.stderr.write("nothing was done\n")
        raise typer.Exit(1)
    output.say(text.applied(done, order.plan, order.journal))


def asked(question: str) -> bool:
    """Ask on the terminal.

    Raises
    ------
    UsageError
        There is none.
    """
    if not sys.stdin.isatty():
        raise UsageError("cannot ask for confirmation: there is no terminal", hint="Add --yes.")
    return typer.confirm(question, default=False)


@contextmanager
def status(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show one line that changes on a terminal; elsewhere a line every ten seconds."""
    if quiet:
        yield lambda _line: None
        return
    terminal = sys.stderr.isatty()
    last = [0.0]

    def tell(line: str) -> None:
        now = time.monotonic()
        if now - last[0] >= (_ON_TERMINAL_S if terminal else _ELSEWHERE_S):
            last[0] = now
            if terminal:  # a longer line would leave its beginning behind each time
                line = line[: shutil.get_terminal_size().columns - 1]
            sys.stderr.write(f"\r\x1b[K{line}" if terminal else f"{line}\n")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        if terminal and last[0]:
            sys.stderr.write("\r\x1b[K")
