"""Options of the commands that read live stores."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from necropsy.model.errors import UsageError

if TYPE_CHECKING:
    from necropsy.evidence.redis.options import LiveOptions


class ReadMethod(StrEnum):
    """How a live store is read."""

    AUTO = "auto"
    STREAM = "stream"
    SCRIPT = "script"
    PIPELINE = "pipeline"


ReadMethodOption = Annotated[
    ReadMethod,
    typer.Option(
        help="How a live store is read: its replication stream, SCAN by read-only scripts, or by plain commands."
        " By default what it permits and can bear."
    ),
]
FormerReadMethodOption = Annotated[
    ReadMethod | None, typer.Option("--redis-way", hidden=True, help="The former name of --read-method.")
]
"""The name that ``--read-method`` had."""
ImpactOption = Annotated[
    str, typer.Option(metavar="TIME", help="Latency that reading may add for the store's other clients: 1ms, 500us.")
]
PasswordOption = Annotated[
    bool,
    typer.Option(
        "--redis-ask-password",
        help="Ask for the password. Else NECROPSY_REDIS_PASSWORD, REDISCLI_AUTH, or ?password_file=FILE in the address.",
    ),
]


def options(read_method: ReadMethod, max_impact: str, *, ask_password: bool) -> LiveOptions:
    """Return what the options come to; asks for the password on the terminal, if that is wanted.

    Raises
    ------
    UsageError
        A time that is none, or nobody is there to be asked.
    """
    from necropsy.evidence.redis.options import LiveOptions, parse_impact
    from necropsy.wire.redis.address import Secret

    password = None
    if ask_password:
        from getpass import getpass

        if not sys.stdin.isatty():
            raise UsageError(
                "there is no terminal to ask for a password on",
                hint="Set NECROPSY_REDIS_PASSWORD, or add ?password_file=FILE to the address.",
            )
        password = Secret(getpass("password of the live store: "))
    return LiveOptions(read_method.value, parse_impact(max_impact), password)
