#!/usr/bin/env bash
# aiohttp-session 2.12: invalidate() at logout removes no session from Redis; it stores an empty one for the whole lifetime.
#
# Versions    aiohttp 3.14.5, aiohttp-session 2.12.1, redis-py 8.1.0 (PyPI), any Redis or Valkey server (redis-server in the PATH)
#
# Behaviour   session.invalidate() empties the session and marks it changed. The middleware then saves what is left: RedisStorage
#             writes "{}" under the same id with max_age as its TTL (without max_age: with none), and tells the browser to
#             delete its cookie. Nobody can bring that id again, and the key stays.
#
# Seen        after login:   AIOHTTP_SESSION_<id>  {"created": ..., "session": {"user_id": "anna"}}   ttl 86400
#             after logout:  AIOHTTP_SESSION_<id>  {}                                                 ttl 86400
#
# Why         Whoever counts keys as sessions counts every logout of the last day, and with max_age=None every logout since the
#             store was made. The keys look like anonymous sessions that no visitor started. Delete the key in the logout, or
#             give sessions an age.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$(cat "$work/pid")" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/py"
"$work/py/bin/pip" install -q aiohttp==3.14.5 aiohttp-session==2.12.1 redis==8.1.0
redis-server --port 0 --unixsocket "$work/redis.sock" --dir "$work" --save '' --daemonize yes --pidfile "$work/pid" >/dev/null
cat >"$work/look.py" <<'PY'
import asyncio
import sys

import aiohttp
import aiohttp_session
from aiohttp import web
from aiohttp_session.redis_storage import RedisStorage
from redis.asyncio import Redis

redis = Redis(unix_socket_path=sys.argv[1])


async def login(request):
    session = await aiohttp_session.new_session(request)
    session["user_id"] = "anna"
    return web.Response(text="in")


async def logout(request):
    (await aiohttp_session.get_session(request)).invalidate()
    return web.Response(text="out")


async def look(when):
    for key in await redis.keys("*"):
        print(when, key.decode()[:16] + "<id>", (await redis.get(key)).decode(), "ttl", await redis.ttl(key))
    return [await redis.get(key) for key in await redis.keys("*")]


async def main():
    app = web.Application()
    app.add_routes([web.get("/login", login), web.get("/logout", logout)])
    aiohttp_session.setup(app, RedisStorage(redis, max_age=86400))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        async with client.get(f"http://127.0.0.1:{port}/login") as answer:
            await answer.read()
        await look("after login: ")
        async with client.get(f"http://127.0.0.1:{port}/logout") as answer:
            await answer.read()
            print("cookie:       ", answer.headers.get("Set-Cookie", "")[:60])
        left = await look("after logout:")
    await runner.cleanup()
    await redis.aclose()
    return 0 if left == [b"{}"] else 1


sys.exit(asyncio.run(main()))
PY
"$work/py/bin/python" "$work/look.py" "$work/redis.sock" || { echo "behaviour has changed"; exit 1; }
