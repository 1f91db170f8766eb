#!/usr/bin/env bash
# Varnish: each reload of its VCL adds another health prober of every backend, for the next ten minutes; backend.list shows one.
#
# Versions    Varnish 7.1.1 (Debian 12's package varnish 7.1.1-2+deb12u1); needs a C compiler (cc), as Varnish does
#
# Behaviour   A backend belongs to its VCL, and so does its probe. "systemctl reload varnish" loads a new VCL and makes it the active
#             one; the old one is kept warm for vcl_cooldown (600 s), and a warm VCL goes on probing, each by a clock of its own, though no
#             request can reach it and nothing in the backend has changed. Three reloads, as a deployment in three steps makes,
#             are four probers of every backend. backend.list shows the active VCL's alone; vcl.list says "warm" of the others.
#
# Seen        .interval = 1s, probes at the backend in ten seconds, before and after each of three reloads: 10, 20, 30, 40
#             backend.list: one line, v3.default; vcl.list: boot, v1, v2 "available auto warm", v3 "active auto warm"
#             all four VCLs set cold but the active one (what vcl_cooldown does later): 10
#
# Why         A probe without a cookie starts a session where the page does. The store fills at a multiple of the pace that
#             the configuration says, begins so at a moment when only the rules of a cache were changed, and is back to the old pace ten
#             minutes after the last reload, before anybody looks. Who counts the probers in the log by their moments finds
#             one configured and three strangers with the same request and address.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download varnish libvarnishapi3 libjemalloc2 libedit2 libbsd0 libmd0 &&
  for package in ./*.deb; do dpkg-deb -x "$package" "$work"; done)
case $(dpkg-deb -f "$work"/varnish_*.deb Version) in 7.1.1-2*) ;; *) echo "another version than 7.1.1: not what was described" >&2; exit 1 ;; esac
cat >"$work/look.py" <<'PY'
import http.server, os, pathlib, socket, subprocess, sys, threading, time

work = pathlib.Path(sys.argv[1])
libraries = next(work.glob("usr/lib/*/libvarnishapi.so.*")).parent
environment = dict(os.environ, LD_LIBRARY_PATH=f"{libraries}:{libraries}/varnish")
asked, good = [], True


class Backend(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(time.monotonic())
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args):
        pass


backend = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
threading.Thread(target=backend.serve_forever, daemon=True).start()
(work / "shop.vcl").write_text(f"""vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{backend.server_address[1]}"; .probe = {{ .url = "/"; .interval = 1s; }} }}
""")
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
(work / "name").mkdir()
varnish = subprocess.Popen(
    [work / "usr/sbin/varnishd", "-F", "-j", "none", "-n", work / "name", "-a", f"127.0.0.1:{port}", "-f", work / "shop.vcl", "-T",
     "127.0.0.1:0", "-s", "malloc,10m", "-p", "cc_command=cc -fpic -shared -o %o %s"],
    env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def say(*words):
    command = [work / "usr/bin/varnishadm", "-n", work / "name", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def probes():
    """Return the probes of ten seconds, of a clock that began at least five seconds after the last change."""
    time.sleep(5)
    start = time.monotonic()
    time.sleep(10.5)
    return sum(start <= moment < start + 10 for moment in asked)


try:
    for _ in range(300):
        if "running" in say("status").stdout:
            break
        time.sleep(0.1)
    else:
        sys.exit("Varnish did not start")
    counts = [probes()]
    for name in ("v1", "v2", "v3"):
        for words in (("vcl.load", name, str(work / "shop.vcl")), ("vcl.use", name)):
            if say(*words).returncode:
                sys.exit(f"refused: {words}")
        counts.append(probes())
    listed = say("backend.list").stdout
    print("probes in ten seconds, before and after each reload:", *counts)
    print(listed.strip(), say("vcl.list").stdout.strip(), sep="\n")
    good &= all(10 * n - n <= count <= 10 * n + n for n, count in enumerate(counts, 1))
    good &= [line.split()[0] for line in listed.splitlines() if "healthy" in line] == ["v3.default"]
    for name in ("boot", "v1", "v2"):
        good &= say("vcl.state", name, "cold").returncode == 0
    last = probes()
    print("when the old ones are cold:", last)
    good &= 9 <= last <= 11
finally:
    varnish.terminate()
    varnish.wait()
print("as described" if good else "DIFFERENT from what is described")
sys.exit(not good)
PY
python3 "$work/look.py" "$work"
