"""The lab of the story: its folder, what is asked of it, and what is waited for.

Nothing is waited for by a time alone: every wait is for something that was observed (a line of a log, a note of an application,
an answer of Consul or Prometheus), with one limit for all of the story. A slow machine tells it later, and does not fail.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis

from necropsy.lab.live import plan as plans
from necropsy.lab.live.plan import LabPlan
from waiting import wait_until

CODE = "import runpy; runpy.run_module('necropsy.cli.main', run_name='__main__', alter_sys=True)"
BY_PROBER = "Blackbox-Exporter"
MARKERS = "spring:session:sessions:expires:*"


class Story:
    """A lab that is up.

    Parameters
    ----------
    folder
        Of the lab.
    longest_s
        Seconds that all of the story may take.
    """

    def __init__(self, folder: Path, longest_s: float) -> None:
        self.folder = folder
        self.began = time.monotonic()
        self._ends = self.began + longest_s

    @property
    def plan(self) -> LabPlan:
        return plans.read(self.folder)

    def run(self, *arguments: str, code: int | tuple[int, ...] = 0) -> str:
        """Run a command in the lab's folder; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", CODE, *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        codes = (code,) if isinstance(code, int) else code
        assert done.returncode in codes, (
            f"necropsy {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def json(self, *arguments: str, code: int | tuple[int, ...] = 0) -> Any:
        return json.loads(self.run(*arguments, "--format", "json", code=code))

    def examine(self, *arguments: str, code: int | tuple[int, ...]) -> Any:
        """Examine all of it live; the report."""
        return self.json("examine", "incident.toml", *arguments, "-q", code=code)

    def act(self, *words: str) -> None:
        self.run("lab", "act", *words, "--folder", str(self.folder))

    def say(self, what: str) -> None:
        print(f"[{time.monotonic() - self.began:5.0f} s] {what}", flush=True)  # noqa: T201 -- with -s, the story

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Wait for what ``holds`` observes, and return it."""
        return wait_until(holds, what, max(1.0, self._ends - time.monotonic()), every_s=0.5)

    def redis(self, name: str) -> redis.Redis:
        place = self.plan.admin(name).redis
        return redis.Redis(host=place.host, port=place.port, protocol=2, socket_timeout=60)

    def address(self, name: str) -> str:
        return f"redis://{self.plan.admin(name).redis}"

    def url(self, component: str) -> str:
        return f"http://{self.plan.at(component)}"

    def answer(self, url: str) -> Any:
        """Return what a component answers, JSON."""
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.load(answer)

    # What the applications and the users noted: the truth.

    def lines(self, name: str) -> list[Any]:
        return [json.loads(line) for path in sorted(self.folder.glob(f"truth/{name}.jsonl")) for line in whole(path)]

    def births(self, admin: str, *, by_prober: bool | None = None) -> list[float]:
        """Moments at which the applications of an admin created sessions, Unix seconds, in order."""
        return sorted(
            at
            for machine in self.plan.machines
            if machine.admin == admin
            for at in self.births_of(machine.name, by_prober=by_prober)
        )

    def births_of(self, machine: str, *, by_prober: bool | None = None, proxied: bool | None = None) -> list[float]:
        """The same of one machine; those that its proxy passed on, or those of requests that went round it."""
        return [
            note["at_ms"] / 1000
            for note in self.lines(f"births-{machine}-*")
            if by_prober in {None, note["agent"].startswith(BY_PROBER)} and proxied in {None, bool(note["proxied"])}
        ]

    def silence(self, births: Callable[[], list[float]], silence_s: float, what: str) -> float:
        """Wait until nobody has made such births for so long; the moment at which the last one was made."""
        return float(self.until(lambda: last if time.time() - (last := max(births())) > silence_s else None, what))

    def did(self, admin: str, since: float = 0.0) -> Counter[str]:
        """Count what the users of an admin did."""
        return Counter(one["event"] for one in self.lines(f"users-{admin}") if one["at"] >= since)

    # What is configured, and what the components say.

    def targets_asked(self) -> set[str]:
        """What Prometheus has blackbox ask now: ``HOST:PORT``, or with a path."""
        active = self.answer(f"{self.url('prometheus')}/api/v1/targets?state=active")["data"]["activeTargets"]
        return {target for one in active for target in parse_qs(urlsplit(one["scrapeUrl"]).query)["target"]}

    def chat(self) -> list[tuple[float, str]]:
        """When which message came to the chat."""
        return [(one["at"], one["message"]["attachments"][0]["title"]) for one in self.lines("chat")]

    def verify(self, silence_s: float) -> dict[str, Any]:
        """Verify both stores, again as long as it is too early for one of A's creators."""
        stores = [word for name in ("admin-a", "admin-b") for word in ("--redis", f"{name}={self.address(name)}")]
        consul = ("--consul", self.url("consul-server-001/http"))

        def checked() -> dict[str, Any] | None:
            made = self.json(
                "verify", "sick.case", *stores, *consul, "--silence", f"{silence_s:g}s", "-q", code=(0, 4, 12, 13)
            )
            found = {store["store"]: store for store in made["stores"]}
            early = found["admin-a"]["until"] is not None or any(
                one["state"] == "unknown" for one in found["admin-a"]["creators"]
            )
            return None if early else found

        found: dict[str, Any] = self.until(checked, "verify can tell of every creator of A")
        return found


def whole(path: Path) -> list[str]:
    """Whole lines: the last one may be half written."""
    return path.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
