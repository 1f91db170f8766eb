"""Options of the commands that read live stores."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from necropsy.cli.options import ReadMethod
from necropsy.model.errors import UsageError

if TYPE_CHECKING:
    from necropsy.evidence.redis.options import LiveOptions


def options(read_method: ReadMethod, max_impact: str, *, ask_password: bool) -> LiveOptions:
    """Return what the options come to; asks for the password on the terminal, if that is wanted.

    Raises
    ------
    UsageError
        A time that is none, or cannot ask for confirmation: there is no terminal.
    """
    from necropsy.evidence.redis.options import LiveOptions, parse_impact
    from necropsy.wire.redis.address import Secret

    password = None
    if ask_password:
        from getpass import getpass

        if not sys.stdin.isatty():
            raise UsageError(
                "cannot ask for a password: there is no terminal",
                hint="Set NECROPSY_REDIS_PASSWORD, or add ?password_file=FILE to the address.",
            )
        password = Secret(getpass("password of the live store: "))
    return LiveOptions(read_method.value, parse_impact(max_impact), password)
