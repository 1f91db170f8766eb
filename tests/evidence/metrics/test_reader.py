"""Against a real Prometheus whose past promtool has written."""

import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from necropsy.evidence.metrics.query import ask, grid
from necropsy.evidence.metrics.reader import births_near, read
from necropsy.history.births import derive
from necropsy.history.change_points import change_points
from necropsy.model.errors import UnreadableSource
from prometheus import prometheus


@contextmanager
def plain_server(body: bytes):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


pytestmark = pytest.mark.integration

STEP = 60.0
END = time.time() // 3_600 * 3_600 - 3_600
"""Prometheus serves imported blocks of any age; one that is no older than its head is simplest."""


def past(days: float, on: float, instance: str = "redis-a:9121", restart: float | None = None, rate=5.0):
    at = np.arange(END - days * 86_400, END, STEP)
    born = np.random.default_rng(1).poisson(np.where(at < on, rate, 1_440.0) / 3_600 * STEP)
    keys, expired, uptime = np.cumsum(born) * 2.0, np.zeros(at.size), at - at[0] + 5_000
    if restart is not None:
        uptime = np.where(at < restart, uptime, at - restart)
    labels = f'{{instance="{instance}",job="redis"}}'
    return {
        f'redis_db_keys{{db="db0",instance="{instance}",job="redis"}}': list(zip(at, keys, strict=True)),
        f"redis_expired_keys_total{labels}": list(zip(at, expired, strict=True)),
        f"redis_uptime_in_seconds{labels}": list(zip(at, uptime, strict=True)),
        f"redis_memory_used_bytes{labels}": list(zip(at, 1e6 + keys * 700, strict=True)),
        f"redis_memory_max_bytes{labels}": list(zip(at, np.full(at.size, 5e8), strict=True)),
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    on = END - 0.7 * 86_400
    series = past(3, on) | past(3, on, "redis-b:9121", restart=END - 86_400)
    seen = np.arange(on, END, STEP)
    series['probe_success{instance="http://user:secret@10.0.0.5:8080",job="blackbox"}'] = [(t, 1.0) for t in seen]
    with prometheus(tmp_path_factory.mktemp("prometheus"), series) as address:
        yield address, on


def test_every_server_is_read_with_its_births(server) -> None:
    address, on = server
    found = read(address, END - 3 * 86_400, END)

    assert [one.name for one in found.measured] == ["redis-a:9121", "redis-b:9121"]
    (change,) = change_points(derive(found.measured[0].series, 2.0))
    assert change.earliest_s <= on <= change.latest_s
    assert change.after_per_hour == pytest.approx(1_440, rel=0.05)
    assert np.nanmax(found.measured[0].limit) == 5e8


def test_a_restart_is_an_interruption(server) -> None:
    address, _ = server
    found = read(address, END - 3 * 86_400, END)

    assert [one.kind for one in derive(found.measured[1].series, 2.0).interruptions] == ["restart"]


def test_a_target_that_appeared_is_an_event_without_its_password(server) -> None:
    address, on = server
    (event,) = [one for one in read(address, END - 3 * 86_400, END).events if one.kind == "target-appeared"]

    assert abs(event.at_s - on) <= 2 * STEP
    assert "10.0.0.5:8080" in event.text
    assert "secret" not in event.text


def test_a_long_span_is_read_coarsely_and_the_change_again_finely(server) -> None:
    address, on = server
    coarse = read(address, END - 60 * 86_400, END).measured[0]
    near = births_near(address, coarse, on)

    assert np.diff(coarse.series.at_s)[0] == 480.0
    assert near is not None
    (change,) = change_points(derive(near.series, 2.0))
    assert abs(change.at_s - on) <= 2 * STEP


def test_more_points_than_a_request_may_have_are_asked_for_in_pieces(server) -> None:
    address, _ = server
    on = grid(END - 3 * 86_400, END, least_step_s=15.0, most_points=100_000)
    (series,) = ask(address, 'redis_memory_used_bytes{instance="redis-a:9121"}', on)

    assert on.points > 11_000
    assert np.isfinite(series.values).mean() > 0.99


def test_a_server_without_the_series_says_what_is_missing(tmp_path: Path) -> None:
    with prometheus(tmp_path, {"up": [(END - 60, 1.0), (END, 1.0)]}) as address:
        found = read(address, END - 86_400, END)

    assert found.measured == ()
    assert "redis_db_keys" in found.absent[0].reason
    assert "necropsy exporter" in found.absent[0].hint


def test_a_refused_query_says_the_reason(server) -> None:
    address, _ = server

    with pytest.raises(UnreadableSource, match=r"refuses the query: .*parse error"):
        ask(address, "sum without (", grid(END - 3_600, END))


def test_what_is_no_prometheus_says_so(tmp_path: Path) -> None:
    with plain_server(b"<html>") as address:
        found = read(address, END - 3_600, END)

    assert "does not answer JSON" in found.absent[0].reason


@pytest.mark.parametrize(
    ("said", "why"),
    [('"warnings": ["store 10.0.0.7:10901 at http://user:hunter2@x/: deadline exceeded"]', "deadline exceeded"),
     ('"isPartial": true', "some of its storage did not answer")],
)  # fmt: skip
def test_an_answer_that_lacks_a_part_says_so(said: str, why: str) -> None:
    series = f'{{"metric": {{"instance": "a"}}, "values": [[{END - 600}, "5"], [{END - 540}, "6"]]}}'
    body = f'{{"status": "success", {said}, "data": {{"resultType": "matrix", "result": [{series}]}}}}'
    with plain_server(body.encode()) as address:
        history = read(address, END - 3_600, END)
    (absent,) = history.absent
    assert absent.reason.startswith("its answer is incomplete")
    assert why in absent.reason
    assert "hunter2" not in absent.reason
    assert len(history.measured) == 1, "what there is, is used"


def test_nobody_there_is_absent() -> None:
    found = read("http://127.0.0.1:9", END - 3_600, END)

    assert found.measured == ()
    assert found.absent[0].kind == "history"
