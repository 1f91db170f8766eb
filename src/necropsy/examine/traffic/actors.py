"""Names and exhibits of creators, for the findings of this area."""

from __future__ import annotations

from necropsy._internal.sql_quoting import literal
from necropsy.examine.creation import Created, Row
from necropsy.model.figures import several
from necropsy.model.finding import Exhibit
from necropsy.model.verdict import HOW_KNOWN
from necropsy.visits.agents import is_browser

_MOST_EXHIBITS = 8


def who_does(made: Created, one: str, several: str) -> str:
    """The largest creator by its User-Agent, or by what it looks like, and how many others; with the verb for one or several."""
    names = list(dict.fromkeys(_name(claim) for claim in made.claims))
    return f"{names[0]} {one}" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more {several}"


def is_named_as_browser(made: Created) -> bool:
    """Whether the largest creator goes by the name of a browser: then it may be one whose cookie is lost."""
    return is_browser(made.claims[0]["user_agent"] or "")


def _name(claim: Row) -> str:
    agent = claim["user_agent"] or ""
    clients = claim["clients"] or 0
    if not agent:
        return f"A program on {clients:,} addresses" if clients > 1 else "A program without a User-Agent"
    return f"{agent} ({clients:,} addresses)" if clients > 1 else agent


def exhibits(made: Created) -> tuple[Exhibit, ...]:
    """One exhibit a claim: who, what it asks, how many sessions, how it is known."""
    return tuple(
        Exhibit(
            title=f"{_name(claim)}{_asks(claim)}: {several(claim['births'], 'session')}",
            text=_known(claim),
            query=(
                f"SELECT label, births, visits, clients, first_at, last_at FROM birth_claim"
                f" WHERE store = {literal(made.store)} AND creator = 'visitor' ORDER BY births DESC"
            ),
        )
        for claim in made.claims[:_MOST_EXHIBITS]
    )


def _asks(claim: Row) -> str:
    return f" {claim['method']} {claim['path']}" if claim["method"] and claim["path"] else ""


def _known(claim: Row) -> str:
    if claim["evidence"] == "named":
        return HOW_KNOWN["named"]
    if claim["visits"]:
        chance = claim["creation_probability"]
        each = f", {chance:.2f} sessions a visit" if chance is not None else ""
        return f"{several(claim['visits'], 'visit')} from {several(claim['clients'] or 1, 'client')}{each}"
    return HOW_KNOWN[claim["evidence"]]
