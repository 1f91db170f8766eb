#!/usr/bin/env bash
# Hypercorn 0.18.0: in its access log each connection is another client, as the "remote address" of combined carries the port.
#
# Versions    Hypercorn 0.18.0, beside Gunicorn 23.0.0 (both from PyPI), the same request, the same format string
#
# Behaviour   Both servers' default access_log_format begins with %(h)s, documented as the remote address, and is otherwise that of
#             Apache's combined. Gunicorn writes the address; Hypercorn writes address and port. Its request line lacks "HTTP/" too:
#             "GET / 1.1".
#
# Seen        gunicorn   127.0.0.1 - - [...] "GET / HTTP/1.1" 200 2 "-" "checker/1.0"
#             hypercorn  [2026-11-29 21:17:39 +0000] [10333] [INFO] 127.0.0.1:53246 - - [...] "GET / 1.1" 200 - "-" "checker/1.0"
#             three requests on three connections are one client for the first, three for the second
#
# Why         Whatever groups such a log by client (visitors a day, rate limits, a health check every 10 s) sees a new visitor with
#             each connection: a prober that makes 8,640 sessions a day looks like 8,640 visitors of one request each.
#             A reader of combined must take the port off before it counts.
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet hypercorn==0.18.0 gunicorn==23.0.0
cat >"$work/app.py" <<'PY'
def wsgi(environ, start):
    start("200 OK", [("Content-Length", "2")])
    return [b"ok"]


async def asgi(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
PY
cd "$work"
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
one=$(free) two=$(free)
venv/bin/gunicorn --bind "127.0.0.1:$one" --access-logfile gunicorn.log app:wsgi >/dev/null 2>&1 &
venv/bin/hypercorn --bind "127.0.0.1:$two" --access-logfile hypercorn.log app:asgi >/dev/null 2>&1 &
ask() { python3 -c 'import sys, urllib.request as r; r.urlopen(r.Request(sys.argv[1], headers={"User-Agent": "checker/1.0"}), timeout=2)' "http://127.0.0.1:$1/"; }
for port in "$one" "$two"; do
  for _ in $(seq 60); do ask "$port" 2>/dev/null && break || sleep 0.5; done
  ask "$port" && ask "$port"
done
sleep 1
clients() { tail -3 "$1.log" | grep -oE '[0-9.:]+ - - ' | sort -u | wc -l; }
for server in gunicorn hypercorn; do
  printf '%-10s %s\n' "$server" "$(tail -1 "$server.log")"
  printf '%-10s clients of three requests: %s\n' "$server" "$(clients "$server")"
done
[ "$(clients gunicorn)" = 1 ]
[ "$(clients hypercorn)" = 3 ]
