"""Sessions that no known cookie shows, on a real Express application: by its login, and by the births in its store."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import node_packages
import servers
from exporters import blackbox
from guard.prober.beside import probed, prober, settle
from necropsy.guard.prober.answer import Answer
from necropsy.guard.prober.cookies import set_cookies
from necropsy.guard.prober.signs import leads_to_login, sign_of
from necropsy.guard.prober.site import ProbeSite
from necropsy.guard.web import Request
from necropsy.wire.redis.address import Address, parse_address
from waiting import wait_until

SCRIPT = "sessions.mjs"
ENOUGH = 8
STARTED, LOGIN = "probe_http_session_started", "probe_http_redirected_to_login"


@contextmanager
def express(store: servers.Server, *, name: str = "id", hidden: bool = False) -> Iterator[str]:
    """Run the application; yields its address."""
    room = node_packages.installed()
    shutil.copyfile(node_packages.CHECKOUT / "tests" / "node" / SCRIPT, room / SCRIPT)
    environ = {**os.environ, "REDIS": str(store.socket), "NAME": name} | ({"HIDDEN": "1"} if hidden else {})
    process = subprocess.Popen(["node", SCRIPT], cwd=room, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "blackbox.yml").write_text("modules:\n  http_2xx: {prober: http}\n")
    return tmp_path


def watched(server: servers.Server) -> tuple[str, Address]:
    return "A", parse_address(server.url, environ={})


@pytest.mark.integration
def test_a_login_that_sets_an_id_under_any_name_starts_a_session_which_is_then_kept(folder: Path) -> None:
    with servers.running("redis-7.0") as server, express(server) as address:
        with prober(folder, http_2xx="observe") as ours:
            seen = [probed(ours, "http_2xx", f"{address}/")[1] for _ in range(3)]
        assert [(one[STARTED], one[LOGIN]) for one in seen] == [("1", "1")] * 3
        server.client().flushall()
        with prober(folder) as ours:
            seen = [probed(ours, "http_2xx", f"{address}/")[1] for _ in range(ENOUGH)]
        assert [one[STARTED] for one in seen] == ["1"] + ["0"] * (ENOUGH - 1)
        assert server.client().dbsize() == 1
        server.client().flushall()
        with blackbox(folder) as theirs:
            for _ in range(ENOUGH):
                probed(theirs, "http_2xx", f"{address}/")
        assert server.client().dbsize() == ENOUGH


@pytest.mark.integration
def test_a_login_without_a_cookie_is_told_as_what_it_may_be_and_refused_by_forbid(folder: Path) -> None:
    with servers.running("redis-7.0") as server, express(server, hidden=True) as address:
        warnings: list[str] = []
        answering = ProbeSite(folder / "blackbox.yml", {}, None, warnings.append)
        asked = Request({"target": f"{address}/", "module": "http_2xx"}, {})
        text = [answering.routes()["/probe"](asked).body for _ in range(3)][-1]
        assert f"\n{LOGIN} 1\n" in text
        assert f"\n{STARTED} 0\n" in text
        assert len(warnings) == 1
        assert (
            "redirects to a login, /login. Most applications start a session for that; no cookie shows" in warnings[0]
        )
        with prober(folder, http_2xx="forbid") as ours:
            assert probed(ours, "http_2xx", f"{address}/")[1]["probe_success"] == "0"


@pytest.mark.integration
@pytest.mark.parametrize("name", ["redis-6.2", "redis-8.2", "valkey-9"])
def test_births_in_the_store_show_what_no_answer_does(folder: Path, name: str) -> None:
    with servers.running(name) as server, express(server, hidden=True) as address:
        warnings: list[str] = []
        policies = {"http_2xx": "observe"}
        answering = ProbeSite(folder / "blackbox.yml", policies, None, warnings.append, [watched(server)])
        asked = Request({"target": f"{address}/page", "module": "http_2xx"}, {})

        def found() -> bool:
            settle(answering.births)
            return f"\n{STARTED} 1\n" in answering.routes()["/probe"](asked).body

        try:
            assert not found()
            wait_until(found, "the store shows the sessions of the probes")
        finally:
            answering.close()
        (said,) = warnings
        assert f"module http_2xx at {address}/page: store A gains a key like sess:* with each probe" in said
        assert server.client().info("clients").get("tracking_clients", 0) == 0


@pytest.mark.integration
def test_a_probe_that_starts_none_is_not_blamed_for_the_sessions_of_people(folder: Path) -> None:
    with servers.running("redis-7.0") as server, express(server, hidden=True) as address:
        client, born = server.client(), 0
        answering = ProbeSite(folder / "blackbox.yml", {"http_2xx": "observe"}, None, lambda _: None, [watched(server)])
        asked = Request({"target": f"{address}/health", "module": "http_2xx"}, {})

        def settled() -> bool:
            nonlocal born
            if born % 3 == 0:
                client.set(f"sess:{born:016x}abcdef", "{}")
            born += 1
            settle(answering.births)
            assert f"\n{STARTED} 0\n" in answering.routes()["/probe"](asked).body
            windows = answering.births.windows(f"{address}/health", "http_2xx").get("A")
            return windows is not None and windows.enough

        try:
            wait_until(settled, "enough windows were compared")
        finally:
            answering.close()


@pytest.mark.integration
def test_a_store_that_does_not_tell_is_said_once_and_probes_go_on(folder: Path) -> None:
    with servers.running("redis-7.0") as server, express(server, hidden=True) as address:
        server.client().acl_setuser("looker", enabled=True, passwords=["+pw"], commands=["+info", "+ping"])
        url = server.url.replace("unix://", "unix://looker:pw@")
        warnings: list[str] = []
        store = "A", parse_address(url, environ={})
        answering = ProbeSite(folder / "blackbox.yml", {"http_2xx": "observe"}, None, warnings.append, [store])
        asked = Request({"target": f"{address}/page", "module": "http_2xx"}, {})
        try:
            wait_until(
                lambda: "probe_success 1" in answering.routes()["/probe"](asked).body and bool(warnings),
                "the store was asked",
            )
            for _ in range(3):
                assert "probe_success 1" in answering.routes()["/probe"](asked).body
        finally:
            answering.close()
        assert len(warnings) == 1
        assert "store A does not tell whether probes start sessions in it" in warnings[0]
        assert "pw" not in warnings[0]


@pytest.mark.parametrize(
    ("headers", "sign"),
    [
        ([("Set-Cookie", "JSESSIONID=8F3A11C20D; Path=/")], "cookie"),
        ([("X-Auth-Token", "0f8b1c1e-77aa-4b0e-9d7a-3a1f6d1e2b11")], "header"),
        ([("Location", "/page;jsessionid=8F3A11C20D")], "address"),
        (
            [("Location", "https://a/login"), ("Set-Cookie", "id=s%3Aq3VnXk9ZpT0aLw2eq3VnXk9ZpT0aLw2e.xyz1; Path=/")],
            "login",
        ),
        ([("Location", "https://a/login"), ("Set-Cookie", "XSRF-TOKEN=q3VnXk9ZpT0aLw2eq3VnXk9ZpT0aLw2e")], ""),
        ([("Location", "https://a/login"), ("Set-Cookie", "lang=de")], ""),
        ([("Location", "/login")], ""),
        ([("Location", "/catalogue"), ("Set-Cookie", "id=s%3Aq3VnXk9ZpT0aLw2eq3VnXk9ZpT0aLw2e.xyz1")], ""),
    ],
)
def test_an_answer_shows_a_session_by_cookie_header_address_or_login(headers: list[tuple[str, str]], sign: str) -> None:
    answer = Answer(302, headers=headers)
    assert sign_of(answer, "https://a/", "", set_cookies(answer.all("set-cookie"), "")) == sign
    brought = repr(headers)
    again = set_cookies(answer.all("set-cookie"), "; ".join(c.partition(";")[0] for c in answer.all("set-cookie")))
    assert sign_of(answer, "https://a/page;jsessionid=8F3A11C20D", brought, again) == ""


@pytest.mark.parametrize(
    "location", ["/catalogue", "/blog/login-page-design-tips.html", "/authors", "https://cashier.example/"]
)
def test_other_pages_are_no_logins(location: str) -> None:
    assert not leads_to_login(location)
