"""The load balancer's health checks: ``/health`` of every proxy, at a fixed interval, each at a moment of its own."""

from __future__ import annotations

import argparse
import random
import threading
import time

from necropsy.lab.live.actors.asking import ask

AGENT = "ELB-HealthChecker/2.0"


def check(place: str, interval_s: float) -> None:
    """Ask for ever."""
    due = time.time() + random.uniform(0, interval_s)
    while True:
        time.sleep(max(0.0, due - time.time()))
        ask(place, "GET", "/health", {"User-Agent": AGENT, "Host": place.rpartition(":")[0], "Connection": "close"})
        due = max(due + interval_s, time.time())


def main() -> None:
    """Check until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", required=True, help="HOST:PORT; may be repeated")
    parser.add_argument("--interval", type=float, required=True, help="seconds")
    options = parser.parse_args()
    threads = [threading.Thread(target=check, args=(target, options.interval)) for target in options.target]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
