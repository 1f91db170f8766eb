"""Cases made to order for examiners: a few rows of evidence in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from blank_cases import blank_case
from necropsy._internal.serialization import to_plain
from necropsy.case.store import Case
from necropsy.examine.interface import Examination, examine_all
from necropsy.examine.registry import EXAMINERS
from necropsy.model.evidence import Origin
from necropsy.model.probe import Probe, UpstreamPort

PROBE = Probe(
    prober="prometheus/blackbox_exporter_http",
    kind="blackbox-http",
    method="GET",
    url="http://10.0.0.1:8080/",
    host="10.0.0.1",
    port=8080,
    path="/",
    period_s=10.0,
    user_agents=("Go-http-client/",),
    health_path="/health",
    origin=(Origin("prometheus.yml", 17, "copies __address__ into __param_target"),),
)
HEALTHY_PROBE = replace(PROBE, url="http://10.0.0.1:8080/health", path="/health")


class Scene:
    """One case under construction."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def source(self, *readers: str) -> Scene:
        for reader in readers:
            store = "a" if reader in ("rdb", "redis") else None
            self.case.append("source", [{"reader": reader, "locator": f"{reader}.file", "store": store}])
        return self

    def sessions(self, count: int, **columns: object) -> Scene:
        values = {"store": "a", "layout": "spring-indexed", "keys": 2, "bytes": 1000, "authentication": "no", "state": "live",
                  "lifetime_s": 86400, "expires_at": datetime(2019, 5, 25, 12), **columns}  # noqa: DTZ001 -- the case holds UTC without a zone  # fmt: skip
        names = ", ".join(values)
        self.case.execute(
            f"INSERT INTO session (id_hash, born_at, {names})"
            f" SELECT hash('{len(columns)}-{abs(hash(str(columns)))}-' || i), TIMESTAMP '2019-05-24 12:00:00' + i * INTERVAL 1 SECOND,"
            f" {', '.join('?' for _ in values)} FROM range({count}) r(i)",
            list(values.values()),
        )
        return self

    def claim(self, creator: str, births: float, **columns: object) -> Scene:
        row = {"store": "a", "creator": creator, "evidence": "comb", "label": creator, "births": births,
               "births_low": births, "births_high": births, "births_per_hour": births / 24, **columns}  # fmt: skip
        self.case.append("birth_claim", [row])
        return self

    def probe(self, *probes: Probe) -> Scene:
        start = self.case.value("SELECT count(*) FROM probe")
        for number, probe in enumerate(probes, start):
            self.case.append(
                "probe",
                [{"probe_id": number, "kind": probe.kind, "url": probe.url, "value": json.dumps(to_plain(probe))}],
            )
        return self

    def backend(self, *backends: UpstreamPort) -> Scene:
        self.case.append(
            "backend",
            [
                {
                    "address": b.address,
                    "port": b.port,
                    "role": b.role,
                    "state": b.state,
                    "value": json.dumps(to_plain(b)),
                }
                for b in backends
            ],
        )
        return self

    def facts(self, store: str = "a", **facts: object) -> Scene:
        """What a live server says: names with ``_`` as INFO writes them; ``config__x`` is ``config:x``, with hyphens."""
        asked = {"redis_version": "7.2.4", "server-time": "2019-05-24T19:00:00+00:00"}
        told = {
            f"{n.split('__')[0]}:{n.split('__')[1].replace('_', '-')}" if "__" in n else n: v for n, v in facts.items()
        }
        rows = {**asked, **told}.items()
        self.case.append("server_fact", [{"store": store, "name": name, "value": str(value)} for name, value in rows])
        return self

    def rows(self, table: str, *rows: dict[str, object]) -> Scene:
        self.case.append(table, list(rows))
        return self

    def visitors(
        self, class_id: int, agent: str, host: str, path: str = "/", visits: int = 100, period_s: float | None = 10.0
    ) -> Scene:
        self.case.append(
            "visitor_class",
            [
                {
                    "class_id": class_id,
                    "user_agent": agent,
                    "host": host,
                    "method": "GET",
                    "path": path,
                    "status": 200,
                    "visits": visits,
                    "period_s": period_s,
                }
            ],
        )
        return self

    def examine(self) -> Examination:
        return examine_all(self.case, EXAMINERS)


@contextmanager
def scene() -> Iterator[Scene]:
    with blank_case() as case:
        yield Scene(case)


def slugs(examination: Examination) -> set[str]:
    return {finding.slug for finding in examination.findings}


def cleared(examination: Examination) -> dict[str, str]:
    return {entry.slug: entry.text for entry in examination.cleared}
