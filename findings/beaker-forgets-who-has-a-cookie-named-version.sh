#!/usr/bin/env bash
# Beaker: who has a cookie named version, path or comment before the session's starts a new session with every visit.
#
# Versions    Beaker 1.14.1 (the sessions of Pyramid, Pylons, TurboGears and Bottle), redis-py 8.1.0 (PyPI), Python 3.11 to 3.13, any
#             Redis or Valkey server (redis-server in the PATH)
#
# Behaviour   Beaker reads the Cookie header with Python's http.cookies, which takes names that are attributes of a Set-Cookie
#             (version, path, domain, comment, expires, ...) for attributes in a request too. Where such a cookie comes first there is no
#             cookie that it could belong to, and the whole header is given up, without an error. The same goes for a cookie before it
#             whose value has a quotation mark inside, as JSON has (python/cpython issue 92012, open). Beaker finds no session, makes one,
#             stores it, and sets its cookie anew. Browsers send older cookies first.
#
# Seen        Cookie                                   visits counted    keys made by three visits
#             sid=ID                                   2, 3, 4           0
#             lang=en; sid=ID                          5, 6, 7           0
#             sid=ID; version=2                        8, 9, 10          0
#             version=2; sid=ID                        1, 1, 1           3
#             path=/shop; sid=ID                       1, 1, 1           3
#             prefs={"dark":true}; sid=ID              1, 1, 1           3
#
# Why         A front end that notes its own version in a cookie, or a banner that keeps JSON in one, turns people who were there before
#             into makers of sessions: one key a page, in a real browser that brings its cookies back, and only for those whose
#             other cookie is older. The log shows Cookie headers with the right session in them. They look like a robot that drops
#             cookies, and are customers who cannot log in.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$(cat "$work/pid")" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q --disable-pip-version-check install Beaker==1.14.1 redis==8.1.0
redis-server --port 0 --unixsocket "$work/redis.sock" --dir "$work" --save '' --daemonize yes --pidfile "$work/pid" >/dev/null
cat >"$work/look.py" <<'PY'
import sys
from wsgiref.util import setup_testing_defaults

import redis
from beaker.middleware import SessionMiddleware

store = redis.Redis(unix_socket_path=sys.argv[1])


def shop(environ, start):
    session = environ["beaker.session"]
    session["visits"] = session.get("visits", 0) + 1
    session.save()
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"%d" % session["visits"]]


site = SessionMiddleware(shop, {"session.type": "ext:redis", "session.url": f"unix://{sys.argv[1]}", "session.key": "sid"})


def visit(cookie):
    environ, answered = {"HTTP_COOKIE": cookie}, []
    setup_testing_defaults(environ)
    page = b"".join(site(environ, lambda status, headers, error=None: answered.extend(headers)))
    return int(page), [value for name, value in answered if name.lower() == "set-cookie"]


_, cookies = visit("")
own = cookies[0].strip().partition(";")[0]
good = True
for cookie, wanted in (("%s", [2, 3, 4]), ("lang=en; %s", [5, 6, 7]), ("%s; version=2", [8, 9, 10]), ("version=2; %s", [1, 1, 1]),
                       ("path=/shop; %s", [1, 1, 1]), ('prefs={"dark":true}; %s', [1, 1, 1])):
    before = store.dbsize()
    counted = [visit(cookie % own)[0] for _ in range(3)]
    made = store.dbsize() - before
    print(f"{cookie % 'sid=ID':40} {counted} {made} keys")
    good &= counted == wanted and made == (3 if wanted[0] == 1 else 0)
print("as described" if good else "DIFFERENT from what is described")
sys.exit(not good)
PY
"$work/venv/bin/python" "$work/look.py" "$work/redis.sock"
