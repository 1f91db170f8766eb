"""The tables of a case file, declared once (``history_tables`` has those of times past).

Times are ``TIMESTAMP`` without zone and mean UTC. Columns marked ``hashed_from`` never hold what the reader saw: the
case replaces the raw bytes by a keyed hash while they enter (see ``identity``).
"""

from __future__ import annotations

from typing import Final

from necropsy.case.history_tables import HISTORY_TABLES
from necropsy.case.table import Column, Table
from necropsy.case.watch_tables import WATCH_TABLES

SCHEMA_VERSION: Final = 3
"""Raised when a table changes in a way that an older necropsy would misread."""


_STORE = Column("store", "VARCHAR", "Name of the session store.")

_SESSION_COLUMNS: Final = (
    _STORE,
    Column("layout", "VARCHAR", "Session layout: spring-indexed, spring, spring-reactive, express, django, flask …"),
    Column("namespace", "VARCHAR", "Prefix that all keys of this application share."),
    Column("db", "INTEGER", "Redis database number."),
    Column("id_hash", "UBIGINT", "Keyed hash of the session id, 64 bits.", hashed_from="id"),
    Column("born_at", "TIMESTAMP", "Creation; NULL when unknown."),
    Column("born_precision_s", "DOUBLE", "Resolution of born_at in seconds."),
    Column(
        "born_provenance",
        "VARCHAR",
        "explicit; derived; not later than (the last write: the birth, unless the client returned); unknown.",
    ),
    Column("last_seen_at", "TIMESTAMP", "Last request that used the session."),
    Column("expires_at", "TIMESTAMP", "When the session stops being valid (grace removed); NULL: never."),
    Column("lifetime_s", "BIGINT", "Idle lifetime that the session asks for; negative: never expires; NULL: unknown."),
    Column("keys", "INTEGER", "Redis keys that this session alone costs; shared index sets are not counted."),
    Column("bytes", "BIGINT", "Estimated memory of those keys."),
    Column("authentication", "VARCHAR", "yes, no or unknown."),
    Column("attributes", "INTEGER", "Number of attributes stored in the session."),
    Column(
        "state",
        "VARCHAR",
        "live; grace (expired, kept for the grace period); expired; overdue (expired, but its key never expires); ghost.",
    ),
    Column("creator_user_agent", "VARCHAR", "User-Agent of the creating request, if the session names it."),
    Column("creator_host", "VARCHAR", "Host header of the creating request (with port if it had one)."),
    Column("creator_method", "VARCHAR", "Method of the creating request."),
    Column("creator_path", "VARCHAR", "Path of the creating request, without query."),
)

TABLES: Final[tuple[Table, ...]] = (
    Table(
        "meta",
        "Facts of the case itself.",
        (
            Column("name", "VARCHAR", "schema_version, necropsy, created_at, now, salt, key (absent when withheld)."),
            Column("value", "VARCHAR", "Value as text."),
        ),
    ),
    Table(
        "source",
        "Every source that was opened, with the hash of its bytes.",
        (
            Column("reader", "VARCHAR", "Room of the reader: rdb, access_log, prometheus …"),
            Column("locator", "VARCHAR", "Path or address, passwords removed."),
            Column("taken_at", "TIMESTAMP", "When the source was in this state."),
            Column("sha256", "VARCHAR", "Digest of the bytes as stored; NULL for a stream."),
            Column("size", "BIGINT", "Bytes as stored."),
            Column("store", "VARCHAR", "Store that it describes, if any."),
            Column("note", "VARCHAR", "What the reader says aloud: log format, RDB version."),
        ),
    ),
    Table(
        "absence",
        "Evidence that could not be had.",
        (
            Column("kind", "VARCHAR", "Reader or table that stays empty."),
            Column("locator", "VARCHAR", "Path or address."),
            Column("reason", "VARCHAR", "Why."),
            Column("hint", "VARCHAR", "What to do to have it next time."),
        ),
    ),
    Table(
        "blemish",
        "Damage inside a source that was otherwise used.",
        (
            Column("file", "VARCHAR", "Source."),
            Column("unit", "VARCHAR", "line or byte; of a live store key or slot."),
            Column("place", "BIGINT", "First damaged line (from 1); or byte, key or slot (from 0)."),
            Column("why", "VARCHAR", "What is wrong and what it means for the figures."),
            Column("sample", "VARCHAR", "A few characters with secrets masked; may be empty."),
            Column("count", "BIGINT", "Places with this same damage."),
        ),
    ),
    Table(
        "server_fact",
        "What a store says of itself: AUX fields of a dump, INFO and CONFIG of a server.",
        (
            _STORE,
            Column("name", "VARCHAR", "redis-ver, ctime, used-mem, maxmemory, keys, keys_expired …"),
            Column("value", "VARCHAR", "Value as text."),
        ),
    ),
    Table("session", "One row a session.", _SESSION_COLUMNS),
    Table(
        "session_part",
        "Staging: keys recognised as parts of sessions, before they are put together. Empty in a finished case.",
        (
            *_SESSION_COLUMNS,
            Column("role", "VARCHAR", "session (the record itself) or companion (another key of it)."),
            Column("grace_s", "INTEGER", "Seconds that the key outlives the session by design."),
        ),
        staging=True,
    ),
    Table(
        "kept_session",
        "One row for each namespace in which sessions outlived the logout of their user: emptied, and kept.",
        (
            _STORE,
            Column("namespace", "VARCHAR", "Prefix that all keys of this application share."),
            Column("db", "INTEGER", "Redis database number."),
            Column("sessions", "BIGINT", "Number of them."),
        ),
    ),
    Table(
        "index_entry",
        "One row for each session id held in a shared index that does not expire by itself (principal index, expiration sets).",
        (
            _STORE,
            Column("family", "VARCHAR", "Pattern of the index key, nothing of the principal in it."),
            Column("index_hash", "UBIGINT", "Keyed hash of the index key.", hashed_from="index"),
            Column("id_hash", "UBIGINT", "Keyed hash of the session id in it.", hashed_from="id"),
        ),
    ),
    Table(
        "key_family",
        "All keys by pattern and role; sessions are families too. The sum over all rows is the whole keyspace.",
        (
            _STORE,
            Column("db", "INTEGER", "Redis database number."),
            Column("pattern", "VARCHAR", "Key with ids, numbers and hashes folded to *."),
            Column("type", "VARCHAR", "Redis type."),
            Column("role", "VARCHAR", "session, companion, index or other."),
            Column("keys", "BIGINT", "Number of keys."),
            Column("bytes", "BIGINT", "Estimated memory."),
            Column("elements", "BIGINT", "Elements in all of them."),
            Column("without_expiry", "BIGINT", "Keys that never expire."),
            Column("expired", "BIGINT", "Keys whose expiry is past but which are still there."),
            Column("tokens", "BIGINT", "Keys of no known layout that end in something random, as a session id is."),
            Column(
                "first_expiry", "TIMESTAMP", "The earliest expiry of the keys of no known layout; NULL: none expires."
            ),
            Column("last_expiry", "TIMESTAMP", "The latest one; less the moment of the dump, nearly their lifetime."),
        ),
    ),
    Table(
        "visitor_class",
        "Visits alike in client, user agent, host, method, path pattern and status.",
        (
            Column("class_id", "INTEGER", "Number within the case."),
            Column("log", "VARCHAR", "Access log that recorded it."),
            Column(
                "client",
                "VARCHAR",
                "Address of the client, or # and its hash with the case's key; empty when the log has none.",
            ),
            Column("user_agent", "VARCHAR", "User-Agent."),
            Column("host", "VARCHAR", "Host header, with port if it had one; empty when the log has none."),
            Column("method", "VARCHAR", "GET, POST …"),
            Column("path", "VARCHAR", "Path pattern of the first request of the visit, ids folded to *."),
            Column("status", "INTEGER", "Status of the first request."),
            Column("followed_to", "VARCHAR", "Path of the request that followed a redirect; NULL when none did."),
            Column("visits", "BIGINT", "Client actions: redirect chains counted once."),
            Column("requests", "BIGINT", "Requests, redirects included."),
            Column("first_at", "TIMESTAMP", "First visit."),
            Column("last_at", "TIMESTAMP", "Last visit."),
            Column("period_s", "DOUBLE", "Period when it comes at a fixed interval; NULL when it does not."),
            Column("phase_s", "DOUBLE", "Unix time modulo period_s; NULL without period."),
            Column("phase_spread_s", "DOUBLE", "Spread of the phase: resolution of the log, drift of the prober."),
            Column("coverage", "DOUBLE", "Share of the expected ticks that were seen."),
            Column("probers", "INTEGER", "How many of this period are interleaved; NULL without period."),
            Column(
                "bare", "BOOLEAN", "Whether this page, on this host and with this status, was never more than headers."
            ),
        ),
    ),
    Table(
        "visit_bin",
        "Visits per class and minute.",
        (
            Column("class_id", "INTEGER", "Class."),
            Column("bin", "TIMESTAMP", "Start of the minute."),
            Column("visits", "INTEGER", "Visits in it."),
        ),
    ),
    Table(
        "visit",
        "Start of each visit, of logs whose visits are matched with births one by one; very long logs keep blocks of time.",
        (
            Column("class_id", "INTEGER", "Class."),
            Column("client", "BIGINT", "Keyed number of the client (address and User-Agent), the same within one log."),
            Column(
                "started_at", "TIMESTAMP", "Start of the first request, or its end where the log tells no duration."
            ),
        ),
    ),
    Table(
        "log_span",
        "Stretches of time of which every visit of a log is in the table visit.",
        (
            Column("log", "VARCHAR", "Access log."),
            Column("first_at", "TIMESTAMP", "Start."),
            Column("last_at", "TIMESTAMP", "End."),
            Column("resolution_s", "DOUBLE", "Resolution of the log's times in seconds: 1 or less."),
            Column(
                "times_are_starts", "BOOLEAN", "True: durations are logged, so starts are known; false: times are ends."
            ),
        ),
    ),
    Table(
        "cookie_use",
        "Clients and session cookies, of logs that tell both what was brought and what was given; values are kept nowhere.",
        (
            Column("log", "VARCHAR", "Access log that recorded it."),
            Column("client", "VARCHAR", "Address of the client; * where many were folded."),
            Column("user_agent", "VARCHAR", "User-Agent; * where many were folded."),
            Column("clients", "BIGINT", "Clients in this row: 1, or those that were folded."),
            Column("visits", "BIGINT", "Client actions: redirect chains counted once."),
            Column("brought", "BIGINT", "Visits whose first request brought a session cookie."),
            Column("given", "BIGINT", "Visits whose answer gave a session cookie."),
            Column("renewed", "BIGINT", "Visits that brought none and were given one: a new session each."),
            Column("first_at", "TIMESTAMP", "First visit."),
            Column("last_at", "TIMESTAMP", "Last visit."),
        ),
    ),
    Table(
        "error_event",
        "Application errors by class and minute.",
        (
            Column("log", "VARCHAR", "Application log."),
            Column("bin", "TIMESTAMP", "Start of the minute; NULL when no time was recognised."),
            Column("class", "VARCHAR", "Exception class, chains folded to the innermost known cause."),
            Column("events", "INTEGER", "How many."),
            Column("trouble", "VARCHAR", "What it says of the store: full, slow, pool, lost …; NULL: nothing."),
        ),
    ),
    Table(
        "probe",
        "Every request that monitoring is configured to send.",
        (
            Column("probe_id", "INTEGER", "Number within the case."),
            Column("prober", "VARCHAR", "family/name."),
            Column("kind", "VARCHAR", "blackbox-http, scrape, consul-check …"),
            Column("method", "VARCHAR", "Method."),
            Column("url", "VARCHAR", "URL that reaches the application."),
            Column("host", "VARCHAR", "Host of the URL."),
            Column("port", "INTEGER", "Port of the URL."),
            Column("path", "VARCHAR", "Path and query of the URL."),
            Column("period_s", "DOUBLE", "Seconds between requests."),
            Column("timing", "VARCHAR", "ticker or renewal."),
            Column("phase_s", "DOUBLE", "Unix time modulo period_s, if computable."),
            Column("creates_sessions", "BOOLEAN", "False when it cannot reach an HTTP handler."),
            Column("service", "VARCHAR", "Discovered service."),
            Column("health", "VARCHAR", "Health as discovery reports it."),
            Column("value", "JSON", "The whole probe, origins included."),
        ),
    ),
    Table(
        "backend",
        "Listening ports as the proxy's configuration knows them.",
        (
            Column("address", "VARCHAR", "Address as written."),
            Column("port", "INTEGER", "Port."),
            Column("role", "VARCHAR", "proxy or upstream."),
            Column("state", "VARCHAR", "live, idle or unknown."),
            Column("upstream", "VARCHAR", "Upstream block."),
            Column("access_log", "VARCHAR", "Log that records requests through the proxy; NULL when off."),
            Column("value", "JSON", "The whole backend, origin included."),
        ),
    ),
    Table(
        "application_setting",
        "Places in an application's files that start a session for everybody, or let none end.",
        (
            Column("file", "VARCHAR", "File as it was named."),
            Column("line", "INTEGER", "Line of the setting."),
            Column("layout", "VARCHAR", "Layout whose sessions it makes."),
            Column("framework", "VARCHAR", "Framework, in words."),
            Column("meaning", "VARCHAR", "What it does."),
            Column("instead", "VARCHAR", "What to write."),
        ),
    ),
    Table(
        "dropped_target",
        "Discovered targets that monitoring never asks.",
        (
            Column("prober", "VARCHAR", "family/name."),
            Column("address", "VARCHAR", "Address as discovered."),
            Column("reason", "VARCHAR", "Why, in the prober's own words where it has some."),
            Column("file", "VARCHAR", "File that decided it; NULL when no line is known."),
            Column("line", "INTEGER", "Line that decided it."),
            Column("value", "JSON", "The whole of it, origins included."),
        ),
    ),
    Table(
        "relabel_rule",
        "Relabel rules of the jobs that discovered a target, and how many targets each one touched.",
        (
            Column("prober", "VARCHAR", "family/name."),
            Column("file", "VARCHAR", "File of the rule."),
            Column("line", "INTEGER", "Line of the rule."),
            Column("action", "VARCHAR", "replace, keep, drop, labelmap …"),
            Column("what", "VARCHAR", "What the rule does, in a few words."),
            Column("reached", "BIGINT", "Discovered targets that came as far as this rule."),
            Column("matched", "BIGINT", "Those that its regex matched; NULL: none, and evidence cannot tell why."),
            Column(
                "collided", "BIGINT", "Those in which a labelmap gave one name to several labels; one wins at random."
            ),
            Column("collision", "VARCHAR", "The first such name; NULL: there is none."),
            Column("absent_label", "VARCHAR", "Source label that none of them has; NULL: each is there once at least."),
            Column("alike", "VARCHAR", "Label that they do have and that is spelled alike; NULL: none is."),
        ),
    ),
    Table(
        "service_instance",
        "Instances that service discovery knows, whether a probe asks them or not.",
        (
            Column("service", "VARCHAR", "Service."),
            Column("instance", "VARCHAR", "ID of the instance on its node."),
            Column("node", "VARCHAR", "Name of its node; empty when unknown."),
            Column("address", "VARCHAR", "Address and port."),
            Column("port", "INTEGER", "Port."),
            Column(
                "health", "VARCHAR", "passing, warning, critical or maintenance; NULL when only a definition is known."
            ),
            Column("node_health", "VARCHAR", "Status of the node's own check (serfHealth); NULL when unknown."),
            Column("file", "VARCHAR", "File that knows it."),
            Column("line", "INTEGER", "Line that knows it."),
        ),
    ),
    Table(
        "birth_claim",
        "Which births were attributed to whom, by which evidence. The claims on one birth add up to 1 at most.",
        (
            _STORE,
            Column("claim_id", "INTEGER", "Number of the claim within the case; session_claim refers to it."),
            Column("creator", "VARCHAR", "probe, visitor, people or unlogged."),
            Column("probe_id", "INTEGER", "Probe, if one explains it."),
            Column("class_id", "INTEGER", "Visitor class, if one explains it."),
            Column("evidence", "VARCHAR", "named, comb, authenticated or visits."),
            Column(
                "alternative",
                "VARCHAR",
                "Who else it could be: another creator that no evidence tells apart; else NULL.",
            ),
            Column("label", "VARCHAR", "Who, in a few words, fit for a legend."),
            Column("user_agent", "VARCHAR", "User-Agent of the creator; empty when nothing shows it."),
            Column("births", "DOUBLE", "Births claimed."),
            Column("births_low", "DOUBLE", "Lower end of the 95 % interval."),
            Column("births_high", "DOUBLE", "Upper end."),
            Column("births_per_hour", "DOUBLE", "Rate while it was active."),
            Column("creation_probability", "DOUBLE", "Sessions per visit or tick."),
            Column("period_s", "DOUBLE", "Period of the comb."),
            Column("phase_s", "DOUBLE", "Phase of the comb."),
            Column("phase_low_s", "DOUBLE", "Start of the window of phases that belong to the comb (circular)."),
            Column("phase_high_s", "DOUBLE", "End of that window; below the start when the window wraps around zero."),
            Column("in_access_log", "BOOLEAN", "Whether a log shows this creator; NULL without logs."),
            Column("first_at", "TIMESTAMP", "First birth of this creator that survives; NULL when unknown."),
            Column("last_at", "TIMESTAMP", "Last birth of this creator; NULL when births are counted, not pointed at."),
            Column("clients", "BIGINT", "How many clients (address and User-Agent) it has; NULL without a log."),
            Column(
                "visits", "BIGINT", "Visits of it in the logs, within the time that can testify; NULL without a log."
            ),
            Column(
                "extrapolated", "DOUBLE", "Of the births, those before or after the log's time: inferred from the rate."
            ),
            Column("bytes", "DOUBLE", "Memory of the claimed sessions that still live."),
            Column(
                "one_of",
                "INTEGER[]",
                "Probes of which it is one, where fewer create than there are and nothing tells which; else NULL.",
            ),
        ),
    ),
    Table(
        "session_claim",
        "Which session was attributed to which claim. A session without a row is explained by nobody.",
        (
            _STORE,
            Column("id_hash", "UBIGINT", "Keyed hash of the session id, as in session."),
            Column("claim_id", "INTEGER", "The likeliest claim."),
            Column("weight", "FLOAT", "How likely this claim is, 0 to 1."),
        ),
    ),
    Table(
        "creation_test",
        "Each visitor class and each probe, tested against the births of a store for whether it creates sessions.",
        (
            _STORE,
            Column("class_id", "INTEGER", "Visitor class, if it is one."),
            Column("probe_id", "INTEGER", "Probe, if it is one."),
            Column(
                "visits",
                "BIGINT",
                "Visits (of a probe that no log shows: expected requests) within the time that can testify.",
            ),
            Column("followed", "BIGINT", "Of these, visits with a birth within the time of the answer."),
            Column("chance", "DOUBLE", "Share of the visits that would have one by chance: births moved in time."),
            Column("probability", "DOUBLE", "Sessions created per visit."),
            Column("probability_low", "DOUBLE", "Lower end of the 95 % interval."),
            Column("probability_high", "DOUBLE", "Upper end."),
            Column("outcome", "VARCHAR", "creates, innocent, tied (cannot be told from another) or untested."),
            Column(
                "reason",
                "VARCHAR",
                "Why it is tied or untested, or by what it was decided; a sentence without a full stop.",
            ),
        ),
    ),
    Table(
        "birth_account",
        "The sum of each store: how many births were seen, and what can be said of them.",
        (
            _STORE,
            Column("births", "BIGINT", "Sessions of known birth."),
            Column("unknown", "BIGINT", "Sessions whose birth is not known."),
            Column("explained", "DOUBLE", "Births that the claims explain, trains of unidentified clients included."),
            Column(
                "horizon_at",
                "TIMESTAMP",
                "Sessions born before this may have expired: older creators cannot be seen; NULL: none expires.",
            ),
            Column(
                "covered_from",
                "TIMESTAMP",
                "From here on an access log that belongs to the store covers the births; NULL: no log.",
            ),
            Column("covered_to", "TIMESTAMP", "To here."),
            Column("covered", "BIGINT", "Births within the time that a log covers."),
            Column("reason", "VARCHAR", "Why births are not explained, where they are not; else NULL."),
        ),
    ),
    Table(
        "clock_offset",
        "Clocks of logs against those of stores, estimated by the same match.",
        (
            _STORE,
            Column("log", "VARCHAR", "Access log."),
            Column("offset_s", "DOUBLE", "Seconds that the log's clock is ahead of the store's; what was corrected."),
            Column("score", "DOUBLE", "Height of the peak of the correlation in its standard deviations."),
            Column("applied", "BOOLEAN", "Whether the visits were moved; false: the log was set aside."),
            Column("reason", "VARCHAR", "What it means, a sentence without a full stop."),
        ),
    ),
    Table(
        "finding",
        "What the examiners found, as values of report/1.",
        (Column("slug", "VARCHAR", "Slug."), Column("value", "JSON", "The finding.")),
    ),
    Table(
        "verdict",
        "The verdict; one row.",
        (Column("value", "JSON", "The verdict."),),
    ),
    *HISTORY_TABLES,
    *WATCH_TABLES,
)

BY_NAME: Final[dict[str, Table]] = {table.name: table for table in TABLES}
