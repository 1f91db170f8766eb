"""Prometheus' configuration for a guard: its own metrics, each store, and probes that go through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def as_yaml(
    guard: str,
    stores: Sequence[str],
    probes: Sequence[str],
    module: str,
    alertmanagers: Sequence[str],
    access: Mapping[str, Any] | None = None,
) -> str:
    """Return ``prometheus.yml``.

    Parameters
    ----------
    guard
        Host and port at which the guard answers.
    stores
        Their names, as the guard has them.
    probes
        Addresses that are asked, each with its path: of ``http://host/`` every answer may be a new session.
    module
        Of the prober.
    alertmanagers
        Host and port of each.
    access
        What each job needs beside its targets: scheme, certificate, user; None: nothing.
    """
    import yaml

    jobs: list[dict[str, Any]] = [{"job_name": "necropsy", "static_configs": [{"targets": [guard]}]}]
    if stores:
        job = _asked("redis", "/scrape", guard, stores)
        named = {"source_labels": ["__param_target"], "target_label": "store"}  # as the session metrics are
        jobs.append({**job, "relabel_configs": [*job["relabel_configs"], named]})
    if probes:
        job = _asked("probes", "/probe", guard, probes)
        jobs.append({**job, "params": {"module": [module]}})
    document: dict[str, Any] = {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": ["necropsy.rules.yml"],
        "scrape_configs": [{**job, **(access or {})} for job in jobs],
    }
    if alertmanagers:
        document["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]}
    header = "# Written by `necropsy guard scrape`. The rules beside it: `necropsy guard rules`.\n"
    return header + yaml.safe_dump(document, sort_keys=False, width=120)


def _asked(name: str, path: str, guard: str, targets: Sequence[str]) -> dict[str, Any]:
    """Return a job whose targets are asked by the guard."""
    return {
        "job_name": name,
        "metrics_path": path,
        "static_configs": [{"targets": list(targets)}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": guard},
        ],
    }
