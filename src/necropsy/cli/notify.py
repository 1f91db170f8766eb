"""``necropsy notify``: send a test notice by each configured channel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from necropsy.model.errors import NecropsyError, UsageError


def notify(
    config: Annotated[Path, typer.Argument(metavar="GUARD.TOML", help="The file with [[guard.tell]].")],
    test: Annotated[bool, typer.Option("--test", help="Show what would be sent to each channel.")] = False,
    send: Annotated[bool, typer.Option("--send", help="With --test: send it as well.")] = False,
) -> None:
    """Show what would be sent to each channel under [[guard.tell]], and send it with --send.

    The notice is marked as an example.

    \b
    Examples:
      necropsy notify guard.toml --test
      necropsy notify guard.toml --test --send
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.guard.configuration import read_guard
    from necropsy.guard.notify.message import Message, MessageState, sample
    from necropsy.guard.notify.post import NotSent

    if not test:
        raise UsageError("nothing to do without --test", hint="Add --test to see it, and --send to send it.")
    channels = read_guard(str(config)).channels
    if not channels:
        raise UsageError(f"{config}: no table [[guard.tell]]", hint='Add [[guard.tell]] and slack-file = "slack.url".')
    message = Message(sample(), MessageState.TEST)
    failed = []
    for channel in channels:
        typer.echo(f"# {channel.name}")
        typer.echo(json.dumps(channel.payload([message]), indent=2, ensure_ascii=False))
        if not send:
            continue
        try:
            channel.send([message])
        except NotSent as error:
            failed.append(channel.name)
            typer.echo(f"{channel.name}: refused: {error}", err=True)
        else:
            typer.echo(f"{channel.name}: accepted", err=True)
    if failed:
        raise NecropsyError(
            f"{len(failed)} of {len(channels)} channels did not accept the message",
            hint="Check address, token and network; the reasons are above.",
        )
