"""The Python twin of the admin application, on a real Redis."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from lab.live.applications import Browser, application, shapes
from necropsy.lab.live.twin import sessions
from necropsy.lab.live.twin.connection import TwinConnection
from servers import Server, running

pytestmark = pytest.mark.integration
TWIN = (sys.executable, "-m", "necropsy.lab.live.twin")


@pytest.fixture(scope="module")
def store() -> Iterator[Server]:
    with running("redis-7.0", tcp=True) as server:
        yield server


@pytest.fixture
def client(store: Server) -> redis.Redis:
    client = store.client()
    client.flushall()
    return client


@pytest.fixture
def place(store: Server, client: redis.Redis, tmp_path: Path) -> Iterator[str]:
    with application(TWIN, tmp_path, store.port) as at:
        yield at


def test_a_visitor_without_a_cookie_starts_a_session_before_he_is_sent_to_the_form(
    client: redis.Redis, place: str
) -> None:
    answer = Browser(place).ask("GET", "/")
    assert (answer.status, answer.location) == (302, f"http://{place}/login")
    assert [key for key, _, _ in shapes(client)] == [
        "spring:session:expirations:MINUTE",
        "spring:session:sessions:ID",
        "spring:session:sessions:expires:ID",
    ]
    assert 3600 < client.ttl(next(iter(client.keys("spring:session:sessions:????????-*")))) <= 3900


def test_health_asks_redis_for_nothing(client: redis.Redis, place: str) -> None:
    assert Browser(place).ask("GET", "/health").status == 200
    assert client.keys("*") == []


def test_a_user_works_until_he_logs_out(client: redis.Redis, place: str) -> None:
    user = Browser(place)
    before = user.log_in("anna").status
    assert before == 302
    assert user.ask("GET", "/orders/3").status == 200
    index = client.keys("spring:session:index:*")
    assert [key.endswith(b":anna") for key in index] == [True]
    user.ask("POST", "/logout", {"_csrf": user.form("/logout")})
    assert client.keys("spring:session:index:*") == []
    assert client.keys("spring:session:sessions:expires:*") == []
    assert Browser(place, user.cookie).ask("GET", "/orders/3").status == 302


def test_a_login_changes_the_id_and_a_wrong_form_is_refused(client: redis.Redis, place: str) -> None:
    user = Browser(place)
    user.ask("GET", "/")
    former = user.cookie
    assert user.ask("POST", "/login", {"username": "anna"}).status == 403
    user.log_in("anna")
    assert user.cookie != former
    assert Browser(place, former).ask("GET", "/orders/3").status == 302


def test_a_redirect_can_be_relative(store: Server, client: redis.Redis, tmp_path: Path) -> None:
    with application(TWIN, tmp_path, store.port, redirects="relative") as place:
        assert Browser(place).ask("GET", "/").location == "/login"


def test_who_made_each_session_is_noted(client: redis.Redis, place: str, tmp_path: Path) -> None:
    Browser(place).ask("GET", "/orders/7")
    Browser(place).log_in("anna")
    notes = [json.loads(line) for line in (tmp_path / "notes.jsonl").read_text().splitlines()]
    assert [(note["path"], note["agent"], note["proxied"]) for note in notes] == [
        ("/orders/7", "test", False),
        ("/", "test", False),
    ]


def test_a_full_store_is_an_error_in_the_log(store: Server, client: redis.Redis, place: str, tmp_path: Path) -> None:
    client.config_set("maxmemory", 1)
    try:
        assert Browser(place).ask("GET", "/").status == 500
    finally:
        client.config_set("maxmemory", 0)
    assert "RedisCommandExecutionException: OOM command not allowed" in (tmp_path / "errors.log").read_text()


def test_a_store_that_hangs_is_a_time_out_in_the_log(
    store: Server, client: redis.Redis, place: str, tmp_path: Path
) -> None:

    Browser(place).ask("GET", "/")
    store.process.send_signal(signal.SIGSTOP)
    try:
        assert Browser(place).ask("GET", "/").status == 500
    finally:
        store.process.send_signal(signal.SIGCONT)
    assert "RedisCommandTimeoutException: Command timed out" in (tmp_path / "errors.log").read_text()
    assert Browser(place).ask("GET", "/").status == 302


def test_an_expired_marker_takes_its_session_out_of_the_index(client: redis.Redis, place: str) -> None:
    user = Browser(place)
    user.log_in("anna")
    [marker] = client.keys("spring:session:sessions:expires:*")
    client.pexpire(marker, 1)
    for _ in range(200):
        client.exists(marker)
        if not client.keys("spring:session:index:*"):
            return
        time.sleep(0.05)
    pytest.fail("the index still has it")


def test_the_task_of_a_minute_removes_its_set(client: redis.Redis, place: str, store: Server) -> None:
    Browser(place).ask("GET", "/")
    [minute] = client.keys("spring:session:expirations:*")
    connection = TwinConnection(("127.0.0.1", store.port), 5.0)
    sessions.clean(connection, int(minute.rpartition(b":")[2]))
    connection.close()
    assert client.keys("spring:session:expirations:*") == []
