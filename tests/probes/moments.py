"""The moments at which a real Prometheus scrapes, compared with those that are computed.

For as long as one likes, on the loopback interface::

    PYTHONPATH=src:tests python -m probes.moments --seconds 120
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from necropsy.probes import targets
from necropsy.probes.prometheus.configuration import parse_prometheus
from necropsy.probes.prometheus.targets.scrape_phase import Observation, phase, solve_host

from .oracle import running, version
from .stub import exporter


def host_candidates() -> list[str]:
    """Names under which a server on this machine may see itself."""
    names = {"localhost", "localhost.localdomain", socket.gethostname(), socket.getfqdn()}
    for address in {"127.0.0.1", "127.0.1.1", *(info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None))}:
        try:
            name, aliases, _ = socket.gethostbyaddr(str(address))
        except OSError:
            continue
        names.update((name, *aliases))
    return sorted(names | {f"{name}." for name in names})


def scrape_jobs(port: int) -> list[dict[str, Any]]:
    """Three jobs of twenty targets each; every target asks for a path and parameters of its own."""
    made = []
    for number, interval in enumerate(("3s", "4s", "5s")):
        rules = [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {
                "source_labels": ["__address__"],
                "regex": ".*-(\\d+)",
                "target_label": "__metrics_path__",
                "replacement": "/é ${1}/*",
            },
            {"target_label": "__address__", "replacement": f"127.0.0.1:{port}"},
        ]
        job = {"job_name": f"job-{number}", "scrape_interval": interval, "relabel_configs": rules}
        job["params"] = {"module": ["http_2xx", "b c"], "number": [str(number)]}
        job["static_configs"] = [{"targets": [f"web-{i}" for i in range(20)], "labels": {"zone": "eu"}}]
        made.append(job)
    return made


def phase_errors(folder: Path, seconds: float) -> list[float]:
    """Let Prometheus scrape sixty targets; return how far off each request was, in seconds.

    Asserts on the way that the request lines, the User-Agent and the number of targets are as predicted, and that the
    server's host name is found among candidates.
    """
    with exporter() as arrivals:
        configuration = {
            "global": {"external_labels": {"replica": "a", "dc": 'eu "1"'}},
            "scrape_configs": scrape_jobs(arrivals.port),
        }
        text = json.dumps(configuration, ensure_ascii=False)
        with running(folder, text) as prometheus:
            prometheus.active_targets()
            time.sleep(seconds)
    read = parse_prometheus(text, "prometheus.yml", prometheus=version())
    by_path = {target.request_path: target for target in targets(read)}
    assert len(by_path) == 60
    assert {path for _, path, _ in arrivals.seen} == set(by_path)
    assert {agent for _, _, agent in arrivals.seen} == {f"Prometheus/{version()}"}

    observations = [Observation(by_path[path], moment % by_path[path].interval_s) for moment, path, _ in arrivals.seen]
    solution = solve_host(host_candidates(), observations, external_labels=read.external_labels, version=version())
    assert solution is not None
    errors = []
    for observation in observations:
        interval = observation.target.interval_s
        expected = phase(observation.target, solution.host, read.external_labels, version())
        errors.append(abs((observation.phase_s - expected + interval / 2) % interval - interval / 2))
    return errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=120)
    with tempfile.TemporaryDirectory() as folder:
        errors = phase_errors(Path(folder), parser.parse_args().seconds)
    sys.stdout.write(
        f"Prometheus {version()}: {len(errors)} requests, median error {median(errors) * 1000:.2f} ms,"
        f" 95 % within {quantiles(errors, n=20)[-1] * 1000:.2f} ms, the worst {max(errors) * 1000:.1f} ms\n"
    )


if __name__ == "__main__":
    main()
