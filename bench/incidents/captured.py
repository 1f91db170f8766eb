"""Incidents captured from real components: Express behind nginx, asked by Prometheus through the blackbox exporter.

Nothing here is simulated: Redis holds what connect-redis wrote, nginx its own log, and the truth is what the application
noted at each new session (who asked, and on which port). Intervals are shortened so that a run takes less than a minute.
It needs node with npm, nginx, prometheus, prometheus-blackbox-exporter and redis-server. Clocks are real: no two runs are alike.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from incidents import logs, truth
from incidents.build import Incident
from incidents.captured_clients import Browsers, Crawler
from incidents.chance import Chance
from incidents.kinds.checks import CHECK
from incidents.kinds.traffic import CRAWLER
from incidents.scene import Actor, Scene, Session, Store

KINDS = ("captured-prober", "captured-crawler", "captured-healthy")
PACKAGES = ("express@4.19.2", "express-session@1.18.0", "connect-redis@7.1.1", "redis@4.6.14")
LIFETIME_S = 3_600
RUN_S = 45.0
TOOLS = ("node", "npm", "nginx", "prometheus", "prometheus-blackbox-exporter", "redis-server", "redis-cli")

_BLACKBOX = "Blackbox"
"""How the agent of the exporter begins; the whole of it tells its version."""

APPLICATION = """\
const express = require('express'), session = require('express-session'), fs = require('fs');
const RedisStore = require('connect-redis').default, {createClient} = require('redis');
const [port, redisPort, notes] = process.argv.slice(2);
const client = createClient({url: `redis://127.0.0.1:${redisPort}`});
client.connect().then(() => {
  const app = express();
  app.use(express.urlencoded({extended: false}));
  app.get('/health', (request, response) => response.send('ok'));
  app.use(session({store: new RedisStore({client}), secret: 'bench', resave: false, saveUninitialized: true,
                   cookie: {maxAge: LIFETIME}}));
  app.use((request, response, next) => {
    if (!(request.headers.cookie || '').includes('connect.sid'))
      fs.appendFileSync(notes, JSON.stringify([request.sessionID, request.headers['user-agent'] || '',
                                               !!request.headers['x-forwarded-for'], Date.now()]) + '\\n');
    next();
  });
  app.post('/login', (request, response) => { request.session.passport = {user: request.body.user}; response.redirect('/'); });
  app.get('*', (request, response) => response.send('<h1>shop</h1>'));
  app.listen(Number(port), '127.0.0.1');
});
""".replace("LIFETIME", str(LIFETIME_S * 1000))


def missing() -> list[str]:
    """Tools that are not on this machine."""
    return [tool for tool in TOOLS if shutil.which(tool, path=_path()) is None]


def _path() -> str:
    import os

    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def capture(seed: int, kind: str, folder: Path, cache: Path) -> Incident:
    """Run the components for three quarters of a minute, and return what they left, with the truth."""
    chance = Chance(seed, kind)
    folder.mkdir(parents=True, exist_ok=True)
    ports = _free_ports("redis", "app", "nginx", "prometheus", "blackbox")
    modules = _modules(cache)
    style = logs.Style(chance.pick(("combined", "main", "json", "json-msec")), 0.0, 0.0)
    period_s = 0.5
    path = "/health" if kind == "captured-healthy" else "/"
    targets = [f"http://127.0.0.1:{ports[name]}{path}" for name in ("nginx", "app")]
    if kind == "captured-crawler":
        targets = []
    with ExitStack() as stack:
        _start(stack, folder, _components(folder, ports, style, targets, period_s, modules))
        _wait(f"http://127.0.0.1:{ports['nginx']}/health")
        began = time.time()
        browsers = stack.enter_context(Browsers(ports["nginx"], chance, every_s=chance.between(0.7, 1.6)))
        del browsers
        if kind == "captured-crawler":
            stack.enter_context(Crawler(ports["nginx"], chance, every_s=0.25))
        time.sleep(RUN_S)
        now = time.time()
        subprocess.run(["redis-cli", "-p", str(ports["redis"]), "save"], check=True, capture_output=True)
    return _truth(seed, kind, folder, ports, style, (began, now), period_s)


def _free_ports(*names: str) -> dict[str, int]:
    """Ports of the loopback that nobody uses; all are held until the last is known, so that none comes twice."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in names]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return {name: one.getsockname()[1] for name, one in zip(names, held, strict=True)}


def _components(folder: Path, ports: dict[str, int], style: logs.Style, targets: list[str], period_s: float, modules: Path) -> list[list[str]]:  # fmt: skip
    (folder / "app.js").write_text(APPLICATION)
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(modules)
    text = "" if style.format == "combined" else (
        f"log_format site{' escape=json' if style.format.startswith('json') else ''} '{logs.FORMATS[style.format]}';"
    )  # fmt: skip
    name = "combined" if style.format == "combined" else "site"
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log stderr;\nevents {{}}\nhttp {{\n    {text}\n"
        f"    access_log {folder}/access.log {name};\n    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n"
        f"    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
        f"    server {{\n        listen 127.0.0.1:{ports['nginx']};\n        location / {{\n"
        "            proxy_set_header X-Forwarded-For $remote_addr;\n"
        f"            proxy_pass http://127.0.0.1:{ports['app']};\n        }}\n    }}\n}}\n"
    )
    (folder / "blackbox.yml").write_text("modules:\n  http_2xx:\n    prober: http\n    timeout: 300ms\n")
    listed = "".join(f"          - {target}\n" for target in targets)
    (folder / "prometheus.yml").write_text(
        "global:\n  scrape_interval: 1m\nscrape_configs:\n" + (
        f"  - job_name: web\n    scrape_interval: {int(period_s * 1000)}ms\n    scrape_timeout: 400ms\n    metrics_path: /probe\n"
        f"    params: {{module: [http_2xx]}}\n    static_configs:\n      - targets:\n{listed}    relabel_configs:\n"
        "      - source_labels: [__address__]\n        target_label: __param_target\n      - target_label: __address__\n"
        f"        replacement: 127.0.0.1:{ports['blackbox']}\n" if targets else
        "  - job_name: itself\n    static_configs:\n      - targets: ['127.0.0.1:1']\n")
    )  # fmt: skip
    return [
        ["redis-server", "--port", str(ports["redis"]), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        ["node", str(folder / "app.js"), str(ports["app"]), str(ports["redis"]), str(folder / "notes.jsonl")],
        ["nginx", "-e", "stderr", "-c", str(folder / "nginx.conf")],
        ["prometheus-blackbox-exporter", f"--config.file={folder}/blackbox.yml", f"--web.listen-address=127.0.0.1:{ports['blackbox']}"],
        ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
         f"--web.listen-address=127.0.0.1:{ports['prometheus']}"],
    ]  # fmt: skip


def _start(stack: ExitStack, folder: Path, commands: list[list[str]]) -> None:
    for command in commands:
        binary = shutil.which(command[0], path=_path()) or command[0]
        log = stack.enter_context((folder / f"{Path(command[0]).name}.out").open("wb"))
        process = subprocess.Popen([binary, *command[1:]], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder)
        stack.callback(process.wait)
        stack.callback(process.terminate)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 -- our own server on the loopback
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}: look at the .out files beside it")


def _modules(cache: Path) -> Path:
    """Packages of the application, installed once."""
    folder = cache / "captured"
    if not (folder / "node_modules" / "connect-redis").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", *PACKAGES], cwd=folder, check=True)
    return folder / "node_modules"


def _truth(seed: int, kind: str, folder: Path, ports: dict[str, int], style: logs.Style, span: tuple[float, float], period_s: float) -> Incident:  # fmt: skip
    now_ms = int(span[1] * 1000)
    scene = Scene(seed, kind, now_ms, Chance(seed, kind))
    scene.stores["shop"] = Store("shop", "express", LIFETIME_S)
    scene.history_ms = (span[1] - span[0]) * 1000
    agents = {"people": "Mozilla/5.0 (captured)", "crawler": Crawler.AGENT}
    path = "/health" if kind == "captured-healthy" else "/"
    for name in ("nginx", "app"):
        if kind != "captured-crawler":
            role = "innocent" if kind == "captured-healthy" else "culprit"
            scene.actors[f"prober-{name}"] = Actor(
                f"prober-{name}", role, slugs=CHECK if role == "culprit" else (), agents=(_BLACKBOX,), path=path,
                url=f"http://127.0.0.1:{ports[name]}{path}", period_s=period_s, rhythm="ticker", in_log=name == "nginx",
                in_configuration=True, store="shop", first_ms=span[0] * 1000, last_ms=now_ms,
            )  # fmt: skip
    scene.actors["people"] = Actor("people", "people", store="shop")
    if kind == "captured-crawler":
        scene.actors["crawler"] = Actor("crawler", "culprit", slugs=CRAWLER, agents=(Crawler.AGENT,), path="/products/", store="shop",
                                        paths=("/",), rhythm="irregular", first_ms=span[0] * 1000, last_ms=now_ms)  # fmt: skip
    for note in (folder / "notes.jsonl").read_text().splitlines():
        identifier, agent, proxied, at = json.loads(note)
        if agent.startswith(_BLACKBOX):
            for name in ("prober-nginx", "prober-app"):
                scene.actors[name].agents = (agent,)
        creator = next(
            (name for name, text in agents.items() if text in agent), "prober-nginx" if proxied else "prober-app"
        )
        if creator not in scene.actors:
            creator = "people"
        scene.sessions.append(Session(identifier, "shop", creator, int(at), int(at), int(at), LIFETIME_S))
    log = (folder / "access.log").read_text().splitlines()
    written = logs.Written([folder / "access.log"])
    for actor in scene.actors.values():
        asked = f"GET {actor.path} " if actor.role == "innocent" else ""
        written.lines[actor.name] = (
            sum(asked in line and any(agent in line for agent in actor.agents) for line in log) if actor.in_log else 0
        )
    shape = logs.Style(style.format, span[0] * 1000 - 5_000, float(now_ms))
    facts: dict[str, Any] = truth.judgeable(scene, shape, written)
    (folder / "truth.json").write_text(json.dumps(facts, indent=1))
    options = {
        "dump": ["--rdb", f"shop={folder}/dump.rdb"], "log": ["--access-log", str(folder / "access.log")],
        "configuration": ["--prometheus", f"{folder}/prometheus.yml", "--blackbox", f"{folder}/blackbox.yml", "--nginx", f"{folder}/nginx.conf"],
        "formats": ["--log-format", logs.FORMATS[style.format]] if style.format == "main" else [],
    }  # fmt: skip
    return Incident(folder, facts, options, datetime.fromtimestamp(span[1], UTC).isoformat(timespec="milliseconds"))
