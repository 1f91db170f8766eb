"""The users of the application: they log in, look at things, type, have lunch, log in again. No two minutes alike."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

from necropsy.lab.browsing import HOUR_MS, Browsing, Person
from necropsy.lab.events import ActorTraces
from necropsy.lab.machines import milliseconds
from necropsy.lab.story import Admin, Bot

BROWSERS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/74.0.3729.157 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:66.0) Gecko/20100101 Firefox/66.0",
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/73.0.3683.103 Safari/537.36",
    "Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 Mobile/15E148",
)
_GIVEN: Final = ("anna", "jonas", "lea", "milan", "sofia", "emil", "nora", "pavel", "ines", "tom", "carla", "viktor",
                 "hanna", "luca", "maja", "oskar", "petra", "rafael", "selma", "timo")  # fmt: skip
_FAMILY: Final = ("keller", "novak", "rossi", "lindberg", "moreau", "fischer", "kowalska", "jansen", "silva", "horvat",
                  "weber", "dubois", "nielsen", "baumann", "costa", "petrov", "vogel", "marin", "olsen", "brandt",
                  "schulz", "ferrari", "kraus", "larsen", "meyer")  # fmt: skip


def principals(count: int) -> list[str]:
    """Return user names that can be told from anything else in a file.

    >>> principals(2)
    ['principal-anna.keller@corp.example', 'principal-jonas.novak@corp.example']
    """
    names = [
        f"principal-{_GIVEN[i % len(_GIVEN)]}.{_FAMILY[(i + i // len(_GIVEN)) % len(_FAMILY)]}@corp.example"
        for i in range(min(count, len(_GIVEN) * len(_FAMILY)))
    ]
    if count > len(set(names)):
        message = f"only {len(set(names))} people have names"
        raise ValueError(message)
    return names


def people(admin: Admin, span: tuple[datetime, datetime], chance: random.Random) -> ActorTraces:
    """Live through every day in ``span`` with all people of this application."""
    life = Browsing(admin, span, chance)
    staff = [
        Person(name, f"10.20.{chance.randrange(8)}.{chance.randrange(2, 250)}", chance.choice(BROWSERS),
                chance.randrange(len(admin.servers)))
        for name in principals(admin.people.count)
    ]  # fmt: skip
    day = (span[0] - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= span[1]:
        midnight = milliseconds(day)
        working = day.weekday() < 5
        for person in staff:
            for hour, spread, share in ((7.0, 0.8, 0.75), (11.4, 1.2, 0.35), (18.4, 1.1, 0.06)):
                if chance.random() < (share if working else share / 15):
                    life.come(person, midnight + round(chance.gauss(hour, spread) * HOUR_MS))
        for _ in range(admin.people.passers_by):
            if chance.random() < (1.0 if working else 0.3):
                at = midnight + round(chance.triangular(4, 22, 10) * HOUR_MS)
                life.knock(at, chance.randrange(len(admin.servers)), "/", chance.choice(BROWSERS))
        day += timedelta(days=1)
    life.close(staff)
    return life.trace


def bot(who: Bot, admin: Admin, span: tuple[datetime, datetime], chance: random.Random) -> ActorTraces:
    """Crawl: visits at random times, in bursts, to any server; every one makes a session and forgets it."""
    life = Browsing(admin, span, chance)
    at = float(life.start)
    mean = 86_400_000 / who.visits_a_day
    while at < life.end:
        for _ in range(chance.randrange(1, 8)):
            server = chance.randrange(len(admin.servers))
            path = "/" if chance.random() < 0.5 else f"/products/{chance.randrange(10_000, 99_999)}"
            life.knock(round(at), server, path, who.user_agent)
            at += chance.expovariate(1 / 1_500)
        at += chance.expovariate(1 / (mean * 4 - 6_000))
    return life.trace
