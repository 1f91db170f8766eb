"""A shop on Sanic with sanic-session: a cookie of a browser, names of its own, a page that counts."""

import os
import secrets

from redis.asyncio import Redis
from sanic import Sanic
from sanic.response import redirect, text
from sanic_session import RedisSessionInterface, Session

app = Sanic("shop")


class Client(Redis):
    """Takes the keys of a deletion as asyncio_redis does."""

    async def delete(self, names):
        return await super().delete(*names)


client = Client(port=int(os.environ["REDIS_PORT"]), db=6, decode_responses=True)


async def connection():
    return client


Session(
    app,
    interface=RedisSessionInterface(connection, expiry=5400, prefix="shop.sanic.", sessioncookie=True),
)


@app.route("/", methods=["GET", "HEAD"])
async def home(request):
    request.ctx.session["views"] = request.ctx.session.get("views", 0) + 1
    return text("home")


@app.get("/health")
async def health(request):
    return text("ok")


@app.get("/account")
async def account(request):
    return text("yours") if request.ctx.session.get("customer") else redirect("/login")


@app.get("/login")
async def ask(request):
    request.ctx.session["csrf"] = secrets.token_hex(16)
    return text("who?")


@app.post("/login")
async def login(request):
    if request.form.get("password") != "right":
        request.ctx.session["flash"] = ["wrong user"]
        return text("no", 403)
    request.ctx.session["customer"] = {"user": request.form.get("user"), "id": 7}
    return redirect("/account")


@app.post("/cart")
async def cart(request):
    request.ctx.session["cart"] = {"user_id": None, "lines": [7, 8]}
    return text("kept")


@app.post("/logout")
async def logout(request):
    request.ctx.session.pop("customer", None)
    return text("gone")


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), single_process=True, motd=False, access_log=False)
