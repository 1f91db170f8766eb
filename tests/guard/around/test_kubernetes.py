"""``deploy/kubernetes`` and the Dockerfiles: schemas, a linter, what the guard itself says of them, and the command that runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import node_packages
import servers
from guard.guards import Running
from necropsy.guard.around import compose
from waiting import wait_until

pytestmark = pytest.mark.checkout
OPERATOR = "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1"


def resources(checkout: Path) -> list[dict[str, Any]]:
    files = sorted((checkout / "deploy" / "kubernetes").glob("*.yaml"))
    return [one for path in files for one in yaml.safe_load_all(path.read_text()) if one]


def found(checkout: Path, kind: str) -> dict[str, Any]:
    (one,) = [resource for resource in resources(checkout) if resource["kind"] == kind]
    return one


def is_operators(resource: dict[str, Any]) -> bool:
    return bool(resource["apiVersion"].startswith("monitoring.coreos.com/"))


def test_kubernetes_schemas_accept_each_resource_and_no_unknown_name(checkout: Path) -> None:
    own = [resource for resource in resources(checkout) if not is_operators(resource)]
    assert len(own) == 7
    for resource in own:
        kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)
    own[-1]["spec"]["podSelectors"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(own[-1], kubernetes_validate.latest_version(), strict=True)


@pytest.mark.integration
def test_the_prometheus_operators_types_and_schemas_accept_what_it_is_told(checkout: Path) -> None:
    told = [resource for resource in resources(checkout) if is_operators(resource)]
    assert {one["kind"] for one in told} == {"Probe", "PrometheusRule", "ServiceMonitor"}
    assert node_packages.typed("operator", [(OPERATOR, f"I{one['kind']}", one) for one in told]) == ""
    checked = node_packages.run_script("validate.mjs", told)
    assert checked.returncode == 0, checked.stderr
    wrong = [{**one, "spec": {**one["spec"], "interval": "10 seconds"}} for one in told if one["kind"] == "Probe"]
    assert node_packages.run_script("validate.mjs", wrong).returncode != 0
    assert "jobNames" in node_packages.typed("wrong", [(OPERATOR, "IProbe", {**wrong[0], "spec": {"jobNames": "x"}})])


def test_names_labels_and_ports_lead_to_each_other(checkout: Path) -> None:
    deployment, service = found(checkout, "Deployment"), found(checkout, "Service")
    pod = deployment["spec"]["template"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    monitor, probe = found(checkout, "ServiceMonitor"), found(checkout, "Probe")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} == {
        port["name"] for port in service["spec"]["ports"]
    }
    args = pod["spec"]["containers"][0]["args"]
    host = args[args.index("--host") + 1]
    assert host == f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc"
    assert probe["spec"]["prober"]["url"] == f"{host}:{service['spec']['ports'][0]['port']}"
    stores = re.findall(r'^name = "(.+)"$', found(checkout, "ConfigMap")["data"]["guard.toml"], re.MULTILINE)
    assert [
        one for endpoint in monitor["spec"]["endpoints"] for one in endpoint.get("params", {}).get("target", ())
    ] == stores


def test_the_container_may_do_little(checkout: Path) -> None:
    pod = found(checkout, "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}
    }  # fmt: skip
    writable = [one["mountPath"] for one in container["volumeMounts"] if not one.get("readOnly")]
    assert writable == ["/var/lib/necropsy", "/tmp"]  # noqa: S108 -- of the container


@pytest.mark.integration
def test_the_command_of_the_container_runs_with_the_configuration_of_its_config_map(
    checkout: Path, tmp_path: Path
) -> None:
    """The paths of its volumes are folders here, and its store is a real one with the password of its secret."""
    data, args = (
        found(checkout, "ConfigMap")["data"],
        found(checkout, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"],
    )
    password = found(checkout, "Secret")["stringData"]["redis-a"]
    folders = {
        "/etc/necropsy-secrets": tmp_path / "secrets",
        "/etc/necropsy": tmp_path / "etc",
        "/var/lib/necropsy": tmp_path / "var",
    }
    for folder in folders.values():
        folder.mkdir()
    (tmp_path / "secrets" / "redis-a").write_text(password)
    with servers.running("redis-7.0", "--requirepass", password, tcp=True) as server:
        port = servers.free_port()

        def here(text: str) -> str:
            for path, folder in folders.items():
                text = text.replace(path, str(folder))
            return text.replace("redis-a.shop.svc:6379", f"127.0.0.1:{server.port}").replace(
                "0.0.0.0:9120", f"127.0.0.1:{port}"
            )

        for name, text in data.items():
            (tmp_path / "etc" / name).write_text(here(text))
        command = [sys.executable, "-m", "necropsy.cli.main", *map(here, args)]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)
        try:
            guard = Running(process, f"http://127.0.0.1:{port}", tmp_path / "log")
            wait_until(lambda: "Listening on" in guard.log or process.poll() is not None, "it listens")
            assert process.poll() is None, guard.log
            assert guard.get("/-/ready")[0] == 200
            assert guard.get("/metrics", Host="necropsy-guard.monitoring.svc:9120")[0] == 200
            assert guard.get("/metrics", Host="another.name:9120")[0] == 421
            wait_until(
                lambda: "redis_up 1" in guard.get("/scrape?target=admin-a")[1], "it reads the store with its password"
            )
            wait_until((tmp_path / "var" / "guard.case").exists, "the history is where the volume is")
            assert guard.end() == 0
            assert password not in guard.log
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(20)


def lines(dockerfile: Path) -> list[str]:
    return dockerfile.read_text().splitlines()


def test_hadolint_finds_nothing_in_the_dockerfiles_and_they_end_as_a_user_who_is_not_root(checkout: Path) -> None:
    program = Path(sys.executable).parent / "hadolint"
    for path in (checkout / "deploy" / "Dockerfile", checkout / "deploy" / "app" / "Dockerfile"):
        linted = subprocess.run([str(program), str(path)], capture_output=True, text=True, check=False)
        assert linted.returncode == 0, linted.stdout
        users = [line.split()[1] for line in lines(path) if line.startswith("USER ")]
        assert users
        assert not users[-1].startswith("0")


def test_the_image_copies_what_there_is_and_begins_with_a_command_that_exists(checkout: Path) -> None:
    said = lines(checkout / "deploy" / "Dockerfile")
    for line in said:
        if line.startswith("COPY ") and "--from" not in line:
            assert all((checkout / name).exists() for name in line.split()[1:-1]), line
    entry, command = (json.loads(line.partition(" ")[2]) for line in said if line.startswith(("ENTRYPOINT", "CMD")))
    assert entry == compose.guard("./guard", "guard.toml")["entrypoint"]
    assert command[:5] == compose.guard("./guard", "guard.toml")["command"][:5]


@pytest.mark.integration
def test_what_the_image_installs_is_enough_to_run_it(checkout: Path, tmp_path: Path) -> None:
    """The files that the Dockerfile copies are a package that can be built: its version is said by the command."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(checkout / name, source)
    shutil.copytree(
        checkout / "src", source / "src", ignore=shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info")
    )
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(source)],
        capture_output=True, text=True, check=False, env={**os.environ, "NECROPSY_UNCOMPILED": "1"})  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert list(tmp_path.glob("necropsy-*.whl"))


@pytest.mark.process
def test_necropsy_finds_nothing_wrong_with_the_probes_of_its_own_deployment(checkout: Path) -> None:
    command = [sys.executable, "-m", "necropsy.cli.main", "lint", str(checkout / "deploy")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "creates-sessions" not in run.stdout, run.stdout
