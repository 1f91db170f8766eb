"""Lives through a story at one application: everybody comes, and what each leaves behind is kept."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from necropsy.lab.events import ActorTraces
from necropsy.lab.machines import health_checks, probe
from necropsy.lab.people import bot, people
from necropsy.lab.story import GRACE_S, LOG_WINDOW, Admin, AppPort, Story, StoryMachine

_PEOPLE_BEFORE = timedelta(days=3)
"""People come back to sessions of the days before, so their story begins earlier than the machines'."""


@dataclass(slots=True)
class Life:
    """The events at one application, and the ids of the sessions that each machine made."""

    all: ActorTraces = field(default_factory=ActorTraces)
    probed: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    """By server name and port."""
    crawled: set[str] = field(default_factory=set)


def live(story: Story, admin: Admin, seed: int) -> Life:
    """Live through it. Every actor has dice of its own, so that one does not change what another does."""
    life = Life()
    reach = max(admin.emptied or timedelta(seconds=admin.lifetime_s + GRACE_S), LOG_WINDOW)
    span = (story.now - reach, story.now)
    if story.prober is not None:
        for server, target in ports(admin):
            trace = probe(story.prober, admin, server, target, span, dice(seed, admin.name, server.name, target.port))
            life.probed[server.name, target.port] = {session.id for session in trace.sessions}
            life.all.absorb(trace)
    for server in admin.servers:
        logged = (story.now - LOG_WINDOW, story.now)
        life.all.absorb(health_checks(server, logged, dice(seed, admin.name, server.name, "health")))
    if story.bot is not None:
        trace = bot(story.bot, admin, span, dice(seed, admin.name, "bot"))
        life.crawled = {session.id for session in trace.sessions}
        life.all.absorb(trace)
    began = span[0] if admin.emptied is not None else span[0] - _PEOPLE_BEFORE
    life.all.absorb(people(admin, (began, story.now), dice(seed, admin.name, "people")))
    return life


def ports(admin: Admin) -> Iterator[tuple[StoryMachine, AppPort]]:
    """Yield every registered port of an application with its server."""
    return ((server, target) for server in admin.servers for target in server.targets)


def dice(seed: int, *who: object) -> random.Random:
    """Return the source of chance of one actor.

    >>> dice(1, "a1", 80).random() == dice(1, "a1", 80).random() != dice(1, "a1", 8080).random()
    True
    """
    return random.Random("/".join(str(part) for part in (seed, *who)))
