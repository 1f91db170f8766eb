"""``necropsy cap-ttl``: sessions that live too long get an end."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from necropsy.cli import live, output
from necropsy.cli.options import (
    ImpactOption,
    PasswordOption,
    QuietOption,
    ReadMethod,
    StoreAddressOption,
    YesOption,
    refuse_idle,
)
from necropsy.cli.purge import asked, status
from necropsy.model.durations import seconds_of
from necropsy.model.errors import UsageError

if TYPE_CHECKING:
    from necropsy.treat.lifetimes.cap import Capped

_OF_UNDO: Final = frozenset({"redis", "journal_key", "other_store", "redis_ask_password", "max_impact", "quiet", "yes"})


def cap_ttl(
    context: typer.Context,
    redis: StoreAddressOption = None,
    max_ttl: Annotated[
        str, typer.Option("--max", metavar="DURATION", help="Longest lifetime from now on: 12h, 7d.")
    ] = "7d",
    apply: Annotated[
        bool, typer.Option("--apply", help="Shorten the lifetimes; without it they are only counted.")
    ] = False,
    journal: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With --apply: new folder for the journal.")
    ] = None,
    undo: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Restore the lifetimes recorded in this journal.")
    ] = None,
    journal_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Encrypt the journal with the 32-byte key in this file.")
    ] = None,
    other_store: Annotated[
        bool, typer.Option("--other-store", help="With --undo: the store is another one, or was restarted.")
    ] = False,
    yes: YesOption = False,
    max_impact: ImpactOption = "2ms",
    redis_ask_password: PasswordOption = False,
    quiet: QuietOption = False,
) -> None:
    """Shorten the lifetime of existing sessions: expiry, companion keys and the stored lifetime. Logs nobody out.

    Spring's maxInactiveInterval and Express' originalMaxAge are changed too; otherwise the next use would restore the
    old lifetime. If sessions do not store their lifetime (Flask, Django), change the application's setting first.

    \b
    Examples:
      necropsy cap-ttl --redis redis://store:6379 --max 7d
      necropsy cap-ttl --redis redis://store:6379 --max 7d --apply --journal cap.journal
      necropsy cap-ttl --undo cap.journal
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.treatment import capping
    from necropsy.wire.redis.address import parse_address

    options = live.options(ReadMethod.AUTO, max_impact, ask_password=redis_ask_password)
    address = parse_address(redis, password=options.password.reveal() if options.password else None) if redis else None
    if undo is not None:
        refuse_idle(
            context,
            "--undo",
            frozenset({"redis", "journal_key", "other_store", "redis_ask_password", "max_impact", "quiet", "yes"}),
        )
        back = capping.undo(undo, redis=address, journal_key=journal_key, other_store=other_store)
        output.say(f"{back.line()}\n")
        return
    if other_store:
        raise UsageError("--other-store does nothing without --undo", hint="Leave it out.")
    if not apply and (journal or journal_key):
        raise UsageError("--journal does nothing without --apply", hint="Add --apply to shorten lifetimes.")
    if address is None:
        raise UsageError("cap-ttl needs a store", hint="necropsy cap-ttl --redis redis://HOST:PORT --max 7d")
    limit = int(seconds_of(max_ttl))
    if limit < 60:
        raise UsageError(f"--max {max_ttl}: shorter than a minute", hint="Write 12h or 7d.")
    if apply and journal is None:
        raise UsageError("--apply needs a journal", hint="Add --journal DIR, a new folder.")
    if apply and not yes and not asked(f"Shorten lifetimes in {address.masked} to {max_ttl}?"):
        return
    if not quiet:
        output.report_uncompiled()
    with status(quiet=quiet) as tell:
        done = capping.cap(
            address, limit, options, journal=journal if apply else None, journal_key=journal_key,
            report=lambda capped: tell(f"cap-ttl {capped.sessions:,} sessions checked · {capped.capped:,} shortened"),
        )  # fmt: skip
    output.say(_said(done, max_ttl, journal if apply else None, address.masked))


def _said(done: Capped, limit: str, journal: Path | None, store: str) -> str:
    if not done.sessions and not done.stopped:
        return (
            "no session of a known layout was found, so no lifetime was checked\n"
            f"NEXT   see its keys: necropsy keys --redis {shlex.quote(store)}\n"
        )
    total = done.too_long.total()
    families = ", ".join(f"{family} {count:,}" for family, count in done.too_long.most_common())
    lines = [
        f"{total:,} of {done.sessions:,} sessions live longer than {limit}" + (f": {families}" if families else "")
    ]
    if done.not_carried:
        names = ", ".join(done.not_carried)
        lines.append(f"NOTE   {names}: the application sets the lifetime again at each use; change its setting first")
    if journal is None:
        if total:
            lines.append("NEXT   nothing was changed; add --apply --journal DIR")
    else:
        lines.append(
            f"{'STOPPED' if done.stopped else 'DONE  '} {done.capped:,} shortened, {done.changed:,} used meanwhile"
        )
        lines.append(
            f"UNDO   necropsy cap-ttl --undo {journal}   (it holds live credentials; delete it with necropsy purge --shred)"
        )
    return "\n".join(lines) + "\n"
