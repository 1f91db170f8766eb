"""``traffic/unlogged-creator``: sessions are born like clockwork, and neither a log nor a configuration names the visitor.

Sign: a comb of births that no visitor class of the given logs fits and no configured probe explains. Reason: somebody
reaches the application past the logging proxy: on its own port, from the same host, through another load balancer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from necropsy.examine import evidence
from necropsy.model.figures import percent, several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding per store."""
    for store, total in evidence.sessions_by_store(case).items():
        claims = case.rows(
            "SELECT * FROM birth_claim WHERE store = ? AND creator = 'unlogged' ORDER BY births DESC, phase_s", [store]
        )
        if not claims or not total:
            continue
        share, low, high = (sum(c[name] for c in claims) / total for name in ("births", "births_low", "births_high"))
        periods = ", ".join(f"{period:g} s" for period in sorted({c["period_s"] for c in claims}))
        exhibits = tuple(
            Exhibit(
                title=f"phase {c['phase_s']:.3f} s of {c['period_s']:g} s: {several(c['births'], 'session')}",
                text=f"{percent(c['creation_probability'])} of the ticks have a birth",
                query="SELECT * FROM birth_claim WHERE creator = 'unlogged'",
            )
            for c in claims
        )
        yield Finding(
            severity=Severity.CRITICAL if share >= 0.5 else Severity.WARNING if share >= 0.1 else Severity.INFO,
            confidence=Confidence.MEDIUM,
            title=f"{percent(share)} of the sessions in store {store} come like clockwork (every {periods}) from nobody known",
            text=(
                f"{len(claims)} creator{'s' if len(claims) != 1 else ''} without a line in the logs or the configuration"
                " that was given. Who comes every so many seconds is a machine; what no proxy logs goes round the proxy."
            ),
            primary=exhibits[0],
            supporting=exhibits[1:],
            remedy=Remedy(
                title="Name the machine that asks",
                text=(
                    "Give the configuration of whatever monitors this application (--prometheus, --blackbox, --consul)."
                    " Or log the application's own port for a minute and look at the phase above."
                ),
                undo="nothing to undo",
                safe=True,
            ),
            store=store,
            share=min(1.0, share),
            share_low=low,
            share_high=min(1.0, high),
        )
