"""FastAPI Users with its Redis strategy: tokens of who has logged in, in a cookie."""

import os
import uuid

import uvicorn
from fastapi import Depends, FastAPI, Form
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin
from fastapi_users.authentication import AuthenticationBackend, CookieTransport, RedisStrategy
from redis.asyncio import Redis

client = Redis(port=int(os.environ["REDIS_PORT"]), decode_responses=True)
NAMES = {name: uuid.uuid5(uuid.NAMESPACE_DNS, name) for name in ("anna", "berta", "carla")}


class User:
    is_active = is_verified = True
    is_superuser = False

    def __init__(self, name):
        self.id, self.email, self.hashed_password = NAMES[name], name, ""


class Manager(UUIDIDMixin, BaseUserManager):
    async def get(self, wanted):
        return next(User(name) for name, one in NAMES.items() if one == wanted)


async def manager():
    yield Manager(None)


def strategy():
    return RedisStrategy(
        client, lifetime_seconds=86400, **({"key_prefix": os.environ["PREFIX"]} if "PREFIX" in os.environ else {})
    )


transport = CookieTransport(cookie_max_age=86400, cookie_secure=False)
backend = AuthenticationBackend(name="redis", transport=transport, get_strategy=strategy)
users = FastAPIUsers(manager, [backend])
CURRENT, TOKEN = Depends(users.current_user(optional=True)), Depends(users.authenticator.current_user_token())
app = FastAPI()


@app.api_route("/", methods=["GET", "HEAD"])
async def home():
    return PlainTextResponse("home")


@app.get("/health")
async def health():
    return PlainTextResponse("ok")


@app.get("/account")
async def account(user=CURRENT):
    return PlainTextResponse("yours") if user else RedirectResponse("/login", 302)


@app.get("/login")
async def ask():
    return PlainTextResponse("who?")


@app.post("/login")
async def login(user: str = Form(), password: str = Form()):
    if password != "right":
        return PlainTextResponse("no", 403)
    return await backend.login(strategy(), User(user))


@app.post("/cart")
async def cart():
    return PlainTextResponse("kept")


@app.post("/logout")
async def logout(both=TOKEN):
    user, token = both
    return await backend.logout(strategy(), user, token)


uvicorn.run(app, port=int(os.environ["PORT"]), log_level="warning")
