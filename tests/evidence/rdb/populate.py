"""Random keyspaces that visit every encoding a server has, the same for the same seed."""

from __future__ import annotations

import random
import string
from collections.abc import Callable

import redis

LETTERS = string.ascii_letters.encode()


def text(rng: random.Random, length: int) -> bytes:
    """Random text that no compression shortens."""
    return bytes(rng.choices(LETTERS, k=length))


def words(rng: random.Random, length: int) -> bytes:
    """Text that compresses."""
    return (b"session attribute " * (length // 18 + 1))[:length]


def value(rng: random.Random) -> bytes:
    kind = rng.randrange(8)
    if kind == 0:
        return str(
            rng.choice((0, 7, -1, 127, -128, 300, 70_000, -(2**31), 2**31 - 1, 2**40, -(2**63), 2**63 - 1))
        ).encode()
    if kind == 1:
        return words(rng, rng.randrange(30, 400))
    if kind == 2:
        return rng.choice(
            (b"", b"0", b"00", b"-0", b"+1", b" 1", b"1.5", b"9223372036854775808", b"-9223372036854775809")
        )
    if kind == 3:
        return rng.randbytes(rng.randrange(1, 300))
    return text(rng, rng.choice((1, 5, 12, 20, 30, 44, 45, 64, 65, 100, 255, 256, 700)))


def fields(rng: random.Random, count: int) -> dict[bytes, bytes]:
    return {rng.choice((b"f%d", b"attribute:%d", b"%d")) % number: value(rng) for number in range(count)}


def a_string(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    client.set(key, value(rng))


def a_long_string(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    client.set(key, rng.choice((words, text))(rng, rng.choice((5_000, 20_000, 70_000))))


def a_small_hash(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    client.hset(key, mapping={b"creationTime": b"%d" % rng.getrandbits(40), **fields(rng, rng.randrange(1, 8))})


def a_large_hash(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    client.hset(
        key, mapping={b"creationTime": value(rng), **fields(rng, rng.choice((3, 200, 700))), b"x": text(rng, 5000)}
    )


def an_integer_set(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    width = rng.choice((15, 31, 63))
    client.sadd(key, *[rng.getrandbits(width) - 2 ** (width - 1) for _ in range(rng.randrange(1, 200))])


def a_small_set(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    client.sadd(key, *[b"m" + text(rng, rng.randrange(1, 40)) for _ in range(rng.randrange(1, 20))])


def a_large_set(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    client.sadd(key, *[text(rng, rng.choice((20, 36, 70))) for _ in range(rng.choice((200, 700)))])


def a_small_sorted_set(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    client.zadd(
        key, {text(rng, 12): rng.choice((rng.random(), rng.randrange(100))) for _ in range(rng.randrange(1, 40))}
    )


def a_large_sorted_set(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    scores = (1.5, float("inf"), float("-inf"), 3, -1e300)
    client.zadd(key, {text(rng, rng.choice((12, 50))): rng.choice(scores) for _ in range(rng.choice((200, 600)))})


def a_small_list(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    client.rpush(key, *[value(rng) for _ in range(rng.randrange(1, 12))])


def a_large_list(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    client.rpush(key, *[text(rng, rng.choice((20, 3000, 9000))) for _ in range(rng.choice((50, 300)))])


def a_stream(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    for number in range(rng.choice((1, 5, 300))):
        client.xadd(key, {b"field": value(rng), b"n": number})
    if rng.random() < 0.7:
        client.xgroup_create(key, b"group", id=b"0")
        client.xreadgroup(b"group", b"consumer", {key: b">"}, count=rng.randrange(1, 9))
        client.xgroup_create(key, b"idle")


def a_bitmap(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    client.setbit(key, rng.randrange(8, 4000), 1)


def a_counter(client: redis.Redis, key: bytes, rng: random.Random) -> None:
    client.pfadd(key, *[text(rng, 8) for _ in range(rng.randrange(1, 100))])


MAKERS: tuple[Callable[[redis.Redis, bytes, random.Random], None], ...] = (
    a_string,
    a_string,
    a_string,
    a_long_string,
    a_small_hash,
    a_small_hash,
    a_large_hash,
    an_integer_set,
    a_small_set,
    a_large_set,
    a_small_sorted_set,
    a_large_sorted_set,
    a_small_list,
    a_large_list,
    a_stream,
    a_bitmap,
    a_counter,
)


def key_name(rng: random.Random, number: int) -> bytes:
    forms = (b"spring:session:sessions:%032x" % rng.getrandbits(128), b"k%d" % number, b"%d" % number, rng.randbytes(9))
    return rng.choice((*forms, text(rng, rng.choice((20, 40, 300))))) + b"-%d" % number


def populate(client: redis.Redis, *, keys: int, seed: int, expiring: float = 0.4) -> None:
    """Write keys of every kind; so many of them, about, with an expiry between a minute and two years."""
    rng = random.Random(seed)
    for number in range(keys):
        key = rng.choice((key_name(rng, number), b"%d" % (number + 10_000)))
        MAKERS[number % len(MAKERS)](client, key, rng)
        if rng.random() < expiring:
            client.pexpire(key, rng.randrange(60_000, 63_072_000_000))


def hash_field_expiries(client: redis.Redis, *, keys: int, seed: int) -> None:
    """Hashes with fields that expire on their own: Redis 7.4 and Valkey 9 have them."""
    rng = random.Random(seed)
    for number in range(keys):
        key = b"hfe:%d" % number
        (a_small_hash if number % 2 else a_large_hash)(client, key, rng)
        some = rng.sample(client.hkeys(key), 1)
        client.execute_command("HPEXPIRE", key, rng.randrange(10**6, 10**10), "FIELDS", len(some), *some)
