"""``necropsy consul --zombies``: services that are gone and still registered in Consul."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from necropsy.cli import output
from necropsy.cli.options import YesOption
from necropsy.cli.purge import asked
from necropsy.model.errors import UsageError


def consul(
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="URL", help="Address of Consul; by default CONSUL_HTTP_ADDR, else http://127.0.0.1:8500."
        ),
    ] = None,
    zombies: Annotated[
        bool,
        typer.Option(
            "--zombies", help="List services whose agent is gone, whose port is closed, or that are registered twice."
        ),
    ] = False,
    apply: Annotated[
        bool,
        typer.Option(
            "--apply", help="Deregister those whose agent is gone; the agents of the others would register them again."
        ),
    ] = False,
    journal: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --apply: new file that records what is removed.")
    ] = None,
    undo: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Register the services in this journal again.")
    ] = None,
    yes: YesOption = False,
) -> None:
    """Find services that are gone but still registered in Consul. Without --apply nothing is changed.

    \b
    Examples:
      necropsy consul --zombies
      necropsy consul http://consul:8500 --zombies --apply --journal zombies.json
      necropsy consul http://consul:8500 --undo zombies.json
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.treat.consul import zombies as treat
    from necropsy.wire.http import get

    address = _address(url)
    token = treat.token_of_environment()
    _require_sense(zombies=zombies, apply=apply, journal=journal, undo=undo)

    def ask(path: str) -> Any:
        answer = get(address + path, headers={"X-Consul-Token": token} if token else None)
        if answer.status != 200:
            raise treat.ConsulError(
                f"{address}{path}: {answer.status}", hint="A token needs node:read and service:read: CONSUL_HTTP_TOKEN."
            )
        try:
            return json.loads(answer.body)
        except ValueError:
            raise treat.ConsulError(f"{address}{path}: the answer is not JSON", hint="Is it Consul?") from None

    if undo is not None:
        back, there = treat.undo(address, undo, ask=ask, token=token)
        output.say(f"{back:,} instances registered again; {there:,} are there and are left as they are\n")
        return
    found = treat.find(ask)
    lines = [f"{one.service}  {one.instance}  {one.address}  on {one.node}: {one.why}" for one in found]
    lines += [f"  {one.advice}" for one in found if one.advice]
    mine = sum(one.removable for one in found)
    output.say("\n".join([*lines, f"{len(found):,} zombies, {mine:,} of them can be deregistered from here"]) + "\n")
    if not apply:
        if mine:
            output.say("nothing was changed; add --apply --journal FILE\n")
        return
    if journal is None:
        raise UsageError("--apply needs a journal", hint="Add --journal FILE.")
    if mine and (yes or asked(f"Remove {mine:,} instances from {address}?")):
        removed = treat.remove(address, found, journal, ask=ask, token=token)
        output.say(f"{removed:,} removed. UNDO  necropsy consul {address} --undo {journal}\n")


def _require_sense(*, zombies: bool, apply: bool, journal: Path | None, undo: Path | None) -> None:
    """Refuse what would do nothing.

    Raises
    ------
    UsageError
    """
    if undo is not None and (zombies or apply or journal):
        raise UsageError("--undo takes no --zombies, --apply or --journal", hint="One at a time.")
    if undo is None and not zombies:
        raise UsageError("no action was given", hint="necropsy consul --zombies")
    if journal is not None and not apply and undo is None:
        raise UsageError("--journal does nothing without --apply", hint="Add --apply to deregister what is gone.")


def _address(url: str | None) -> str:
    said = url or os.environ.get("CONSUL_HTTP_ADDR") or "http://127.0.0.1:8500"
    return (said if "://" in said else f"http://{said}").rstrip("/")
