"""How fast are access logs read? A gigabyte of JSON and half a gigabyte of combined, against ``wc -l`` in the same run.

    python bench/access_log.py [--json-lines 3000000] [--combined-lines 2600000] [--keep FOLDER]

The logs tell one day of a shop: three probers that are redirected and follow, two that ask /health, and people: sessions
of six pages, a few hundred user agents, tens of thousands of addresses, ids in paths, query strings, redirects.
Every measurement is a process of its own, so that its peak of memory is its own; ``wc -l`` and, if it is installed,
GoAccess read the same file before and after. Prints MB/s, the ratio to ``wc -l``, and resident memory.
"""

from __future__ import annotations

import argparse
import json
import shutil
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
|| '","body_bytes_sent":"' || (at_ms % 20011) || '","request_time":"0.012","upstream_response_time":"0.011","scheme":"https","http_referrer":"'
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


READ = """
import json, resource, sys, time
from necropsy.case.store import Case
from necropsy.evidence.access_log import reader
begin = time.perf_counter()
with Case.create(None) as case:
    log = reader.read(case, sys.argv[1:])
    classes, periodic = case.rows("SELECT count(*) AS a, count(period_s) AS b FROM visitor_class")[0].values()
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"seconds": time.perf_counter() - begin, "cpu_seconds": used.ru_utime + used.ru_stime, "mb": used.ru_maxrss / 1024,
    "requests": log.requests, "classes": classes, "periodic": periodic}))
"""


def timed(command: list[str]) -> float:
    """Seconds that a command takes."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


def measure(name: str, path: Path) -> None:
    """Measure one log and print it."""
    size = path.stat().st_size / 1e6
    floor = min(timed(["wc", "-l", str(path)]) for _ in range(3))
    answer = json.loads(
        subprocess.run([sys.executable, "-c", READ, str(path)], check=True, capture_output=True, text=True).stdout
    )
    floor = min(floor, timed(["wc", "-l", str(path)]))
    print(
        f"{name:9} {size:7,.0f} MB  {answer['seconds']:6.2f} s  {size / answer['seconds']:6,.0f} MB/s"
        f"  {answer['seconds'] / floor:6.1f} x wc -l ({size / floor:,.0f} MB/s)  {answer['cpu_seconds']:.1f} s of CPU  {answer['mb']:,.0f} MB resident"
        f"  {answer['requests']:,} requests, {answer['classes']:,} classes, {answer['periodic']} periodic"
    )
    goaccess = shutil.which("goaccess")
    if goaccess and name == "combined":
        seconds = timed([goaccess, str(path), "--log-format=COMBINED", "--no-progress", "-o", "/dev/null.json"])
        print(f"          goaccess {seconds:6.2f} s: {seconds / answer['seconds']:.1f} x ours")


def main() -> None:
    """Run."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--json-lines", type=int, default=3_000_000)
    arguments.add_argument("--combined-lines", type=int, default=2_600_000)
    arguments.add_argument("--keep", type=Path, help="folder in which the logs stay for the next run")
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
            path = folder / f"{name.lower()}-{lines}.log"
            if not path.exists():
                write(path, lines, line)
            measure(name, path)


if __name__ == "__main__":
    main()
