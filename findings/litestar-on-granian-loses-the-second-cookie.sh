#!/usr/bin/env bash
# Litestar on Granian, over HTTP/2: a visitor with two cookies has only the first; where that is not the session's, each visit makes one.
#
# Versions    Litestar 2.25.0 (sessions in its RedisStore), Granian 2.8.9, beside Hypercorn 0.18.0; redis-py 8.1.0, h2 4.4.1 (PyPI), any
#             Redis or Valkey server (redis-server in the PATH)
#
# Behaviour   HTTP/2 lets a client send each cookie as a header of its own, and Chrome, Firefox and Safari do. Hypercorn
#             joins them again. Granian hands them on as they came, and holds that right (its issue 539 and pull request 717 were closed
#             so); Litestar looks at the first "cookie" header alone. Neither says a word: the page is 200, with another session.
#             Over HTTP/1.1, where a browser sends one header, all is well.
#
# Seen        three visits with lang=en and the session's cookie, as two headers        visits counted   keys made
#             Hypercorn, HTTP/2                                                         2, 3, 4          0
#             Granian, HTTP/2                                                           1, 1, 1          3
#             Granian, HTTP/2, the session's cookie first, or both in one header        2, 3, 4          0
#
# Why         Only browsers are hit, only without a proxy in front that speaks HTTP/1.1 to the application, and only people whose
#             oldest cookie is another one (a language, a consent). Litestar stores a session for each visit, for 14 days by default: such
#             a visitor costs a key a page and never stays logged in, while every check over HTTP/1.1 says that sessions work.
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) "$(cat "$work/pid")" 2>/dev/null || true; wait; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q --disable-pip-version-check install litestar==2.25.0 granian==2.8.9 hypercorn==0.18.0 redis==8.1.0 h2==4.4.1
redis-server --port 0 --unixsocket "$work/redis.sock" --dir "$work" --save '' --daemonize yes --pidfile "$work/pid" >/dev/null
cat >"$work/app.py" <<'PY'
import os

from litestar import Litestar, Request, get
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.stores.redis import RedisStore
from redis.asyncio import Redis


@get("/")
async def home(request: Request) -> str:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return str(request.session["visits"])


store = RedisStore(Redis(unix_socket_path=os.environ["SOCKET"]), namespace="LITESTAR")
app = Litestar([home], middleware=[ServerSideSessionConfig(key="session").middleware], stores={"sessions": store})
PY
cat >"$work/look.py" <<'PY'
import socket, sys, time
import h2.connection, h2.events
import redis

store = redis.Redis(unix_socket_path=sys.argv[1])


def visit(port, *cookies):
    """One request over HTTP/2 with a header for each cookie, as browsers send them."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as channel:
        talk = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        talk.initiate_connection()
        talk.send_headers(1, [(":method", "GET"), (":path", "/"), (":authority", "shop"), (":scheme", "http"),
                              *(("cookie", cookie) for cookie in cookies)], end_stream=True)
        page, answered, over = b"", [], False
        while not over:
            channel.sendall(talk.data_to_send())
            for event in talk.receive_data(channel.recv(65536)):
                answered += event.headers if isinstance(event, h2.events.ResponseReceived) else []
                page += event.data if isinstance(event, h2.events.DataReceived) else b""
                over |= isinstance(event, h2.events.StreamEnded)
        return int(page), dict(answered).get("set-cookie", "").partition(";")[0]


good = True
for name, port in (("Hypercorn", int(sys.argv[2])), ("Granian", int(sys.argv[3]))):
    for order in ("lang first", "session first", "one header"):
        for attempt in range(300):
            try:
                _, own = visit(port)
                break
            except OSError:
                time.sleep(0.1)
        before = store.dbsize()
        sent = {"lang first": ["lang=en", own], "session first": [own, "lang=en"], "one header": [f"lang=en; {own}"]}[order]
        counted = [visit(port, *sent)[0] for _ in range(3)]
        made = store.dbsize() - before
        print(f"{name:10} {order:14} {counted} {made} keys")
        good &= (counted, made) == (([1, 1, 1], 3) if (name, order) == ("Granian", "lang first") else ([2, 3, 4], 0))
print("as described" if good else "DIFFERENT from what is described")
sys.exit(not good)
PY
cd "$work"
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
one=$(free) two=$(free)
export SOCKET=$work/redis.sock
venv/bin/hypercorn --bind "127.0.0.1:$one" app:app >/dev/null 2>&1 &
venv/bin/granian --interface asgi --http 2 --host 127.0.0.1 --port "$two" app:app >/dev/null 2>&1 &
venv/bin/python look.py "$SOCKET" "$one" "$two"
