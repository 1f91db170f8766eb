"""What a target keeps of a server that is in trouble: next to nothing, however long that lasts."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import hiredis
import pytest

import servers
from necropsy.guard.exporter import target
from necropsy.guard.exporter.site import Exporter
from necropsy.guard.exporter.target import ExporterTarget, Options
from necropsy.guard.exposition import Family
from necropsy.guard.web import Request
from necropsy.wire.redis.address import parse_address
from necropsy.wire.redis.connection import Connection
from strangers import stranger
from waiting import wait_until

TIMES = 20


@contextmanager
def target_of(url: str) -> Iterator[ExporterTarget]:
    with ThreadPoolExecutor(1) as pool:
        made = ExporterTarget("A", parse_address(url, environ={}), Options(), pool)
        try:
            yield made
        finally:
            made.close()


def reason(families: list[Family]) -> str:
    return next(dict(family.samples[0].labels)["err"] for family in families if family.name.endswith("scrape_error"))


def held(kind: type) -> int:
    return sum(isinstance(thing, kind) for thing in gc.get_objects())


def connections_left(one: ExporterTarget) -> int:
    """Scrape again and again without the collector of circles, and count the connections that nobody has taken down."""
    one.scrape(10)
    gc.collect()
    gc.disable()
    try:
        before = held(Connection)
        for _ in range(TIMES):
            assert reason(one.scrape(10))
        return held(Connection) - before
    finally:
        gc.enable()


@pytest.mark.integration
def test_a_password_that_was_changed_in_its_file_is_used_without_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first\n")
    with servers.running("redis-7.0", "--requirepass", "first", tcp=True) as server:
        client = server.client()
        client.execute_command("AUTH", "first")
        with target_of(f"redis://127.0.0.1:{server.port}?password_file={file}") as rotated:
            assert reason(rotated.scrape(10)) == ""
            client.config_set("requirepass", "second")
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            assert "refused the login" in reason(rotated.scrape(10))
            file.write_text("second\n")
            assert reason(rotated.scrape(10)) == ""
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            file.unlink()
            assert "refused the login" in reason(rotated.scrape(10)), (
                "a file that is gone: the first password, and no crash"
            )


@pytest.mark.integration
def test_a_server_that_refuses_us_leaves_no_connection_behind_at_each_scrape() -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        server.client().execute_command("ACL SETUSER nobody on >x +ping +client")
        server.client().config_set("requirepass", "another")
        with target_of(f"redis://127.0.0.1:{server.port}") as refused:
            assert connections_left(refused) <= 1
        with target_of(f"redis://nobody:x@127.0.0.1:{server.port}") as without_info:
            assert connections_left(without_info) <= 1
    with stranger(b"*99999999999\r\n\x00\xff garbage\r\n") as port, target_of(f"redis://127.0.0.1:{port}") as odd:
        assert connections_left(odd) <= 1
    with target_of(f"redis://127.0.0.1:{servers.free_port()}") as gone:
        assert connections_left(gone) <= 1


@pytest.mark.integration
def test_who_asks_while_a_reload_replaces_the_exporter_is_answered_and_its_threads_end() -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        name = f"reload-{server.port}"
        shown = Exporter([(name, parse_address(f"redis://127.0.0.1:{server.port}", environ={}))], Options())
        (one,) = shown.targets.values()
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            question = one.ask()
            wait_until(question.running, "the question is under way")
            shown.close()
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        assert question.result(60).error == ""
        assert "redis_up 1\n" in shown.routes()["/scrape"](Request({"target": name}, {})).body
        client = server.client()
        wait_until(lambda: "necropsy" not in [one["name"] for one in client.client_list()], "nothing is left open")
        before = threading.active_count()
        del shown, one, question
        wait_until(lambda: threading.active_count() < before, "the thread ends")


@pytest.mark.integration
def test_what_a_server_answered_is_not_kept_until_the_next_scrape() -> None:
    with servers.running("redis-7.0", tcp=True) as server, target_of(f"redis://127.0.0.1:{server.port}") as one:
        before = held(Family)
        found = one.scrape(10)
        assert held(Family) - before >= len(found) > 100
        del found
        wait_until(lambda: held(Family) <= before, "nobody holds them")


@contextmanager
def informing(text: bytes) -> Iterator[int]:
    """Answer INFO with a text, and refuse all else but a greeting."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            reader = hiredis.Reader()
            with connection:
                while data := connection.recv(65_536):
                    reader.feed(data)
                    while (words := reader.gets()) is not False:
                        said = {b"PING": b"+PONG", b"INFO": b"$%d\r\n%b" % (len(text), text)}
                        connection.sendall(said.get(words[0], b"-ERR unknown command") + b"\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_server_whose_figures_are_no_numbers_is_up_0_with_the_reason_and_no_failed_request() -> None:
    with (
        informing(b"redis_version:7.0.0\r\ndb0:keys=many,expires=0\r\n") as port,
        target_of(f"redis://127.0.0.1:{port}") as odd,
    ):
        assert reason(odd.scrape(10)) == f"redis://127.0.0.1:{port} does not answer like Redis"


def test_a_server_that_gives_another_reason_each_time_makes_no_series_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "_MOST_ERRORS", 3)
    refusals = (f"-ERR request {number} refused\r\n".encode() for number in itertools.count())
    with stranger(refusals) as port, target_of(f"redis://127.0.0.1:{port}") as one:
        reasons = [reason(one.scrape(10)) for _ in range(TIMES)]
    assert len(set(reasons)) == 4
    assert "request 0 refused" in reasons[0]
    assert reasons[-1] == "one more kind of error"


@pytest.mark.integration
def test_a_server_that_hangs_has_one_reason_for_as_long_as_it_hangs() -> None:
    with servers.running("redis-7.0", tcp=True) as server, target_of(f"redis://127.0.0.1:{server.port}") as one:
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            reasons = {reason(one.scrape(0.1)) for _ in range(5)}
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
    assert reasons == {"no answer within 0.1 s"}
