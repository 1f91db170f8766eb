"""aiohttp with aiohttp-session in Redis: the pages of every writer here."""

import os

import aiohttp_session
from aiohttp import web
from aiohttp_session.redis_storage import RedisStorage
from redis.asyncio import Redis


async def home(request):
    session = await aiohttp_session.get_session(request)
    return web.Response(text="home" + str(session.get("cart", "")))


async def health(request):
    return web.Response(text="ok")


async def account(request):
    session = await aiohttp_session.get_session(request)
    if "user_id" in session:
        return web.Response(text="yours")
    session["next"] = "/account"
    raise web.HTTPFound("/login")


async def login(request):
    if request.method == "GET":
        return web.Response(text="who?")
    form = await request.post()
    if form["password"] != "right":
        return web.Response(text="no", status=403)
    session = await aiohttp_session.new_session(request)
    session["user_id"] = form["user"]
    return web.Response(status=302, headers={"Location": "/account"})


async def cart(request):
    session = await aiohttp_session.get_session(request)
    session["cart"] = [{"sku": 7}]
    return web.Response(text="kept")


async def logout(request):
    session = await aiohttp_session.get_session(request)
    session.invalidate()
    return web.Response(text="gone")


app = web.Application()
app.add_routes(
    [
        web.get("/", home),
        web.get("/health", health),
        web.get("/account", account),
        web.get("/login", login),
        web.post("/login", login),
        web.post("/cart", cart),
        web.post("/logout", logout),
    ]
)
age = int(os.environ.get("MAX_AGE", "86400")) or None
aiohttp_session.setup(app, RedisStorage(Redis(port=int(os.environ["REDIS_PORT"])), max_age=age))
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
