"""A real application whose users log in, work, log out and come back during a purge: none of them notices."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask, session
from flask_session import Session
from werkzeug.serving import make_server

from servers import Server, running
from treat.purge.applications import served
from treat.purge.users import Seen, purged_beside_users

pytestmark = pytest.mark.integration

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


def _require_unnoticed(seen: Seen, garbage: int) -> None:
    assert seen.noticed == []
    assert seen.requests > 40
    assert seen.plan.sessions >= garbage
    assert seen.done.deleted >= garbage - 5
    assert seen.restored == seen.done.deleted
    assert seen.differs == []


@pytest.mark.parametrize("name", ["redis-8.2", "valkey-9"])
def test_no_user_of_a_flask_application_notices_a_purge(name: str, tmp_path: Path) -> None:
    with running(name) as server, _served(_application(server)) as port:
        _require_unnoticed(purged_beside_users(server, port, tmp_path, garbage=GARBAGE), GARBAGE)


@pytest.mark.parametrize(("application", "name"), [("express", "redis-7.0"), ("spring", "redis-8.2")])
def test_no_user_of_express_or_spring_notices_a_purge(application: str, name: str, tmp_path: Path) -> None:
    with running(name, tcp=True) as server, served(application, server.port) as port:
        seen = purged_beside_users(server, port, tmp_path, garbage=GARBAGE)
        _require_unnoticed(seen, GARBAGE)
        assert {layout.partition("-")[0] for layout in seen.plan.layouts} == {application}
