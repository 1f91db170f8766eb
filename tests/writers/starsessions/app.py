"""Starlette with starsessions in Redis: the pages of every writer here."""

import os

import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route
from starsessions import SessionAutoloadMiddleware, SessionMiddleware
from starsessions.session import regenerate_session_id
from starsessions.stores.redis import RedisStore


async def home(request):
    return PlainTextResponse("home" + str(request.session.get("cart", "")))


async def health(request):
    return PlainTextResponse("ok")


async def account(request):
    if request.session.get("user_id"):
        return PlainTextResponse("yours")
    request.session["next"] = "/account"
    return RedirectResponse("/login", 302)


async def login(request):
    if request.method == "GET":
        return PlainTextResponse("who?")
    form = dict(part.split("=") for part in (await request.body()).decode().split("&"))
    if form["password"] != "right":
        return PlainTextResponse("no", 403)
    regenerate_session_id(request)
    request.session["user_id"] = form["user"]
    return RedirectResponse("/account", 302)


async def cart(request):
    request.session["cart"] = [{"sku": 7}]
    return PlainTextResponse("kept")


async def logout(request):
    request.session.clear()
    return PlainTextResponse("gone")


store = RedisStore(
    connection=Redis(port=int(os.environ["REDIS_PORT"])), prefix=os.environ.get("PREFIX", "starsessions.")
)
rolling = bool(os.environ.get("ROLLING"))
app = Starlette(
    routes=[
        Route("/", home),
        Route("/health", health),
        Route("/account", account),
        Route("/login", login, methods=["GET", "POST"]),
        Route("/cart", cart, methods=["POST"]),
        Route("/logout", logout, methods=["POST"]),
    ],
    middleware=[
        Middleware(SessionMiddleware, store=store, lifetime=86400, rolling=rolling, cookie_https_only=False),
        Middleware(SessionAutoloadMiddleware),
    ],
)
uvicorn.run(app, port=int(os.environ["PORT"]), log_level="warning")
