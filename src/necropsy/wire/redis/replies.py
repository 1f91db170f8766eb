"""What a server answers when it does not answer the question, and what can be done about it."""

from __future__ import annotations

import re
from typing import Final

_ARGUMENTS: Final = re.compile(r",? with args beginning with.*", re.DOTALL)
_QUOTED: Final = re.compile(r"'[^']*'|`[^`]*`")
_LONGEST: Final = 300
_NAME: Final = re.compile(r"[A-Za-z0-9_.|-]{1,40}")


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
