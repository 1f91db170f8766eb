"""Redis error replies, as exceptions with a hint."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Final

from necropsy.model.errors import UnreadableSource

_ARGUMENTS: Final = re.compile(r",? with args beginning with.*", re.DOTALL)
_QUOTED: Final = re.compile(r"'[^']*'|`[^`]*`")
_LONGEST: Final = 300
_NAME: Final = re.compile(r"[A-Za-z0-9_.|-]{1,40}")


ODD: Final = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)
"""Exceptions of code that takes apart a well-formed reply of another shape than the command's."""
ANSWERS_ODDLY: Final = "does not answer like Redis"


@contextlib.contextmanager
def understood(who: str) -> Iterator[None]:
    """Have answers of a shape that no Redis gives end in an error that says so: whatever listens there is a stranger.

    Raises
    ------
    UnreadableSource
        Instead of what their shape would raise.

    >>> with understood("127.0.0.1:6379"):
    ...     cursor, keys = b"+OK"[:1]
    Traceback (most recent call last):
    necropsy.model.errors.UnreadableSource: 127.0.0.1:6379 does not answer like Redis
    """
    try:
        yield
    except ODD as error:
        raise UnreadableSource(
            f"{who} {ANSWERS_ODDLY}",
            hint="Is it a proxy or another kind of server? Check with redis-cli INFO, or read a dump (--rdb).",
        ) from error


class ServerError(Exception):
    """An error reply. Its text never holds an argument: arguments are keys, and keys may be session ids.

    >>> ServerError("ERR unknown command 'PEXPIRETIME', with args beginning with: 'sess:1' ")
    ServerError("ERR unknown command 'PEXPIRETIME'")
    """

    def __init__(self, text: str) -> None:
        text = _ARGUMENTS.sub("", text).strip()[:_LONGEST]
        self.text = _QUOTED.sub(lambda quoted: quoted[0] if _NAME.fullmatch(quoted[0][1:-1]) else "'…'", text)
        self.kind = self.text.partition(" ")[0]
        super().__init__(self.text)

    @property
    def about_keys(self) -> bool:
        """Whether the command is permitted, but not on this key."""
        return self.kind == "NOPERM" and "key" in self.text.lower() and "command" not in self.text

    @property
    def forbidden(self) -> bool:
        """Whether this user may not say this command at all."""
        return self.kind == "NOPERM" and not self.about_keys

    @property
    def unknown(self) -> bool:
        """Whether the server does not know the command: too old, renamed, or another product."""
        return re.match(r"ERR unknown (?:sub)?command", self.text, re.IGNORECASE) is not None


class ConnectionLost(Exception):  # noqa: N818 -- what happened; always turned into a value or an UnreadableSource
    """The connection broke, or the server said nothing for too long."""
