"""Flask with Flask-Session in Redis and Flask-Login: the pages of every writer here."""

import os

import redis
from flask import Flask, redirect, request, session
from flask_login import LoginManager, UserMixin, login_required, login_user, logout_user
from flask_session import Session

app = Flask(__name__)
app.config.update(
    SECRET_KEY="x",
    SESSION_TYPE="redis",
    SESSION_REDIS=redis.Redis(port=int(os.environ["REDIS_PORT"])),
    PERMANENT_SESSION_LIFETIME=86400,
    SESSION_SERIALIZATION_FORMAT=os.environ.get("FORMAT", "msgpack"),
    SESSION_KEY_PREFIX=os.environ.get("PREFIX", "session:"),
)
Session(app)
manager = LoginManager(app)
manager.login_view = "ask"


class User(UserMixin):
    def __init__(self, name):
        self.id = name


@manager.user_loader
def load(name):
    return User(name)


@app.get("/")
def home():
    return "home" + str(session.get("cart", ""))


@app.get("/health")
def health():
    return "ok"


@app.get("/account")
@login_required
def account():
    return "yours"


@app.get("/login")
def ask():
    return "who?"


@app.post("/login")
def login():
    if request.form["password"] != "right":
        return "no", 403
    login_user(User(request.form["user"]))
    return redirect("/account")


@app.post("/cart")
def cart():
    session["cart"] = [{"sku": 7}]
    return "kept"


@app.post("/logout")
def logout():
    logout_user()
    return "gone"


app.run(port=int(os.environ["PORT"]))
