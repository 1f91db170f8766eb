"""Surveying: configuration alone, without a case. What ``necropsy probes`` and ``necropsy cost`` look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from necropsy.model.errors import NoEvidence
from necropsy.model.evidence import Absent, Source

if TYPE_CHECKING:
    from necropsy.autopsy.sources import Sources
    from necropsy.probes.configuration_file import ConfigurationFile
    from necropsy.probes.simulate import Simulation

KINDS: Final = ("prometheus", "blackbox", "consul", "nginx")
"""Kinds of configuration that can be named as sources."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Configuration texts and what they do."""

    files: tuple[ConfigurationFile, ...]
    simulation: Simulation
    sources: tuple[Source, ...]
    absent: tuple[Absent, ...]


def survey(sources: Sources) -> Survey:
    """Read the configuration among the sources, with what it includes, and simulate it.

    Raises
    ------
    NoEvidence
        No configuration was given, or none of it could be read.
    """
    from necropsy.autopsy.reading import others, simulate
    from necropsy.evidence.configuration.reader import read

    files: list[ConfigurationFile] = []
    taken: list[Source] = []
    absent: list[Absent] = []
    given = [*((kind, getattr(sources, kind)) for kind in KINDS), *others(sources.prober)]
    if not any(locators for _, locators in given):
        raise NoEvidence(
            "no configuration was given",
            hint="Give at least --prometheus prometheus.yml, and the files of its service discovery.",
        )
    for kind, locators in given:
        if locators:
            more, opened, missing = read(kind, locators)
            files += more
            taken += opened
            absent += missing
    if not files:
        reasons = "; ".join(f"{item.locator}: {item.reason}" for item in absent[:3])
        raise NoEvidence(f"no configuration could be read: {reasons}", hint=absent[0].hint if absent else "")
    simulation = simulate(files, sources)
    absent += [Absent("configuration", problem.place, problem.reason, problem.hint) for problem in simulation.problems]
    return Survey(tuple(files), simulation, tuple(taken), tuple(absent))
