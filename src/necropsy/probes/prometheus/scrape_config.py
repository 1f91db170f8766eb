"""The ``global`` section and one scrape configuration (config/config.go: ``GlobalConfig``, ``ScrapeConfig``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from necropsy.model.errors import ConfigurationError
from necropsy.model.evidence import Origin
from necropsy.probes.prometheus import schema_checks
from necropsy.probes.prometheus.configuration_fields import BOOLEANS, COUNTS, GLOBAL, HISTOGRAMS, JOB
from necropsy.probes.prometheus.configuration_fields import fields as fields_of
from necropsy.probes.prometheus.drop_reasons import CONFIGURED_TIMEOUT_ABOVE_INTERVAL
from necropsy.probes.prometheus.file_sd import check_pattern
from necropsy.probes.prometheus.relabel.relabelling import RelabelRules, compile_rules
from necropsy.probes.prometheus.target_group import TargetGroup, label_set, read_group
from necropsy.probes.prometheus.validity.discoveries import check_discovery
from necropsy.probes.prometheus.validity.http_client import check_client
from necropsy.probes.prometheus.validity.values import check_escaping, check_names, check_protocols, check_size
from necropsy.probes.prometheus.version import Version
from necropsy.probes.syntax.node import Node

_DEFAULT_INTERVAL_MS: Final = 60_000
_DEFAULT_TIMEOUT_MS: Final = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class GlobalSettings:
    """The ``global`` section with its defaults filled in."""

    node: Node | None
    scrape_interval_ms: int
    scrape_timeout_ms: int
    external_labels: Mapping[str, str]
    """As written."""
    legacy_names: bool
    """``metric_name_validation_scheme: legacy``, which relabelling heeds from 3.6 on; always true before 3.0."""
    histograms: Mapping[str, str]
    """Native histogram settings as the texts that 3.13 puts into labels."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """One entry of a ``*_sd_configs`` list, other than static ones."""

    kind: str
    """``consul``, ``file``, ``kubernetes`` …"""
    node: Node
    """Its settings."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One scrape configuration with its defaults filled in."""

    name: str
    node: Node
    settings: GlobalSettings
    scrape_interval_ms: int
    scrape_timeout_ms: int
    metrics_path: str
    scheme: str
    params: Mapping[str, tuple[str, ...]]
    rules: RelabelRules
    """``relabel_configs``, compiled."""
    static_groups: tuple[TargetGroup, ...]
    discoveries: tuple[Discovery, ...]
    """Other service discoveries, in the order of the file."""
    follow_redirects: bool
    honor_labels: bool
    histograms: Mapping[str, str]
    """Native histogram settings as the texts that 3.13 puts into labels."""

    @property
    def origin(self) -> Origin:
        """The line where the job begins."""
        return self.node.origin(f"job {self.name}")

    def origin_of(self, setting: str) -> Origin | None:
        """Return the line of a setting: the job's own, else the global one; None if the default holds."""
        for node in (self.node, self.settings.node):
            key = node.key(setting) if node is not None else None
            if node is not None and key is not None:
                value = node.get(setting)
                scalar = value.text() if value is not None and value.kind == "scalar" else ""
                return key.origin(f"{setting} {scalar}".strip())
        return None


def read_global(
    node: Node | None, version: Version, problems: list[ConfigurationError] | None = None
) -> GlobalSettings:
    """Read the ``global`` section; None is an absent one. Raises ``ConfigurationError`` as Prometheus would."""
    fields = fields_of(node, "global", GLOBAL, version, problems) if node is not None else {}
    _check_values(fields)
    check_protocols(fields, "global config")
    interval = schema_checks.duration(fields.get("scrape_interval")) or _DEFAULT_INTERVAL_MS
    timeout = schema_checks.duration(fields.get("scrape_timeout"))
    if timeout > interval:
        raise fields["scrape_timeout"].error(
            f"global {CONFIGURED_TIMEOUT_ABOVE_INTERVAL}", hint="Make scrape_timeout smaller."
        )
    legacy = version < (3, 0) or schema_checks.text(fields.get("metric_name_validation_scheme"), "") == "legacy"
    return GlobalSettings(
        node=node,
        scrape_interval_ms=interval,
        scrape_timeout_ms=timeout or min(_DEFAULT_TIMEOUT_MS, interval),
        external_labels=label_set(fields.get("external_labels"), legacy=legacy),
        legacy_names=legacy,
        histograms=_histograms(fields, dict.fromkeys(HISTOGRAMS, "false")),
    )


def read_job(
    node: Node, settings: GlobalSettings, version: Version, problems: list[ConfigurationError] | None = None
) -> Job:
    """Read one scrape configuration. Raises ``ConfigurationError`` as Prometheus of this version would."""
    if node.kind == "null":
        raise node.error("empty or null scrape config section", hint="Remove the empty list item.")
    fields = fields_of(node, "a scrape configuration", JOB, version, problems)
    discoveries = _discoveries(fields)  # go-yaml decodes what is inside before it looks at the whole
    name = schema_checks.text(fields.get("job_name"), "")
    if not name:
        raise node.error("job_name is empty", hint="Add job_name with a name of its own.")
    _check_values(fields)
    check_client(node, f"job {name}")
    check_protocols(fields, f'scrape config with job name "{name}"')
    check_escaping(fields, settings.node)
    interval = schema_checks.duration(fields.get("scrape_interval")) or settings.scrape_interval_ms
    timeout = schema_checks.duration(fields.get("scrape_timeout"))
    if timeout > interval:
        raise fields["scrape_timeout"].error(
            f'{CONFIGURED_TIMEOUT_ABOVE_INTERVAL} for scrape config with job name "{name}"',
            hint="Make scrape_timeout smaller, or scrape_interval longer.",
        )
    legacy = _legacy_names(fields, settings, version)
    rules = compile_rules(
        schema_checks.sequence(fields.get("relabel_configs")), prometheus=str(version), legacy_names=legacy
    )
    compile_rules(
        schema_checks.sequence(fields.get("metric_relabel_configs")), prometheus=str(version), legacy_names=legacy
    )
    groups = tuple(
        _static_group(element, version, relabelled=len(rules) > 0)
        for element in schema_checks.sequence(fields.get("static_configs"))
    )
    return Job(
        name=name,
        node=node,
        settings=settings,
        scrape_interval_ms=interval,
        scrape_timeout_ms=timeout or min(settings.scrape_timeout_ms, interval),
        metrics_path=schema_checks.text(fields.get("metrics_path"), "/metrics"),
        scheme=schema_checks.text(fields.get("scheme"), "http"),
        params=_params(fields.get("params")),
        rules=rules,
        static_groups=groups,
        discoveries=discoveries,
        follow_redirects=schema_checks.boolean(fields.get("follow_redirects"), True),
        honor_labels=schema_checks.boolean(fields.get("honor_labels"), False),
        histograms=_histograms(fields, settings.histograms),
    )


def _check_values(fields: Mapping[str, Node]) -> None:
    """Refuse values that do not fit although nothing here depends on them."""
    check_size(fields.get("body_size_limit"))
    check_names(fields)
    for name in BOOLEANS:
        schema_checks.boolean(fields.get(name), False)
    for name in COUNTS:
        node = fields.get(name)
        if node is not None and node.kind != "null" and schema_checks.integer(node) < 0:
            raise node.error(f"{name} cannot be negative", hint="0 means no limit.")


def _legacy_names(fields: Mapping[str, Node], settings: GlobalSettings, version: Version) -> bool:
    if (3, 0) <= version < (3, 6):  # one global validation scheme, UTF-8
        return False
    scheme = schema_checks.text(fields.get("metric_name_validation_scheme"), "")
    return scheme == "legacy" if scheme else settings.legacy_names


def _histograms(fields: Mapping[str, Node], default: Mapping[str, str]) -> dict[str, str]:
    return {name: str(schema_checks.boolean(fields.get(name), default[name] == "true")).lower() for name in HISTOGRAMS}


def _params(node: Node | None) -> dict[str, tuple[str, ...]]:
    if node is None or node.kind == "null":
        return {}
    if node.kind != "mapping":
        raise node.error("params must map names to lists", hint="Write params: {module: [http_2xx]}.")
    return {name: schema_checks.texts(value) for name, value in node.items()}


def _static_group(node: Node, version: Version, *, relabelled: bool) -> TargetGroup:
    if node.kind == "null":
        raise node.error("empty or null section in static_configs", hint="Remove the empty list item.")
    group = read_group(node, legacy=version < (3, 0))
    for element in schema_checks.sequence(node.get("targets")):
        if "/" in element.text() and not relabelled:
            raise element.error(
                f'"{element.text()}" is not a valid hostname',
                hint="Write host:port; scheme and path have their own fields.",
            )
    return group


def _discoveries(fields: Mapping[str, Node]) -> tuple[Discovery, ...]:
    found = []
    for name, value in fields.items():
        if not name.endswith("_sd_configs"):
            continue
        kind = name.removesuffix("_sd_configs")
        for element in schema_checks.sequence(value):
            if element.kind == "null":
                raise element.error(f"empty or null section in {name}", hint="Remove the empty list item.")
            if kind == "file":
                check_pattern(element)
            check_discovery(kind, element)
            found.append(Discovery(kind, element))
    return tuple(found)
