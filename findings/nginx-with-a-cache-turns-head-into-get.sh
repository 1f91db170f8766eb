#!/usr/bin/env bash
# nginx with proxy_cache: a HEAD in the access log was a GET at the application, also for pages that are never cached.
#
# Versions    nginx 1.22.1 (Debian 12's package nginx 1.22.1-9)
#
# Behaviour   One "proxy_cache ZONE;" anywhere above a location and HEAD goes on as GET (proxy_cache_convert_head, on by default), also
#             where nothing is ever cached: the answer sets a cookie, says private or no-store, or proxy_no_cache forbids it. The
#             application builds the page and sends its body, which nginx throws away; the log says "HEAD / ... 200 0". With
#             proxy_cache_bypass, too. Off the cache HEAD stays HEAD.
#
# Seen        asked and logged      at the application
#             HEAD /cached          GET, once for three visits
#             HEAD /home            GET, three times, each answered with Set-Cookie
#             HEAD /private         GET, three times (Cache-Control: private)
#             HEAD /bypassed        GET, three times
#             HEAD /plain           HEAD, three times (no proxy_cache)
#
# Why         Watchers ask by HEAD because it costs nothing, and an application may answer it without a page and a session. Behind a
#             cache it never gets one: the watcher is a GET / every 10 s. And a session that names the request it was made by
#             (Laravel notes pages asked for with GET alone, Spring Security's saved request has the method) says GET at a moment at
#             which the log has a HEAD: it looks as if an unknown client went round nginx.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$(cat "$work/pid" 2>/dev/null)" 2>/dev/null || true; sleep 0.2; rm -rf "$work"' EXIT
(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download nginx && dpkg-deb -x ./nginx_*.deb "$work")
case $(dpkg-deb -f "$work"/nginx_*.deb Version) in 1.22.1-9*) ;; *) echo "another version than 1.22.1: not what was described" >&2; exit 1 ;; esac
cat >"$work/look.py" <<'PY'
import collections, http.client, http.server, os, socket, subprocess, sys, threading, time

work, asked = sys.argv[1], collections.defaultdict(list)
HEADERS = {"/cached": ("Cache-Control", "max-age=60"), "/home": ("Set-Cookie", "SESSION=new"), "/private": ("Cache-Control", "private")}


class Application(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked[self.path].append(self.command)
        self.send_response(200)
        if self.path in HEADERS:
            self.send_header(*HEADERS[self.path])
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"page" if self.command == "GET" else b"")

    do_HEAD = do_GET

    def log_message(self, *args):
        pass


application = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
threading.Thread(target=application.serve_forever, daemon=True).start()
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
to = f"proxy_pass http://127.0.0.1:{application.server_address[1]}"
user = "user root;" if os.getuid() == 0 else ""  # else its worker may not write into the temporary folder
with open(f"{work}/nginx.conf", "w") as f:
    f.write(f"""{user} pid {work}/pid; error_log {work}/error.log; events {{}}
http {{
    access_log {work}/access.log;
    client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3; uwsgi_temp_path {work}/t4;
    scgi_temp_path {work}/t5; proxy_cache_path {work}/cache keys_zone=pages:1m;
    server {{
        listen 127.0.0.1:{port};
        location / {{ {to}; proxy_cache pages; }}
        location /bypassed {{ {to}; proxy_cache pages; proxy_cache_bypass 1; proxy_no_cache 1; }}
        location /plain {{ {to}; }}
    }}
}}""")
subprocess.run([f"{work}/usr/sbin/nginx", "-c", f"{work}/nginx.conf"], check=True)
paths = ("/cached", "/home", "/private", "/bypassed", "/plain")
for path in paths * 3:
    for attempt in range(100):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("HEAD", path)
            break
        except OSError:
            time.sleep(0.1)
    assert connection.getresponse().status == 200
    connection.close()
for attempt in range(100):
    logged = [line.split('"')[1].split()[:2] for line in open(f"{work}/access.log")]
    if len(logged) == 3 * len(paths):
        break
    time.sleep(0.1)
for path in paths:
    print(f"{path:10} logged {[method for method, of in logged if of == path]}   at the application {asked[path]}")
good = sorted(logged) == sorted(["HEAD", path] for path in paths * 3)
good &= asked == {"/cached": ["GET"], "/home": ["GET"] * 3, "/private": ["GET"] * 3, "/bypassed": ["GET"] * 3, "/plain": ["HEAD"] * 3}
print("as described" if good else "DIFFERENT from what is described")
sys.exit(not good)
PY
python3 "$work/look.py" "$work"
