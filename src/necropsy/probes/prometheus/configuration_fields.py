"""The fields of Prometheus' configuration, and the version since which each exists; an unlisted field is refused.

Versions are those of the change log; ``ALWAYS`` stands for everything before 2.24. Fields that came after 3.0 count as
known to "3.0", the version of somebody who did not say which one runs, and mostly to every version 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from necropsy.model.errors import ConfigurationError, NotJudged
from necropsy.probes.prometheus import schema_checks
from necropsy.probes.prometheus.version import Version
from necropsy.probes.syntax.node import Node

Since = Mapping[str, tuple[int, int]]
ALWAYS: Final = (0, 0)
THREE: Final = (3, 0)
_NATIVE: Final = (3, 8)
"""3.5 refuses ``scrape_native_histograms``: measured; 3.8 has it by its change log."""

HISTOGRAMS: Final = (
    "convert_classic_histograms_to_nhcb",
    "always_scrape_classic_histograms",
    "scrape_native_histograms",
)
"""Settings that are labels of every target from 3.13 on."""
BOOLEANS: Final = (
    "honor_timestamps",
    "track_timestamps_staleness",
    "enable_compression",
    "enable_http2",
    "proxy_from_environment",
    "extra_scrape_metrics",
)
"""Fields whose value must be a boolean although nothing here depends on it."""
COUNTS: Final = (
    "sample_limit",
    "target_limit",
    "label_limit",
    "label_name_length_limit",
    "label_value_length_limit",
    "keep_dropped_targets",
)
"""Fields whose value must be a whole number that is not negative."""

SECTIONS: Final[Since] = {
    "global": ALWAYS,
    "alerting": ALWAYS,
    "rule_files": ALWAYS,
    "scrape_configs": ALWAYS,
    "remote_write": ALWAYS,
    "remote_read": ALWAYS,
    "storage": (2, 29),
    "tracing": (2, 34),
    "scrape_config_files": (2, 43),
    "runtime": (2, 53),
    "otlp": (2, 55),
}
GLOBAL: Final[Since] = {
    "scrape_interval": ALWAYS,
    "scrape_timeout": ALWAYS,
    "evaluation_interval": ALWAYS,
    "query_log_file": ALWAYS,
    "external_labels": ALWAYS,
    "body_size_limit": (2, 45),
    **dict.fromkeys(COUNTS, (2, 45)),
    "keep_dropped_targets": (2, 47),
    "scrape_protocols": (2, 49),
    "rule_query_offset": (2, 53),
    "metric_name_validation_scheme": (2, 54),
    "scrape_failure_log_file": (2, 55),
    **dict.fromkeys(("metric_name_escaping_scheme", "extra_scrape_metrics", *HISTOGRAMS), THREE),
    "scrape_native_histograms": _NATIVE,
}
HTTP: Final[Since] = {
    "basic_auth": ALWAYS,
    "bearer_token": ALWAYS,
    "bearer_token_file": ALWAYS,
    "tls_config": ALWAYS,
    "proxy_url": ALWAYS,
    "authorization": (2, 26),
    "follow_redirects": (2, 26),
    "oauth2": (2, 27),
    "enable_http2": (2, 35),
    "proxy_connect_header": (2, 41),
    "no_proxy": (2, 43),
    "proxy_from_environment": (2, 43),
    "http_headers": (2, 55),
}
_DEBIAN: Final[Since] = {"http_headers": (2, 53)}
"""Fields that Debian's builds know earlier, as they are built with a later prometheus/common. Measured: 2.53.3+ds1."""
_UNTIL: Final[Mapping[str, tuple[tuple[int, int], str]]] = {
    "scrape_classic_histograms": (THREE, "always_scrape_classic_histograms")
}
"""Fields that a version took away, with their successors."""
DISCOVERIES: Final = (
    "azure", "consul", "digitalocean", "dns", "docker", "dockerswarm", "ec2", "eureka", "file", "gce", "hetzner", "http",
    "ionos", "kubernetes", "kuma", "lightsail", "linode", "marathon", "nerve", "nomad", "openstack", "ovhcloud",
    "puppetdb", "scaleway", "serverset", "triton", "uyuni", "vultr",
)  # fmt: skip
"""Kinds of discovery, other than static, that Prometheus 3.4 has."""
LATER_DISCOVERIES: Final[Since] = {
    "stackit": (3, 5),
    "aws": (3, 8),
    "ecs": (3, 8),
    "msk": (3, 10),
    "elasticache": (3, 11),
    "rds": (3, 11),
    "outscale": (3, 12),
    "oci": (3, 14),
}
"""Kinds of discovery that came later, by the change log."""
NEWEST: Final = (3, 14)
"""The newest version whose change log was read: a later one may know kinds of discovery that this table lacks."""
_DISCOVERY: Final = re.compile(r"[a-z0-9_]+_sd_configs")
_TYPING_ERROR: Final = 0.8
"""Likeness from which an unknown kind is taken for a known one with a typing error."""
JOB: Final[Since] = {
    "job_name": ALWAYS,
    "honor_labels": ALWAYS,
    "honor_timestamps": ALWAYS,
    "params": ALWAYS,
    "scrape_interval": ALWAYS,
    "scrape_timeout": ALWAYS,
    "metrics_path": ALWAYS,
    "scheme": ALWAYS,
    "static_configs": ALWAYS,
    "relabel_configs": ALWAYS,
    "metric_relabel_configs": ALWAYS,
    "sample_limit": ALWAYS,
    "target_limit": ALWAYS,
    "label_limit": (2, 27),
    "label_name_length_limit": (2, 27),
    "label_value_length_limit": (2, 27),
    "body_size_limit": (2, 28),
    "scrape_classic_histograms": (2, 45),
    "native_histogram_bucket_limit": (2, 45),
    "keep_dropped_targets": (2, 47),
    "track_timestamps_staleness": (2, 48),
    "scrape_protocols": (2, 49),
    "enable_compression": (2, 49),
    "native_histogram_min_bucket_factor": (2, 50),
    "metric_name_validation_scheme": (2, 54),
    "scrape_failure_log_file": (2, 55),
    **dict.fromkeys(
        ("fallback_scrape_protocol", "metric_name_escaping_scheme", "extra_scrape_metrics", *HISTOGRAMS), THREE
    ),
    "scrape_native_histograms": _NATIVE,
    **HTTP,
    **{f"{kind}_sd_configs": ALWAYS for kind in DISCOVERIES},
    **{f"{kind}_sd_configs": since for kind, since in LATER_DISCOVERIES.items()},
}


def fields(
    node: Node, what: str, table: Since, version: Version, problems: list[ConfigurationError] | None
) -> dict[str, Node]:
    """Return the fields of a mapping that this version knows; see ``schema_checks.mapping`` for the rest."""
    some_three = version[:2] == THREE  # what counts when nobody says which one runs
    known = {
        name
        for name, since in table.items()
        if version >= (_DEBIAN.get(name, since) if version.debian else since) or (some_three and since >= THREE)
    }
    later = {
        name: f"It came with Prometheus {since[0]}.{since[1]}; this is {version}."
        for name, since in table.items()
        if name not in known
    }
    for name, (until, successor) in _UNTIL.items():
        if name in known and version >= until:
            known.remove(name)
            later[name] = f"Prometheus {until[0]}.{until[1]} calls it {successor}."
    if problems is None or node.kind != "mapping":
        return schema_checks.mapping(node, what, known, problems, hints=later)
    newer = [key for key, _ in node.entries() if key.text() not in table and _may_be_newer(key.text(), table, version)]
    problems.extend(
        NotJudged(
            key.file,
            key.line,
            f"{key.text()} is not a service discovery of Prometheus {NEWEST[0]}.{NEWEST[1]} or earlier has",
            hint="Correct its name. If your Prometheus is newer: --prometheus http://host:9090 reads its targets from"
            " the server.",
        )
        for key in newer
    )
    return schema_checks.mapping(node, what, known | {key.text() for key in newer}, problems, hints=later)


def _may_be_newer(name: str, table: Since, version: Version) -> bool:
    """Whether an unknown field is a kind of discovery that a later Prometheus may have, and no typing error."""
    stated = version[:2] != THREE
    if not _DISCOVERY.fullmatch(name) or (stated and version <= NEWEST):
        return False
    kinds = [known.removesuffix("_sd_configs") for known in table if known.endswith("_sd_configs")]
    return not get_close_matches(name.removesuffix("_sd_configs"), kinds, n=1, cutoff=_TYPING_ERROR)
