"""An admin application whose sessions are in Redis: whoever asks for a page without a cookie is given a session.

That is what many frameworks do. /health starts none; / does, and it is what a careless prober asks for.
"""

from __future__ import annotations

import os
from datetime import timedelta

import redis
from flask import Flask, redirect, session
from flask_session import Session
from werkzeug.wrappers import Response

app = Flask(__name__)
app.config.update(
    SESSION_TYPE="redis",
    SESSION_REDIS=redis.Redis.from_url(os.environ["REDIS_URL"]),
    SESSION_SERIALIZATION_FORMAT="json",
    PERMANENT_SESSION_LIFETIME=timedelta(seconds=int(os.environ.get("SESSION_SECONDS", "86400"))),
)


Session(app)


@app.get("/health")
def health() -> tuple[str, int]:
    """Say that it lives, and start no session."""
    return "", 204


@app.get("/")
def index() -> Response | str:
    """Show the page, or send who is not logged in to the login, with a session to come back by."""
    if "user_id" in session:
        return "the admin"
    session["next"] = "/"
    return redirect("/login")


@app.get("/login")
def login() -> str:
    """Show the form."""
    return '<form method="post"><input name="user"></form>'


@app.post("/login")
def enter() -> Response:
    """Log somebody in."""
    session["user_id"] = 1
    return redirect("/")


if __name__ == "__main__":
    app.run(host=os.environ.get("LISTEN", "127.0.0.1"), port=int(os.environ.get("PORT", "3000")), threaded=True)
