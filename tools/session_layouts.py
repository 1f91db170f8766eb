"""The page of session layouts, from the registry, the modules' docstrings and what the real writers left in tests/writers."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
WRITERS: Final = ROOT / "tests" / "writers"
_BY_SOURCE: Final = frozenset({"aspnet", "authelia"})
"""Layouts that no writer could be had for: known by its documentation and source."""
_MODULES: Final = (
    "spring.layout",
    "express",
    "django",
    "flask",
    *(
        f"writers.{name}"
        for name in ("php", "symfony", "laravel", "rails", "golang", "java", "tomcat", "koa", "node", "python", "rust")
    ),
    "writers.hash_forms",
    "writers.opaque",
)
_NONE: Final = (
    ("Keycloak", "its own Infinispan caches"),
    ("Apache Airflow", "its database (flask-session's SQLAlchemy backend) or a signed cookie"),
    ("Play, Ktor", "a signed cookie by default"),
    ("Discourse", "a table of its database; Redis holds queues and caches"),
    ("WordPress, Nextcloud", "PHP's own handler: only where php.ini points it to Redis, and then as PHP's sessions"),
    ("Starlette's SessionMiddleware, Rails' CookieStore, Flask's own session", "a signed cookie"),
)
_UNUSUAL: Final = re.compile("cured|shop|old")
"""Applications that are not set up as the documentation of their framework shows."""
_VISITS: Final = (
    ("look 0", "`GET /` without a cookie"),
    ("head", "`HEAD /` without a cookie"),
    ("health", "`GET /health` without a cookie"),
    ("redirect", "`GET /account`, then `/login`, no cookie kept"),
    ("wrong password", "login page and a wrong password"),
    ("login anna", "login page, login, account"),
    ("logout", "logout"),
)


@dataclass(frozen=True)
class Recorded:
    """One writer's fixture."""

    name: str
    facts: dict[str, Any]
    births: tuple[str, ...]
    """What necropsy says of the births in it."""

    def visit(self, name: str) -> dict[str, Any]:
        """What the keyspace showed of one visit."""
        return next(visit for visit in self.facts["visits"] if visit["visit"] == name)


@cache
def recorded() -> tuple[Recorded, ...]:
    """Every fixture, read by necropsy."""
    return tuple(_read(path) for path in sorted(WRITERS.glob("*/facts.json")))


def _read(path: Path) -> Recorded:
    from necropsy.case.store import Case
    from necropsy.evidence.rdb.reader import open_dump
    from necropsy.sessions.census import Census
    from necropsy.sessions.registry import projection
    from necropsy.sessions.settle import settle

    dump = open_dump(str(path.with_name("store.rdb")), projection())
    facts = json.loads(path.read_text(encoding="utf-8"))
    with Case.create(None) as case:
        census = Census("a", datetime.fromtimestamp(facts["taken"] // 1000, UTC), case.hashes)
        for batch in dump:
            for table, rows in census.take(batch):
                case.append(table, rows)
        settle(case, census)
        births = case.rows("SELECT born_provenance AS said FROM session GROUP BY 1 ORDER BY 1")
    return Recorded(path.parent.name, facts, tuple(row["said"] for row in births))


def layouts() -> str:
    """The table of all layouts."""
    from necropsy.sessions.registry import cures

    lines = [
        "| layout | framework | proved by | birth | a look (`GET /`) | `/health` |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, cure in cures().items():
        mine = _of(name)
        proof = ", ".join(f"[{one.name}](../tests/writers/{one.name}/facts.json)" for one in mine)
        if not proof:
            proof = "its source alone" if name in _BY_SOURCE else "[dumps](../tests/assets)"
        births = ", ".join(dict.fromkeys(said for one in mine for said in one.births)) or "see below"
        look, health = (_cost(mine[0].visit(visit)) if mine else "not measured" for visit in ("look 0", "health"))
        lines.append(f"| `{name}` | {cure.framework} | {proof} | {births} | {look} | {health} |")
    lines += ["", "These keep no sessions in Redis by themselves:", "", "| product | where they are |", "| --- | --- |"]
    lines += [f"| {product} | {place} |" for product, place in _NONE]
    return "\n".join(lines) + "\n"


def _of(layout: str) -> list[Recorded]:
    """The fixtures of a layout, the plainest first."""
    mine = [one for one in recorded() if one.facts["layout"] == layout]
    return sorted(
        mine,
        key=lambda one: (bool(_UNUSUAL.search(one.name)), not one.name.startswith(layout[:4]), len(one.name), one.name),
    )


def _cost(visit: dict[str, Any]) -> str:
    if not visit["keys_made"]:
        return "nothing"
    keys = f"{visit['keys_made']} key" + ("s" if visit["keys_made"] > 1 else "")
    return f"{keys}, {visit['bytes']} B"


def families() -> str:
    """A section a module: keys and bytes, what starts a session, what it costs, the cure."""
    return "\n".join(line for name in _MODULES for line in _family(name))


def _family(module_name: str) -> Iterator[str]:
    module = importlib.import_module(f"necropsy.sessions.{module_name}")
    cures = _cures(module)
    yield f"### {', '.join(f'`{name}`' for name in cures)}"
    yield ""
    text = inspect.cleandoc(_package_doc(module, module_name))
    text = text.replace("``", "`").replace("::\n", ":\n")
    yield re.sub(r"^(=+  .*?\n=+  [^\n]*\n.*?\n=+  [^\n]*)$", r"```text\n\1\n```", text, flags=re.MULTILINE | re.DOTALL)
    yield ""
    told = set()
    for name, cure in cures.items():
        if cure in told:
            continue
        told.add(cure)
        yield f"**{cure.framework}.** {cure.starts} {cure.stop}"
        if name in _BY_SOURCE:
            yield "Layout known by its source: no writer of it was run."
        yield ""
        if cure.code:
            yield f"```{cure.language}\n{cure.code}\n```"
            yield ""
        yield f"Lifetime: `{cure.lifetime}`. Source: {cure.source}."
        yield ""
        yield from _measured(name)


def _package_doc(module: Any, name: str) -> str:
    if name != "spring.layout":
        return module.__doc__ or ""
    return (
        (importlib.import_module("necropsy.sessions.spring").__doc__ or "")
        + "\n\n"
        + (importlib.import_module("necropsy.sessions.spring.records").__doc__ or "")
    )


def _cures(module: Any) -> dict[str, Any]:
    from necropsy.sessions.registry import LAYOUTS

    if hasattr(module, "CURES"):
        return dict(module.CURES)
    return dict(next(one.cures for one in LAYOUTS if one.__module__ == module.__name__))


def _measured(layout: str) -> Iterator[str]:
    for one in _of(layout)[:1]:  # the others differ in their options
        versions = ", ".join(line.strip() for line in one.facts["versions"] if line.strip())
        yield f"Measured with `{one.name}` ({versions}):"
        yield ""
        yield "| visit | sessions made | sessions gone | keys and bytes |"
        yield "| --- | ---: | ---: | --- |"
        for name, told in _VISITS:
            visit = one.visit(name)
            yield f"| {told} | {visit['sessions_made']} | {visit['sessions_gone']} | {_cost(visit)} |"
        yield ""


def page() -> str:
    """The whole page: its hand-written beginning stays."""
    path = ROOT / "docs" / "sessions.md"
    start = path.read_text(encoding="utf-8").split("<!-- generated from here: `make docs` -->")[0]
    return f"{start}<!-- generated from here: `make docs` -->\n\n## All layouts\n\n{layouts()}\n## Each of them\n\n{families()}"
