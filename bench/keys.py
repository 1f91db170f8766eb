"""`necropsy keys` beside the other ways to ask what is in a dump: redis-rdb-tools (PyPI rdbtools) and redis-check-rdb.

Data: a million keys of five kinds, sessions and caches and locks, made on a real server of this machine. redis-check-rdb
only checks the dump and says nothing of it. Limit: ten million keys with less than 300 MB, time in proportion to the keys.
"""

from __future__ import annotations

import importlib.util
import math
import shutil
import sys
import tempfile
from pathlib import Path

from table import NECROPSY, Table, command

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from servers import running

KEYS = (*NECROPSY, "keys", "--quiet")
CHUNK = 10_000
FILL = """
for i = tonumber(ARGV[1]), tonumber(ARGV[1]) + tonumber(ARGV[2]) - 1 do
  local id = redis.sha1hex(tostring(i))
  local kind = i % 10
  if kind < 4 then redis.call('SET', 'sess:' .. string.sub(id, 1, 32), string.rep('x', 100), 'EX', 86400)
  elseif kind < 6 then redis.call('HSET', 'spring:session:sessions:' .. id, 'creationTime', i, 'lastAccessedTime', i)
  elseif kind < 8 then redis.call('SET', 'cache:products:' .. i .. ':en', string.rep('x', i % 300))
  elseif kind == 8 then redis.call('SADD', 'user:' .. i .. ':cart', i)
  else redis.call('SET', 'lock:' .. id, '1', 'PX', 600000 + i) end
end
"""


def dumps(folder: Path, sizes: tuple[int, ...]) -> list[Path]:
    """Dumps of one server while it fills: the first so many keys, then more."""
    made = []
    with running("redis-7.0") as server:
        fill, done = server.client().register_script(FILL), 0
        for size in sizes:
            for first in range(done, size, CHUNK):
                fill(args=[first, min(CHUNK, size - first)])
            done = size
            made.append(server.save(folder / f"{size}.rdb"))
    return made


def main() -> None:
    sizes = (1_000, 100_000, 1_000_000)
    with tempfile.TemporaryDirectory() as name:
        fewest, few, many = dumps(Path(name), sizes)
        table = Table(f"{sizes[2]:,} keys, {many.stat().st_size / 1e6:.0f} MB, median of 3")
        checker = shutil.which("redis-check-rdb")
        if checker:
            table.add("redis-check-rdb", command(checker, str(many), repeat=3))
        if importlib.util.find_spec("rdbtools"):
            table.add("rdb -c memory (every key)", command("rdb", "-c", "memory", str(many), repeat=3))
        else:
            print("rdbtools is not installed: left out")
        whole = command(*KEYS, str(many), repeat=3)
        table.add("necropsy keys", whole)
        table.add("necropsy keys --by slot", command(*KEYS, str(many), "--by", "slot", repeat=3))
        table.add("necropsy keys --sample 0.1", command(*KEYS, str(many), "--sample", "0.1", repeat=3))
        table.add("necropsy keys --diff, itself", command(*KEYS, str(many), "--diff", str(many), repeat=3))
        tenth = command(*KEYS, str(few), repeat=3)
        table.add(f"necropsy keys, {sizes[1]:,} of them", tenth)
        started = command(*KEYS, str(fewest), repeat=3)
        table.add(f"necropsy keys, {sizes[0]:,} of them", started)
        work = (whole.seconds - started.seconds) / (tenth.seconds - started.seconds)
        exponent = math.log(work) / math.log(sizes[2] / sizes[1])
        print(f"time grows with the {exponent:.2f}th power of the keys")


if __name__ == "__main__":
    main()
