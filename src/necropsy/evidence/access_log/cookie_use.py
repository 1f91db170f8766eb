"""Clients and the session cookies that they were given and brought back.

Lines become visits, visits become clients (address and User-Agent): how often one came, was given a session cookie, and
brought one. A client that was given one with each visit and never brought one costs a session a visit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.evidence.access_log.classes import FOLDED, plain
from necropsy.evidence.access_log.cookies import BROUGHT, GIVEN, TOLD_BROUGHT, TOLD_GIVEN
from necropsy.evidence.access_log.lines import create_texts

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.evidence.access_log.scratch import Scratch

LIMIT: Final = 5_000
"""Clients that are kept apart: those that were given the most without bringing any. The others become ``*``."""


def table(scratch: Scratch, log: str) -> pa.Table | None:
    """Return the rows of ``cookie_use``; None where no line tells both what was brought and what was given.

    A visit brings what its first request brought, and is given what any of its answers gave.
    """
    both = TOLD_BROUGHT | TOLD_GIVEN
    if not scratch.value(f"SELECT count(*) FROM line WHERE cookies & {both} = {both}"):
        return None
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE cookie_client AS SELECT client_key, agent_key, count(*) AS visits,"
        " count(*) FILTER (brought) AS brought, count(*) FILTER (given) AS given,"
        " count(*) FILTER (given AND NOT brought) AS renewed, min(first_at) AS first_at, max(first_at) AS last_at FROM"
        " (SELECT client_key, agent_key, coalesce(root, line.number) AS visit,"
        f" bool_or(root IS NULL AND cookies & {BROUGHT} > 0) AS brought, bool_or(cookies & {GIVEN} > 0) AS given,"
        f" min(stamp) AS first_at FROM line LEFT JOIN follower USING (number) WHERE cookies & {both} = {both}"
        " GROUP BY client_key, agent_key, visit) GROUP BY client_key, agent_key"
    )
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE cookie_kept AS SELECT client_key, agent_key FROM cookie_client"
        f" ORDER BY CASE WHEN brought = 0 THEN renewed ELSE 0 END DESC, visits DESC, first_at LIMIT {LIMIT}"
    )
    create_texts(scratch, "client", "SELECT DISTINCT client_key FROM cookie_kept")
    create_texts(scratch, "agent", "SELECT DISTINCT agent_key FROM cookie_kept")
    sums = "sum(visits)::BIGINT, sum(brought)::BIGINT, sum(given)::BIGINT, sum(renewed)::BIGINT, min(first_at), max(last_at)"
    found = scratch.connection.sql(
        "SELECT $log AS log, * FROM"
        f" (SELECT {plain('client_text.text')} AS client, {plain('agent_text.text')} AS user_agent, 1::BIGINT AS clients, visits,"
        " brought, given, renewed, first_at, last_at FROM cookie_client SEMI JOIN cookie_kept USING (client_key, agent_key)"
        " LEFT JOIN client_text USING (client_key) LEFT JOIN agent_text USING (agent_key)"
        f" UNION ALL SELECT '{FOLDED}', '{FOLDED}', count(*), {sums} FROM cookie_client"
        " ANTI JOIN cookie_kept USING (client_key, agent_key) GROUP BY brought > 0, renewed > 2)"
        " ORDER BY visits DESC, first_at, client, user_agent",
        params={"log": log},
    ).to_arrow_table()
    scratch.run("DROP TABLE cookie_client; DROP TABLE cookie_kept")
    return found
