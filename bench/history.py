"""A month of twenty series at fifteen seconds: read and judged, beside the time that Prometheus needs to answer the same queries.

A real Prometheus serves blocks that promtool wrote; both sides ask it by turns. The peer asks for the same grid of the same
expressions and throws the answers away. Counted is processor time, Prometheus' own included on both sides: what a machine that
does other things beside shows the same of.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from necropsy.evidence.metrics.query import grid
from necropsy.evidence.metrics.reader import _KEYS, _OTHERS, _TARGETS, read
from necropsy.history.births import derive
from necropsy.history.change_points import change_points
from prometheus import prometheus  # the tests' server

SERVERS = 4
"""Of five series each: twenty in all."""
DAYS = 30
SCRAPED_S = 15.0
ROUNDS = 15


def series(end: float) -> dict[str, list[tuple[float, float]]]:
    """Make four servers up; a prober begins on the second of them."""
    at = np.arange(end - DAYS * 86_400, end, SCRAPED_S)
    made = {}
    rng = np.random.default_rng(1)
    for number in range(SERVERS):
        labels = f'{{instance="redis-{number}:9121"}}'
        rate = np.where((number == 1) & (at > end - 9 * 86_400), 0.4, 0.02) * SCRAPED_S
        keys = 2.0 * np.cumsum(rng.poisson(rate))
        for name, values in (
            (f'redis_db_keys{{db="db0",instance="redis-{number}:9121"}}', keys),
            (f"redis_expired_keys_total{labels}", np.zeros(at.size)),
            (f"redis_evicted_keys_total{labels}", np.zeros(at.size)),
            (f"redis_uptime_in_seconds{labels}", at - at[0] + 9_000),
            (f"redis_memory_used_bytes{labels}", 1e6 + 700 * keys),
        ):
            made[name] = list(zip(at.tolist(), values.tolist(), strict=True))
    return made


def answered(address: str, start: float, end: float) -> None:
    """Ask for the same grid of the same expressions, and read the bytes."""
    on = grid(start, end)
    for expression in (_KEYS, *_OTHERS.values(), _TARGETS):
        query = urlencode(
            {
                "query": expression,
                "start": on.start_s,
                "end": on.start_s + on.step_s * (on.points - 1),
                "step": on.step_s,
            }
        )
        with urlopen(f"{address}/api/v1/query_range?{query}") as answer:  # noqa: S310 -- loopback
            answer.read()


def judged(address: str, start: float, end: float) -> int:
    """Read the history and look for changes; how many there are."""
    past = read(address, start, end)
    return sum(len(change_points(derive(one.series, 2.0))) for one in past.measured)


def server() -> int:
    """Return the process id of the Prometheus that we started."""
    for folder in Path("/proc").iterdir():
        if (
            folder.name.isdigit()
            and (folder / "comm").exists()
            and (folder / "comm").read_text().strip() == "prometheus"
        ):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                return int(folder.name)
    raise SystemExit("Prometheus has ended")


def spent_s(process: int) -> float:
    """Processor time of this process and of another one, seconds."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Print the figures; 1 when the bar was missed."""
    end = time.time() // 3_600 * 3_600 - 3_600
    start = end - DAYS * 86_400
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder), series(end)) as address:
        answered(address, start, end)
        prometheus_id = server()
        theirs, ours, changes = [], [], 0
        for _ in range(ROUNDS):
            began = spent_s(prometheus_id)
            answered(address, start, end)
            theirs.append(spent_s(prometheus_id) - began)
            began = spent_s(prometheus_id)
            changes = judged(address, start, end)
            ours.append(spent_s(prometheus_id) - began)
    ratio = float(
        np.mean(ours) / np.mean(theirs)
    )  # the kernel counts Prometheus' time in hundredths: the sum of all rounds
    samples = SERVERS * 5 * DAYS * 86_400 / SCRAPED_S
    print(f"{samples:,.0f} samples of {SERVERS * 5} series over {DAYS} days, {changes} change found")
    print(f"Prometheus answers  {np.mean(theirs):6.3f} s")
    print(f"read and judged     {np.mean(ours):6.3f} s   {ratio:.2f} x (bar 3)")
    return int(ratio > 3)


if __name__ == "__main__":
    sys.exit(main())
