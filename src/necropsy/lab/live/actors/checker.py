"""Checks at a fixed interval, each target at a moment of its own: a load balancer's of ``/health``, or a kubelet's of a page.

A kubelet follows a redirect to the same host, and forgets cookies.
"""

from __future__ import annotations

import argparse
import random
import threading
import time

from necropsy.lab.live.actors.asking import ask

AGENT = "ELB-HealthChecker/2.0"


def check(place: str, interval_s: float, agent: str, path: str) -> None:
    """Ask for ever."""
    due = time.time() + random.uniform(0, interval_s)
    while True:
        time.sleep(max(0.0, due - time.time()))
        host = place.rpartition(":")[0] if agent == AGENT else place
        headers = {"User-Agent": agent, "Host": host, "Connection": "close"}
        answer = ask(place, "GET", path, headers)
        if answer.location and agent != AGENT:
            ask(place, "GET", answer.location.removeprefix(f"http://{place}"), headers)
        due = max(due + interval_s, time.time())


def main() -> None:
    """Check until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", required=True, help="HOST:PORT; may be repeated")
    parser.add_argument("--interval", type=float, required=True, help="seconds")
    parser.add_argument("--agent", default=AGENT)
    parser.add_argument("--path", default="/health")
    options = parser.parse_args()
    threads = [
        threading.Thread(target=check, args=(target, options.interval, options.agent, options.path))
        for target in options.target
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
