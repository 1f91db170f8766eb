"""Sources and settings of applications: places that start a session for everybody, or let none end, by exact signs.

::

    app.use(session({ store, secret, saveUninitialized: true }))       // Express: every request without the cookie

A place is named only where the file itself says which framework it is, and the sign is a setting, not a habit; comments are
no settings. What a file does not say is not guessed: silence means nothing.

Source: the README and documentation that ``registry.cure`` names for each framework.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

SUFFIXES: Final = frozenset(
    {".js", ".mjs", ".cjs", ".ts", ".py", ".rb", ".go", ".java", ".kt", ".properties", ".yml", ".yaml"}
)
_LIKE_C: Final = frozenset({".js", ".mjs", ".cjs", ".ts", ".go", ".java", ".kt"})
_C_COMMENT: Final = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|//[^\n]*|/\*.*?\*/""", re.DOTALL
)
_HASH_COMMENT: Final = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\#[^\n]*""")


@dataclass(frozen=True, slots=True)
class Setting:
    """One place in an application that starts sessions for everybody, or lets none end."""

    line: int
    layout: str
    """Layout whose sessions it makes."""
    meaning: str
    """Its effect, a sentence."""
    instead: str
    """The setting to write, or the step to take."""


@dataclass(frozen=True, slots=True)
class _Rule:
    suffixes: frozenset[str]
    layout: str
    needs: re.Pattern[str]
    """Text that the file must have, so that the framework is certain."""
    find: Callable[[str], Iterator[int]]
    """Places of the sign in a text without comments."""
    meaning: str
    instead: str


def settings(name: str, text: str) -> Iterator[Setting]:
    r"""Yield the places of one file; its suffix says the language.

    >>> text = "const session = require('express-session')\napp.use(session({ store, saveUninitialized: true }))"
    >>> [(one.line, one.layout) for one in settings("app.js", text)]
    [(2, 'express')]
    >>> list(settings("app.js", text.replace("true", "false")))
    []
    """
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    rules = [rule for rule in RULES if suffix in rule.suffixes and rule.needs.search(text)]
    if not rules:
        return
    bare = _without_comments(text, suffix)
    for rule in rules:
        if rule.needs.search(bare):
            for place in rule.find(bare):
                yield Setting(bare.count("\n", 0, place) + 1, rule.layout, rule.meaning, rule.instead)


def is_known(name: str, text: str) -> bool:
    r"""Whether a file says that it uses a framework of which something is known here, so that silence means something.

    >>> is_known("application.yml", "spring: {session: {timeout: 1h}}"), is_known("a.yml", "shop: 1"), is_known("a.py", "")
    (True, False, False)
    """
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    return any(suffix in rule.suffixes and rule.needs.search(text) for rule in RULES)


def _without_comments(text: str, suffix: str) -> str:
    """Return the text with its comments as spaces: every place keeps its line."""
    comment = _C_COMMENT if suffix in _LIKE_C else _HASH_COMMENT
    return comment.sub(lambda found: found[1] or re.sub(r"[^\n]", " ", found[0]), text)


def _arguments(text: str, start: int) -> str | None:
    """Return what stands between the bracket at this place and the one that closes it; None when none does."""
    depth = 0
    for found in re.compile(r"""[()\[\]{}]|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""").finditer(text, start):
        piece = found[0]
        depth += (piece in "([{") - (piece in ")]}") if len(piece) == 1 else 0
        if not depth:
            return text[start + 1 : found.start()]
    return None


def _calls(call: str, *, lacks: str = "", has: str = "") -> Callable[[str], Iterator[int]]:
    """Find calls whose arguments are all in sight, and lack one name or have one setting."""

    def find(text: str) -> Iterator[int]:
        for found in re.finditer(call + r"\s*\(", text):
            inside = _arguments(text, found.end() - 1)
            if inside is None or "..." in inside or "**" in inside:
                continue
            if lacks and "{" in inside + "{" and not re.search(lacks, inside):
                yield found.start()
            elif has and (setting := re.search(has, inside)):
                yield found.end() + setting.start()

    return find


def _lines(pattern: str) -> Callable[[str], Iterator[int]]:
    return lambda text: (found.start() for found in re.finditer(pattern, text, re.MULTILINE))


def _express(text: str) -> Iterator[int]:
    """Find express-session's options by the name under which it was imported."""
    imported = re.search(
        r"""(?:(?:const|let|var)\s+(\w+)\s*=\s*require\(\s*|import\s+(?:\*\s+as\s+)?(\w+)\s+from\s+)['"]express-session['"]""",
        text,
    )
    if imported is None:
        return
    name = re.escape(imported[1] or imported[2])
    for found in re.finditer(rf"(?<![\w.]){name}\s*\(\s*(?=\{{)", text):
        inside = _arguments(text, text.index("(", found.start()))
        if inside is None or "..." in inside:
            continue
        setting = re.search(r"\bsaveUninitialized\b(?:\s*:\s*(\w+))?", inside)
        if setting is None:
            yield found.start()
        elif setting[1] == "true":
            yield text.index("(", found.start()) + 1 + setting.start()


def _without_expiry(text: str) -> Iterator[int]:
    """Find Rack's session stores without expire_after, up to the end of the statement."""
    for found in re.finditer(
        r"(?:session_store[ (]+:(?:redis_store|redis_session_store|cache_store)\b|\buse\s+Rack::Session::Redis\b)", text
    ):
        statement = re.match(r"(?:[^\n]*(?:,|\\|\{|\()\s*\n)*[^\n]*(?:\n\s*[})][^\n]*)*", text[found.start() :])
        words = statement[0] if statement else ""
        if "expire_after" not in words and "**" not in words and ":ttl" not in words and "ttl:" not in words:
            yield found.start()


def _flask_login(text: str) -> Iterator[int]:
    """Find a login page in front of which Flask-Login flashes its message, in the manager's own name."""
    if re.search(r"unauthorized_handler|SESSION_TYPE['\"\]]*\s*=\s*['\"](?!redis)", text):
        return
    for manager in re.finditer(r"^\s*(\w+)\s*=\s*LoginManager\(", text, re.MULTILINE):
        view = re.search(rf"^\s*{manager[1]}\.login_view\s*=\s*(?!None)", text, re.MULTILINE)
        if view and not re.search(rf"\b{manager[1]}\.login_message\s*=\s*(?:None|''|\"\")", text):
            yield view.start() + len(view[0]) - len(view[0].lstrip())


def _fiber(text: str) -> Iterator[int]:
    """Find Fiber 3's middleware without a skip, unless a health route stands before it."""
    for place in _calls(r"\bsession\.New", lacks=r"\bNext\s*:")(text):
        used = re.search(r"\.Use\(\s*$", text[:place])
        if used and not _HEALTH_BEFORE.search(text[:place]):
            yield place


def _litestar(text: str) -> Iterator[int]:
    """Find Litestar's configuration of sessions without an exclusion, unless a handler opts out by itself."""
    if not re.search(r"\bexclude_opt_key\s*=|\bskip_session\b", text):
        yield from _calls(r"\bServerSideSessionConfig", lacks=r"\bexclude\s*=")(text)


def _vertx(text: str) -> Iterator[int]:
    """Find Vert.x' session handlers, unless the file makes one lazy."""
    if re.search(r"setLazySession\(\s*(?!false)", text):
        return
    for place in _lines(r"\bSessionHandler\s*\.\s*create\b")(text):
        somewhere = re.search(r"""\.route\(\s*["'][^"']*["']\s*\)\s*\.handler\(\s*$""", text[:place])
        if not somewhere and not _HEALTH_BEFORE.search(text[:place]):
            yield place


def _properties_timeout(text: str) -> Iterator[int]:
    """Find a negative timeout of Spring's sessions in properties."""
    if not _ELSEWHERE.search(text):
        yield from _lines(r"^[ \t]*(?:spring\.session\.timeout|server\.servlet\.session\.timeout)[ \t]*[=:][ \t]*-\d")(
            text
        )


def _yaml_timeout(text: str) -> Iterator[int]:
    """Find a negative timeout of Spring's sessions in YAML by its path, however it is nested."""
    if _ELSEWHERE.search(text):
        return
    path: list[tuple[int, str]] = []
    at = 0
    for line in text.splitlines(keepends=True):
        found = re.match(r"( *)([\w.\-]+):[ \t]*([^\n]*)", line)
        if found:
            path = [one for one in path if one[0] < len(found[1])]
            path.append((len(found[1]), found[2]))
            whole = ".".join(name for _, name in path)
            if whole in ("spring.session.timeout", "server.servlet.session.timeout") and re.match(r"-\d", found[3]):
                yield at + len(found[1])
        at += len(line)


_HEALTH_BEFORE: Final = re.compile(
    r"""\.(?:Get|All|Head|get|head|route)\(\s*["']/(?:[\w/\-]*/)?_*(?:health|live|ready|ping|status)|\bhealthcheck\.New\("""
)
"""A health route that a request meets before it meets the session's middleware."""
_ELSEWHERE: Final = re.compile(r"store-type[ \t]*[=:][ \t]*(?:jdbc|mongodb|hazelcast|none)\b")
"""Sessions that Spring keeps in another store than Redis."""
_REDIS_SESSIONS: Final = re.compile(r"spring[.:]|data-redis|redis", re.IGNORECASE)
_NEVER: Final = (
    "a negative timeout: Spring's default repository then deletes each session as it is saved, so nobody can log in;"
    " in the indexed one it lives for five minutes; before 3.4 it never expires"
)

RULES: Final = (
    _Rule(
        frozenset({".js", ".mjs", ".cjs", ".ts"}),
        "express",
        re.compile(r"['\"]express-session['\"]"),
        _express,
        "saveUninitialized is true (its default where it is not written): every request without the cookie starts a"
        " session",
        "saveUninitialized: false",
    ),
    _Rule(
        frozenset({".js", ".mjs", ".cjs", ".ts"}),
        "fastify",
        re.compile(r"['\"]@fastify/session['\"]"),
        _lines(r"\bsaveUninitialized\s*:\s*true\b"),
        "saveUninitialized is true: every request without the cookie starts a session",
        "saveUninitialized: false",
    ),
    _Rule(
        frozenset({".py"}),
        "django",
        re.compile(r"^SESSION_ENGINE\s*=.*cache", re.MULTILINE),
        _lines(r"^CSRF_USE_SESSIONS\s*=\s*True\b"),
        "the CSRF token is kept in the session: every page that prints one starts a session for every client,"
        " including health pages",
        "CSRF_USE_SESSIONS = False",
    ),
    _Rule(
        frozenset({".py"}),
        "flask",
        re.compile(r"\bflask_session\b[\s\S]*\bLoginManager\(|\bLoginManager\([\s\S]*\bflask_session\b"),
        _flask_login,
        "Flask-Login flashes a message at each redirect to the login page: every request for a page behind it starts"
        " a session",
        "login_message = None",
    ),
    _Rule(
        frozenset({".py"}),
        "litestar",
        re.compile(r"\blitestar\b"),
        _litestar,
        "no page is excluded from the session middleware: every request without the cookie starts a session, including"
        " health pages",
        'exclude=["^/health"]',
    ),
    _Rule(
        frozenset({".go"}),
        "fiber",
        re.compile(r"\"github\.com/gofiber/fiber/v3/middleware/session\""),
        _fiber,
        "the session middleware has no skip (Next): every request without the cookie starts a session, including"
        " health pages",
        'Next: func(c fiber.Ctx) bool { return c.Path() == "/health" }',
    ),
    _Rule(
        frozenset({".java", ".kt"}),
        "vertx",
        re.compile(r"\bRedisSessionStore\b"),
        _vertx,
        "the session is not lazy: every request without the cookie starts a session, including health pages",
        ".setLazySession(true)",
    ),
    _Rule(
        frozenset({".rb"}),
        "rails",
        re.compile(r"session_store|Rack::Session::Redis"),
        _without_expiry,
        "no expire_after: the keys of these sessions never expire, unless their cache has an expiry of its own",
        "expire_after: 1.day",
    ),
    _Rule(
        frozenset({".properties"}),
        "spring",
        _REDIS_SESSIONS,
        _properties_timeout,
        _NEVER,
        "spring.session.timeout=1d",
    ),
    _Rule(frozenset({".yml", ".yaml"}), "spring", _REDIS_SESSIONS, _yaml_timeout, _NEVER, "timeout: 1d"),
)  # fmt: skip
"""Settings that are searched for, in the order of the report."""
