#!/usr/bin/env bash
# blackbox_exporter: whether a probe that is redirected starts one session or two depends on the Go that compiled the exporter.
#
# Versions    blackbox_exporter v0.28.0 (Go module github.com/prometheus/blackbox_exporter), built with Go 1.25.5 and with Go 1.26.0; needs any
#             Go of 1.21 or newer, which fetches both
#
# Behaviour   The exporter resolves the target's name and asks its address with the name as Host. It keeps cookies for the length of
#             one probe, so that a redirect to /login comes back with the session that the first page gave. Built with Go 1.25 or older
#             the cookie is filed under the address: after "Location: /login" it is sent, after "Location: http://shop/login", the very
#             same page of the very same name, it is not, and the login page starts a second session (golang/go issue 38988, exporter
#             issue 1332). Built with Go 1.26 it is filed under the name, and sent in both cases. Same version of the exporter,
#             same configuration, same metrics: probe_success 1, probe_http_redirects 1.
#
# Seen        sessions started by one probe      Location: /login     Location: http://localhost:PORT/login
#             built with Go 1.25.5               1                    2
#             built with Go 1.26.0               1                    1
#
# Why         Whoever redirects with a whole URL (Spring Security's login, nginx's own redirects) has twice the sessions of a prober, or
#             not, by a detail of a package: Debian 13's exporter was built with Go 1.24, that of Debian's testing with 1.27. An
#             upgrade that changes nothing else halves the births, and "sessions a probe" that was measured beside one build is
#             wrong for the other. The metric blackbox_exporter_build_info says goversion.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/build"
cat >"$work/build/go.mod" <<'MOD'
module build

go 1.25.0

require github.com/prometheus/blackbox_exporter v0.28.0
MOD
cat >"$work/build/tools.go" <<'GO'
//go:build tools

package build

import _ "github.com/prometheus/blackbox_exporter/config"
GO
cd "$work/build"
GOTOOLCHAIN=go1.25.5 GOFLAGS=-mod=mod go get github.com/prometheus/blackbox_exporter@v0.28.0
for go in go1.25.5 go1.26.0; do
  GOTOOLCHAIN=$go GOFLAGS=-mod=mod go build -o "$work/$go" github.com/prometheus/blackbox_exporter
done
cat >"$work/look.py" <<'PY'
import http.server, socket, subprocess, sys, threading, time, urllib.request

work, born, location = sys.argv[1], [], ""


class Shop(http.server.BaseHTTPRequestHandler):
    """A page that sends whoever has no session to its login, and gives each visitor without one a session."""

    def do_GET(self):
        self.send_response(302 if self.path == "/" else 200)
        if self.path == "/":
            self.send_header("Location", location)
        if "SESSION=" not in self.headers.get("Cookie", ""):
            born.append(self.path)
            self.send_header("Set-Cookie", "SESSION=new; Path=/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


shop = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
threading.Thread(target=shop.serve_forever, daemon=True).start()
target = f"http://localhost:{shop.server_address[1]}"
with open(f"{work}/blackbox.yml", "w") as f:
    f.write("modules: {http_2xx: {prober: http, http: {preferred_ip_protocol: ip4}}}\n")
good = True
for go, wanted in (("go1.25.5", [1, 2]), ("go1.26.0", [1, 1])):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        web = f"127.0.0.1:{s.getsockname()[1]}"
    process = subprocess.Popen([f"{work}/{go}", f"--config.file={work}/blackbox.yml", f"--web.listen-address={web}"],
                               stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://{web}/-/healthy").read()
                break
            except OSError:
                time.sleep(0.1)
        started = []
        for location in ("/login", f"{target}/login"):
            born.clear()
            said = urllib.request.urlopen(f"http://{web}/probe?module=http_2xx&target={target}/").read().decode()
            good &= "probe_success 1" in said and "probe_http_redirects 1" in said
            started.append(len(born))
        print(f"built with {go}: sessions {started}, wanted {wanted}")
        good &= started == wanted
    finally:
        process.kill()
        process.wait()
print("as described" if good else "DIFFERENT from what is described")
sys.exit(not good)
PY
python3 "$work/look.py" "$work"
