"""One target of a scrape job: what Prometheus asks, every how many seconds, and the lines that decided it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from necropsy.model.evidence import Origin
from necropsy.probes.http.url import build_url, encode_query, request_path, unrequestable
from necropsy.probes.prometheus.configuration import Job
from necropsy.probes.prometheus.relabel.relabelling import Labels, RelabelStep, RelabelTrace
from necropsy.probes.prometheus.target_group import TargetGroup

if TYPE_CHECKING:
    from necropsy.probes.prometheus.targets.labels import Populator

_PARAM = "__param_"


class Target:
    """One target, kept or lost. Made by ``targets``; what costs time is computed when it is asked for."""

    __slots__ = (
        "_group",
        "_index",
        "_populator",
        "_url",
        "dropped_because",
        "dropped_by",
        "duplicate_of",
        "interval_ms",
        "labels",
        "timeout_ms",
        "trace",
    )

    def __init__(
        self,
        populator: Populator,
        group: TargetGroup,
        index: int,
        labels: Mapping[str, str],
        interval_ms: int,
        timeout_ms: int,
    ) -> None:
        self._populator = populator
        self._group = group
        self._index = index
        self._url: str | None = None
        self.labels: Mapping[str, str] = labels
        """Final labels, internal ones (``__address__``, ``__param_…``) included; empty if the target is lost."""
        self.interval_ms = interval_ms
        """Milliseconds between two scrapes; 0 if the target is lost."""
        self.timeout_ms = timeout_ms
        """Milliseconds until a scrape is given up."""
        self.dropped_because = ""
        """Why Prometheus does not scrape it; empty if it does."""
        self.dropped_by: Origin | None = None
        """The relabel rule that dropped it, if one did."""
        self.trace: RelabelTrace | None = None
        """Names that each rule wrote, if somebody followed it; else they are computed when they are asked for."""
        self.duplicate_of: Target | None = None
        """The target with the same labels and URL that is scraped in its place."""

    def __repr__(self) -> str:
        return f"<Target {self.job} {self.url or self.dropped_because!r}>"

    @property
    def job(self) -> str:
        """Name of the scrape job (the label ``job`` may differ)."""
        return self._populator.job.name

    @property
    def scrape_job(self) -> Job:
        """The scrape job."""
        return self._populator.job

    @property
    def interval_s(self) -> float:
        """Seconds between two scrapes; 0 if the target is lost."""
        return self.interval_ms / 1000

    @property
    def timeout_s(self) -> float:
        """Seconds until a scrape is given up."""
        return self.timeout_ms / 1000

    @property
    def params(self) -> dict[str, tuple[str, ...]]:
        """Parameters of the request: those of the job, first values replaced by ``__param_`` labels."""
        params = dict(self._populator.job.params)
        labels = self.labels
        for name in [name for name in labels if name.startswith(_PARAM)]:
            key = name[len(_PARAM) :]
            params[key] = (labels[name], *params.get(key, ())[1:])
        return params

    @property
    def url(self) -> str:
        """The URL that is scraped; empty if the target is lost."""
        if self._url is None:
            labels = self.labels
            self._url = (
                build_url(
                    labels.get("__scheme__", ""),
                    labels.get("__address__", ""),
                    labels.get("__metrics_path__", ""),
                    encode_query(self.params),
                )
                if labels
                else ""
            )
        return self._url

    @property
    def request_path(self) -> str:
        """Path and query as the request line carries them."""
        return request_path(self.labels.get("__metrics_path__", ""), encode_query(self.params))

    @property
    def unrequestable_because(self) -> str:
        """Why Go's client never sends the request although the target is scraped; empty if it does."""
        return unrequestable(self.labels.get("__scheme__", ""), self.labels.get("__address__", ""))

    @property
    def public_labels(self) -> dict[str, str]:
        """The labels that its metrics carry, sorted by name."""
        return {name: value for name, value in sorted(self.labels.items()) if not name.startswith("__")}

    @property
    def discovered_labels(self) -> Labels:
        """The labels before relabelling, sorted by name."""
        return dict(sorted(self._populator.discovered_at(self._group, self._index).items()))

    @property
    def steps(self) -> list[RelabelStep]:
        """The effect of each relabel rule on it."""
        return self.scrape_job.rules.steps(self.discovered_labels)

    @property
    def origin(self) -> tuple[Origin, ...]:
        """The lines that decide what is asked: the accused rule first, then discovery, then the job's settings."""
        populator = self._populator
        trace = self.trace
        if trace is None:
            trace = populator.job.rules.trace(populator.discovered_at(self._group, self._index))
        return populator.chains.chain(trace, self.found_at)

    @property
    def found_at(self) -> tuple[Origin, ...]:
        """The lines that discovery found it by: its own first, then those of its group."""
        return self._group.origin_of(self._index)

    def label_line(self, value: str) -> Origin | None:
        """The line of the label of its group that has this value; None where it was found without one, or by its address."""
        if self.discovered_labels.get("__address__") == value:
            return None
        labels = self._group.labels
        return next((line for name, line in self._group.label_origins.items() if labels.get(name) == value), None)
