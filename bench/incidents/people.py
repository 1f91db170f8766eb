"""People with browsers: they arrive, look around, some log in, some come back, some log out. One visitor, one session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from incidents.application import Application, Client
from incidents.arrivals import Times
from incidents.chance import Chance
from incidents.scene import Actor, Session

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/{}",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.{} Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_{} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 13; SM-A536B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Mobile Safari/537.36",
)
PAGES = ("/orders", "/orders/{}", "/customers/{}", "/reports/daily", "/search?q={}", "/products/{}", "/dashboard", "/account",
         "/basket", "/news/{}")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Habits:
    """What a population does."""

    logs_in: float = 0.8
    """Share of fresh visitors who log in."""
    returns: float = 0.3
    """Share of arrivals that are somebody whose session still lives."""
    pages: float = 5.0
    """Median number of pages after the first."""
    think_ms: float = 18_000.0
    logs_out: float = 0.1
    rotates: Literal["rename", "fresh"] = "rename"
    assets: float = 0.5
    address: str = ""
    """The one address that all of them have; empty: each has its own."""


def browser(chance: Chance) -> str:
    return chance.pick(BROWSERS).format(chance.whole(2, 5) if chance.happens(0.2) else f"{chance.whole(96, 121)}.0.0.0")


def live(application: Application, actor: Actor, arrivals: Times, habits: Habits, chance: Chance, *, entries: tuple[str, ...] = ("/",)) -> None:  # fmt: skip
    """Let everybody come, and write down what they leave."""
    scene = application.scene
    random = chance.python
    known: list[tuple[Client, Session, str]] = []
    principals = [f"user-{chance.hex(6)}@corp.example" for _ in range(max(3, min(400, arrivals.size // 3 + 1)))]
    network = chance.whole(11, 190)
    for arrival in arrivals:
        at = float(arrival)
        server = chance.pick(application.servers)
        if known and random.random() < habits.returns:
            client, held, server = known[random.randrange(max(0, len(known) - 60), len(known))]
            if not held.ended and held.accessed_ms + 60_000 < at < held.expires_ms:
                application.visit(at, client, entries[0], server=server, session=held)
                _look(application, client, held, at, server, habits, chance)
                continue
        client = Client(actor, browser(chance), habits.address or f"{network}.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}",
                        follows=True, keeps_cookies=True, referrer=f"https://{application.host}/")  # fmt: skip
        session = application.visit(at, client, chance.pick(entries).format(random.randrange(10_000)), server=server)
        at += random.uniform(60, 400)
        for asset in ("/static/app.js", "/static/app.css", "/static/logo.svg"):
            if random.random() < habits.assets:
                application.visit(at + random.uniform(0, 60), client, asset, server=server)
        if session is None:  # a page that makes no session; somebody who wants to log in asks for the form
            continue
        if random.random() < habits.logs_in:
            at += random.lognormvariate(9.2, 0.5)
            if at >= scene.now_ms:
                continue
            session = application.log_in(at, client, session, random.choice(principals), server, habits.rotates)
            at += random.uniform(30, 200)
        _look(application, client, session, at, server, habits, chance)
        known.append((client, session, server))


def _look(application: Application, client: Client, session: Session, at: float, server: str, habits: Habits,
          chance: Chance) -> None:  # fmt: skip
    random = chance.python
    for _ in range(int(random.lognormvariate(0, 0.7) * habits.pages)):
        at += random.lognormvariate(0, 0.9) * habits.think_ms
        if at >= application.scene.now_ms or session.ended or at > session.expires_ms:
            return
        path = chance.pick(PAGES).format(random.randrange(1, 9_999))
        if random.random() < 0.12:
            application.post(at, client, path, session, server)
        else:
            application.visit(at, client, path, server=server, session=session)
    if random.random() < habits.logs_out:
        at += random.lognormvariate(0, 0.5) * habits.think_ms
        if at < application.scene.now_ms and session.principal is not None:
            application.log_out(at, client, session, server)
