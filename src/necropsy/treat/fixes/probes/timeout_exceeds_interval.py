"""``probes/timeout-exceeds-interval``: give the timeout the length of the interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.model.figures import several
from necropsy.treat.edits.yaml_fields import jobs, replaced
from necropsy.treat.fixes.interface import Edits, Fix, FixContext

if TYPE_CHECKING:
    from necropsy.probes.syntax.node import Node

_DEFAULT_INTERVAL: Final = "1m"


def _edit(context: FixContext) -> Edits:
    origin = context.finding.primary.origin if context.finding.primary else None
    if origin is None:
        return {}
    for file in context.of_kind("prometheus"):
        if file.name != origin.file:
            continue
        for timeout, interval in _pairs(context.tree(file)):
            if timeout.line == origin.line:
                edits = replaced(file.text, timeout, interval)
                return {file.name: edits} if edits else {}
    return {}


def _pairs(root: Node | None) -> list[tuple[Node, str]]:
    """Each timeout of a file with the interval that counts for it."""
    settings = root.get("global") if root is not None else None
    general = settings.get("scrape_interval") if settings is not None else None
    default = general.text() if general is not None else _DEFAULT_INTERVAL
    timeout = settings.get("scrape_timeout") if settings is not None else None
    pairs = [(timeout, default)] if timeout is not None else []
    for job in jobs(root):
        own, interval = job.get("scrape_timeout"), job.get("scrape_interval")
        if own is not None:
            pairs.append((own, interval.text() if interval is not None else default))
    return pairs


def _effect(before: FixContext, after: FixContext) -> str:
    told = {problem.message for problem in after.simulation.problems}
    if any("scrape timeout greater" in message for message in told):
        return ""
    more = len(after.simulation.probes) - len(before.simulation.probes)
    return "Prometheus loads the configuration" + (f" and scrapes {several(more, 'target')} more" if more > 0 else "")


FIX: Final = Fix(("probes/timeout-exceeds-interval",), _edit, _effect)
