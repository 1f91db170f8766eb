"""Checks that create sessions: monitoring, balancers, kubelets, uptime services, scripts."""

from __future__ import annotations

from itertools import pairwise

from incidents import arrivals, machines
from incidents.kinds.setting import Setting, innocents, people_beside, setting
from incidents.scene import Actor, Check, Scene

CHECK = ("probes/creates-sessions",)
OUTSIDE = ("probes/creates-sessions", "traffic/bot-creates-sessions")


def prober(place: Setting, period: float, *, server: str, port: int = 80, configured: bool = True, agent: str = "",
           family: str = "blackbox", start: float | None = None, end: float | None = None, path: str | None = None,
           consul: bool = False) -> Actor:  # fmt: skip
    """A clock-locked prober of one target. Any port but 80 goes round the proxy."""
    chance = place.chance.fork(f"prober {server} {port} {len(place.actors)}")
    agent = agent or chance.pick(machines.PROBERS[family])
    address = place.address(server)
    path = path or "/"
    actor = place.actor(
        f"prober-{server}-{port}", "culprit", slugs=CHECK if configured else OUTSIDE, agents=(agent,), addresses=(place.monitor,),
        path=path, url=f"http://{address}:{port}{path}", period_s=period, rhythm="ticker", in_log=port == 80,
        in_configuration=configured,
    )  # fmt: skip
    times = arrivals.ticker(chance, start or place.start, end or place.end, period * 1000, chance.between(0.3, 1.5))
    host = f"{address}:80" if chance.happens(0.5) else address
    machines.ask(place.application, actor, times, chance, agent=agent, addresses=(place.monitor,), paths=(path,),
                 server=server if port == 80 else None, host=host, keeps_cookies=True)  # fmt: skip
    if configured:
        kind = "consul-blackbox" if consul else "blackbox"
        place.scene.checks.append(Check(kind, address, port, path, period, service=place.application.store.name))
    return actor


def draw_period(scene: Scene, choices: tuple[float, ...] = (2, 5, 10, 10, 15, 15, 20, 30, 60)) -> float:
    return scene.chance.fork("period").pick(choices)


def around(scene: Scene, period: float) -> tuple[float, ...]:
    """Periods of innocent checks: the same, a shorter and a longer one."""
    chance = scene.chance.fork("around")
    all_of = [period, max(1.0, period / 2), period * 2, 7.0, 30.0]
    return tuple(chance.python.sample(all_of, chance.whole(1, 3)))


def _finish(place: Setting, period: float, births: float) -> None:
    chance = place.chance.fork("finish")
    people_beside(place, births, chance.between(0.45, 0.985))
    innocents(place, around(place.scene, period))


def _path(place: Setting) -> str:
    return "/login" if place.application.style == "form" and place.chance.happens(0.5) else "/"


def visible(scene: Scene) -> None:
    """The configured prober, at every proxy, in the log."""
    period = draw_period(scene)
    count = scene.chance.whole(1, 3)
    place = setting(scene, rate_per_s=count / period, servers=count)
    agent = place.chance.pick(machines.PROBERS["blackbox"])
    consul = place.chance.happens(0.4)
    path = "/" if consul else _path(place)
    for server in place.servers:
        prober(place, period, server=server, agent=agent, path=path, consul=consul)
    _finish(place, period, count * place.window / period / 1000)


def hidden(scene: Scene) -> None:
    """The configured prober asks ports behind the proxy: no log shows it."""
    period = draw_period(scene)
    count = scene.chance.whole(1, 4)
    place = setting(scene, rate_per_s=count / period, servers=max(1, count // 2))
    agent = place.chance.pick(machines.PROBERS["blackbox"])
    consul = place.chance.happens(0.5)
    made = 0
    for server in place.servers:
        for port in (8080, 8081):
            if made < count:
                prober(place, period, server=server, port=port, agent=agent, consul=consul)
                made += 1
    _finish(place, period, made * place.window / period / 1000)


def both(scene: Scene) -> None:
    """The incident of 2019: the proxy and the ports behind it."""
    period = draw_period(scene)
    servers = scene.chance.whole(1, 2)
    place = setting(scene, rate_per_s=2 * servers / period, servers=servers)
    agent = place.chance.pick(machines.PROBERS["blackbox"])
    consul = place.chance.happens(0.5)
    for server in place.servers:
        prober(place, period, server=server, agent=agent, consul=consul)
        prober(place, period, server=server, port=8080, agent=agent, consul=consul)
    _finish(place, period, 2 * servers * place.window / period / 1000)


def replicas(scene: Scene) -> None:
    """Two Prometheus replicas with one configuration: each target is asked twice, in two phases."""
    period = draw_period(scene)
    place = setting(scene, rate_per_s=2 / period, servers=1)
    agent = place.chance.pick(machines.PROBERS["blackbox"])
    port = 80 if place.chance.happens(0.6) else 8080
    first = prober(place, period, server=place.servers[0], port=port, agent=agent)
    monitor, place.monitor = place.monitor, f"{place.network}.{place.chance.whole(20, 99)}"
    checks = len(scene.checks)
    second = prober(place, period, server=place.servers[0], port=port, agent=agent)
    del scene.checks[checks:], monitor
    first.name = second.name = ""
    _rename(scene)
    _finish(place, period, 2 * place.window / period / 1000)


def _rename(scene: Scene) -> None:
    for name, actor in scene.actors.items():
        actor.name = actor.name or name


def balancers(scene: Scene) -> None:
    """The nodes of a load balancer, whose timers drift, ask a page that makes a session."""
    period = draw_period(scene, (5, 5, 10, 10, 15, 30))
    nodes = scene.chance.whole(2, 4)
    place = setting(scene, rate_per_s=nodes / period, servers=1)
    chance = place.chance.fork("balancers")
    path = "/login" if place.application.style == "form" else "/"
    agent = chance.pick(machines.PROBERS["balancer"])
    configured = chance.happens(0.5)
    for _ in range(nodes):
        address = f"{place.network}.{chance.whole(20, 240)}"
        actor = place.actor("balancer", "culprit", slugs=CHECK if configured else OUTSIDE, agents=(agent,), addresses=(address,),
                            path=path, period_s=period, rhythm="drifting", in_configuration=configured)  # fmt: skip
        times = arrivals.drifting(
            chance, place.start, place.end, period * 1000, chance.between(1, 12), chance.between(0.5, 6)
        )
        machines.ask(place.application, actor, times, chance, agent=agent, addresses=(address,), paths=(path,),
                     server=place.servers[0], host=place.address(place.servers[0]), follows=False)  # fmt: skip
    if configured:
        scene.checks.append(Check("terraform", "", 80, path, period))
    _finish(place, period, nodes * place.window / period / 1000)


def kubelets(scene: Scene) -> None:
    """Kubelets ask the pods of a deployment; rollouts give every pod a new address and a new phase."""
    period = draw_period(scene, (5, 10, 10, 15, 20))
    pods = scene.chance.whole(2, 6)
    logged = scene.chance.happens(0.5)
    place = setting(scene, rate_per_s=pods / period, servers=1)
    chance = place.chance.fork("kubelets")
    agent = chance.pick(machines.PROBERS["kubelet"])
    path = "/login" if place.application.style == "form" else "/"
    rollouts = sorted(chance.between(place.start, place.end) for _ in range(chance.whole(0, 3)))
    edges = [place.start, *rollouts, place.end]
    configured = chance.happens(0.7)
    actor = place.actor("kubelets", "culprit", slugs=CHECK if configured else OUTSIDE, agents=(agent,), path=path, period_s=period,
                        rhythm="ticker", in_log=logged, in_configuration=configured, address_count=pods)  # fmt: skip
    nodes = [f"{place.network}.{chance.whole(20, 240)}" for _ in range(pods)]
    actor.addresses = tuple(nodes)
    for low, high in pairwise(edges):
        for node in nodes:
            times = arrivals.ticker(chance, low, high, period * 1000, chance.between(0.5, 2))
            machines.ask(place.application, actor, times, chance, agent=agent, addresses=(node,), paths=(path,), follows=False,
                         server=place.servers[0] if logged else None, host=f"{place.network}.{chance.whole(2, 19)}:8080")  # fmt: skip
    if configured:
        scene.checks.append(Check("kubelet", "", 8080, path, period, job="livenessProbe", replicas=pods))
    _finish(place, period, pods * place.window / period / 1000)


def each_second(scene: Scene) -> None:
    """A check once a second, in a log that knows seconds."""
    scene.log_formats = ("combined", "main", "json", "vhost")
    place = setting(scene, rate_per_s=1.0, servers=1)
    chance = place.chance.fork("haproxy")
    path = "/login" if place.application.style == "form" else "/"
    configured = chance.happens(0.7)
    address = f"{place.network}.2"
    actor = place.actor("haproxy", "culprit", slugs=CHECK if configured else OUTSIDE, agents=("",), addresses=(address,), path=path,
                        period_s=1.0, rhythm="drifting", in_configuration=configured)  # fmt: skip
    times = arrivals.drifting(chance, place.start, place.end, 1_000, 0.4, 0.3)
    machines.ask(place.application, actor, times, chance, agent="", addresses=(address,), paths=(path,), server=place.servers[0],
                 host=place.address(place.servers[0]), follows=False)  # fmt: skip
    if configured:
        scene.checks.append(Check("haproxy", place.address(place.servers[0]), 80, path, 1.0))
    _finish(place, 10.0, place.window / 1000)


def cron(scene: Scene) -> None:
    """A script in a crontab, every minute or few, that fetches a page."""
    minutes = scene.chance.pick((1, 1, 1, 2, 5))
    place = setting(scene, rate_per_s=1 / 60 / minutes, sessions=(220, 3_000))
    chance = place.chance.fork("cron")
    agent = chance.pick(machines.PROBERS["script"])
    path = "/login" if place.application.style == "form" else chance.pick(("/", "/reports/daily", "/export?format=csv"))
    hidden_too = chance.happens(0.3)
    address = f"{place.network}.{chance.whole(20, 240)}"
    actor = place.actor("cron", "culprit", slugs=(*OUTSIDE, "traffic/client-drops-cookie", *(("traffic/unlogged-creator",) if hidden_too else ())),
                        agents=(agent,), addresses=(address,), path=path.partition("?")[0], period_s=minutes * 60.0, rhythm="cron",
                        in_log=not hidden_too)  # fmt: skip
    times = arrivals.cron(chance, place.start, place.end, minutes)
    machines.ask(place.application, actor, times, chance, agent=agent, addresses=(address,), paths=(path,), follows=False,
                 server=None if hidden_too else place.servers[0])  # fmt: skip
    _finish(place, 60.0, place.window / 60_000 / minutes)


def uptime(scene: Scene) -> None:
    """An uptime service that spreads its checks over a part of the period, from several addresses."""
    period = draw_period(scene, (15, 30, 60, 60))
    place = setting(scene, rate_per_s=1 / period, sessions=(250, 4_000))
    chance = place.chance.fork("uptime")
    agent = chance.pick(machines.PROBERS["uptime"])
    path = "/login" if place.application.style == "form" else "/"
    addresses = tuple(f"{chance.whole(60, 210)}.{chance.whole(1, 250)}.{chance.whole(1, 250)}.{chance.whole(1, 250)}"
                      for _ in range(chance.whole(1, 12)))  # fmt: skip
    actor = place.actor("uptime", "culprit", slugs=OUTSIDE, agents=(agent,), addresses=addresses, address_count=len(addresses),
                        path=path, period_s=period, rhythm="jittered")  # fmt: skip
    times = arrivals.jittered(chance, place.start, place.end, period * 1000, chance.between(0.02, 0.5))
    machines.ask(place.application, actor, times, chance, agent=agent, addresses=addresses, paths=(path,), server=place.servers[0],
                 follows=True)  # fmt: skip
    _finish(place, period, place.window / period / 1000)


def follows_redirects(scene: Scene) -> None:
    """A check that follows the redirect to the login page and brings no cookie along: two sessions a visit."""
    period = draw_period(scene, (5, 10, 15, 20, 30))
    place = setting(scene, rate_per_s=2 / period, sessions=(400, 8_000), styles=("guarded",))
    place.application.login_page_starts = True
    chance = place.chance.fork("follows redirects")
    agent = chance.pick(("curl/8.5.0", "Consul Health Check", "kube-probe/1.29", "Wget/1.21.3"))
    address = f"{place.network}.{chance.whole(20, 240)}"
    actor = place.actor("follows-redirects", "culprit", slugs=OUTSIDE, agents=(agent,), addresses=(address,), path="/", period_s=period,
                        rhythm="ticker")  # fmt: skip
    times = arrivals.ticker(chance, place.start, place.end, period * 1000, chance.between(0.3, 1.5))
    machines.ask(place.application, actor, times, chance, agent=agent, addresses=(address,), server=place.servers[0])
    _finish(place, period, 2 * place.window / period / 1000)


def synthetic(scene: Scene) -> None:
    """Synthetic monitoring: a headless browser with a browser's name, fresh profile each time, every few minutes."""
    period = draw_period(scene, (30, 60, 60, 120))
    place = setting(scene, rate_per_s=1 / period, sessions=(200, 3_000))
    chance = place.chance.fork("synthetic")
    agent = (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/115.0.0.0 Safari/537.36"
    )
    if chance.happens(0.5):
        agent = agent.replace("Headless", "")
    path = "/login" if place.application.style == "form" else "/"
    address = f"52.{chance.whole(1, 250)}.{chance.whole(1, 250)}.{chance.whole(1, 250)}"
    actor = place.actor("synthetic", "culprit", slugs=(*OUTSIDE, "traffic/client-drops-cookie"), agents=(agent,), addresses=(address,),
                        path=path, period_s=period, rhythm="jittered")  # fmt: skip
    times = arrivals.drifting(
        chance, place.start, place.end, period * 1000, chance.between(500, 4_000), chance.between(100, 1_500)
    )
    machines.ask(place.application, actor, times, chance, agent=agent, addresses=(address,), paths=(path,), server=place.servers[0],
                 keeps_cookies=True)  # fmt: skip
    for asset in ("/static/app.js", "/static/app.css"):
        machines.ask(
            place.application,
            actor,
            times + 180,
            chance,
            agent=agent,
            addresses=(address,),
            paths=(asset,),
            server=place.servers[0],
        )
    actor.visits = times.size
    _finish(place, period, place.window / period / 1000)
