"""Stores for tests of the purge: sessions as the frameworks write them, everything that a server holds, short commands."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis

from necropsy.evidence.redis.options import LiveOptions
from necropsy.sessions.jdk import INTEGER_HEADER, LONG_HEADER, STRING_HEADER
from necropsy.treat.purge import plan as plans
from necropsy.treat.purge.control import Knobs
from necropsy.treat.purge.plan import PurgePlan
from necropsy.treat.purge.progress import Progress
from necropsy.treat.purge.undo import Restored
from necropsy.treatment import purging
from necropsy.wire.redis.address import parse_address

HOUR = 3_600_000
CONTEXT = "sessionAttr:SPRING_SECURITY_CONTEXT"
SAVED_REQUEST = "sessionAttr:SPRING_SECURITY_SAVED_REQUEST"
"""What shows that Spring Security is there, so that no attribute of the application's own is a login."""
SPRING = "spring:session"


def long(value: int) -> bytes:
    return LONG_HEADER + value.to_bytes(8, "big")


def integer(value: int) -> bytes:
    return INTEGER_HEADER + value.to_bytes(4, "big", signed=True)


def string(text: bytes) -> bytes:
    return STRING_HEADER + len(text).to_bytes(2, "big") + text


@dataclass
class Ids:
    """Ids that were written, by what they are."""

    anonymous: list[str] = field(default_factory=list)
    """Anonymous, unused for two hours: they may go."""
    recent: list[str] = field(default_factory=list)
    """Anonymous, used within the hour."""
    users: list[str] = field(default_factory=list)
    """Logged in, unused for two hours."""
    unused: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of keys of Express: expiry, and idle time in seconds, which whoever reads one resets."""


def spring(client: redis.Redis, *, anonymous: int = 20, recent: int = 5, users: int = 5, seed: int = 1) -> Ids:
    """Write Spring's indexed sessions: hash, marker, a set a minute."""
    rng = random.Random(seed)
    now = int(time.time() * 1000)
    ids = Ids()
    pipe = client.pipeline(transaction=False)
    for kind, count, age in (
        ("anonymous", anonymous, 2 * HOUR),
        ("recent", recent, HOUR // 2),
        ("users", users, 2 * HOUR),
    ):
        for _ in range(count):
            identifier = str(uuid.UUID(int=rng.getrandbits(128), version=4))
            getattr(ids, kind).append(identifier)
            write_spring(pipe, identifier, now - age - rng.randrange(1, 600_000), user=kind == "users")
    pipe.execute()
    return ids


def write_spring(pipe: Any, identifier: str, used: int, *, user: bool = False, lifetime_s: int = 86_400) -> None:
    """Write one session as RedisIndexedSessionRepository does."""
    key = f"{SPRING}:sessions:{identifier}"
    anonymous = {"sessionAttr:X": string(b"y" * 40), SAVED_REQUEST: string(b"/account")}
    attributes = {CONTEXT: string(b"a security context")} if user else anonymous
    pipe.hset(key, mapping={"creationTime": long(used), "lastAccessedTime": long(used),
                            "maxInactiveInterval": integer(lifetime_s), **attributes})  # fmt: skip
    pipe.pexpireat(key, used + lifetime_s * 1000 + 300_000)
    marker = f"{SPRING}:sessions:expires:{identifier}"
    pipe.set(marker, "")
    pipe.pexpireat(marker, used + lifetime_s * 1000)
    minute = (used + lifetime_s * 1000) // 60_000 * 60_000 + 60_000
    pipe.sadd(f"{SPRING}:expirations:{minute}", string(f"expires:{identifier}".encode()))
    pipe.pexpireat(f"{SPRING}:expirations:{minute}", minute + 300_000)


def express(
    client: redis.Redis, *, anonymous: int = 20, recent: int = 5, users: int = 5, seed: int = 2, aged: bool = True
) -> Ids:
    """Write sessions as connect-redis does; ``aged``: with the idle times that they would have by now."""
    rng = random.Random(seed)
    now = int(time.time() * 1000)
    ids = Ids()
    pipe = client.pipeline(transaction=False)
    for kind, count, age in (
        ("anonymous", anonymous, 2 * HOUR),
        ("recent", recent, HOUR // 2),
        ("users", users, 2 * HOUR),
    ):
        for _ in range(count):
            identifier = f"{rng.getrandbits(190):032x}"[:32]
            getattr(ids, kind).append(identifier)
            used = now - age - rng.randrange(1, 600_000)
            written = used if kind == "anonymous" else used - 60_000  # who came back touched the expiry alone
            expires = datetime.fromtimestamp((written + 24 * HOUR) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
            cookie = {
                "originalMaxAge": 24 * HOUR,
                "expires": f"{expires}{(written + 24 * HOUR) % 1000:03d}Z",
                "path": "/",
            }
            value = {"cookie": cookie, **({"passport": {"user": 7}} if kind == "users" else {})}
            written = json.dumps(value, separators=(",", ":"))
            pipe.set(f"sess:{identifier}", written, px=used + 24 * HOUR - now)
            ids.unused[f"sess:{identifier}"] = (used + 24 * HOUR, (now - used) // 1000)
    pipe.execute()
    if aged:
        leave_alone(client, ids.unused)
    return ids


def carts(client: redis.Redis, count: int) -> list[str]:
    """Write sessions that never say when they were used: only the server's idle time tells."""
    ends = int(time.time() * 1000) + 22 * HOUR
    cookie = {"originalMaxAge": None, "expires": None, "httpOnly": True, "path": "/"}
    value = json.dumps({"cookie": cookie}, separators=(",", ":"))
    keys = [f"sess:{number:032d}" for number in range(count)]
    for key in keys:
        client.set(key, value)
    leave_alone(client, dict.fromkeys(keys, (ends, 2 * 3600)))
    client.set("sess:" + "f" * 32, value, ex=24 * 3600)  # from it the lifetime of all is inferred
    return keys


def leave_alone(client: redis.Redis, keys: Mapping[str, tuple[int, int]]) -> None:
    """Give keys an expiry (milliseconds since 1970), and the idle time in seconds that they would have by then."""
    for key, (ends, idle_s) in keys.items():
        value = client.dump(key)
        client.restore(key, ends, value, replace=True, absttl=True, idletime=idle_s)


def state(client: redis.Redis) -> dict[bytes, tuple[Any, int]]:
    """Everything in a database: value and absolute expiry of each key, in milliseconds; -1 without."""
    found: dict[bytes, tuple[Any, int]] = {}
    for key in client.scan_iter(count=1000):
        kind = client.type(key)
        value: Any
        match kind:
            case b"hash":
                value = client.hgetall(key)
            case b"set":
                value = client.smembers(key)
            case b"list":
                value = client.lrange(key, 0, -1)
            case b"zset":
                value = dict(client.zrange(key, 0, -1, withscores=True))
            case _:
                value = client.get(key)
        found[key] = (value, _expiry(client, key))
    return found


def _expiry(client: redis.Redis, key: bytes) -> int:
    try:
        return int(client.execute_command("PEXPIRETIME", key))
    except redis.ResponseError:  # before Redis 7
        ttl, (seconds, micros) = client.pipeline(transaction=False).pttl(key).time().execute()
        return -1 if ttl < 0 else ttl + seconds * 1000 + micros // 1000


def same(before: dict[bytes, tuple[Any, int]], after: dict[bytes, tuple[Any, int]], slack_ms: int = 1000) -> list[str]:
    """What differs between two states, as sentences; expiries may differ by what their asking takes."""
    wrong = [f"{key!r} is missing" for key in before.keys() - after.keys()]
    wrong += [f"{key!r} is new" for key in after.keys() - before.keys()]
    for key in before.keys() & after.keys():
        if before[key][0] != after[key][0]:
            wrong.append(f"{key!r} has another value")
        if abs(before[key][1] - after[key][1]) > slack_ms:
            wrong.append(f"{key!r} expires {after[key][1] - before[key][1]} ms later")
    return wrong


def make_plan(url: str, folder: Path, where: Iterable[str] = ("anonymous",), **wish: Any) -> tuple[PurgePlan, Path]:
    """Plan, and write the plan."""
    made, key = purging.make_plan(
        parse_address(url), purging.PurgeSelection(tuple(where), **wish), LiveOptions(), lambda _what, _share: None
    )
    path = folder / "a.plan"
    plans.save(made, path, key)
    return made, path


def apply(path: Path, journal: Path, **order: Any) -> Progress:
    """Apply a plan without being asked."""
    knobs = order.pop("knobs", None) or Knobs(batch=7)
    done = purging.apply_plan(
        purging.PurgeOrder(path, journal, knobs=knobs, **order),
        LiveOptions(),
        lambda _progress: None,
        confirm=lambda _plan: True,
    )
    assert done is not None
    return done


def undo(journal: Path, **more: Any) -> Restored:
    """Undo a journal on the store that it names."""
    return purging.undo(journal, **{"redis": None, "journal_key": None, **more})
