"""oauth2-proxy with its sessions in Redis, before a page, with a provider of its own: the pages of every writer here.

The harness knows one form at ``/login``. A small front turns it into the redirects of OAuth 2, which the proxy and the
provider exchange as they do with a browser, and passes every other request on to the proxy.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def free():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


PROVIDER, PROXY = free(), free()


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Provider(Quiet):
    """Gives the user that the code names, as DigitalOcean does; every other page is the application's."""

    def do_GET(self):
        if self.path.startswith("/profile"):
            name = self.headers["Authorization"].split()[-1]
            return self.answer(200, json.dumps({"account": {"email": f"{name}@example.org"}}).encode())
        return self.answer(200, b"page")

    do_HEAD = do_GET  # noqa: N815 -- the standard library's

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        token = {"access_token": form.get("code", "nobody"), "token_type": "Bearer", "expires_in": 86400}
        return self.answer(200, json.dumps(token).encode(), [("Content-Type", "application/json")])


def ask(method, path, cookies, agent):
    """Status, Location and Set-Cookie headers of the proxy."""
    connection = http.client.HTTPConnection("127.0.0.1", PROXY, timeout=20)
    headers = {"User-Agent": agent, "Host": f"127.0.0.1:{PROXY}", "Accept": "text/html"}
    connection.request(method, path, headers={**headers, **({"Cookie": cookies} if cookies else {})})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers.get("Location") or "", answer.headers.get_all("Set-Cookie") or []


class Front(Quiet):
    """Passes requests on; a login is the walk of a browser through the redirects."""

    def both(self):
        cookies, agent = self.headers.get("Cookie", ""), self.headers.get("User-Agent", "")
        if self.command == "POST":
            form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
            if self.path == "/login":
                return self.login(form, cookies, agent)
        path = {"/logout": "/oauth2/sign_out", "/login": "/oauth2/sign_in"}.get(self.path, self.path)
        status, place, fresh = ask("HEAD" if self.command == "HEAD" else "GET", path, cookies, agent)
        return self.answer(
            status, b"page", [*(("Set-Cookie", one) for one in fresh), *([("Location", place)] if place else [])]
        )

    do_GET = do_HEAD = do_POST = both  # noqa: N815 -- the standard library's

    def login(self, form, cookies, agent):
        if form["password"] != "right":
            return self.answer(403)
        _, place, fresh = ask("GET", "/oauth2/start?rd=/account", cookies, agent)
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(place).query)["state"][0]
        kept = "; ".join(one.split(";")[0] for one in fresh)
        answer = urllib.parse.urlencode({"code": form["user"], "state": state})
        _, _, fresh = ask("GET", f"/oauth2/callback?{answer}", kept, agent)
        return self.answer(302, b"", [*(("Set-Cookie", one) for one in fresh), ("Location", "/account")])


provider = ThreadingHTTPServer(("127.0.0.1", PROVIDER), Provider)
threading.Thread(target=provider.serve_forever, daemon=True).start()
home = f"http://127.0.0.1:{PROVIDER}"
command = [
    f"{os.environ['WORK']}/bin/oauth2-proxy", f"--http-address=127.0.0.1:{PROXY}", f"--upstream={home}", "--provider=digitalocean",
    f"--login-url={home}/authorize", f"--redeem-url={home}/token", f"--profile-url={home}/profile", f"--validate-url={home}/profile",
    "--client-id=x", "--client-secret=x", f"--cookie-secret={'x' * 32}", "--cookie-secure=false", "--email-domain=*",
    f"--redirect-url=http://127.0.0.1:{PROXY}/oauth2/callback", "--session-store-type=redis", "--cookie-expire=24h",
    f"--redis-connection-url=redis://127.0.0.1:{os.environ['REDIS_PORT']}", "--skip-auth-route=^/health$",
    f"--cookie-name={os.environ.get('COOKIE', '_oauth2_proxy')}",
]  # fmt: skip
proxy = subprocess.Popen(command)
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
try:
    for _ in range(100):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", PROXY)) == 0:
                break
        time.sleep(0.1)
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
finally:
    proxy.terminate()
