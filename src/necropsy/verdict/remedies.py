"""The remedy of a cause: treatment's where it has one, else the finding's own with the framework's words for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from necropsy.model.finding import Finding, Remedy
from necropsy.model.verdict import Actor
from necropsy.sessions.cure import Cure
from necropsy.verdict.order import CREATORS


def remedy_of(finding: Finding, actors: Sequence[Actor], cure: Cure | None, offered: Remedy | None) -> Remedy | None:
    """Return what to do about a cause.

    Parameters
    ----------
    finding
        What was found; its own remedy is advice.
    actors
        Who is named. Of those that are in no configuration that was given the application must take care.
    cure
        What the framework of the sessions offers; None when it is not known.
    offered
        What treatment has to offer for this slug, mostly patches.
    """
    if finding.slug not in CREATORS:
        return offered or finding.remedy
    if offered is not None and offered.patches and (not actors or any(actor.origin for actor in actors)):
        return offered
    remedy = finding.remedy or (_for_probe(actors) if actors else offered)
    if remedy is None or cure is None or finding.slug == "traffic/unlogged-creator":
        return remedy
    return replace(remedy, text=f"{remedy.text}\n{cure.framework}: {cure.stop}")


def _for_probe(actors: Sequence[Actor]) -> Remedy:
    """Advice about a prober that is in no configuration, or that no patch could be made for."""
    first = actors[0]
    who = first.prober or first.user_agent or "it"
    where = f" from {first.address}" if first.address else ""
    return Remedy(
        title=f"Have {who} ask a health endpoint that starts no session",
        text=(
            f"It asks {first.url or 'the application'}{where}: change that where it is configured, or answer it without a"
            " session."
        ),
        undo="put the old address back",
    )
