"""The whole treatment of a report, in the order in which it is done: patches, purge, lifetimes, Consul."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from necropsy.model.figures import several, size
from necropsy.sessions.registry import cure
from necropsy.treatment.patching import Patches

if TYPE_CHECKING:
    from necropsy.model.report import Report, StoreSummary

_CREATORS: Final = ("probes/creates-sessions", "traffic/bot-creates-sessions", "traffic/client-drops-cookie",
                    "traffic/unlogged-creator")  # fmt: skip
_IMMORTAL: Final = "sessions/immortal"
_ZOMBIE: Final = "probes/zombie-service"


@dataclass(frozen=True, slots=True)
class TreatmentStep:
    """One step: what it changes, and the command that plans it."""

    title: str
    changes: tuple[str, ...]
    command: str = ""


def steps(report: Report, found: Patches, given: Path) -> tuple[TreatmentStep, ...]:
    """Return what to do, first things first: while sessions are still being born, a purge is in vain.

    Parameters
    ----------
    given
        The case or the incident file, as a person named it.
    """
    made: list[TreatmentStep] = []
    if found.chosen:
        changes = tuple(
            f"{one.patch.file}  +{one.patch.added} -{one.patch.removed}  {one.patch.effect}" for one in found.chosen
        )
        made.append(
            TreatmentStep("Stop the births: patch the configuration", changes, f"necropsy treat {given} --patch")
        )
    made += [_application(layout) for layout in dict.fromkeys(store.layout for store in report.stores) if cure(layout)]
    slugs = [cause.slug for cause in report.verdict.causes] + [finding.slug for finding in report.findings]
    made += [_purge(report, store, slugs) for store in report.stores if store.anonymous]
    for store in report.stores:
        if store.immortal and any(f.slug == _IMMORTAL and f.store in {None, store.name} for f in report.findings):
            made.append(
                TreatmentStep(
                    f"Shorten the lifetimes of sessions in store {store.name}",
                    (f"{several(store.immortal, 'session')} live longer than 30 days; their lifetimes are shortened",),
                    f"necropsy cap-ttl --redis {_address(report, store)} --max 7d",
                )
            )
    if _ZOMBIE in slugs:
        made.append(
            TreatmentStep(
                "Deregister services whose agent is gone", ("Consul's catalogue",), "necropsy consul --zombies"
            )
        )
    return tuple(made)


def _application(layout: str) -> TreatmentStep:
    told = cure(layout)
    if told is None:
        return TreatmentStep("", ())
    lines = [f"What starts a session: {told.starts}", told.stop, *(f"    {line}" for line in told.code.splitlines())]
    if told.lifetime:
        lines.append(f"Lifetime: {told.lifetime}")
    return TreatmentStep(f"Change the application: {told.framework}", tuple(lines))


def _purge(report: Report, store: StoreSummary, slugs: list[str]) -> TreatmentStep:
    where = ["--where anonymous"]
    case = ""
    blamed = next((slug for slug in slugs if slug in _CREATORS), None)
    if report.case is not None and blamed is not None:
        case = f"{report.case} "
        where.append(f"--where born-by={blamed}")
        if len(report.stores) > 1:
            where.append(f"--store {store.name}")
    command = f"necropsy purge {case}--redis {_address(report, store)} {' '.join(where)} --plan {store.name}.plan"
    counted = f"{several(store.anonymous, 'anonymous session')} of {several(store.sessions, 'session')}"
    kept = "sessions that are logged in or were used within the hour stay"
    what = f"{counted}, {size(store.session_bytes)} in all; {kept}"
    return TreatmentStep(
        f"Purge store {store.name}",
        (what,),
        command,
    )


def _address(report: Report, store: StoreSummary) -> str:
    for source in report.sources:
        if source.store == store.name and "://" in source.locator:
            return source.locator
    return "redis://HOST:PORT"
