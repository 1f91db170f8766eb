"""A shop with FastAPI Users: users with numbers, a prefix and a lifetime of its own."""

import os

import uvicorn
from fastapi import Depends, FastAPI, Form
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi_users import BaseUserManager, FastAPIUsers, IntegerIDMixin
from fastapi_users.authentication import AuthenticationBackend, CookieTransport, RedisStrategy
from redis.asyncio import Redis

client = Redis(port=int(os.environ["REDIS_PORT"]), decode_responses=True)
NAMES = {"anna": 7, "berta": 81, "carla": 1204}


class User:
    is_active = is_verified = True
    is_superuser = False

    def __init__(self, name):
        self.id, self.email, self.hashed_password = NAMES[name], name, ""


class Manager(IntegerIDMixin, BaseUserManager):
    async def get(self, wanted):
        return next(User(name) for name, one in NAMES.items() if one == wanted)


async def manager():
    yield Manager(None)


def strategy():
    return RedisStrategy(client, lifetime_seconds=3600, key_prefix="shop:tok:")


transport = CookieTransport(cookie_max_age=3600, cookie_secure=False)
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
