"""How fast are access logs read? A gigabyte of JSON and half a gigabyte of combined, against ``wc -l`` in the same run.

    python bench/access_log.py [--json-lines 3000000] [--combined-lines 2600000] [--keep FOLDER] [--scaling [MB]]

The logs tell one day of a shop: three probers that are redirected and follow, two that ask /health, and people: sessions
of six pages, a few hundred user agents, tens of thousands of addresses, ids in paths, query strings, redirects.

For each log: to visitor classes (visits and classes, no rhythms yet), and the whole of ``necropsy traffic`` with rhythms,
judgement and the table. The cache is warm: ``wc -l`` reads each file first and last. DuckDB groups the same file by client, user
agent, path and status, which is less than a visit; GoAccess (combined alone: it wants an address in each line) and lnav, a group-by
over its SQL, read it if they are installed. Every measurement is a process of
its own, ours the median of five in turn, and its peak of memory is that of its own address space (``VmHWM``; ``ru_maxrss``
begins with the parent's).

``--scaling``: beginnings of the logs of 10 MB to 1 GB (or so many MB), and the exponent of the time: 1 is linear.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FIRST_MS = 1558656000000

HITS = """
WITH seeded AS (SELECT setseed(0.42)),
sessions AS (
  SELECT i, random() AS client, random() AS agent, random() * 86400000 AS begin_ms, random() AS redirected
  FROM range({sessions}) s(i), seeded
),
pages AS (
  SELECT i * 8 + k AS id, begin_ms + k * 9000 + random() * 8000 AS at_ms, client, k, redirected, random() AS r, random() AS q
  FROM sessions, range(6) p(k)
),
people AS (
  SELECT at_ms, id,
    format('10.{{}}.{{}}.{{}}', (client * client * 8)::INTEGER, (client * 2000)::INTEGER % 256, (client * 50000)::INTEGER % 250) AS client,
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/' || (60 + (client * 50000)::INTEGER % 60)
      || '.0.' || (client * 50000)::INTEGER % 7 || '.0 Safari/537.36' AS agent,
    'shop.example.com' AS host,
    CASE WHEN redirected < 0.2 AND k = 0 THEN '/' WHEN redirected < 0.2 AND k = 1 THEN '/login?next=%2F'
      WHEN r < 0.35 THEN '/product/' || (q * 200000)::INTEGER WHEN r < 0.5 THEN '/search?q=' || md5(id::VARCHAR)
      WHEN r < 0.6 THEN '/' WHEN r < 0.8 THEN '/assets/app.' || substr(md5(((q * 20)::INTEGER)::VARCHAR), 1, 8) || '.js'
      ELSE '/help/topic-' || chr(97 + (q * 25)::INTEGER) || '.html' END AS target,
    CASE WHEN redirected < 0.2 AND k = 0 THEN 302 WHEN r > 0.99 THEN 404 ELSE 200 END AS status,
    'https://shop.example.com/' AS referer
  FROM pages
),
prober AS (
  SELECT * FROM (VALUES ('172.12.1.189:80', 4234, 10000), ('172.12.1.190:80', 7811, 10000), ('172.12.1.191:80', 2020, 15000))
  v(target_host, phase_ms, period_ms)
),
ticks AS (SELECT target_host, {first} + phase_ms + period_ms * n - {first} AS at_ms FROM prober, range(0, 8640) t(n)
  WHERE period_ms * n < 86400000),
probes AS (
  SELECT at_ms, 0 AS id, '' AS client, 'Go-http-client/1.1' AS agent, target_host AS host, '/' AS target, 302 AS status, '' AS referer FROM ticks
  UNION ALL SELECT at_ms + 12, 1, '', 'Go-http-client/1.1', split_part(target_host, ':', 1), '/login', 200, 'http://' || target_host FROM ticks
  UNION ALL SELECT n * 10000 + 512, 2, '', 'Consul Health Check', 'localhost', '/health', 200, '' FROM range(8640) t(n)
  UNION ALL SELECT n * 30000 + 5512, 3, '10.0.0.9', 'ELB-HealthChecker/2.0', '172.12.1.189', '/health', 200, '' FROM range(2880) t(n)
)
SELECT {first} + at_ms::BIGINT AS at_ms, client, agent, host, target, status, referer
FROM (FROM people UNION ALL FROM probes) ORDER BY at_ms, id
"""

JSON_LINE = """'{"@timestamp":"' || strftime(epoch_ms(at_ms), '%Y-%m-%dT%H:%M:%S+00:00') || '","remote_addr":"' || client
|| '","host":"' || host || '","request":"GET ' || target || ' HTTP/1.1","status": "' || status
|| '","request_time":"0.012","http_referrer":"'
|| referer || '","http_user_agent":"' || agent || '"}'"""

COMBINED_LINE = """CASE WHEN client = '' THEN '-' ELSE client END || ' - - [' || strftime(epoch_ms(at_ms), '%d/%b/%Y:%H:%M:%S +0000')
|| '] "GET ' || target || ' HTTP/1.1" ' || status || ' ' || (at_ms % 20011) || ' "' || CASE WHEN referer = '' THEN '-' ELSE referer END
|| '" "' || agent || '"'"""


def write(path: Path, lines: int, line: str) -> None:
    """Write a log of about so many lines."""
    import duckdb

    probes = 8640 * 2 * 2 + 5760 * 2 + 8640 + 2880
    sessions = max(1, (lines - probes) // 6)
    hits = HITS.format(sessions=sessions, first=FIRST_MS)
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            f"COPY (SELECT {line} FROM ({hits}) LIMIT {lines}) TO '{path}' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"
        )


PEAK = f"""
import re, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from alone import leave_pandas_out
leave_pandas_out()
from necropsy.cli.process import tune
tune()  # as the command does
def peak():
    try:
        return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
    except OSError:
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
"""

READ = (
    PEAK
    + """
import json, resource, sys, time
from necropsy.case.store import Case
from necropsy.evidence.access_log import reader
from necropsy.visits import analyse
begin = time.perf_counter()
to_classes = [0.0]
rhythms = analyse.judge_rhythms
def judged(engine):
    to_classes[0] = time.perf_counter() - begin
    rhythms(engine)
analyse.judge_rhythms = judged
with Case.create(None) as case:
    log = reader.read(case, sys.argv[1:], checksums=False)  # as the command does whose table shows none
    classes, periodic = case.rows("SELECT count(*) AS a, count(period_s) AS b FROM visitor_class")[0].values()
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"seconds": to_classes[0], "cpu_seconds": used.ru_utime + used.ru_stime, "mb": peak(),
    "requests": log.requests, "classes": classes, "periodic": periodic}))
"""
)

WHOLE = (
    PEAK
    + """
import os, resource, sys, time
begin = time.perf_counter()
sys.argv = ["necropsy", "traffic", sys.argv[1], "--quiet", "--output", os.devnull]
from necropsy.cli.main import main
try:
    main()
except SystemExit as end:
    if end.code:
        raise
used = resource.getrusage(resource.RUSAGE_SELF)
print('{"seconds": %f, "cpu_seconds": %f, "mb": %f}' % (time.perf_counter() - begin, used.ru_utime + used.ru_stime, peak()))
"""
)

LNAV = ";SELECT c_ip, cs_user_agent, cs_method, cs_uri_stem, sc_status, count(*) FROM access_log GROUP BY 1, 2, 3, 4, 5"
GROUPING = {
    "JSON": (
        (
            "read_json('{path}', format = 'newline_delimited', ignore_errors = true, columns = {{remote_addr: 'VARCHAR',"
            " host: 'VARCHAR', request: 'VARCHAR', status: 'VARCHAR', http_user_agent: 'VARCHAR'}})"
        ),
        "remote_addr, host, http_user_agent, split_part(request, '?', 1), status",
    ),
    "combined": (
        (
            "read_csv('{path}', auto_detect = false, header = false, delim = ' ', quote = '\"', escape = '', strict_mode = false,"
            " columns = {{c: 'VARCHAR', l: 'VARCHAR', u: 'VARCHAR', t: 'VARCHAR', z: 'VARCHAR', r: 'VARCHAR', s: 'VARCHAR',"
            " b: 'VARCHAR', f: 'VARCHAR', a: 'VARCHAR'}})"
        ),
        "c, a, split_part(r, '?', 1), s",
    ),
}
"""What DuckDB groups, and by what: no redirects, no rhythms, no folded paths, no repair."""
ROUNDS = 5
"""Runs whose median is given, after one that is thrown away."""
STEPS = 5
"""Sizes of the scaling, evenly spaced on a logarithmic scale."""
SMALLEST_MB = 10.0
LINE_BYTES = {"JSON": 340, "combined": 210}
"""About how long a line is."""


def timed(command: list[str]) -> float:
    """Seconds that a command takes."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


def ran(script: str, path: Path) -> dict[str, float]:
    """Run a script on a log in a process of its own; what it says of itself."""
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def measure(name: str, path: Path) -> None:
    """Measure one log and print it."""
    size = path.stat().st_size / 1e6
    floor = min(timed(["wc", "-l", str(path)]) for _ in range(3))
    both = [(ran(READ, path), ran(WHOLE, path)) for _ in range(ROUNDS + 1)][1:]
    read, whole = (middle([pair[place] for pair in both]) for place in (0, 1))
    floor = min(floor, timed(["wc", "-l", str(path)]))
    print(
        f"\n{name}: {size:,.0f} MB, {read['requests']:,.0f} requests, {read['classes']:,.0f} classes,"
        f" {read['periodic']:,.0f} periodic"
    )
    print(f"{'':24} {'seconds':>8} {'MB/s':>7} {'x wc -l':>8} {'CPU s':>7} {'resident':>9}")
    row("wc -l", size, floor, floor)
    row("to visitor classes", size, read["seconds"], floor, read)
    row("necropsy traffic, whole", size, whole["seconds"], floor, whole)
    print(f"{'':24} the whole is {whole['seconds'] / read['seconds']:.2f} x the time to visitor classes")
    for peer, command in peers(name, path):
        if not shutil.which(command[0]):
            print(f"{peer:24} not installed")
            continue
        seconds = timed(command)
        row(peer, size, seconds, floor)
        print(f"{'':24} {seconds / whole['seconds']:.1f} x the whole of ours")


def middle(runs: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each figure."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def row(what: str, size: float, seconds: float, floor: float, used: dict[str, float] | None = None) -> None:
    """Print one row of a table."""
    more = f" {used['cpu_seconds']:7.1f} {used['mb']:6,.0f} MB" if used else ""
    print(f"{what:24} {seconds:8.2f} {size / seconds:7,.0f} {seconds / floor:8.1f}{more}", flush=True)


def peers(name: str, path: Path) -> list[tuple[str, list[str]]]:
    """Return programs of others that read such a log, and DuckDB's plain grouping of it."""
    table, by = GROUPING[name]
    query = f"SELECT count(*) FROM (SELECT {by}, count(*) FROM {table.format(path=path)} GROUP BY ALL)"
    found = [("DuckDB, grouped", [sys.executable, "-c", f"import duckdb; duckdb.sql({query!r}).fetchall()"])]
    if name != "combined":
        return found
    report = ["goaccess", str(path), "--log-format=COMBINED", "--no-progress", "-o", f"{path}.goaccess.json"]
    return [*found, ("goaccess", report), ("lnav, grouped by SQL", ["lnav", "-n", "-q", "-c", LNAV, str(path)])]


def scale(name: str, path: Path, largest_mb: float) -> None:
    """Measure beginnings of a log and print how the time grows."""
    import numpy as np

    largest_mb = min(largest_mb, path.stat().st_size / 1e6)
    sizes = np.geomspace(SMALLEST_MB, largest_mb, STEPS)
    print(f"\n{name}: how the time grows\n{'MB':>9} {'to classes':>11} {'whole':>8} {'resident':>9}")
    seconds = []
    for size in sizes:
        part = path.with_name(f"{path.stem}-part.log")
        with path.open("rb") as source, part.open("wb") as cut:
            left = int(size * 1e6)
            while left > 0 and (chunk := source.read(min(left, 1 << 24))):
                cut.write(chunk)
                left -= len(chunk)
            cut.write(source.readline())
        read, whole = ran(READ, part), ran(WHOLE, part)
        seconds.append((read["seconds"], whole["seconds"]))
        print(f"{size:9,.0f} {read['seconds']:9.2f} s {whole['seconds']:6.2f} s {whole['mb']:6,.0f} MB", flush=True)
        part.unlink()
    for what, times in zip(("to visitor classes", "the whole"), zip(*seconds, strict=True), strict=True):
        every = np.polyfit(np.log(sizes), np.log(times), 1)[0]
        upper = np.polyfit(np.log(sizes[-3:]), np.log(times[-3:]), 1)[0]
        print(
            f"exponent of {what}: {every:.2f}, of the upper half {upper:.2f} (1: linear; starting up costs the small ones more)"
        )


def main() -> None:
    """Run."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--json-lines", type=int, default=3_000_000)
    arguments.add_argument("--combined-lines", type=int, default=2_600_000)
    arguments.add_argument("--keep", type=Path, help="folder in which the logs stay for the next run")
    arguments.add_argument(
        "--scaling", type=float, nargs="?", const=1000.0, metavar="MB", help="measure growth instead"
    )
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name, lines, line in (
            ("JSON", chosen.json_lines, JSON_LINE),
            ("combined", chosen.combined_lines, COMBINED_LINE),
        ):
            if not lines:
                continue
            count = max(lines, round(chosen.scaling * 1e6 / LINE_BYTES[name])) if chosen.scaling else lines
            path = folder / f"{name.lower()}-{count}.log"
            if not path.exists():
                write(path, count, line)
            if chosen.scaling:
                scale(name, path, chosen.scaling)
            else:
                measure(name, path)


if __name__ == "__main__":
    main()
