"""The exporter, the census and the prober's look into a store, on the newest Redis that Debian has: ``make redis-next``.

It moves on, so no test of CI starts it; Redis 8.10 is in no registry (Debian's experimental has 8.6).
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import servers
from guard.census.test_worker import long_unused
from guard.exporter.test_against_redis_exporter import busy, compare
from guard.prober.beside import settle
from necropsy.cli.census import COMMAND
from necropsy.guard.census.schedule import CensusSchedule
from necropsy.guard.census.worker import Asked
from necropsy.guard.prober.births import ProbedBirths
from necropsy.wire.redis.address import parse_address
from waiting import wait_until

CHECKOUT = Path(__file__).parents[3]
PROGRAM = CHECKOUT / ".tools" / "debian-next" / "usr" / "bin" / "redis-server"


def main() -> None:
    subprocess.run([CHECKOUT / "tools" / "debian-release", "next"], check=True)
    servers.BUILDS = (*servers.BUILDS, servers.Build("next", "", lambda: str(PROGRAM), "tools/debian-release next"))
    at_once = (
        "--repl-diskless-sync-delay",
        "0",
        "--maxmemory-policy",
        "allkeys-lru",
        "--latency-monitor-threshold",
        "100",
    )
    with servers.running("next", *at_once, tcp=True) as server:
        busy(server)
        compare(server.port)
        version = server.client().info("server")["redis_version"]
        print(f"Redis {version}: the same names, labels, types and values as redis_exporter's")
        key = long_unused(server)
        census = CensusSchedule(COMMAND, Asked((("A", server.url),)), 600)
        census.take()
        assert not census.error, census.error
        assert server.client().object("idletime", key) >= 500
        print(f"Redis {version}: a census makes no session look used")
        births, number = ProbedBirths([("A", parse_address(server.url, environ={}))], print), iter(range(10_000))

        def found() -> bool:
            with births.probing("target", "module"):
                window = births.open("target", "module")
                server.client().set(f"sess:{next(number):08x}abcdefghijklmnop", "{}")
                if window is not None:
                    window.close(counts=True)
            settle(births)
            return births.verdict("target", "module")[0] == "A"

        wait_until(found, "births are seen")
        births.stop()
        print(f"Redis {version}: births beside a probe are seen")


if __name__ == "__main__":
    main()
