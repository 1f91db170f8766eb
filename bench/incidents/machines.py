"""Machines that visit: checks, crawlers, scripts. Each visit is one request and the redirects that its client follows."""

from __future__ import annotations

from incidents.application import Application, Client
from incidents.arrivals import Times
from incidents.chance import Chance
from incidents.scene import Actor, Session

PROBERS: dict[str, tuple[str, ...]] = {
    "blackbox": ("Go-http-client/1.1", "Prometheus/2.40.1 blackbox", "Blackbox Exporter/0.24.0"),
    "kubelet": ("kube-probe/1.24", "kube-probe/1.27", "kube-probe/1.21+"),
    "balancer": ("ELB-HealthChecker/2.0", "GoogleHC/1.0", ""),
    "consul": ("Consul Health Check",),
    "uptime": ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
               "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", "StatusCake", "Better Uptime Bot"),
    "script": ("curl/7.88.1", "Wget/1.21.3", "python-requests/2.31.0", "curl/8.4.0"),
    "api": ("okhttp/4.9.3", "python-requests/2.28.2", "axios/1.4.0", "Java/11.0.18", "GuzzleHttp/7", "Go-http-client/2.0",
            "Apache-HttpClient/4.5.13 (Java/11.0.16)"),
    "crawler": ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
                "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "Scrapy/2.8.0 (+https://scrapy.org)",
                "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)"),
}  # fmt: skip
"""User agents that such clients send, by family."""


def ask(application: Application, actor: Actor, times: Times, chance: Chance, *, agent: str, addresses: tuple[str, ...],
        paths: tuple[str, ...] = ("/",), server: str | None = None, host: str | None = None, follows: bool = True,
        keeps_cookies: bool = False, creates: bool | None = None, share_creating: float = 1.0, method: str = "GET",
        spread: bool = False) -> None:  # fmt: skip
    """Visit at these times.

    Parameters
    ----------
    server
        The logging proxy that is asked; None: round all of them.
    spread
        Any of the application's proxies, drawn for each visit, as behind a balancer.
    share_creating
        Probability that a visit which would make a session makes one.
    """
    random = chance.python
    clients = [Client(actor, agent, address, follows=follows, keeps_cookies=keeps_cookies) for address in addresses]
    many = len(paths) > 1 or "{" in paths[0]
    for at in times:
        path = paths[0] if not many else random.choice(paths).format(random.randrange(1, 99_999))
        client = clients[0] if len(clients) == 1 else random.choice(clients)
        where = server if not spread else random.choice(application.servers)
        makes = (
            creates
            if creates is not None
            else False
            if share_creating < 1 and random.random() >= share_creating
            else None
        )
        application.visit(float(at), client, path, server=where, host=host, creates=makes, method=method)


def keep(application: Application, actor: Actor, times: Times, chance: Chance, *, agent: str, address: str, path: str = "/",
         server: str | None = None, renews_every: int = 0) -> None:  # fmt: skip
    """Visit with a cookie jar: one session, and a new one only when the old one is gone (or every so many visits)."""
    del chance
    client = Client(actor, agent, address, keeps_cookies=True)
    held: Session | None = None
    for number, at in enumerate(times):
        if renews_every and number % renews_every == 0:
            held = None
        held = application.visit(float(at), client, path, server=server, session=held) or held


def loop_login(application: Application, actor: Actor, times: Times, chance: Chance, *, agent: str, address: str,
               server: str | None, path: str = "/login", method: str = "POST") -> None:  # fmt: skip
    """Log in afresh at each visit and forget the cookie: a POST that makes a session of somebody who is logged in."""
    client = Client(actor, agent, address, follows=False)
    principal = f"robot-{chance.hex(4)}@corp.example"
    for at in times:
        application.sign_in_once(float(at), client, path, principal, server, method)
