"""A month of twenty series at fifteen seconds: read and judged, beside the time that Prometheus needs to answer the same queries.

A real Prometheus serves blocks that promtool wrote; both sides ask it by turns. The peer asks for the same grid of the same
expressions and throws the answers away.
"""

from __future__ import annotations

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
ROUNDS = 5


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


def main() -> int:
    """Print the figures; 1 when the bar was missed."""
    end = time.time() // 3_600 * 3_600 - 3_600
    start = end - DAYS * 86_400
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder), series(end)) as address:
        answered(address, start, end)
        theirs, ours, changes = [], [], 0
        for _ in range(ROUNDS):
            began = time.perf_counter()
            answered(address, start, end)
            theirs.append(time.perf_counter() - began)
            began = time.perf_counter()
            changes = judged(address, start, end)
            ours.append(time.perf_counter() - began)
    ratio = float(np.median(ours) / np.median(theirs))
    samples = SERVERS * 5 * DAYS * 86_400 / SCRAPED_S
    print(f"{samples:,.0f} samples of {SERVERS * 5} series over {DAYS} days, {changes} change found")
    print(f"Prometheus answers  {np.median(theirs):6.2f} s")
    print(f"read and judged     {np.median(ours):6.2f} s   {ratio:.2f} x (bar 3)")
    return int(ratio > 3)


if __name__ == "__main__":
    sys.exit(main())
