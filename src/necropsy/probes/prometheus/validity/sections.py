"""Checks of the sections that decide no scrape: alerting, remote write and read, tracing, OTLP, storage.

Source: config/config.go of Prometheus 3.14, the ``UnmarshalYAML`` and ``Validate`` functions of each section.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from necropsy.probes.prometheus import schema_checks
from necropsy.probes.prometheus.relabel.relabelling import compile_rules
from necropsy.probes.prometheus.validity.discoveries import check_discovery
from necropsy.probes.prometheus.validity.http_client import check_client, check_headers, check_tls
from necropsy.probes.prometheus.validity.section import Section, address, at_most_one, choice
from necropsy.probes.prometheus.validity.values import check_size
from necropsy.probes.prometheus.version import Version
from necropsy.probes.syntax.node import Node

_SIGNERS: Final = ("basic_auth", "authorization", "oauth2", "sigv4", "azuread", "google_iam")
_MESSAGES: Final = ("prometheus.WriteRequest", "io.prometheus.write.v2.Request")
_QUEUE: Final = {"max_shards": 50, "min_shards": 1, "max_samples_per_send": 2000, "capacity": 10_000}
"""Whole numbers of ``queue_config`` that must be positive, with their defaults."""
_QUEUES_CHECKED: Final = (3, 12)
"""Version from which a wrong ``queue_config`` keeps Prometheus from starting; before, it failed while it ran."""
_STRATEGIES: Final = (
    "UnderscoreEscapingWithSuffixes",
    "UnderscoreEscapingWithoutSuffixes",
    "NoTranslation",
    "NoUTF8EscapingWithSuffixes",
)
_UTF8_STRATEGIES: Final = _STRATEGIES[2:]


@dataclass(frozen=True, slots=True)
class _Loading:
    """The Prometheus that loads the configuration."""

    version: Version
    legacy: bool
    """Names are limited to letters, digits and underscores."""

    def rules(self, node: Node | None) -> None:
        """Check relabel rules."""
        compile_rules(schema_checks.sequence(node), prometheus=str(self.version), legacy_names=self.legacy)


def _alerting(node: Node, loading: _Loading) -> None:
    section = Section(node, "alerting")
    loading.rules(node.get("alert_relabel_configs"))
    for manager in schema_checks.sequence(node.get("alertmanagers")):
        if manager.kind == "null":
            raise manager.error("empty or null Alertmanager section", hint="Remove the empty list item.")
        own = Section(manager, section.what)
        for name, value in manager.items():
            if name.endswith("_sd_configs"):
                for entry in schema_checks.sequence(value):
                    check_discovery(name.removesuffix("_sd_configs"), entry)
        check_client(manager, "an Alertmanager")
        if own.written("sigv4"):
            at_most_one("sigv4", "basic_auth", "authorization", "oauth2")(own)
        loading.rules(manager.get("relabel_configs"))
        loading.rules(manager.get("alert_relabel_configs"))


def _remote(node: Node, what: str) -> list[Section]:
    """Check what remote write and remote read share: a URL, a name of its own, the headers, the client."""
    found: list[Section] = []
    names: set[str] = set()
    for entry in schema_checks.sequence(node):
        if entry.kind == "null":
            raise entry.error(f"empty or null section in {what}", hint="Remove the empty list item.")
        section = Section(entry, what)
        if not section.has("url"):
            section.refuse("url", "the URL is missing", "Add url: http://host/path.")
        if "://" in section.text("url"):
            address("url")(section)
        name = section.text("name")
        if name and name in names:
            section.refuse("name", f'a second one is called "{name}"', "Give each a name of its own.")
        names.add(name)
        check_headers(section, "headers", advice="Use basic_auth, authorization, oauth2, sigv4, azuread or google_iam.")
        found.append(section)
    return found


def _remote_write(node: Node, loading: _Loading) -> None:
    for section in _remote(node, "remote_write"):
        loading.rules(section.node.get("write_relabel_configs"))
        choice("protobuf_message", _MESSAGES, _MESSAGES[0])(section)
        check_client(section.node, section.what)
        if loading.version >= _QUEUES_CHECKED or loading.version[:2] == (3, 0):
            _check_queue(section.part("queue_config"))
        at_most_one(*(name for name in _SIGNERS if section.written(name)))(section)


def _check_queue(queue: Section) -> None:
    numbers: dict[str, int] = {}
    for name, default in _QUEUE.items():
        node = queue.node.get(name)
        numbers[name] = default if node is None or node.kind == "null" else schema_checks.integer(node)
    for name, number in numbers.items():
        if number <= 0:
            queue.refuse(name, f"{name} must be positive", f"The default is {_QUEUE[name]}.")
    if numbers["min_shards"] > numbers["max_shards"]:
        queue.refuse("min_shards", "min_shards is greater than max_shards", "Make min_shards smaller.")
    backoff = {name: schema_checks.duration(queue.node.get(name)) or default for name, default in _BACKOFF.items()}
    if backoff["max_backoff"] < backoff["min_backoff"]:
        queue.refuse("max_backoff", "max_backoff is less than min_backoff", "Make max_backoff longer.")


_BACKOFF: Final = {"min_backoff": 30, "max_backoff": 5000}
"""Defaults in milliseconds."""


def _remote_read(node: Node, _: _Loading) -> None:
    for section in _remote(node, "remote_read"):
        check_client(section.node, section.what)


def _tracing(node: Node, _: _Loading) -> None:
    section = Section(node, "tracing")
    choice("client_type", ("http", "grpc"), "grpc")(section)
    check_headers(section, "headers", advice="Tracing cannot send one yet.")
    if not section.has("endpoint"):
        section.refuse("endpoint", "the endpoint is missing", "Add endpoint: host:port.")
    if section.has("compression"):
        choice("compression", ("gzip",))(section)
    schema_checks.duration(node.get("timeout"))
    check_tls(section)


def _otlp(node: Node, loading: _Loading) -> None:
    section = Section(node, "otlp")
    promoted, ignored = "promote_resource_attributes", "ignore_resource_attributes"
    if schema_checks.boolean(node.get("promote_all_resource_attributes"), False):
        if section.has(promoted):
            reason = f"{promoted} cannot be combined with promote_all_resource_attributes"
            section.refuse(promoted, reason, "Keep one of the two.")
        _check_attributes(section, ignored)
    else:
        if section.has(ignored):
            reason = f"{ignored} needs promote_all_resource_attributes: true"
            section.refuse(ignored, reason, "Add it, or remove this line.")
        _check_attributes(section, promoted)
    if section.has("translation_strategy"):
        choice("translation_strategy", _STRATEGIES)(section)
        strategy = section.text("translation_strategy")
        if loading.legacy and strategy in _UTF8_STRATEGIES:
            reason = f"{strategy} writes UTF-8 names, but metric_name_validation_scheme is legacy"
            section.refuse("translation_strategy", reason, f"Write {_STRATEGIES[0]}.")


def _check_attributes(section: Section, name: str) -> None:
    seen: set[str] = set()
    for element in schema_checks.sequence(section.node.get(name)):
        attribute = schema_checks.text(element, "").strip()
        if not attribute:
            raise element.error(f"{section.what}: an empty attribute in {name}", hint="Remove it.")
        if attribute in seen:
            raise element.error(f"{section.what}: {attribute} appears twice in {name}", hint="Name each once.")
        seen.add(attribute)


def _storage(node: Node, _: _Loading) -> None:
    tsdb = Section(node, "storage").part("tsdb")
    schema_checks.duration(tsdb.node.get("out_of_order_time_window"))
    encoding = tsdb.part("chunk_encoding")
    if encoding.has("floats"):
        choice("floats", ("xor", "xor2"))(encoding)
    retention = tsdb.part("retention")
    schema_checks.duration(retention.node.get("time"))
    size = retention.node.get("size")
    check_size(size)
    if retention.text("size").startswith("-"):
        retention.refuse("size", "the size is negative", "0 means no limit.")
    share = retention.text("percentage", "0") or "0"
    try:
        right = 0 <= float(share) <= 100
    except ValueError:
        right = False
    if not right:
        retention.refuse("percentage", f"{share} is not between 0 and 100", "Write it as 80.")


_SECTIONS: Final[Mapping[str, Callable[[Node, _Loading], None]]] = {
    "alerting": _alerting,
    "remote_write": _remote_write,
    "remote_read": _remote_read,
    "tracing": _tracing,
    "otlp": _otlp,
    "storage": _storage,
}


def check_sections(sections: Mapping[str, Node], version: Version, *, legacy: bool) -> None:
    """Check the sections that decide no scrape. Raises ``ConfigurationError`` where Prometheus would not load them.

    Parameters
    ----------
    sections
        Name → node, of the whole configuration.
    version
        Version that will load it.
    legacy
        Names are limited to letters, digits and underscores.
    """
    loading = _Loading(version, legacy)
    for name, check in _SECTIONS.items():
        node = sections.get(name)
        if node is not None and node.kind in ("mapping", "sequence"):
            check(node, loading)
