"""A shop in Litestar: another namespace, sessions that are renewed, a login of its own."""

import os

import uvicorn
from litestar import Litestar, Request, get, post, route
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.response import Redirect, Response
from litestar.stores.redis import RedisStore


@get("/")
async def home(request: Request) -> str:
    return "home" + str(request.session.get("cart", ""))


@get("/health")
async def health() -> str:
    return "ok"


@get("/account")
async def account(request: Request) -> Response:
    return Response("yours") if request.session.get("customer") else Redirect("/login", status_code=302)


@get("/login")
async def ask() -> str:
    return "who?"


@post("/login", status_code=200)
async def login(request: Request) -> Response:
    form = await request.form()
    if form["password"] != "right":
        return Response("no", status_code=403)
    request.set_session({"customer": form["user"]})
    return Redirect("/account", status_code=302)


@post("/cart")
async def cart(request: Request) -> str:
    request.set_session({**request.session, "cart": [{"sku": 7}]})
    return "kept"


@post("/logout")
async def logout(request: Request) -> str:
    request.clear_session()
    return "gone"


@route("/", http_method=["HEAD"])
async def head(request: Request) -> None:
    request.session.get("cart")


store = RedisStore.with_client(
    url=f"redis://127.0.0.1:{os.environ['REDIS_PORT']}", namespace=os.environ.get("NAMESPACE", "shop")
)
app = Litestar(
    [home, health, account, ask, login, cart, logout, head],
    middleware=[ServerSideSessionConfig(max_age=3600, renew_on_access=True).middleware],
    stores={"sessions": store},
)
uvicorn.run(app, port=int(os.environ["PORT"]), log_level="warning")
