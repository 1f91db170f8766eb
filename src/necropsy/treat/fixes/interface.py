"""The interface of a fix: edits that should end one finding, and the check that they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from necropsy.model.errors import ConfigurationError
from necropsy.probes.syntax.document import parse_yaml
from necropsy.treat.edits.text import Insertion

if TYPE_CHECKING:
    from necropsy.model.finding import Finding, Remedy
    from necropsy.probes.configuration_file import ConfigurationFile
    from necropsy.probes.monitoring import FoundTarget
    from necropsy.probes.simulate import Simulation
    from necropsy.probes.syntax.node import Node

Edits = dict[str, list[Insertion]]
"""Name of a file → its edits."""
Parsed = TypeVar("Parsed")


class Documents:
    """Configuration texts as trees: each text is parsed once, however many fixes look into it."""

    def __init__(self) -> None:
        self._known: dict[tuple[Callable[[str, str], object], str, str], object] = {}

    def parsed(self, file: ConfigurationFile, parse: Callable[[str, str], Parsed]) -> Parsed | None:
        """Return what a parser makes of a file: ``parse(text, name)``. None where it is not of that syntax."""
        key = (parse, file.name, file.text)
        if key not in self._known:
            try:
                self._known[key] = parse(file.text, file.name)
            except ConfigurationError:  # reported when the file was read
                self._known[key] = None
        return self._known[key]  # type: ignore[return-value]  # of the parser in the key


@dataclass(frozen=True, slots=True)
class FixContext:
    """One finding, and the configuration that it is about."""

    finding: Finding
    files: tuple[ConfigurationFile, ...]
    simulation: Simulation
    """The effect of the files."""
    documents: Documents
    """The files as trees."""

    def of_kind(self, kind: str) -> list[ConfigurationFile]:
        """Return the files of one kind."""
        return [file for file in self.files if file.kind == kind]

    def tree(self, file: ConfigurationFile) -> Node | None:
        """Return a file of YAML as a tree; None if it is not YAML."""
        return self.documents.parsed(file, parse_yaml)

    def text(self, name: str) -> str:
        """Return the text of a file; empty if it is not among the files."""
        return next((file.text for file in self.files if file.name == name), "")

    def targets(self) -> Iterator[FoundTarget]:
        """Yield every target that Prometheus discovers, kept or lost."""
        if self.simulation.monitoring is not None:
            yield from self.simulation.monitoring.targets()


def _nothing(_: FixContext) -> Edits:
    return {}


def _keep(_: FixContext, __: FixContext | None) -> Remedy | None:
    return None


@dataclass(frozen=True, slots=True)
class Fix:
    """The fix for findings of one slug, or of several with one reason."""

    slugs: tuple[str, ...]
    edit: Callable[[FixContext], Edits]
    """The edits; none where nothing can be done without guessing."""
    effect: Callable[[FixContext, FixContext], str]
    """The effect of the patched configuration, a sentence; empty if the finding would stay, or anything be lost."""
    foresee: Callable[[FixContext], Edits] = _nothing
    """Edits of what programs will answer once they have loaded the patched files: simulated with these, never shown."""
    remedy: Callable[[FixContext, FixContext | None], Remedy | None] = _keep
    """The remedy of a finding that has none of its own, from the context before and after; after is None if no edit helps."""
    guess: bool = False
    """Whether somebody has to confirm it first, as its effect says: it is shown, and written only when all are asked for."""


def asked(simulation: Simulation) -> Sequence[tuple[str, str, str]]:
    """Return all requests: (prober, method, URL), sorted."""
    return sorted((probe.prober, probe.method, probe.url) for probe in simulation.probes)
