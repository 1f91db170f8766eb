"""Commands of the treatment beside those that read. Only ``treat`` imports this; import-linter sees to it.

The same kind of list as the readers' (``gate``): what is not on it is refused before a byte of it is sent. There is no DEL
(UNLINK frees memory beside the server's one thread), no FLUSH, no CONFIG SET, no RENAME, and RESTORE never with REPLACE:
over an expiry that has passed it would delete a live key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from necropsy.wire.redis.gate import READS, CommandRefused, Gate, Word, as_bytes, unconditional

WRITES: Final[dict[bytes, frozenset[bytes]]] = {
    name: frozenset({b"*"})
    for name in (
        b"DISCARD",
        b"DUMP",
        b"EXEC",
        b"EXISTS",
        b"HELLO",
        b"HSET",
        b"GET",
        b"MGET",
        b"MULTI",
        b"PERSIST",
        b"PEXPIREAT",
        b"RESTORE",
        b"ROLE",
        b"SADD",
        b"SET",
        b"SISMEMBER",
        b"SREM",
        b"UNLINK",
        b"UNWATCH",
        b"WATCH",
        b"ZADD",
        b"ZREM",
        b"ZSCORE",
    )
}
"""Commands beyond ``gate.READS``: DUMP, EXISTS, GET, MGET and ROLE only read, but no reader of evidence needs them."""
TRACKING: Final[dict[bytes, frozenset[bytes]]] = {b"CLIENT": READS[b"CLIENT"] | {b"TRACKING"}}


class WritingGate(Gate):
    """Lets reads and the treatment's writes pass.

    >>> WritingGate().check([b"UNLINK", b"session:1"])
    >>> WritingGate().check([b"RESTORE", b"session:1", b"0", b"...", b"replace"])
    Traceback (most recent call last):
        ...
    necropsy.wire.redis.gate.CommandRefused: RESTORE with REPLACE may delete a live key
    >>> WritingGate().check([b"FLUSHALL"])
    Traceback (most recent call last):
        ...
    necropsy.wire.redis.gate.CommandRefused: FLUSHALL is not a command that the treatment may send
    """

    permitted: ClassVar[str] = "a command that the treatment may send"

    def __init__(self, scripts: Iterable[str] = ()) -> None:
        super().__init__()
        self._commands = READS | WRITES | TRACKING
        self._free = unconditional(self._commands) - {b"RESTORE"}
        self._in_scripts = {name: names for name, names in self._commands.items() if name != b"RESTORE"}
        for script in scripts:
            self.admit(script)

    def check(self, words: Sequence[Word]) -> None:
        """Return if this command may be sent.

        Raises
        ------
        CommandRefused
            It may not.
        """
        super().check(words)
        if as_bytes(words[0]).upper() == b"RESTORE" and any(as_bytes(w).upper() == b"REPLACE" for w in words[4:]):
            raise CommandRefused("RESTORE with REPLACE may delete a live key")
