"""The incident replayed with the guard watching: how soon somebody would have known, and by which words.

The lab comes up without its prober, and people work. Then the prober is switched on, as in 2019. What the guard says in the chat
is followed to the end: the patch that it names is applied, deployed everywhere but on one machine, and then there, too.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from necropsy._internal.paths import exists
from necropsy.lab.live import acts, conductor
from necropsy.lab.live.plan import LabOptions, LabPlan
from necropsy.lab.live.supervisor import Supervisor
from necropsy.model.errors import NecropsyError
from necropsy.model.figures import size
from necropsy.report.figures import duration

SPEED: Final = 10.0
_LIMIT: Final = 1 << 30
"""Of each store: the machine of the incident had a gigabyte."""
_LOOK_S: Final = 20.0
_PATIENCE_S: Final = 540.0
"""Longest time of each turn of the story: a silent client counts as gone after five minutes, whatever the speed."""
_RELOADED: Final = "necropsy_config_last_reload_success_timestamp_seconds"
_FORGOTTEN: Final = "a2"
_SHOWN: Final = ("who", "since", "figures", "change", "run")
_WIDTH: Final = 110
_INDENT: Final = 9
Say = Callable[[str], None]


@dataclass(slots=True)
class _Chat:
    """Messages of the guard itself in the chat; those of Alertmanager by the rules are left out."""

    path: Path
    seen: int = 0
    messages: list[tuple[float, str]] = field(default_factory=list)
    """Unix time and text."""

    def look(self) -> None:
        """Read what came since."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if exists(self.path) else []
        for line in lines[self.seen :]:
            entry: dict[str, Any] = json.loads(line)
            if "blocks" in entry["message"]:
                self.messages.append((float(entry["at"]), str(entry["message"]["text"])))
        self.seen = len(lines)


def replay(folder: Path, command: Sequence[str], say: Say) -> Generator[str, None, None]:
    """Replay the incident, and yield the story line by line; the lab is down afterwards.

    Parameters
    ----------
    command
        How the command line of necropsy is called.

    Raises
    ------
    NecropsyError
        A part of the lab is missing, or the guard does not say what the story waits for.
    """
    wish = LabOptions(speed=SPEED, interval_s=1.0, users=4, limit_a=_LIMIT, limit_b=_LIMIT, without=("redis-exporter",))
    lab = conductor.up(folder, wish, say)
    try:
        running = lab.supervisor.noted()
        for needed in ("prometheus", "chat", "guard", "blackbox"):
            if needed not in running:
                gets = [get for one in lab.missing if one.component.name == needed for get in one.get]
                raise NecropsyError(f"the story needs {needed}", hint="; ".join(gets) or "See necropsy lab up.")
        yield from _story(lab.plan, lab.supervisor, command, say)
    finally:
        conductor.down(folder)


def _story(plan: LabPlan, supervisor: Supervisor, command: Sequence[str], say: Say) -> Iterator[str]:
    _configure(plan)
    before = _metrics(plan).get(_RELOADED)
    if not supervisor.send("guard", signal.SIGHUP):
        raise NecropsyError("the guard has ended", hint="See logs/guard.out in the folder of the lab.")
    _until(lambda: _metrics(plan).get(_RELOADED, before) != before, "the guard reads its configuration again")
    chat = _Chat(plan.folder / "truth" / "chat.jsonl")
    say("people work; the guard looks at both stores")
    _until(lambda: _metrics(plan).get("necropsy_census_up") == 1, "the guard's first look succeeds")
    chat.look()
    yield f"A second here is {SPEED:g} seconds of 2019: the prober asks each second instead of each ten."
    yield f"The guard looks every {_LOOK_S:g} s. Before the prober is on it has said {_number(chat.messages)}."
    began = time.time()

    def at(moment: float) -> str:
        minutes, seconds = divmod(max(0, round(moment - began)), 60)
        return f"{minutes:02}:{seconds:02}"

    def told(pattern: str, what: str) -> Iterator[str]:
        start = len(chat.messages)
        _until(lambda: _found(chat, start, pattern), what)
        for moment, text in chat.messages[start:]:
            yield ""
            yield from _shown(at(moment), text.replace(f"{plan.folder}/", ""))

    acts.act(plan.folder, "prober-on")
    yield f"{at(time.time())}  The prober is switched on."
    say("the prober is on; waiting for the guard's word")
    yield from told(
        r"new creators? start.*\n(.*\n)*change ", "the guard names the prober and the line that makes it do so"
    )
    first = next(moment for moment, text in chat.messages if re.search(r"new creators? start", text) and moment > began)
    yield ""
    took = first - began
    yield f"       The first word came {round(took)} s after the prober: {took * SPEED / 60:.0f} minutes of 2019."
    yield from _stores(plan)
    case = str(plan.folder / "incident.watch.case")
    _run([*command, "treat", case, "--patch", "--write"])
    machines = [machine.name for machine in plan.machines if machine.name != _FORGOTTEN]
    for place in ("prometheus", *machines):
        acts.act(plan.folder, "deploy", place)
    yield ""
    where = " and ".join(machines)
    yield f"{at(time.time())}  necropsy treat --patch --write; deployed on {where}, and forgotten on {_FORGOTTEN}."
    yield "       Who is silent counts as gone after five minutes, however fast the rest is."
    say(f"the patch is on {where}; waiting for the guard's word")
    yield from told(r"Partly fixed", "the guard says that a machine was forgotten")
    acts.act(plan.folder, "deploy", _FORGOTTEN)
    yield ""
    yield f"{at(time.time())}  Deployed on {_FORGOTTEN}, too."
    say(f"the patch is on {_FORGOTTEN}, too; waiting for the guard's word")
    yield from told(r"^🟢 Resolved: (Partly fixed|.*admin-a)", "the guard says that it is over")


def _configure(plan: LabPlan) -> None:
    """Let the guard look more often than time is scaled, and tell the chat by itself."""
    path = plan.folder / "incident.toml"
    text = re.sub(r'^every = ".*"$', f'every = "{_LOOK_S:g}s"', path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path.write_text(f'{text}\n[[guard.tell]]\nslack = "http://{plan.at("chat")}/services/guard"\n', encoding="utf-8")


def _found(chat: _Chat, start: int, pattern: str) -> bool:
    chat.look()
    return any(re.search(pattern, text, re.MULTILINE) for _, text in chat.messages[start:])


def _shown(at: str, text: str) -> Iterator[str]:
    """Yield a message of the guard, its long lines cut."""
    title, *body = text.splitlines()
    yield f"{at}  {title}"
    for line in body:
        if line.startswith((*_SHOWN, " ")):
            yield f"{' ' * (_INDENT - 2)}{line if len(line) <= _WIDTH else line[: _WIDTH - 1] + '…'}"


def _stores(plan: LabPlan) -> Iterator[str]:
    """Yield how far the stores are from full, as the servers themselves say."""
    metrics = _metrics(plan, f"/scrape?target={plan.admins[1].name}")
    used, limit = metrics.get("redis_memory_used_bytes"), metrics.get("redis_memory_max_bytes")
    if used and limit:
        name = plan.admins[1].name
        yield f"       Store {name} holds {size(used)} of {size(limit)} then; its sessions live 68 years."
        full = _metrics(plan).get(f'necropsy_memory_exhausted_timestamp_seconds{{store="{name}"}}')
        if full is not None:
            left = duration(round((full - time.time()) * SPEED))
            yield f"       At this pace its memory is gone in {left} of 2019, and no session of it will have expired by then."


def _metrics(plan: LabPlan, path: str = "/metrics") -> dict[str, float]:
    """Return the metrics, each with its labels as they are written."""
    try:
        with urllib.request.urlopen(f"http://{plan.at('guard')}{path}", timeout=10) as answer:
            text = answer.read().decode()
    except (urllib.error.URLError, OSError):
        return {}
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#")
    return {name: float(value) for name, value in pairs}


def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if holds():
            return
        time.sleep(0.5)
    raise NecropsyError(f"not within {_PATIENCE_S:.0f} s: {what}", hint="See logs/guard.out in the folder of the lab.")


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- the command of our own command line
    if done.returncode:
        raise NecropsyError(
            f"treat ended with {done.returncode}: {done.stderr.strip()}", hint="Look at the case itself."
        )


def _number(messages: Sequence[object]) -> str:
    return "nothing" if not messages else f"{len(messages)} things"
