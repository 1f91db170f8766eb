"""Error logs in a search engine: OpenSearch 2.19 itself, and answers that it does not give on request.

Elasticsearch has the same search API by its documentation; it is not among the servers here.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from necropsy.case.store import Case
from necropsy.evidence.app_log import search_engine
from necropsy.evidence.app_log.reader import ReadErrors, read
from necropsy.lab.live import conductor, plan, programs, search
from necropsy.lab.live.components import Run
from necropsy.lab.live.supervisor import Supervisor
from necropsy.model.errors import UnreadableSource
from servers import free_port

TIMEOUT = (
    "org.springframework.dao.QueryTimeoutException: Redis command timed out; nested exception is"
    " io.lettuce.core.RedisCommandTimeoutException: Command timed out after 2 second(s)\n\tat admin.Admin.main(Admin.java:1)"
)
DOCUMENTS = 2_400
"""More than two pages."""


@pytest.fixture(scope="module")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of an OpenSearch with an index ``app-2019``, one time-out every second from 18:00 on."""
    java, maven = programs.JAVA.find(), programs.MAVEN.find()
    assert java is not None, programs.JAVA.get
    assert maven is not None, programs.MAVEN.get
    search.build(maven)
    home = tmp_path_factory.mktemp("opensearch")
    (home / "logs").mkdir()
    port = free_port()
    place = f"127.0.0.1:{port}"
    supervisor = Supervisor(home, f"necropsy-test-{port}")
    command = (str(java), *search.java_options(), "127.0.0.1", str(port), str(free_port()), str(home))
    run = Run("opensearch", command, f"http://{place}/")
    try:
        supervisor.start(run.name, run.command)
        conductor.await_ready(supervisor, run, home)
        lines = []
        for number in range(DOCUMENTS):
            at = f"2019-05-24T18:{number // 60:02d}:{number % 60:02d}.345Z"
            lines += [{"index": {}}, {"@timestamp": at, "level": "ERROR", "message": TIMEOUT}]
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        request = urllib.request.Request(
            f"http://{place}/app-2019/_bulk?refresh=true", body, {"Content-Type": "application/x-ndjson"}
        )
        with urllib.request.urlopen(request) as answer:
            assert not json.load(answer)["errors"]
        yield place
    finally:
        supervisor.stop()


def errors(locator: str) -> tuple[ReadErrors, list[dict[str, Any]]]:
    with Case.create(None) as case:
        result = read(case, [locator])
        return result, case.rows("SELECT * FROM error_event") if result.events else []


@pytest.mark.integration
def test_every_document_is_read_page_by_page_oldest_first(opensearch: str) -> None:
    result, rows = errors(f"opensearch://{opensearch}/app-*")
    assert result.events == DOCUMENTS
    assert {row["log"] for row in rows} == {f"opensearch://{opensearch}/app-*"}
    (source,) = result.sources
    assert source.note.startswith(f"{DOCUMENTS:,} errors in {DOCUMENTS:,} lines")
    assert source.taken_at is not None
    assert f"{source.taken_at:%H:%M:%S}" == "18:39:59"


@pytest.mark.integration
def test_only_the_time_that_was_asked_for_is_read(opensearch: str) -> None:
    result, _ = errors(f"elasticsearch://{opensearch}/app-2019?from=2019-05-24T18:10:00Z&to=2019-05-24T18:20:00Z")
    assert result.events == 601  # the server takes an end without milliseconds for the end of that second


@pytest.mark.integration
@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("nothing-here", "HTTP 404: no such index [nothing-here]"),
        ("app-2019?from=soon", "HTTP 400: failed to parse date field [soon]"),
        ("app-2019?from=2020-01-01", "no document between 2020-01-01 and now"),
    ],
)
def test_what_the_server_refuses_is_said_in_its_words(opensearch: str, where: str, said: str) -> None:
    result, _ = errors(f"opensearch://reader:secret@{opensearch}/{where}")
    (absent,) = result.absent
    assert said in absent.reason
    assert absent.hint
    assert "secret" not in f"{absent}"


Answer = Callable[[str, dict[str, Any]], tuple[int, Any]]


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """A server that answers as it is told: what OpenSearch itself does not say on request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = answer(self.path, asked)
            body = (said if isinstance(said, str) else json.dumps(said)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def page(*messages: str, **more: Any) -> dict[str, Any]:
    hits = [{"_source": {"@timestamp": "2019-05-24T18:00:00Z", "message": message}} for message in messages]
    return {"_scroll_id": "next", "hits": {"hits": hits}, **more}


def test_shards_that_failed_are_said(tmp_path: Path) -> None:
    def answer(path: str, _: dict[str, Any]) -> tuple[int, Any]:
        return 200, page() if path.startswith("/_search/scroll") else page("a", _shards={"total": 5, "failed": 2})

    with answering(answer) as place:
        remarks = search_engine.fetch(search_engine.parse(f"opensearch://{place}/app"), tmp_path / "log")
    assert remarks == ["2 of 5 shards failed: their documents are missing"]
    assert json.loads((tmp_path / "log").read_text())["message"] == "a"


@pytest.mark.parametrize(
    ("status", "said", "reason", "hint"),
    [
        (401, "", "HTTP 401", "Give a user"),
        (403, {"error": {"root_cause": [{"reason": "no permissions"}]}}, "HTTP 403: no permissions", "right to read"),
        (200, "<html>", "not as a search engine does", "not of its dashboard"),
        (200, {"hits": {"hits": 3}}, "not as a search engine does", "not of its dashboard"),
        (200, [], "not as a search engine does", "not of its dashboard"),
        (500, {"error": ["odd"]}, "HTTP 500", "Check the address"),
    ],
)
def test_what_is_no_answer_ends_in_something_to_do(
    tmp_path: Path, status: int, said: Any, reason: str, hint: str
) -> None:
    with answering(lambda _path, _asked: (status, said)) as place, pytest.raises(UnreadableSource) as caught:
        search_engine.fetch(search_engine.parse(f"opensearch://{place}/app"), tmp_path / "log")
    assert reason in caught.value.message
    assert caught.value.hint is not None
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("locator", "reason"),
    [
        ("opensearch://logs:9200", "it names no index"),
        ("opensearch:///app", "not the address of a search engine"),
        ("opensearch://logs:port/app", "not the address of a search engine"),
        ("opensearch://logs/app?since=1d", "no option since"),
        ("opensearch://me:secret@logs/a/b", "it names no index"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused_without_its_password(locator: str, reason: str) -> None:
    with pytest.raises(UnreadableSource) as caught:
        search_engine.parse(locator)
    assert reason in caught.value.message
    assert "secret" not in caught.value.message


def test_the_place_of_the_lab_is_an_address_of_a_search_engine(tmp_path: Path) -> None:
    made = plan.draw(tmp_path, plan.LabOptions(opensearch=True))
    assert search_engine.is_address(search.address(made))
