"""The commands of a reader that this server knows and that this user may run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from necropsy.model.evidence import Absent
from necropsy.wire.redis.replies import ServerError

NO_KEY: Final = "necropsy:no-such-key"
"""A key that nobody has: asking for it shows whether the command may be said."""


class Permission(StrEnum):
    """The outcome of a command."""

    GRANTED = "granted"
    FORBIDDEN = "forbidden"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class WantedCommand:
    """A command that a reader would like to use."""

    name: str
    words: tuple[str, ...]
    """As it is tried out."""
    rule: str
    """The rule to add to the user's ACL."""
    loses: str
    """Evidence that is missing without it; empty when another command does as well."""


WISHES: Final = (
    WantedCommand("scan", ("SCAN", "0", "COUNT", "1"), "+scan", "every key"),
    WantedCommand("type", ("TYPE", NO_KEY), "+type", "every key"),
    WantedCommand("pttl", ("PTTL", NO_KEY), "+pttl", "every expiry"),
    WantedCommand("pexpiretime", ("PEXPIRETIME", NO_KEY), "+pexpiretime", ""),
    WantedCommand("encoding", ("OBJECT", "ENCODING", NO_KEY), "+object|encoding", "the encodings"),
    WantedCommand("idle", ("OBJECT", "IDLETIME", NO_KEY), "+object|idletime", "the idle times"),
    WantedCommand("freq", ("OBJECT", "FREQ", NO_KEY), "+object|freq", ""),
    WantedCommand(
        "usage",
        ("MEMORY", "USAGE", NO_KEY),
        "+memory|usage",
        "the memory of keys: it is estimated from lengths, and too low",
    ),
    WantedCommand("strlen", ("STRLEN", NO_KEY), "+strlen", "the lengths of strings"),
    WantedCommand("hlen", ("HLEN", NO_KEY), "+hlen", "the lengths of hashes"),
    WantedCommand("llen", ("LLEN", NO_KEY), "+llen", "the lengths of lists"),
    WantedCommand("scard", ("SCARD", NO_KEY), "+scard", "the lengths of sets"),
    WantedCommand("zcard", ("ZCARD", NO_KEY), "+zcard", "the lengths of sorted sets"),
    WantedCommand("xlen", ("XLEN", NO_KEY), "+xlen", "the lengths of streams"),
    WantedCommand("hmget", ("HMGET", NO_KEY, "f"), "+hmget", "the fields of sessions"),
    WantedCommand("hstrlen", ("HSTRLEN", NO_KEY, "f"), "+hstrlen", "the fields of large sessions"),
    WantedCommand(
        "hkeys", ("HKEYS", NO_KEY), "+hkeys", "the removed attributes of sessions: they are counted as attributes"
    ),
    WantedCommand("hexists", ("HEXISTS", NO_KEY, "f"), "+hexists", ""),
    WantedCommand("getrange", ("GETRANGE", NO_KEY, "0", "0"), "+getrange", "the contents of sessions that are strings"),
    WantedCommand("smembers", ("SMEMBERS", NO_KEY), "+smembers", "the members of index sets"),
    WantedCommand("sscan", ("SSCAN", NO_KEY, "0"), "+sscan", "the members of large index sets"),
    WantedCommand("zrange", ("ZRANGE", NO_KEY, "0", "0"), "+zrange", "the members of sorted index sets"),
)
"""Commands that read the keyspace, in the order in which a person would grant them."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """The outcome for each wish."""

    outcomes: Mapping[str, Permission]

    def __contains__(self, name: str) -> bool:
        return self.outcomes.get(name) is Permission.GRANTED

    def absences(self, locator: str) -> list[Absent]:
        """Say what is missing, and the rules that would bring it."""
        missing = []
        for wish in WISHES:
            outcome = self.outcomes.get(wish.name, Permission.GRANTED)
            if outcome is Permission.GRANTED or not wish.loses:
                continue
            command = " ".join(word for word in wish.words[:2] if word.isalpha())
            missing.append(Absent("redis", locator, f"{command} is {outcome}: {wish.loses}", hint(wish.rule, outcome)))
        return missing


def hint(rule: str, outcome: Permission = Permission.FORBIDDEN) -> str:
    """Return what to do about a command that cannot be used.

    >>> hint("+memory|usage")
    'ACL SETUSER <user> +memory|usage'
    """
    if outcome is Permission.UNKNOWN:
        return "The server does not have it, or it was renamed (rename-command): read a dump instead (--rdb)."
    return f"ACL SETUSER <user> {rule}"


def outcome_of(answer: Any) -> Permission:
    """Judge the answer to a command that was tried out.

    An answer, even an error about the key or the policy, shows that the command may be said.

    >>> outcome_of(None), outcome_of(ServerError("NOPERM No permissions to access a key"))
    (<Permission.GRANTED: 'granted'>, <Permission.GRANTED: 'granted'>)
    >>> outcome_of(ServerError("NOPERM this user has no permissions to run the 'memory|usage' command"))
    <Permission.FORBIDDEN: 'forbidden'>
    """
    if not isinstance(answer, ServerError):
        return Permission.GRANTED
    if answer.forbidden:
        return Permission.FORBIDDEN
    return Permission.UNKNOWN if answer.unknown else Permission.GRANTED


def try_out(ask: Callable[[Sequence[tuple[str, ...]]], list[Any]]) -> Permissions:
    """Try every wish on a key that does not exist, in one go."""
    answers = ask([wish.words for wish in WISHES])
    return Permissions({wish.name: outcome_of(answer) for wish, answer in zip(WISHES, answers, strict=True)})
