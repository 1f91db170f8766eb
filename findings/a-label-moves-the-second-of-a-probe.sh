#!/usr/bin/env bash
# Prometheus: a label on a target, or another external label, moves the moment of each scrape: the prober looks like another one.
#
# Versions    Prometheus 2.42.0 (Debian 12's package prometheus 2.42.0+ds-5; 2.53 and 3.5 do the same)
#
# Behaviour   With "scrape_interval: 5s" a target is scraped at the same place within each 5 s of the clock, after any restart. The place
#             is a hash of the host's name, the external labels, the target's labels and its URL. So a label that nobody asks the target
#             for (team=shop), or an external label (a second Prometheus for high availability has another "replica"), moves all
#             scrapes of that target, once and for good, by up to an interval. The request itself does not differ in a byte.
#
# Seen        place within 5 s, in one run (another machine, another port: other places)
#             as it was            4.87 s      team=shop            2.99 s       external label replica=a     1.71 s
#             restarted            4.88 s      team=login           0.55 s       external label replica=b     1.41 s
#
# Why         A prober in a session store is a train of births at a fixed second, and by that second it is told from others. When
#             somebody labels the targets, one train that ran for months ends and another begins in the same minute: it looks as if one
#             prober was repaired and another one was let loose, and nothing about requests or their number was changed. Two replicas
#             are two trains. What the second says is which labels a target had.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download prometheus && dpkg-deb -x ./prometheus_*.deb "$work")
case $(dpkg-deb -f "$work"/prometheus_*.deb Version) in 2.42.0+ds-5*) ;; *) echo "another version than 2.42.0: not what was described" >&2; exit 1 ;; esac
cat >"$work/look.py" <<'PY'
import base64, http.server, json, os, socket, statistics, subprocess, sys, threading, time

work, INTERVAL, seen = sys.argv[1], 5.0, {}


class Application(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        who = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode().partition(":")[0]
        seen.setdefault(who, []).append(time.time())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def apart(a, b):
    return min((a - b) % INTERVAL, (b - a) % INTERVAL)


application = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
threading.Thread(target=application.serve_forever, daemon=True).start()
VARIANTS = {"as it was": ({}, {}), "restarted": ({}, {}), "team=shop": ({"team": "shop"}, {}), "team=login": ({"team": "login"}, {}),
            "external replica=a": ({}, {"replica": "a"}), "external replica=b": ({}, {"replica": "b"})}
processes = []
try:
    for name, (labels, external) in VARIANTS.items():
        folder = f"{work}/{len(processes)}"
        os.mkdir(folder)
        # The user name tells the six apart; it is no part of what is hashed.
        job = {"job_name": "shop", "scrape_interval": "5s", "scrape_timeout": "4s", "basic_auth": {"username": name},
               "static_configs": [{"targets": [f"127.0.0.1:{application.server_address[1]}"], "labels": labels}]}
        with open(f"{folder}/prometheus.yml", "w") as f:
            json.dump({"global": {"external_labels": external}, "scrape_configs": [job]}, f)
        processes.append(subprocess.Popen(
            [f"{work}/usr/bin/prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{free_port()}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    for _ in range(1200):
        time.sleep(0.1)
        if len(seen) == len(VARIANTS) and min(map(len, seen.values())) >= 4:
            break
finally:
    for process in processes:
        process.kill()
        process.wait()
places = {}
for name in VARIANTS:
    first = seen[name][0] % INTERVAL
    places[name] = (first + statistics.median((at - first + INTERVAL / 2) % INTERVAL - INTERVAL / 2 for at in seen[name])) % INTERVAL
    print(f"{name:22} {places[name]:.2f} s")
far = {name: apart(places["as it was"], place) for name, place in places.items()}
good = far["restarted"] < 0.15
for kind in ("team", "external"):  # of two, as chance brings one of sixteen as near as that
    good &= max(far[name] for name in far if name.startswith(kind)) > 0.15
print("as described" if good else "DIFFERENT from what is described")
sys.exit(not good)
PY
python3 "$work/look.py" "$work"
