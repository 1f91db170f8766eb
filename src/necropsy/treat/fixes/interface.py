"""The interface of a fix: edits that should end one finding, and the check that they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from necropsy.treat.edits import Insertion

if TYPE_CHECKING:
    from necropsy.model.finding import Finding
    from necropsy.probes.configuration_file import ConfigurationFile
    from necropsy.probes.simulate import Simulation

Edits = dict[str, list[Insertion]]
"""Name of a file → its edits."""


@dataclass(frozen=True, slots=True)
class FixContext:
    """One finding, and the configuration that it is about."""

    finding: Finding
    files: tuple[ConfigurationFile, ...]
    simulation: Simulation
    """What the files do."""

    def of_kind(self, kind: str) -> list[ConfigurationFile]:
        """Return the files of one kind."""
        return [file for file in self.files if file.kind == kind]


@dataclass(frozen=True, slots=True)
class Fix:
    """How one finding is ended."""

    slug: str
    edit: Callable[[FixContext], Edits]
    """The edits; none where nothing can be done without guessing."""
    effect: Callable[[FixContext, FixContext], str]
    """What the patched configuration does instead, a sentence; empty if the finding would stay, or anything be lost."""


def asked(simulation: Simulation) -> Sequence[tuple[str, str, str]]:
    """Return all requests: (prober, method, URL), sorted."""
    return sorted((probe.prober, probe.method, probe.url) for probe in simulation.probes)
