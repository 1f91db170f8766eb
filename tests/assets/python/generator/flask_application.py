"""A Flask application with Flask-Session and Flask-Login: visited, described, saved. Arguments: Redis port, truth file."""

from __future__ import annotations

import json
import sys
import time

import flask
import flask_login
import redis
from flask_session import Session

port, truth_file = int(sys.argv[1]), sys.argv[2]
client = redis.Redis(port=port)
traits: dict[str, str] = {}


def application(**options: object) -> flask.Flask:
    app = flask.Flask(__name__)
    app.secret_key = "hush"  # noqa: S105
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=client, **options)
    Session(app)
    manager = flask_login.LoginManager(app)

    class User(flask_login.UserMixin):
        def __init__(self, name: str) -> None:
            self.id = name

    manager.user_loader(User)

    @app.get("/")
    def front() -> str:
        flask.session.get("nothing")
        return "hello"

    @app.get("/form")
    def form() -> str:
        flask.session["csrf_token"] = "c" * 40
        return "form"

    @app.get("/cart")
    def cart() -> str:
        flask.session["cart"] = [1, 2, 3]
        return "cart"

    @app.get("/login/<name>")
    def login(name: str) -> str:
        flask_login.login_user(User(name))
        return "in"

    @app.get("/logout")
    def logout() -> str:
        flask_login.logout_user()
        flask.session["farewell"] = 1
        return "out"

    return app


def visit(app: flask.Flask, trait: str, *paths: str) -> None:
    before = set(client.keys())
    browser = app.test_client()
    for path in paths:
        browser.get(path)
    for key in set(client.keys()) - before:
        traits[key.decode()] = trait


day = application(PERMANENT_SESSION_LIFETIME=86_400)
visit(day, "probe", "/")
visit(day, "probe", "/")
visit(day, "anonymous form", "/form")
visit(day, "with a cart", "/cart")
visit(day, "logged in", "/login/principal-alice")
visit(day, "logged out", "/login/principal-bob", "/logout")
visit(application(PERMANENT_SESSION_LIFETIME=1), "expired", "/form")
visit(application(PERMANENT_SESSION_LIFETIME=86_400, SESSION_KEY_PREFIX="shop:web:"), "own prefix", "/form")
facts = [
    {"key": key.decode(), "trait": traits[key.decode()], "expires_ms": client.pexpiretime(key)}
    for key in sorted(client.keys())
]
client.set("session:settings", b"not a session")
client.set("cache:products:1042", b"\x80\x04}\x94.")
with open(truth_file, "w") as file:  # noqa: PTH123
    json.dump({"framework": "flask", "keys": len(facts) + 2, "sessions": facts}, file, indent=1)
time.sleep(2.5)
client.save()
