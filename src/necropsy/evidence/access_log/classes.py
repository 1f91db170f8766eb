"""Visitor classes: visits alike in client, user agent, host, method, path pattern and status.

A million clients must not cost a gigabyte. Classes that come like clockwork are kept, and of the others the ``LIMIT``
with the most visits. The rest is folded in two steps: first the client becomes ``*`` (many people asking the same page
with the same browser), and where that still leaves too many, user agent, host and path become ``*`` too. Nothing is
dropped: visits and requests of all classes add up to those of the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.evidence.access_log.lines import create_texts

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.evidence.access_log.scratch import Scratch

LIMIT: Final = 10_000
"""Classes that are kept apart although they have no rhythm; and as many again by everything but the client."""

FOLDED: Final = "*"
"""Stands for several clients, user agents, hosts or paths."""

_TEXT: Final = 256
"""Characters kept of a user agent or host."""


_PLACED: Final = (
    "CASE WHEN kept.class_key IS NOT NULL THEN 0 WHEN crowd.crowd_key IS NOT NULL THEN 1 ELSE 2 END AS level,"
    " CASE level WHEN 0 THEN class.class_key WHEN 1 THEN class.crowd_key ELSE class.rest_key::UBIGINT END AS place"
)
"""Columns of a class that was joined with ``kept`` and ``crowd``: where it goes."""


def create_tables(scratch: Scratch) -> None:
    """Create ``visit``, ``class`` and ``led``.

    ``visit`` has a row a visit: ``class_key`` (of everything that tells classes apart), ``crowd_key`` (without the client),
    ``rest_key`` (method and status), ``stamp`` and ``number`` (of its first line). ``class`` has a row a class, with visits,
    first and last time and the number of a line that stands for it. ``led`` says what visits of a class led to.
    """
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE visit AS SELECT hash(client_key, crowd_key) AS class_key, crowd_key, rest_key,"
        " stamp, number FROM (SELECT client_key, hash(agent_key, host_key, pattern_id, status) AS crowd_key,"
        " (method_id * 1000 + coalesce(status, 0))::INTEGER AS rest_key, stamp, line.number"
        " FROM line JOIN request_page USING (request_key) JOIN page USING (pattern_id) ANTI JOIN follower USING (number))"
    )
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE class AS"
        " SELECT class_key, count(*) AS visits, min(stamp) AS first_at, max(stamp) AS last_at, min(number) AS number,"
        " any_value(crowd_key) AS crowd_key, any_value(rest_key) AS rest_key FROM visit GROUP BY class_key"
    )
    # What a visit led to: the commonest, as a page may lead different people to different places.
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE led AS"
        " SELECT class_key, sum(followed)::BIGINT AS followed, mode(page.path) AS followed_to"
        " FROM chain JOIN visit USING (number) JOIN request_page ON request_key = last_request"
        " JOIN page ON page.pattern_id = request_page.pattern_id GROUP BY class_key"
    )


def settle(scratch: Scratch) -> None:
    """Create ``summed``: one row a class after folding, with ``class_id`` from 0, its ``level`` and ``place`` (its key there).

    On level 0 a class is itself, on 1 its clients are folded, on 2 all but method and status. Needs ``rhythm`` (class_key,
    period_s, phase_s, phase_spread_s, coverage).
    """
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE kept AS SELECT class_key FROM rhythm UNION"
        f" (SELECT class_key FROM class ORDER BY visits DESC, number LIMIT {LIMIT})"
    )
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE crowd AS SELECT crowd_key FROM class ANTI JOIN kept USING (class_key)"
        f" GROUP BY crowd_key ORDER BY sum(visits) DESC, min(number) LIMIT {LIMIT}"
    )
    placed = (
        f"SELECT class.*, {_PLACED}, followed, followed_to FROM class LEFT JOIN kept USING (class_key)"
        " LEFT JOIN crowd USING (crowd_key) LEFT JOIN led USING (class_key)"
    )
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE folded AS SELECT row_number() OVER (ORDER BY level, first_at, number)::INTEGER - 1"
        " AS class_id, * FROM"
        " (SELECT level, place, sum(visits)::BIGINT AS visits, (sum(visits) + coalesce(sum(followed), 0))::BIGINT AS requests,"
        " min(first_at) AS first_at, max(last_at) AS last_at, min(number) AS number,"
        " arg_max(followed_to, followed) FILTER (WHERE followed_to IS NOT NULL) AS followed_to"
        f" FROM ({placed}) GROUP BY level, place)"
    )
    keys = ", ".join(
        f"any_value({key}) AS {key}" for key in ("client_key", "agent_key", "host_key", "request_key", "status")
    )
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE summed AS SELECT * EXCLUDE (request_key) FROM folded"
        f" JOIN (SELECT number, {keys} FROM line SEMI JOIN folded USING (number) GROUP BY number) USING (number)"
        " JOIN request_page USING (request_key) JOIN (SELECT pattern_id, method FROM page) USING (pattern_id)"
    )
    scratch.run("DROP TABLE folded")
    create_texts(scratch, "client", "SELECT DISTINCT client_key FROM summed WHERE level < 1")
    for field in ("agent", "host"):
        create_texts(scratch, field, f"SELECT DISTINCT {field}_key FROM summed WHERE level < 2")


def table(scratch: Scratch, log: str, first_id: int) -> pa.Table:
    """Return the rows of ``visitor_class``."""
    texts = ", ".join(
        f"CASE WHEN level > {level} THEN '{FOLDED}' ELSE {plain(f'{field}_text.text')} END AS {name}"
        for field, name, level in (("client", "client", 0), ("agent", "user_agent", 1), ("host", "host", 1))
    )
    return _arrow(
        scratch,
        f"SELECT (class_id + {first_id})::INTEGER AS class_id, $log AS log, {texts}, summed.method,"
        f" CASE WHEN level > 1 THEN '{FOLDED}' ELSE page.path END AS path, status::INTEGER AS status, followed_to,"
        " visits, requests, first_at, last_at, period_s, phase_s, phase_spread_s, coverage"
        " FROM summed JOIN page USING (pattern_id) LEFT JOIN client_text USING (client_key)"
        " LEFT JOIN agent_text USING (agent_key) LEFT JOIN host_text USING (host_key)"
        " LEFT JOIN rhythm ON level = 0 AND rhythm.class_key = place ORDER BY class_id",
        {"log": log},
    )


def bins(scratch: Scratch, first_id: int) -> pa.Table:
    """Return the rows of ``visit_bin``."""
    return _arrow(
        scratch,
        # One number for class and minute: grouping and sorting by one is twice as fast as by two.
        f"SELECT ((place >> 32) + {first_id})::INTEGER AS class_id, make_timestamp((place & 4294967295) * 60000000) AS bin,"
        " visits FROM (SELECT (coalesce(own.class_id, crowd.class_id, rest.class_id)::BIGINT << 32)"
        " | (epoch_us(stamp) // 60000000) AS place, count(*)::INTEGER AS visits FROM visit"
        " LEFT JOIN (SELECT class_id, place AS class_key FROM summed WHERE level = 0) own USING (class_key)"
        " LEFT JOIN (SELECT class_id, place AS crowd_key FROM summed WHERE level = 1) crowd USING (crowd_key)"
        " LEFT JOIN (SELECT class_id, place::INTEGER AS rest_key FROM summed WHERE level = 2) rest USING (rest_key)"
        " GROUP BY place) ORDER BY place",
        {},
    )


def plain(column: str) -> str:
    """Return the expression for a text that a stranger sent: cut, and without anything that a terminal obeys."""
    shown = f"CASE WHEN {column} IS NULL OR {column} = '-' THEN '' ELSE left({column}, {_TEXT}) END"
    return f"regexp_replace({shown}, '[\\p{{Cc}}\\p{{Cf}}\\p{{Zl}}\\p{{Zp}}]', '\ufffd', 'g')"


def _arrow(scratch: Scratch, query: str, parameters: dict[str, str]) -> pa.Table:
    return scratch.connection.sql(query, params=parameters or None).to_arrow_table()
