"""``traffic/unlogged-creator``: sessions are born at a fixed interval, and no access log shows the visitor.

Sign: a train of births that no visitor class of the given logs fits and no configured probe explains. Reason: somebody
reaches the application past the logging proxy: on its own port, from the same host, through another load balancer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine import creation
from necropsy.examine.interface import Examiner
from necropsy.model.figures import percent, several
from necropsy.model.finding import Exhibit, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

_STEADY = 0.7
"""Share of the ticks with a birth from which on a train is certain."""


def examine(case: Case) -> Iterator[Finding]:
    """One finding per store."""
    for made in creation.created(case, creation.UNLOGGED):
        if not made.total:
            continue
        logged = any(claim["in_access_log"] is not None for claim in made.claims)
        periods = ", ".join(f"{period:g} s" for period in sorted({c["period_s"] for c in made.claims if c["period_s"]}))
        shown = tuple(
            Exhibit(
                title=_train(claim),
                text=f"{percent(claim['creation_probability'] or 0.0)} of its ticks have a birth",
                query=(
                    "SELECT label, period_s, phase_s, births, first_at, last_at FROM birth_claim"
                    f" WHERE store = {literal(made.store)} AND creator = 'unlogged' ORDER BY births DESC"
                ),
            )
            for claim in made.claims
        )
        clients = f"{len(made.claims)} unidentified clients" if len(made.claims) > 1 else "an unidentified client"
        text = (
            "Sessions at a fixed interval come from a machine. No given access log shows it, so it bypasses the"
            " proxy, or another log records it."
            if logged
            else "Sessions at a fixed interval come from a machine. No access log was given that could show it."
        )
        remedy = Remedy(
            title="Find the machine that sends these requests",
            text=(
                "Give the configuration of the monitoring of this application (--prometheus, --blackbox, --consul,"
                " --prober)"
                + ("" if logged else ", and the access log of these hours (--access-log)")
                + ". Or watch the application's port for a minute (ss -tnp), or read its own access log, at the times"
                " above."
            ),
            undo="",
            safe=True,
        )
        title = f"{percent(made.share)} of the sessions in store {made.store} come every {periods}, from {clients}"
        yield creation.finding(case, made, title, text, shown, remedy, least_probability=_STEADY)


def _train(claim: creation.Row) -> str:
    if claim["period_s"] is None:
        return f"{claim['label']}: {several(claim['births'], 'session')}"
    phase = f" {claim['phase_s']:.3f} s into" if claim["phase_s"] is not None else ""
    return f"{phase.strip()} every {claim['period_s']:g} s: {several(claim['births'], 'session')}".strip()


EXAMINER: Final = Examiner(
    slug="traffic/unlogged-creator",
    meaning="Sessions are created at a fixed interval, and no access log shows the client.",
    severity=Severity.CRITICAL,
    needs=("session",),
    helped_by=("visitor_class", "probe"),
    examine=examine,
)
