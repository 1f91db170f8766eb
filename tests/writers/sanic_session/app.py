"""Sanic with sanic-session in Redis: the pages of every writer here."""

import os

from redis.asyncio import Redis
from sanic import Sanic
from sanic.response import redirect, text
from sanic_session import RedisSessionInterface, Session

app = Sanic("writer")
session = Session()


class Client(Redis):
    """Takes the keys of a deletion as asyncio_redis does."""

    async def delete(self, names):
        return await super().delete(*names)


client = Client(port=int(os.environ["REDIS_PORT"]), decode_responses=True)


async def connection():
    return client


session.init_app(
    app,
    interface=RedisSessionInterface(
        connection,
        expiry=int(os.environ.get("EXPIRY", "86400")),
        prefix=os.environ.get("PREFIX", "session:"),
    ),
)


@app.route("/", methods=["GET", "HEAD"])
async def home(request):
    return text("home" + str(request.ctx.session.get("cart", "")))


@app.get("/health")
async def health(request):
    return text("ok")


@app.get("/account")
async def account(request):
    return text("yours") if request.ctx.session.get("user") else redirect("/login")


@app.get("/login")
async def ask(request):
    return text("who?")


@app.post("/login")
async def login(request):
    if request.form.get("password") != "right":
        return text("no", 403)
    request.ctx.session["user"] = request.form.get("user")
    return redirect("/account")


@app.post("/cart")
async def cart(request):
    request.ctx.session["cart"] = [{"sku": 7}]
    return text("kept")


@app.post("/logout")
async def logout(request):
    request.ctx.session.clear()
    return text("gone")


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), single_process=True, motd=False, access_log=False)
