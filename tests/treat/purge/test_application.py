"""A real application whose users log in, work, log out and come back during a purge: none of them notices."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask, session
from flask_session import Session
from werkzeug.serving import make_server

from necropsy.treat.purge.control import Knobs
from servers import Server, running
from treat.purge.population import apply, make_plan, same, state, undo
from treat.purge.users import User

pytestmark = pytest.mark.integration

USERS = 8
GARBAGE = 400


def _application(server: Server) -> Flask:
    app = Flask("shop")
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=server.client(), SESSION_PERMANENT=True)
    app.secret_key = "x"  # noqa: S105 -- of a test
    Session(app)

    @app.get("/")
    def index() -> str:
        session.setdefault("csrf_token", "t" * 40)
        return "welcome"

    @app.get("/login/<name>")
    def login(name: str) -> str:
        session["_user_id"] = name
        session["count"] = 0
        return name

    @app.get("/work")
    def work() -> str:
        if "_user_id" not in session:
            return "who are you?"
        session["count"] += 1
        return f"{session['_user_id']} {session['count']}"

    @app.get("/logout")
    def logout() -> str:
        session.clear()
        return "bye"

    return app


@contextmanager
def _served(app: Flask) -> Iterator[int]:
    httpd = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    try:
        yield httpd.server_port
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@pytest.mark.parametrize("name", ["redis-8.2", "valkey-9"])
def test_no_user_of_a_flask_application_notices_a_purge(name: str, tmp_path: Path) -> None:
    with running(name) as server, _served(_application(server)) as port:
        visitor = User(port, "probe")
        for _ in range(GARBAGE):
            visitor.cookie = ""
            visitor.get("/")
        users = [User(port, f"user{number}") for number in range(USERS)]
        for user in users:
            user.login()
        away = [User(port, f"away{number}") for number in range(3)]
        for user in away:
            user.login()
        time.sleep(4)
        stop = threading.Event()
        threads = [threading.Thread(target=user.live, args=(stop, turn)) for turn, user in enumerate(users)]
        for thread in threads:
            thread.start()
        try:
            plan, path = make_plan(server.url, tmp_path, idle_s=2, trust_inferred_lifetime=False)
            assert plan.sessions >= GARBAGE
            done = apply(path, tmp_path / "journal", knobs=Knobs(batch=20))
            time.sleep(1)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert [complaint for user in users for complaint in user.noticed] == []
        assert all(user.requests > 4 for user in users)
        assert done.deleted >= GARBAGE
        for user in away:  # unused for longer than the limit, but logged in
            assert user.get("/work") == f"{user.name} 1"
        client = server.client()
        left = state(client)
        assert len(left) <= USERS + len(away) + 30
        assert undo(tmp_path / "journal").codes[1] == done.deleted
        after = state(client)
        assert [wrong for wrong in same(left, after) if "missing" in wrong or "value" in wrong] == []
        assert len(after) >= len(left) + GARBAGE
