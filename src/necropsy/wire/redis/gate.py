"""The commands that a reader may send. Everything else is refused here, before a byte of it is sent.

A list of what is allowed, not of what is forbidden: a command that a server learns next year is refused until somebody
has read what it does. Scripts are allowed by their text, and only when every command in it is a literal on the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha1
from typing import ClassVar, Final, TypeAlias

Word: TypeAlias = bytes | str | int

_ALL: Final = frozenset({b"*"})


def _subcommands(*names: bytes) -> frozenset[bytes]:
    return frozenset(names)


READS: Final[dict[bytes, frozenset[bytes]]] = {
    # The connection itself.
    b"AUTH": _ALL,
    b"PING": _ALL,
    b"READONLY": _ALL,
    b"SELECT": _ALL,
    b"CLIENT": _subcommands(b"ID", b"LIST", b"NO-TOUCH", b"SETNAME"),
    # The keyspace.
    b"DBSIZE": _ALL,
    b"GETRANGE": _ALL,
    b"HEXISTS": _ALL,
    b"HKEYS": _ALL,
    b"HLEN": _ALL,
    b"HMGET": _ALL,
    b"HSTRLEN": _ALL,
    b"LLEN": _ALL,
    b"MEMORY": _subcommands(b"STATS", b"USAGE"),
    b"OBJECT": _subcommands(b"ENCODING", b"FREQ", b"IDLETIME"),
    b"PEXPIRETIME": _ALL,
    b"PTTL": _ALL,
    b"SCAN": _ALL,
    b"SCARD": _ALL,
    b"SMEMBERS": _ALL,
    b"SSCAN": _ALL,
    b"STRLEN": _ALL,
    b"TYPE": _ALL,
    b"XLEN": _ALL,
    b"ZCARD": _ALL,
    b"ZRANGE": _ALL,
    # The server.
    b"CLUSTER": _subcommands(b"INFO", b"SLOTS"),
    b"CONFIG": _subcommands(b"GET"),
    b"INFO": _ALL,
    b"LATENCY": _subcommands(b"HISTOGRAM", b"HISTORY", b"LATEST"),
    b"SENTINEL": _subcommands(b"MASTERS", b"REPLICAS", b"SLAVES"),
    b"SLOWLOG": _subcommands(b"GET", b"LEN"),
    b"TIME": _ALL,
}
"""Commands, with those of their subcommands that are allowed."""

REPLICATION: Final[dict[bytes, frozenset[bytes]]] = {
    b"REPLCONF": _subcommands(b"CAPA", b"RDB-ONLY", b"VERSION"),
    b"SYNC": _ALL,
}
"""Commands that a connection may send besides, when it was opened for the replication stream."""

NOTICES: Final[dict[bytes, frozenset[bytes]]] = {
    b"HELLO": _ALL,
    b"CLIENT": READS[b"CLIENT"] | {b"TRACKING"},
}
"""Commands that a connection may send besides, when it is to be told which keys are written."""

_SCRIPTED: Final = (b"EVAL", b"EVAL_RO")
_SCRIPTED_BY_DIGEST: Final = (b"EVALSHA", b"EVALSHA_RO")
_CALL: Final = re.compile(r"redis\.p?call\('([A-Z_]+)'(?:, ?'([A-Z-]+)')?")
_REDIS: Final = re.compile(r"\bredis\b")
_ESCAPES: Final = re.compile(r"\b(?:_G\b(?!, 'os')|_ENV|getfenv|setfenv|load\w*|dofile|require|debug|server)\b")


class CommandRefused(RuntimeError):  # noqa: N818 -- what happened to it
    """A reader asked for something that is not a read: a mistake in necropsy, not in what it was given."""


class Gate:
    """Lets reads pass.

    Parameters
    ----------
    scripts
        Texts of the scripts that may be run.
    replication
        Whether the replication stream may be asked for.
    notices
        Whether the server may be asked to tell which keys are written.

    >>> Gate().check([b"type", b"session:1"])
    >>> Gate().check([b"DEL", b"session:1"])
    Traceback (most recent call last):
        ...
    necropsy.wire.redis.gate.CommandRefused: DEL is not a read-only command
    """

    permitted: ClassVar[str] = "a read-only command"
    """The condition under which a command passes, for the message of one that does not."""

    def __init__(self, scripts: Iterable[str] = (), *, replication: bool = False, notices: bool = False) -> None:
        self._scripts: set[bytes] = set()
        self._digests: set[bytes] = set()
        self._commands = READS | (REPLICATION if replication else {}) | (NOTICES if notices else {})
        self._in_scripts = READS
        self._free = unconditional(self._commands)
        for script in scripts:
            self.admit(script)

    def admit(self, script: str) -> bytes:
        """Let this script pass from now on, if all that it does is read; return its digest, as EVALSHA wants it.

        Raises
        ------
        CommandRefused
            It calls something that is not on the list, or that cannot be told from its text.
        """
        for command in script_commands(script):
            self._check(command, self._in_scripts)
        text = script.encode()
        digest = sha1(text, usedforsecurity=False).hexdigest().encode()
        self._scripts.add(text)
        self._digests.add(digest)
        return digest

    def check(self, words: Sequence[Word]) -> None:
        """Return if this command may be sent.

        Raises
        ------
        CommandRefused
            It may not.
        """
        if words and words[0] in self._free:
            return
        name = as_bytes(words[0]).upper() if words else b""
        if name in _SCRIPTED or name in _SCRIPTED_BY_DIGEST:
            known = self._scripts if name in _SCRIPTED else self._digests
            if len(words) < 2 or as_bytes(words[1]) not in known:
                raise CommandRefused(f"{name.decode()} of a script that is not registered")
            return
        self._check([as_bytes(word) for word in words[:2]], self._commands)

    def _check(self, words: Sequence[bytes], commands: dict[bytes, frozenset[bytes]]) -> None:
        name = words[0].upper() if words else b""
        allowed = commands.get(name)
        if allowed is None:
            raise CommandRefused(f"{_shown(name)} is not {self.permitted}")
        if b"*" not in allowed and (len(words) < 2 or words[1].upper() not in allowed):
            raise CommandRefused(f"{_shown(b' '.join(words[:2]).upper())} is not {self.permitted}")


def unconditional(commands: Mapping[bytes, frozenset[bytes]]) -> frozenset[bytes]:
    """Return the commands that may be sent whatever their words are: a million of them are not looked at twice."""
    return frozenset(name for name, allowed in commands.items() if b"*" in allowed).difference(
        _SCRIPTED, _SCRIPTED_BY_DIGEST
    )


def as_bytes(word: Word) -> bytes:
    """Return a word of a command as it goes over the wire."""
    if isinstance(word, bytes):
        return word
    return word.encode() if isinstance(word, str) else b"%d" % word


def _shown(name: bytes) -> str:
    """Return a command's name for a message; what does not look like one may be a key or worse, and is not shown."""
    return name.decode() if re.fullmatch(rb"[A-Z0-9 ._|-]{1,40}", name) else "this"


def script_commands(script: str) -> list[list[bytes]]:
    """Return the commands, with their subcommands, that a Lua script calls.

    Raises
    ------
    CommandRefused
        ``redis`` is used in another way than ``redis.call('NAME', …)`` or ``redis.pcall('NAME', …)``.

    >>> script_commands("return redis.call('OBJECT', 'FREQ', ARGV[1]) + redis.call('STRLEN', ARGV[2])")
    [[b'OBJECT', b'FREQ'], [b'STRLEN']]
    >>> script_commands("local name = 'DEL'; redis.call(name, ARGV[1])")
    Traceback (most recent call last):
        ...
    necropsy.wire.redis.gate.CommandRefused: a script in which not every command can be told from its text
    """
    calls = _CALL.findall(script)
    # Comments, escapes and long strings could hide a call from this reading of the text: a script does without them.
    hidden = _ESCAPES.search(script) or any(sign in script for sign in ("--", "\\", "[[", "[="))
    if hidden or len(calls) != len(_REDIS.findall(script)):
        raise CommandRefused("a script in which not every command can be told from its text")
    return [[word.encode() for word in call if word] for call in calls]
