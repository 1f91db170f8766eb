"""A shop in Flask and Flask-Session: sessions that end with the browser, CSRF tokens, flash messages, a login of its own."""

import os

import redis
from flask import Flask, flash, redirect, request, session
from flask_session import Session

app = Flask(__name__)
app.config.update(
    SECRET_KEY="x",
    SESSION_TYPE="redis",
    SESSION_REDIS=redis.Redis(port=int(os.environ["REDIS_PORT"])),
    SESSION_PERMANENT=bool(os.environ.get("PERMANENT")),
    SESSION_USE_SIGNER=True,
    PERMANENT_SESSION_LIFETIME=5400,
    SESSION_KEY_PREFIX=os.environ.get("PREFIX", "shop."),
)
if os.environ.get("ID_LENGTH"):
    app.config["SESSION_ID_LENGTH"] = int(os.environ["ID_LENGTH"])
if os.environ.get("FORMAT"):
    app.config["SESSION_SERIALIZATION_FORMAT"] = os.environ["FORMAT"]
Session(app)
NAME = os.environ.get("USER_NAME", "username")


@app.get("/")
def home():
    return "home" + str(session.get("basket", ""))


@app.get("/health")
def health():
    return "ok"


@app.get("/account")
def account():
    if session.get(NAME):
        return "yours"
    flash("log in first")
    return redirect("/login?next=/account")


@app.get("/login")
def ask():
    session["csrf_token"] = os.urandom(20).hex()
    return "who?"


@app.post("/login")
def login():
    if request.form["password"] != "right":
        flash("wrong")
        return redirect("/login")
    session.clear()
    session[NAME] = request.form["user"]
    session["roles"] = ["customer"]
    return redirect("/account")


@app.post("/cart")
def cart():
    session["basket"] = {"lines": [{"sku": 7, "user": "gift", "user_id": None}], "total": 12.5}
    session["locale"] = "de"
    return "kept"


@app.post("/logout")
def logout():
    session.pop(NAME, None)
    session.pop("roles", None)
    return "gone"


app.run(port=int(os.environ["PORT"]))
