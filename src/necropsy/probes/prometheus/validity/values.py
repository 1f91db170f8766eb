"""Values of Prometheus' configuration that have a grammar of their own: sizes, scrape protocols, schemes of names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from necropsy.probes.prometheus import schema_checks
from necropsy.probes.syntax.node import Node

_SIZE: Final = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:B|[KMGTPE]i?B)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:B|[KMGTPE]i?B))*")
_PROTOCOLS: Final = (
    "OpenMetricsText0.0.1",
    "OpenMetricsText1.0.0",
    "PrometheusProto",
    "PrometheusText0.0.4",
    "PrometheusText1.0.0",
)
_ESCAPING: Final = ("allow-utf-8", "underscores", "dots", "values")


def check_size(node: Node | None) -> None:
    """Refuse what is no number of bytes with its unit: ``512MB``, ``1.5GiB``, ``0``.

    >>> from necropsy.probes.prometheus.schema_checks import from_python
    >>> check_size(from_python("1GB512MB"))
    >>> check_size(from_python("100"))
    Traceback (most recent call last):
    ...
    necropsy.model.errors.ConfigurationError: <rules>: 100 is not a size: its unit is missing or unknown
    """
    text = schema_checks.text(node, "0")
    if node is not None and text and text.lstrip("+-") != "0" and not _SIZE.fullmatch(text):
        raise node.error(f"{text} is not a size: its unit is missing or unknown", hint="Write it as 512MB or 1GiB.")


def check_protocols(fields: Mapping[str, Node], what: str) -> None:
    """Refuse ``scrape_protocols`` and ``fallback_scrape_protocol`` that Prometheus does not know."""
    protocols = fields.get("scrape_protocols")
    if protocols is not None and protocols.kind == "sequence" and not protocols.elements:
        raise protocols.error(f"scrape_protocols cannot be empty for {what}", hint="Remove the field, or name one.")
    seen: set[str] = set()
    for element in schema_checks.sequence(protocols):
        if element.text().lower() in seen:
            raise element.error(f"{element.text()} appears twice in scrape_protocols", hint="Name each once.")
        _check_protocol(element)
        seen.add(element.text().lower())
    fallback = fields.get("fallback_scrape_protocol")
    if schema_checks.text(fallback, "") and fallback is not None:
        _check_protocol(fallback)


def _check_protocol(node: Node) -> None:
    name = schema_checks.text(node, "")
    if name not in _PROTOCOLS:
        raise node.error(f"unknown scrape protocol {name}", hint=f"Known: {', '.join(_PROTOCOLS)}.")


def check_names(fields: Mapping[str, Node]) -> None:
    """Refuse unknown schemes of metric names."""
    scheme = fields.get("metric_name_validation_scheme")
    if scheme is not None and schema_checks.text(scheme, "") not in ("", "legacy", "utf8"):
        raise scheme.error(f"unknown validation scheme {scheme.text()}", hint="Write utf8 or legacy.")
    escaping = fields.get("metric_name_escaping_scheme")
    if escaping is not None and schema_checks.text(escaping, "") not in ("", *_ESCAPING):
        raise escaping.error(
            f"unknown escaping scheme {escaping.text()}", hint=f"Write one of: {', '.join(_ESCAPING)}."
        )


def check_escaping(job: Mapping[str, Node], general: Node | None) -> None:
    """Refuse a job that asks for UTF-8 names while only legacy ones are valid for it."""

    def written(name: str, fields: Mapping[str, Node] | None) -> Node | None:
        node = fields.get(name) if fields is not None else (general.get(name) if general is not None else None)
        return node if node is not None and node.text() else None

    own, overall = (written("metric_name_validation_scheme", fields) for fields in (job, None))
    validation = own or overall
    escaping = written("metric_name_escaping_scheme", job)
    if escaping is None and own is None:
        escaping = written("metric_name_escaping_scheme", None)
    if validation is None or escaping is None:
        return
    if validation.text() == "legacy" and escaping.text() == "allow-utf-8":
        reason = "UTF-8 names are asked for (allow-utf-8), but the validation scheme is legacy"
        raise escaping.error(reason, hint="Write underscores, or metric_name_validation_scheme: utf8.")
