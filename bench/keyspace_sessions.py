"""`necropsy examine` of millions of Spring sessions: time, memory, and the power of the keys with which time grows.

Limits: ten million sessions (twenty million keys and up) in 20 s and 800 MB; time in proportion to the keys. A million are
examined unless BENCH_SESSIONS says otherwise: ten million need ten minutes to make, and 18 GB of disk. BENCH_FOLDER names a
folder in which the dumps stay, and in which those of an earlier run are found.

The floor is printed beside: what the server's own checker takes for the same file, and what the digest of its bytes does.
On a machine with company the clock says little: half of the processor time is what two idle cores could do at best.

Data: each record is written by a real server, a million sessions at a time; the dumps are joined (bodies one after
another, the checksum anew), so that no server has to hold 16 GB. Nine of ten sessions come from 36 targets that a prober
asks every ten seconds, each with the saved request of its first request; the others come from people at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import shutil
import struct
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from table import NECROPSY, Bar, Table, command, function, print_bars

from necropsy.evidence.rdb.kernels import Memory
from necropsy.sessions.jdk import INTEGER_HEADER, LONG_HEADER, STREAM_MAGIC

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from servers import running

SESSIONS = int(float(os.environ.get("BENCH_SESSIONS", "1e6")))
PART = 1_000_000
TARGETS = 36
LIFETIME_S = 30 * 86_400
FILL = """
local long, int, head, tail = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local start, step, life = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local targets = tonumber(ARGV[10])
local lifetime = int .. struct.pack('>I4', life)
for i = tonumber(ARGV[1]), tonumber(ARGV[2]) - 1 do
  local h = redis.sha1hex(tostring(i))
  local id = string.sub(h, 1, 8) .. '-' .. string.sub(h, 9, 12) .. '-4' .. string.sub(h, 13, 15) .. '-8' ..
    string.sub(h, 16, 18) .. '-' .. string.sub(h, 19, 30)
  local key = 'spring:session:sessions:' .. id
  local noise = tonumber(string.sub(h, 31, 37), 16)
  local tick = start + math.floor(i / (targets + 4)) * 10000
  local slot = i % (targets + 4)
  local born
  if slot < targets then
    born = tick + slot * 271 + noise % 4
    local millis = long .. struct.pack('>I4I4', math.floor(born / 4294967296), born % 4294967296)
    redis.call('HSET', key, 'creationTime', millis, 'lastAccessedTime', millis, 'maxInactiveInterval', lifetime,
      'sessionAttr:SPRING_SECURITY_SAVED_REQUEST', head .. string.format('10.0.0.%03d:80', slot) .. tail)
  else
    born = tick + noise % 10000
    local millis = long .. struct.pack('>I4I4', math.floor(born / 4294967296), born % 4294967296)
    redis.call('HSET', key, 'creationTime', millis, 'lastAccessedTime', millis, 'maxInactiveInterval', lifetime,
      'sessionAttr:cart', 'cart of ' .. h)
  end
  local expiry = born + life * 1000
  redis.call('PEXPIREAT', key, expiry + 300000)
  redis.call('SET', 'spring:session:sessions:expires:' .. id, '', 'PXAT', expiry)
  local minute = (math.floor(expiry / 60000) + 1) * 60000
  local set = string.format('spring:session:expirations:%.0f', minute)
  redis.call('SADD', set, '\\172\\237\\0\\5t\\0\\44expires:' .. id)
  redis.call('PEXPIREAT', set, minute + 300000)
end
"""


def text(value: str) -> bytes:
    return b"t" + struct.pack(">H", len(value)) + value.encode()


def saved_request() -> tuple[bytes, bytes]:
    """A saved request as JDK serialization writes it, before and after its host: some 900 bytes."""
    names = b"".join(text(name) for name in ("cookies", "headers", "locales", "parameters", "contextPath", "pathInfo"))
    described = b"\x1e@HD\xf9\x36d\x94\x02" + names + b"Ljava/util/ArrayList;Ljava/util/TreeMap;Ljava/lang/String;" * 6
    kind = b"sr\0Aorg.springframework.security.web.savedrequest.DefaultSavedRequest"
    head = STREAM_MAGIC + kind + described + text("host") + b"sr\0\x13java.util.ArrayListx\x81\xd2\x1d\x99\xc7a\x9d"
    agent = text("user-agent") + b"sq" + text("Go-http-client/1.1") + text("accept-encoding") + b"sq" + text("gzip")
    rest = agent + text("GET") + b"sr\0\x11java.util.TreeMap\x0c\xc1\xf6>-%j\xe6" + text("/login") + text("http")
    return head + b"t\0\x0d", rest


def part(number: int, sessions: int, path: Path) -> None:
    """One dump of a server that holds these sessions and nothing else."""
    head, tail = saved_request()
    start = (int(time.time()) - LIFETIME_S + 43_200) * 1000  # the oldest lives for half a day more
    with running("redis-7.0") as server:
        client = server.client()
        fill = client.register_script(FILL)
        for first in range(number * PART, number * PART + sessions, 10_000):
            last = min(first + 10_000, number * PART + sessions)
            fill(args=[first, last, LONG_HEADER, INTEGER_HEADER, head, tail, start, 10_000, LIFETIME_S, TARGETS])
        server.save(path)


def body(path: Path) -> tuple[int, int]:
    """Where the keys of a dump lie: from the end of its header to its last opcode. The keys have database 0 alone."""
    data = path.open("rb").read(4096)
    mark = data.index(b"\xfe\x00\xfb")  # SELECTDB 0, RESIZEDB
    return mark, path.stat().st_size - 9


def join(parts: list[Path], target: Path) -> None:
    """Put dumps of one server version together: one header, all keys, one checksum."""
    crc = 0
    memory = Memory(8 << 20)
    with target.open("wb") as out:
        for number, path in enumerate(parts):
            start, stop = body(path)
            with path.open("rb") as source:
                left = stop
                if number:
                    source.seek(start)
                    left = stop - start
                while left:
                    got = source.readinto(memory.owner[: min(left, 8 << 20)])
                    crc = memory.crc64(crc, 0, got)
                    out.write(memory.owner[:got])
                    left -= got
        memory.owner[:1] = b"\xff"
        crc = memory.crc64(crc, 0, 1)
        out.write(b"\xff" + crc.to_bytes(8, "little"))


def digest(path: Path) -> None:
    with path.open("rb") as stream:
        hashlib.file_digest(stream, "sha256")


def dump(sessions: int, folder: Path) -> Path:
    if (folder / f"{sessions}.rdb").exists():
        return folder / f"{sessions}.rdb"
    parts = []
    for number in range(math.ceil(sessions / PART)):
        parts.append(folder / f"part{number}.rdb")
        part(number, min(PART, sessions - number * PART), parts[-1])
    if len(parts) == 1:
        return parts[0].rename(folder / f"{sessions}.rdb")
    target = folder / f"{sessions}.rdb"
    join(parts, target)
    for path in parts:
        path.unlink()
    return target


def main() -> list[Bar]:
    sizes = sorted({100_000, 1_000_000, SESSIONS})
    measured: dict[int, float] = {}
    kept = os.environ.get("BENCH_FOLDER")
    floors: dict[int, float] = {}
    with contextlib.nullcontext(kept) if kept else tempfile.TemporaryDirectory(prefix="bench") as name:
        folder = Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        table = Table(
            "necropsy examine --rdb, Spring sessions; two keys each, and the sets of their minutes; median of 3, above a"
            " million once"
        )
        nothing = folder / "nothing.rdb"
        with running("redis-7.0") as server:
            server.client().set("a", "b")
            server.save(nothing)
        words = (*NECROPSY, "examine", "--quiet", "--rdb")
        table.add("a store of one key", command(*words, str(nothing), repeat=3, expect=(0, 3, 11, 12, 13)))
        nobody = table.rows[0][1].processor_seconds
        for size in sizes:
            path = dump(size, folder)
            few = size <= PART
            table.add(f"SHA-256 of {size:,} sessions", function(partial(digest, path), repeat=1))
            floors[size] = table.rows[-1][1].seconds
            checker = shutil.which("redis-check-rdb")
            if checker:
                table.add(f"redis-check-rdb, {size:,} sessions", command(checker, str(path), repeat=1))
                floors[size] = table.rows[-1][1].processor_seconds
            run = command(*words, str(path), repeat=3 if few else 1, expect=(0, 11, 12, 13), warm=few)
            table.add(f"{size:,} sessions, {path.stat().st_size / 1e6:,.0f} MB", run)
            measured[size] = run.processor_seconds - nobody
            if not kept:
                path.unlink()
    fewest, most = sizes[0], sizes[-1]
    power = math.log(measured[most] / measured[fewest]) / math.log(most / fewest)
    last = table.rows[-1][1]
    memory = (last.peak_bytes or 0) / 1e6
    seconds, limit = last.seconds * 1e7 / most, 20.0
    bars = [
        Bar(
            f"examine {most:,} Spring sessions, for ten million",
            f"<= {limit:.0f} s",
            f"{seconds:.0f} s",
            seconds <= limit,
        ),
        Bar("  processor seconds", "", f"{last.processor_seconds:.0f} s", None),
        Bar("  processor time / redis-check-rdb", "", f"{last.processor_seconds / floors[most]:.1f} x", None),
        Bar("  memory", "<= 800 MB", f"{memory:.0f} MB", memory <= 800 if most >= 10_000_000 else None),
        Bar("  processor time grows with keys to the power", "about 1", f"{power:.2f}", power <= 1.1),
    ]
    print(f"processor time grows with sessions to the power {power:.2f} ({fewest:,} to {most:,})")
    return bars


if __name__ == "__main__":
    print_bars(main())
