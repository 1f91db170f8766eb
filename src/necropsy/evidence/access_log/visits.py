"""Visits: a redirect and what followed it are one action of one client.

A prober asks ``GET /``, is sent to ``/login`` and follows: two lines of the log, one visit, one session. ::

    18:41:34  172.12.1.189:80  GET /       302                                  ┐ one visit: GET /, 302,
    18:41:34  172.12.1.189     GET /login  200   Referer http://172.12.1.189:80 ┘ followed to /login, 2 requests

Lines are put in order of time, those of one second in the order of the log. Within one *flow* (same client and user
agent, and the same host) a run of redirects is followed by a run of other pages; the first of the one belongs to the
first of the other, the second to the second. So two probers that interleave in the same second come apart. Two rounds,
the second over what the first left:

1. by the page that the follower's Referer names, host and path (Go's HTTP client names the page that redirected it);
2. by host without port (a redirect may lose the port, as above; browsers do not name the page that redirected them).

Within each round, pairs that are mere coincidence are dropped: where a page redirects often, a follower must be seen
behind it more than now and then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.evidence.access_log.lines import create_texts, keys

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from necropsy.evidence.access_log.scratch import Scratch

REDIRECTS: Final = "(301, 302, 303, 307, 308)"
LONGEST_CHAIN: Final = 10
"""Redirects that a client follows (Go's net/http: 10; browsers: 20)."""

_COINCIDENCE: Final = 0.05
"""Share of a page's redirects that a follower must have, where there are enough of them to tell."""
_ENOUGH: Final = 20

_BY_REFERER: Final = (
    "SELECT l.*, hash(flow, page_key) AS key, TRUE AS leads, TRUE AS what FROM ({legs}) l JOIN named_page"
    " USING (host_key, request_key) WHERE redirect"
    " UNION ALL SELECT *, hash(flow, referer_key) AS key, FALSE AS leads, FALSE AS what FROM ({legs})"
    " WHERE referer_key IN (SELECT page_key FROM named_page)"
)
_BY_HOST: Final = "SELECT *, hash(flow, bare_key) AS key, redirect AS leads, pattern_id AS what FROM ({legs})"

_ROUNDS: Final = (
    # lines with the key of their flow and what makes a run of them; what else redirect a and follower b must meet
    (_BY_REFERER, "NOT b.leads AND a.number < b.number AND (a.pattern_id <> b.pattern_id OR a.bare_key <> b.bare_key)"),
    (_BY_HOST, "a.pattern_id <> b.pattern_id"),
)


def create_tables(scratch: Scratch, slack_s: float) -> None:
    """Create ``follower`` (number of a line that followed, root) and ``chain`` (number, last_pattern, followed).

    ``root`` is the number of the line that began the visit.

    ``number`` of a chain is the line that began the visit, ``followed`` how many requests came after it.
    """
    scratch.run("CREATE OR REPLACE TEMP TABLE pair (number BIGINT, follower BIGINT)")
    if not scratch.value(f"SELECT count(*) FROM line WHERE status IN {REDIRECTS}"):
        _chains(scratch)
        return
    _candidates(scratch, slack_s)
    for keyed, condition in _ROUNDS:
        if scratch.value("SELECT count(*) FROM leg WHERE redirect"):
            _pair(scratch, keyed, condition, slack_s)
    _chains(scratch)
    scratch.run("DROP TABLE leg; DROP TABLE pair; DROP TABLE named_page")


def _candidates(scratch: Scratch, slack_s: float) -> None:
    """Create ``leg``: the redirects, and what the same client asked for within the slack after one."""
    # Lines of the same client in the same or the next stretch of time: a join finds them, where a window would sort.
    stretch = f"(epoch_us(stamp) // {max(1, round(slack_s * 1e6))})"
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE near AS"
        f" WITH timed AS (SELECT number, stamp, hash(client_key, agent_key) AS flow, {stretch} AS stretch, host_key,"
        f" request_key, referer_key, status IN {REDIRECTS} AS redirect FROM line),"
        " after AS (SELECT DISTINCT unnest([hash(flow, stretch), hash(flow, stretch + 1)]) AS place FROM timed WHERE redirect)"
        " SELECT * EXCLUDE (stretch) FROM timed WHERE hash(flow, stretch) IN (SELECT place FROM after)"
    )
    create_texts(scratch, "host", "SELECT DISTINCT host_key FROM near")
    create_texts(scratch, "request", "SELECT DISTINCT request_key FROM near WHERE redirect")
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE leg AS SELECT number, stamp, flow, host_key, request_key, referer_key, pattern_id,"
        " redirect, TRUE AS free, hash(regexp_replace(lower(coalesce(host_text.text, '')), ':[0-9]+$', '')) AS bare_key"
        " FROM near JOIN request_page USING (request_key) LEFT JOIN host_text USING (host_key)"
    )
    _name_pages(scratch)
    scratch.run("DROP TABLE near; DROP TABLE host_text; DROP TABLE request_text")


def _name_pages(scratch: Scratch) -> None:
    """Create ``named_page`` (host_key, request_key, page_key): under which keys a Referer may name a page that redirects.

    It may do so under either scheme, the root with or without its slash, or the host alone.
    """
    import pyarrow as pa

    pages = scratch.connection.sql(
        "SELECT host_key, request_key, unnest(['http://' || page, 'https://' || page]) AS name FROM"
        " (SELECT host_key, request_key, unnest([host, host || '/', host || path]) AS page FROM"
        " (SELECT host_key, request_key, host_text.text AS host, split_part(request_text.text, ' ', 2) AS path FROM"
        " (SELECT DISTINCT host_key, request_key FROM leg WHERE redirect)"
        " JOIN host_text USING (host_key) JOIN request_text USING (request_key)))"
    ).to_arrow_table()
    names = pages["name"].combine_chunks()
    named = pages.drop_columns("name").append_column("page_key", pa.array(keys(names), pa.uint64()))
    scratch.connection.register("named", named)
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE named_page AS SELECT DISTINCT * FROM named"
        " SEMI JOIN (SELECT DISTINCT referer_key AS page_key FROM leg) USING (page_key)"
    )
    scratch.connection.unregister("named")


def _pair(scratch: Scratch, keyed: str, condition: str, slack_s: float) -> None:
    """Run one round: pair redirects with their followers, and take both out of ``leg``."""
    guess = _guess("SELECT * FROM leg", keyed, condition, slack_s)
    scratch.run(f"CREATE OR REPLACE TEMP TABLE guess AS {guess}")
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE habit AS SELECT from_pattern, to_pattern FROM"
        " (SELECT from_pattern, to_pattern, count(*) AS seen, sum(count(*)) OVER (PARTITION BY from_pattern) AS all_seen"
        f" FROM guess GROUP BY from_pattern, to_pattern) WHERE all_seen < {_ENOUGH} OR seen >= {_COINCIDENCE} * all_seen"
    )
    scratch.run("CREATE OR REPLACE TEMP TABLE usual AS FROM guess SEMI JOIN habit USING (from_pattern, to_pattern)")
    if scratch.value("SELECT (SELECT count(*) FROM usual) < (SELECT count(*) FROM guess)"):
        # Once more without the passers-by: only redirects, and pages that redirects of this log lead to.
        known = "SELECT * FROM leg WHERE redirect OR pattern_id IN (SELECT to_pattern FROM habit)"
        again = _guess(known, keyed, condition, slack_s)
        scratch.run(
            f"CREATE OR REPLACE TEMP TABLE usual AS FROM ({again}) SEMI JOIN habit USING (from_pattern, to_pattern)"
        )
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE guess AS SELECT number, min(follower) AS follower FROM usual GROUP BY number"
    )
    scratch.run("INSERT INTO pair SELECT number, follower FROM guess")
    scratch.run("UPDATE leg SET redirect = FALSE WHERE number IN (SELECT number FROM guess)")
    scratch.run("UPDATE leg SET free = FALSE WHERE number IN (SELECT follower FROM guess)")
    scratch.run("DELETE FROM leg WHERE NOT redirect AND NOT free")
    scratch.run("DROP TABLE guess; DROP TABLE usual; DROP TABLE habit")


def _guess(legs: str, keyed: str, condition: str, slack_s: float) -> str:
    """Return the query that pairs the n-th redirect of a run with the n-th line of the run after it."""
    order = "ORDER BY stamp, number, leads"
    return (
        f"WITH keyed AS ({keyed.format(legs=legs)}),"
        " turned AS (SELECT *, what IS DISTINCT FROM lag(what) OVER w OR free IS DISTINCT FROM lag(free) OVER w"
        " OR leads IS DISTINCT FROM lag(leads) OVER w AS turn"
        f" FROM keyed WINDOW w AS (PARTITION BY key {order})),"
        f" runs AS (SELECT *, sum(turn::INTEGER) OVER (PARTITION BY key {order} ROWS UNBOUNDED PRECEDING) AS run FROM turned),"
        f" ranked AS (SELECT *, row_number() OVER (PARTITION BY key, run {order}) AS place FROM runs)"
        " SELECT a.number, b.number AS follower, a.pattern_id AS from_pattern, b.pattern_id AS to_pattern"
        " FROM ranked a JOIN ranked b ON a.key = b.key AND b.run = a.run + 1 AND b.place = a.place"
        " WHERE a.leads AND b.free AND b.stamp - a.stamp <="
        f" to_microseconds({round(slack_s * 1e6)}) AND {condition}"
    )


def _chains(scratch: Scratch) -> None:
    """Collapse pairs into chains: redirect to redirect to page. A chain that is too long is cut into several visits."""
    import numpy as np
    import pyarrow as pa

    pairs = scratch.columns("SELECT number, follower FROM pair ORDER BY number")
    number, follower = (np.asarray(pairs[name], dtype=np.int64) for name in ("number", "follower"))
    root, place = chain_places(number, follower)
    inside = place > 0
    scratch.connection.register(
        "walked", pa.table({"number": root[inside], "follower": follower[inside], "place": place[inside]})
    )
    scratch.run("CREATE OR REPLACE TEMP TABLE follower AS SELECT follower AS number, number AS root FROM walked")
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE chain AS SELECT walked.number, count(*) AS followed,"
        " arg_max(request_key, place) AS last_request"
        " FROM walked JOIN line ON line.number = walked.follower GROUP BY walked.number"
    )
    scratch.connection.unregister("walked")


def chain_places(number: NDArray[np.int64], follower: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find for each pair the line that began its visit, and the place of the follower in it.

    Parameters
    ----------
    number, follower
        Pairs of lines, sorted by ``number``; a line has one follower at most and follows one line at most.

    Returns
    -------
    The first line of the visit, and the place of the follower behind it, 1 to ``LONGEST_CHAIN``; place 0: the chain was
    too long, and the follower begins another visit.
    """
    import numpy as np

    by_follower = np.argsort(follower)
    at = np.searchsorted(follower[by_follower], number)
    hit = np.minimum(at, max(0, number.size - 1))
    before = (
        np.where((at < number.size) & (follower[by_follower][hit] == number), by_follower[hit], -1)
        if number.size
        else at
    )
    # Pointer doubling: a bot that is sent back and forth all day makes a chain of thousands.
    depth, jump = (before >= 0).astype(np.int64), before.copy()
    while (jump >= 0).any():
        reached = jump >= 0
        depth[reached] += depth[jump[reached]]
        jump[reached] = jump[jump[reached]]
    place = (depth + 1) % (LONGEST_CHAIN + 1)
    root = np.arange(number.size)
    for back in range(1, LONGEST_CHAIN):
        further = place > back
        root[further] = before[root[further]]
    return number[root], place
