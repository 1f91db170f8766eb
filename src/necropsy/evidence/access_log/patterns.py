"""Path patterns: what is left of a request target when everything that names a person or a thing is folded to ``*``.

=========================================  =====================
target                                     pattern
=========================================  =====================
``/users/8231/orders?sort=-date``          ``/users/*/orders``
``/login;jsessionid=9F3C2A``               ``/login``
``/assets/app.3f2a1b9c.js``                ``/assets/app.*.js``
``/invite/jo@example.org``                 ``/invite/*``
``/api/v2/oauth2/token``                   ``/api/v2/oauth2/token``
=========================================  =====================

It runs over the distinct targets of a log, inside DuckDB. Folding by shape cannot know that ``/users/alice`` holds a
name; so where one path has very many children, only the frequent ones keep their name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from necropsy.evidence.access_log.scratch import Scratch

CHILDREN: Final = 50
"""Names that one path keeps below it, most frequent first; the others are folded."""

_DEPTH: Final = 10
"""Segments of a pattern; what is deeper becomes one ``…``."""

_WORDS: Final = "[._~-]*[A-Za-z]{1,24}[0-9]?([._~-]+[A-Za-z]{1,24}[0-9]?)*[._~-]*"
"""Words of letters, each with one digit at its end at most, between separators."""
_UUID: Final = "[0-9A-Fa-f]{8}-?([0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}"

METHODS: Final = (
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE",
    "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "PURGE",
)  # fmt: skip
"""Methods that are shown; whatever else a client sends as its method is no word of ours (RFC 9110, 4918, 3253, 5323)."""

MALFORMED: Final = "-"
"""Method and path of what is no HTTP request line: TLS on a plain port, binary, scanners."""


def fold_segment(segment: str) -> str:
    """Return the DuckDB expression that folds one path segment.

    A segment is kept if it is made of words. A word with a digit in it goes, unless the digits are a short end of it
    (``v2``, ``oauth2``, ``woff2``); so do words longer than any real one, and whole segments with characters that no
    page's name has (``@ % = : ,``).
    """
    words = (
        f"regexp_replace(regexp_replace({segment}, '{_UUID}', '0', 'g'),"
        " '[A-Za-z]*[0-9][0-9A-Za-z]*|[A-Fa-f]{8,}|[A-Za-z]{25,}', '*', 'g')"
    )
    return (
        f"CASE WHEN {segment} = '' THEN ''"
        f" WHEN length({segment}) > 80 OR NOT regexp_full_match({segment}, '[A-Za-z0-9._~-]+') THEN '*'"
        f" WHEN regexp_full_match({segment}, '{_WORDS}|v[0-9]{{1,2}}')"
        f" AND NOT regexp_matches({segment}, '(^|[._~-])[A-Fa-f]{{8,}}($|[._~-])') THEN {segment}"
        f" ELSE regexp_replace({words}, '\\*([._~-]?\\*)+', '*', 'g') END"
    )


def pattern_of(table: str) -> str:
    """Return the query that adds ``path`` to a table with ``target``: its pattern, the query being off already."""
    # A proxy request names the host (RFC 9112, 3.2.2); path parameters (;jsessionid=) are no part of a page's name.
    plain = (
        "CASE WHEN target[1] = '/' THEN target ELSE regexp_replace(target, '^[A-Za-z][A-Za-z0-9+.-]*://[^/]*', '') END"
    )
    plain = (
        f"CASE WHEN regexp_matches(target, '[;#:]') THEN regexp_replace({plain}, ';[^/]*|#.*', '', 'g') ELSE target END"
    )
    folded = f"array_to_string(list_transform(parts[:{_DEPTH + 1}], lambda s: {fold_segment('s')}), '/')"
    return (
        f"SELECT * EXCLUDE (plain, parts), CASE WHEN target = '*' THEN '*' WHEN plain = '' THEN '/'"
        f" WHEN plain[1] <> '/' THEN '{MALFORMED}' WHEN len(parts) > {_DEPTH + 1} THEN {folded} || '/…' ELSE {folded} END AS path"
        f" FROM (SELECT *, string_split(plain, '/') AS parts FROM (SELECT *, {plain} AS plain FROM {table}))"
    )


def create_tables(scratch: Scratch) -> None:
    """Create ``page`` (pattern_id, method, method_id, path) and ``request_page`` (request_key, pattern_id) from ``line``."""
    known = ", ".join(f"'{method}'" for method in METHODS)
    words = "split_part(request, ' ', 1) AS word, split_part(request, ' ', 2) AS target"
    split = f"(SELECT request_key, requests, {words} FROM target)"
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE target AS SELECT request_key, any_value(text) AS request, any_value(requests) AS requests"
        " FROM (SELECT request_key, count(*) AS requests FROM line GROUP BY request_key)"
        " JOIN request_given USING (request_key) GROUP BY request_key"
    )
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE folded AS SELECT request_key, requests,"
        f" CASE WHEN word IN ({known}) THEN word ELSE '{MALFORMED}' END AS method,"
        f" CASE WHEN word IN ({known}) THEN path ELSE '{MALFORMED}' END AS path"
        f" FROM ({pattern_of(split)})"
    )
    _fold_rare_children(scratch)
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE page AS SELECT row_number() OVER ()::INTEGER AS pattern_id, method,"
        " dense_rank() OVER (ORDER BY method)::INTEGER AS method_id, path"
        " FROM (SELECT DISTINCT method, path FROM folded ORDER BY ALL)"
    )
    scratch.run(
        "CREATE OR REPLACE TEMP TABLE request_page AS SELECT request_key, pattern_id FROM folded JOIN page USING (method, path)"
    )
    scratch.run("DROP TABLE target; DROP TABLE folded")


def _fold_rare_children(scratch: Scratch) -> None:
    """Fold the rare names below every path that has more children than it may keep, from the top down."""
    if scratch.value("SELECT count(DISTINCT path) FROM folded") <= CHILDREN:
        return
    for depth in range(2, _DEPTH + 2):
        crowded = scratch.value(
            f"SELECT count(*) FROM (SELECT parts[:{depth - 1}] AS parent FROM"
            " (SELECT string_split(path, '/') AS parts FROM folded)"
            f" WHERE len(parts) >= {depth} GROUP BY parent HAVING count(DISTINCT parts[{depth}]) > {CHILDREN})"
        )
        if not crowded:
            continue
        scratch.run(
            "CREATE OR REPLACE TEMP TABLE kept_child AS"
            " SELECT parent, child FROM ("
            f" SELECT string_split(path, '/')[:{depth - 1}] AS parent, string_split(path, '/')[{depth}] AS child,"
            " sum(requests) AS requests FROM folded GROUP BY ALL)"
            f" QUALIFY row_number() OVER (PARTITION BY parent ORDER BY requests DESC, child) <= {CHILDREN}"
        )
        scratch.run(
            "UPDATE folded SET path ="
            f" array_to_string(list_concat(list_concat(parts[:{depth - 1}], ['*']), parts[{depth + 1}:]), '/')"
            " FROM (SELECT request_key AS changed_key, string_split(path, '/') AS parts FROM folded) changed"
            f" WHERE folded.request_key = changed_key AND len(parts) >= {depth} AND NOT EXISTS ("
            f"SELECT 1 FROM kept_child WHERE parent = parts[:{depth - 1}] AND child = parts[{depth}])"
        )
        scratch.run("DROP TABLE kept_child")
