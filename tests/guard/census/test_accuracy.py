"""A census beside a full examination of the same store: read another way, the same counts and rates of births."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import servers
from guard.guards import populate
from necropsy.case.store import Case
from necropsy.cli.census import COMMAND
from necropsy.guard.census.schedule import CensusSchedule
from necropsy.guard.census.worker import Asked
from necropsy.guard.exposition import Family

pytestmark = pytest.mark.integration

MONITORING = """\
scrape_configs:
  - job_name: blackbox
    metrics_path: /probe
    scrape_interval: 10s
    params: {module: [http_2xx]}
    static_configs: [{targets: ["http://10.0.0.1:8080/"]}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {target_label: __address__, replacement: "127.0.0.1:9115"}
"""


def sums(families: list[Family], name: str, label: str) -> dict[str, float]:
    """Return the values of a metric, summed up by one of its labels."""
    found: dict[str, float] = {}
    for family in families:
        for sample in family.samples if family.name == name else ():
            key = dict(sample.labels)[label]
            found[key] = found.get(key, 0.0) + sample.value
    return found


def test_a_census_beside_a_store_that_grows_counts_what_a_full_examination_counts(tmp_path: Path) -> None:
    with servers.running("redis-7.0", "--repl-diskless-sync-delay", "0", tcp=True) as server:
        populate(server, hours=9)
        (tmp_path / "prometheus.yml").write_text(MONITORING)
        path = tmp_path / "incident.toml"
        path.write_text(
            f'prometheus = ["prometheus.yml"]\n[[store]]\nname = "A"\nredis = "redis://127.0.0.1:{server.port}"\n'
        )
        over, client = threading.Event(), server.client()

        def people() -> None:
            number = 0
            while not over.wait(2.0):
                number += 1
                client.set(f"sess:{time.time_ns():032x}", '{"cookie":{"originalMaxAge":86400000}}', ex=86_400)

        thread = threading.Thread(target=people)
        thread.start()
        try:
            census = CensusSchedule(COMMAND, Asked(incident=str(path)), 600)
            census.take()
            case = tmp_path / "whole.case"
            words = ["examine", str(path), "--read-method", "script", "--case", str(case), "--quiet"]
            subprocess.run([sys.executable, "-m", "necropsy.cli.main", *words], check=False, capture_output=True)
        finally:
            over.set()
            thread.join()
        assert not census.error
        assert census.taken is not None
        with Case.open(case) as whole:
            counted = float(whole.value("SELECT count(*) FROM session"))
            rates: dict[str, float] = {}
            for row in whole.rows("SELECT creator, label, births_per_hour FROM birth_claim WHERE births_per_hour > 0"):
                name = "people" if row["creator"] == "people" else str(row["label"])
                rates[name] = rates.get(name, 0.0) + row["births_per_hour"] / 3600
        assert sum(sums(census.taken.families, "necropsy_sessions", "store").values()) == pytest.approx(
            counted, rel=0.02
        )
        shown = sums(census.taken.families, "necropsy_session_births_per_second", "creator")
        largest = max(rates, key=lambda name: rates[name])
        assert re.search(r"10\.0\.0\.1:8080", largest), "the probe of the configuration"
        assert shown[largest] == pytest.approx(rates[largest], rel=0.05)
