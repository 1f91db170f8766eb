"""A shop in aiohttp with aiohttp-session: another cookie, ids of another kind, a guest who is kept as a user."""

import os
import secrets

from aiohttp import web
from aiohttp_session import get_session, new_session, setup
from aiohttp_session.redis_storage import RedisStorage
from redis.asyncio import Redis


async def home(request):
    session = await get_session(request)
    return web.Response(text="home" + str(session.get("cart")))


async def health(request):
    return web.Response(text="ok")


async def account(request):
    session = await get_session(request)
    if session.get("member"):
        return web.Response(text="yours")
    raise web.HTTPFound("/login")


async def ask(request):
    return web.Response(text="who?")


async def login(request):
    form = await request.post()
    if form["password"] != "right":
        (await get_session(request))["attempts"] = 1
        return web.Response(status=403)
    session = await new_session(request)
    session["member"] = {"name": form["user"], "id": 12}
    raise web.HTTPFound("/account")


async def cart(request):
    session = await get_session(request)
    session["cart"] = {"user": "guest", "lines": [{"sku": 7}]}
    return web.Response(text="kept")


async def logout(request):
    (await get_session(request)).invalidate()
    return web.Response(text="gone")


app = web.Application()
client = Redis(port=int(os.environ["REDIS_PORT"]))
ids = {"key_factory": lambda: secrets.token_hex(16)} if os.environ.get("HEX") else {}
setup(app, RedisStorage(client, cookie_name="SHOP", max_age=3600, **ids))
app.add_routes(
    [
        web.get("/", home),
        web.get("/health", health),
        web.get("/account", account),
        web.get("/login", ask),
        web.post("/login", login),
        web.post("/cart", cart),
        web.post("/logout", logout),
    ]
)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
