"""A shop on starsessions: sessions of a browser's length, kept for a time of the store's own; names and prefix of its own."""

import os
import time

import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route
from starsessions import SessionMiddleware
from starsessions.session import load_session, regenerate_session_id
from starsessions.stores.redis import RedisStore


async def home(request):
    await load_session(request)
    request.session["views"] = request.session.get("views", 0) + 1
    request.session.setdefault("seen", []).append(time.time())
    return PlainTextResponse("home")


async def health(request):
    return PlainTextResponse("ok")


async def account(request):
    await load_session(request)
    return PlainTextResponse("yours") if "member" in request.session else RedirectResponse("/login", 302)


async def login(request):
    await load_session(request)
    if request.method == "GET":
        return PlainTextResponse("who?")
    form = await request.form()
    if form["password"] != "right":
        request.session["messages"] = [{"level": "error", "text": "Sie sind nicht angemeldet – user?"}]
        return PlainTextResponse("no", 403)
    regenerate_session_id(request)
    request.session["member"] = {"name": form["user"], "since": time.time()}
    return RedirectResponse("/account", 302)


async def cart(request):
    await load_session(request)
    request.session["cart"] = {"lines": [{"sku": 7, "user_id": 9}]}
    return PlainTextResponse("kept")


async def logout(request):
    await load_session(request)
    del request.session["member"]
    return PlainTextResponse("gone")


client = Redis(port=int(os.environ["REDIS_PORT"]), db=2)
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
        Middleware(
            SessionMiddleware, store=RedisStore(connection=client, prefix=lambda key: f"shop/{key}/s", gc_ttl=7200), lifetime=0,
            cookie_name="shop", cookie_https_only=False,
        )
    ],
)  # fmt: skip
uvicorn.run(app, port=int(os.environ["PORT"]), log_level="warning")
