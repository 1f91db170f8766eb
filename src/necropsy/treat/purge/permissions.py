"""The one ACL user that a purge needs, with just the commands that it sends."""

from __future__ import annotations

from typing import Final

_READING: Final = (
    "ping", "auth", "client|setname", "client|no-touch", "select", "info", "time", "scan", "type", "dbsize",
    "pexpiretime", "pttl", "object|idletime", "object|encoding", "memory|usage", "strlen", "getrange", "get", "hlen",
    "hmget", "hkeys", "hstrlen", "hexists", "llen", "scard", "smembers", "sscan", "zcard", "zrange", "xlen",
    "eval", "evalsha", "eval_ro", "evalsha_ro",
)  # fmt: skip
_PURGING: Final = ("dump", "restore", "unlink", "exists", "srem", "zrem", "set")
_WATCHING: Final = ("hello", "client|tracking", "watch", "unwatch", "multi", "exec", "discard", "mget")
_UNDOING: Final = ("sadd", "zadd", "pexpireat", "hset")
_CAPPING: Final = ("persist",)
_STREAMING: Final = ("sync", "replconf", "config|get")
_CLUSTER: Final = ("cluster|slots", "readonly")
_NEWER: Final = {"pexpiretime": (7, 0), "eval_ro": (7, 0), "evalsha_ro": (7, 0), "client|no-touch": (7, 2)}


def acl_line(version: str, *, cluster: bool, user: str = "necropsy") -> str:
    """Return the ``ACL SETUSER`` line for a server that calls itself this version of Redis.

    >>> acl_line("6.2.5", cluster=False).split()[:6]
    ['ACL', 'SETUSER', 'necropsy', 'on', '>PASSWORD', '~*']
    """
    names = [*_READING, *_PURGING, *_WATCHING, *_UNDOING, *_CAPPING, *_STREAMING, *(_CLUSTER if cluster else ())]
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    known = [name for name in names if numbers >= _NEWER.get(name, (0,))]
    return f"ACL SETUSER {user} on >PASSWORD ~* {' '.join('+' + name for name in known)}"
