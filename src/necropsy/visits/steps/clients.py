"""Clients and the session cookies that they were given and brought back.

Lines become visits, visits become clients (address and User-Agent): how often one came, was given a session cookie, and
brought one. A client that was given one with each visit and never brought one costs a session a visit.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from necropsy.visits.line_flags import COOKIE_SENT, COOKIE_SET, TELLS_COOKIE_SENT, TELLS_COOKIE_SET

_BOTH = TELLS_COOKIE_SENT | TELLS_COOKIE_SET


def telling(t: Mapping[str, ir.Table]) -> ir.Table:
    """Number of lines that show both cookies, the one sent and the one set."""
    line = t["line"]
    return line.filter((line.flags.cast("int32") & _BOTH) == _BOTH).agg(value=ibis._.count())


def cookie_client(t: Mapping[str, ir.Table]) -> ir.Table:
    """One row a client. A visit brings what its first request brought, and is given what any of its answers gave."""
    line = t["line"].mutate(told=ibis._.flags.cast("int32"))
    line = line.filter((line.told & _BOTH) == _BOTH)
    told = line.left_join(t["follower"].select("number", "root"), "number")
    visits = told.group_by(
        client_key=told.client_key, agent_key=told.agent_key, visit=ibis.coalesce(told.root, told.number)
    ).agg(
        brought=(told.root.isnull() & ((told.told & COOKIE_SENT) != 0)).ifelse(1, 0).max(),
        given=((told.told & COOKIE_SET) != 0).ifelse(1, 0).max(),
        first_us=told.time_us.min(),
    )
    return visits.group_by("client_key", "agent_key").agg(
        visits=visits.count(),
        brought=visits.brought.sum().cast("int64"),
        given=visits.given.sum().cast("int64"),
        renewed=(visits.given * (1 - visits.brought)).sum().cast("int64"),
        first_us=visits.first_us.min(),
        last_us=visits.first_us.max(),
    )


def cookie_kept(t: Mapping[str, ir.Table], clients: int) -> ir.Table:
    """Clients that are kept apart: those that were given the most without bringing any."""
    every = t["cookie_client"]
    alone = ibis.cases((every.brought == 0, every.renewed), else_=0)
    ranked = every.mutate(alone=alone).order_by(
        [ibis.desc("alone"), ibis.desc("visits"), "first_us", "client_key", "agent_key"]
    )
    return ranked.limit(clients).drop("alone").mutate(clients=ibis.literal(1, "int64"))


def cookie_rest(t: Mapping[str, ir.Table]) -> ir.Table:
    """The others, summed by whether they bring cookies and whether they are given new ones again and again."""
    rest = t["cookie_client"].anti_join(t["cookie_kept"], ["client_key", "agent_key"])
    rest = rest.mutate(brings=rest.brought > 0, again=rest.renewed > 2)
    sums = {name: rest[name].sum().cast("int64") for name in ("visits", "brought", "given", "renewed")}
    return rest.group_by("brings", "again").agg(
        **sums, first_us=rest.first_us.min(), last_us=rest.last_us.max(), clients=rest.count()
    )


def cookie_texts(t: Mapping[str, ir.Table]) -> ir.Table:
    """The texts behind the keys of the clients that are kept apart."""
    rows = t["cookie_kept"]
    keys = rows.select(key="client_key").union(rows.select(key="agent_key")).distinct()
    return t["given"].semi_join(keys, "key").group_by("key").agg(text=ibis._.text.min())
