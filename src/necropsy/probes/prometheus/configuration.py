"""Prometheus' configuration as far as it decides what is asked, when: read as strictly as Prometheus reads it.

Sections that cannot change a scrape (alerting, remote write …) are checked by ``validity``, and not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from necropsy.model.errors import ConfigurationError
from necropsy.model.evidence import Origin
from necropsy.probes.prometheus import schema_checks
from necropsy.probes.prometheus.configuration_fields import SECTIONS
from necropsy.probes.prometheus.configuration_fields import fields as fields_of
from necropsy.probes.prometheus.external_labels import read_external_labels
from necropsy.probes.prometheus.scrape_config import Discovery, GlobalSettings, Job, read_global, read_job
from necropsy.probes.prometheus.validity.sections import check_sections
from necropsy.probes.prometheus.version import Version, prometheus_version
from necropsy.probes.syntax.document import parse_yaml
from necropsy.probes.syntax.node import Node

__all__ = ["Discovery", "GlobalSettings", "Job", "PrometheusConfiguration", "parse_prometheus", "read_prometheus"]

_PATH: Final = re.compile(r"[^*]*(\*[^/]*)?")


@dataclass(frozen=True, slots=True, eq=False)
class PrometheusConfiguration:
    """One Prometheus server's configuration."""

    file: str
    """Name of the main file as it was given."""
    node: Node
    """The whole document."""
    version: Version
    settings: GlobalSettings
    """The ``global`` section with its defaults."""
    jobs: tuple[Job, ...]
    """Scrape configurations in the order of the files, those of ``scrape_config_files`` last."""
    external_labels: Mapping[str, str]
    """With environment variables expanded as this version does it."""
    unexpanded: tuple[str, ...]
    """Environment variables that external labels refer to and that were not given: the scrape phase depends on them."""
    scrape_config_files: tuple[tuple[str, Origin], ...]
    """Patterns of further files with scrape configurations, relative to the main file's folder."""
    problems: tuple[ConfigurationError, ...] = field(default=())
    """Fields that this reader does not know, when it was asked to be lenient."""

    def job(self, name: str) -> Job | None:
        """Return the scrape job of this name."""
        return next((job for job in self.jobs if job.name == name), None)


def parse_prometheus(
    text: str,
    file: str,
    *,
    prometheus: str = "3.0",
    scrape_config_files: Iterable[tuple[str, str]] = (),
    environment: Mapping[str, str] | None = None,
    lenient: bool = False,
) -> PrometheusConfiguration:
    """Read ``prometheus.yml``.

    Parameters
    ----------
    text, file
        The configuration and the name under which errors and origins mention it.
    prometheus
        Version that will load it.
    scrape_config_files
        (name, text) of the files that ``scrape_config_files`` names.
    environment
        Environment variables of the server, for ``${NAME}`` in external labels.
    lenient
        Collect fields that nobody knows in ``problems`` instead of refusing them: a newer Prometheus may know them.

    Raises
    ------
    ConfigurationError
        This Prometheus would not load it.
    UsageError
        ``prometheus`` is no version.
    """
    more = [parse_yaml(extra, name) for name, extra in scrape_config_files]
    return read_prometheus(
        parse_yaml(text, file), prometheus=prometheus, more=more, environment=environment, lenient=lenient
    )


def read_prometheus(
    node: Node,
    *,
    prometheus: str = "3.0",
    more: Iterable[Node] = (),
    environment: Mapping[str, str] | None = None,
    lenient: bool = False,
) -> PrometheusConfiguration:
    """Read a parsed configuration; ``more`` are the documents of ``scrape_config_files``. Otherwise as above."""
    version = prometheus_version(prometheus)
    if node.kind == "sequence":  # a list of jobs, as additional ones are given to an operator or a chart
        node = from_jobs(node)
    problems: list[ConfigurationError] | None = [] if lenient else None
    _check_repeated(node)
    sections = fields_of(node, "Prometheus' configuration", SECTIONS, version, problems)
    _patterns(sections.get("rule_files"), "rule")
    settings = read_global(sections.get("global"), version, problems)
    jobs = [
        read_job(element, settings, version, problems)
        for element in schema_checks.sequence(sections.get("scrape_configs"))
    ]
    for document in more:
        _check_repeated(document)
        extra = schema_checks.mapping(document, "a file of scrape configurations", ("scrape_configs",), problems)
        jobs += [
            read_job(element, settings, version, problems)
            for element in schema_checks.sequence(extra.get("scrape_configs"))
        ]
    _check_names(jobs)
    check_sections(sections, version, legacy=settings.legacy_names)
    labels, unexpanded = read_external_labels(settings.external_labels, environment or {}, version)
    return PrometheusConfiguration(
        file=node.file,
        node=node,
        version=version,
        settings=settings,
        jobs=tuple(jobs),
        external_labels=labels,
        unexpanded=unexpanded,
        scrape_config_files=_patterns(sections.get("scrape_config_files"), "scrape config"),
        problems=tuple(problems or ()),
    )


def from_jobs(jobs: Node) -> Node:
    """Return the configuration that has these jobs and nothing else."""
    key = Node("scalar", "scrape_configs", jobs.line, 0, jobs.start, jobs.start, jobs.line, jobs.file, "plain")
    return replace(jobs, kind="mapping", pairs=((key, jobs),), elements=())


def _patterns(node: Node | None, what: str) -> tuple[tuple[str, Origin], ...]:
    for element in schema_checks.sequence(node):
        if not _PATH.fullmatch(schema_checks.text(element, "")):
            raise element.error(
                f'invalid {what} file path "{element.text()}"', hint="A * may only stand in the last part of a path."
            )
    return tuple((element.text(), element.origin(f"names a {what} file")) for element in schema_checks.sequence(node))


def _check_repeated(node: Node) -> None:
    """Refuse a key that is repeated anywhere, as ``yaml.UnmarshalStrict`` does, and text that is not UTF-8."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:  # an alias
            continue
        seen.add(id(current))
        if current.kind == "mapping":
            schema_checks.unique(current)
            waiting.extend(node for pair in current.pairs for node in pair)
        elif current.tag is not None and current.tag.endswith(":binary") and "\ufffd" in current.text():
            raise current.error("a !!binary value that is not UTF-8 text", hint="Write the text itself.")
        else:
            waiting.extend(current.elements)


def _check_names(jobs: Iterable[Job]) -> None:
    first: dict[str, Job] = {}
    for job in jobs:
        other = first.setdefault(job.name, job)
        if other is not job:
            raise (job.node.get("job_name") or job.node).error(
                f'found multiple scrape configs with job name "{job.name}"',
                hint=f"The first is at {other.node.origin()}: rename one.",
            )
