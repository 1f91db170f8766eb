"""A running Prometheus' own answers: its version, and its targets before relabelling.

==============================  ================================================================================
``/api/v1/status/buildinfo``    ``{"data": {"version": "2.42.0+ds", …}}``
``/api/v1/targets?state=any``   ``{"data": {"activeTargets": [{"discoveredLabels": {…}, "scrapePool": "web"}],
                                "droppedTargets": [{"discoveredLabels": {…, "job": "web"}}]}}``
==============================  ================================================================================

With its targets nothing needs to be discovered: relabelling goes on from what it has found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from necropsy.model.errors import ConfigurationError
from necropsy.probes.syntax.document import parse_json
from necropsy.probes.syntax.node import Node

if TYPE_CHECKING:
    from necropsy.model.evidence import Origin


@dataclass(frozen=True, slots=True)
class ListedTarget:
    """One target as the server has found it."""

    job: str
    labels: dict[str, str]
    """Before relabelling, those that the job itself adds included."""
    origin: Origin


@dataclass(slots=True)
class ServerAnswers:
    """Answers of one running server about itself."""

    version: str = ""
    targets: list[ListedTarget] | None = None
    """None: it was not asked, or did not say."""


@dataclass(slots=True)
class LiveServers:
    """Answers of running servers, by the name of the configuration that they run."""

    by_configuration: dict[str | None, ServerAnswers] = field(default_factory=dict)

    def of(self, configuration: str) -> ServerAnswers:
        """Return what the server of this configuration said; what nobody assigned counts for every server."""
        return self.by_configuration.get(configuration) or self.by_configuration.get(None) or ServerAnswers()


def read_live(answers: Iterable[tuple[str, str, str | None]], problems: list[ConfigurationError]) -> LiveServers:
    """Read saved answers: file name, text, and the configuration that its server runs. Nothing is raised."""
    servers = LiveServers()
    for name, text, configuration in answers:
        try:
            root = parse_json(text, name)
        except ConfigurationError as error:
            problems.append(error)
            continue
        data = root.get("data") or root
        live = servers.by_configuration.setdefault(configuration, ServerAnswers())
        version = data.get("version")
        lists = [data.get(part) for part in ("activeTargets", "droppedTargets")]
        if version is not None:
            live.version = version.text()
        elif any(part is not None for part in lists):
            live.targets = [*(live.targets or []), *_targets([part for part in lists if part is not None])]
        else:
            reason = "neither targets nor build information of Prometheus"
            problems.append(root.error(reason, hint="Save /api/v1/targets?state=any and /api/v1/status/buildinfo."))
    return servers


def _targets(lists: Sequence[Node]) -> Iterable[ListedTarget]:
    for target in (target for part in lists for target in part):
        discovered = target.get("discoveredLabels")
        if discovered is None:
            continue
        labels = {name: value.text() for name, value in discovered.items()}
        pool = target.get("scrapePool")
        # Before 2.46 a dropped target does not say its pool; the label is that of the job until it is relabelled.
        job = pool.text() if pool is not None else labels.get("job", "")
        yield ListedTarget(job, labels, discovered.origin("discovered by Prometheus"))
