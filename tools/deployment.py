"""The files of ``deploy/`` that a guard generates: rules, Alertmanager's configuration, dashboards, and rules for Kubernetes."""

from __future__ import annotations

from pathlib import Path

DEPLOY = Path("deploy")


def files() -> dict[Path, str]:
    """Every file that the code alone decides, and its text."""
    import yaml

    from necropsy.guard.around import alertmanager, compose, dashboards
    from necropsy.guard.notify.plan import ReceiverRules, parse_quiet
    from necropsy.guard.rules import as_yaml as rules

    told = ReceiverRules(quiet=parse_quiet("22:00-07:00 Europe/Berlin"))
    slack = alertmanager.Receiver(alertmanager.SLACK, f"{compose.SECRETS}/{compose.SLACK_SECRET}", told)
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "necropsy", "namespace": "monitoring", "labels": {"app.kubernetes.io/name": "necropsy"}},
        "spec": yaml.safe_load(rules()),
    }
    resource_text = yaml.safe_dump(resource, sort_keys=False, allow_unicode=True, width=120)
    return {
        DEPLOY / "prometheus" / "necropsy.rules.yml": rules(),
        DEPLOY / "alertmanager" / "alertmanager.yml": alertmanager.as_yaml([slack], "http://127.0.0.1:9120/"),
        DEPLOY / "alertmanager" / alertmanager.TEMPLATE: alertmanager.template(),
        DEPLOY
        / "kubernetes"
        / "rules.yaml": f"# Written by `make docs`: the rules of `necropsy guard rules`.\n{resource_text}",
        **{DEPLOY / "grafana" / name: text for name, text in dashboards.files(compose.PROMETHEUS_URL).items()},
    }
