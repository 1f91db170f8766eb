"""Processes of a lab: each in a group of its own, noted in the lab's folder, and marked so that none is ever lost.

``processes/NAME.json`` holds number and start time of a process: a number alone may belong to somebody else by the time that it
is read. Every process has the lab's id in its environment: where the system shows it (Linux), ``stop`` also finds what was
started and never noted, because the conductor was killed in between.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MARK: Final = "NECROPSY_LAB"
_PROC: Final = Path("/proc")
_GRACE_S: Final = 10.0
_KILL_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Noted:
    """A process as it was noted."""

    name: str
    pid: int
    started: str
    """Start time as the system tells it; empty where it does not."""

    @property
    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        state, started = _look(self.pid)
        return state not in {"", "Z", "X"} and started == self.started


class Supervisor:
    """Starts and stops the processes of one lab.

    Parameters
    ----------
    folder
        Of the lab.
    mark
        Id of the lab.
    """

    def __init__(self, folder: Path, mark: str) -> None:
        self._notes = folder / "processes"
        self._logs = folder / "logs"
        self._folder = folder
        self._mark = mark

    def start(self, name: str, command: Iterable[str], inside: Path | None = None) -> Noted:
        """Start a process in a group of its own; its output goes to ``logs/NAME.out``."""
        self._notes.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / f"{name}.out").open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 -- the lab's own components
                list(command),
                cwd=inside or self._folder,
                env={**os.environ, MARK: self._mark},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process.returncode = 0  # it outlives us: nothing to complain of when this value is dropped
        noted = Noted(name, process.pid, _look(process.pid)[1])
        (self._notes / f"{name}.json").write_text(json.dumps({"pid": noted.pid, "started": noted.started}))
        return noted

    def noted(self) -> dict[str, Noted]:
        """Return every process that was noted, by name."""
        found = {}
        for path in sorted(self._notes.glob("*.json")):
            with contextlib.suppress(
                ValueError, KeyError, TypeError
            ):  # half a note of one who was killed: found by its mark
                given = json.loads(path.read_text())
                found[path.stem] = Noted(path.stem, int(given["pid"]), str(given["started"]))
        return found

    def send(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to a process and its group; return whether it was there."""
        noted = self.noted().get(name)
        if noted is None or not noted.alive:
            return False
        _signal_group(noted.pid, number)
        return True

    def stop(self, *names: str) -> int:
        """Stop some processes, or all of the lab with those that nobody noted; return how many there were."""
        noted = self.noted()
        wanted = [one for name, one in noted.items() if not names or name in names]
        groups = {one.pid for one in wanted if one.alive}
        if not names:
            groups |= self._marked_groups()
        _end(groups)
        if not names:
            # Between fork and exec a process has the environment of its parent: it bears no mark at the first look.
            late = self._marked_groups() - groups
            _end(late)
            groups |= late
        for one in wanted:
            (self._notes / f"{one.name}.json").unlink(missing_ok=True)
        if not names:
            for path in self._notes.glob("*.json"):
                path.unlink(missing_ok=True)
        return len(groups)

    def _marked_groups(self) -> set[int]:
        return {_group(pid) for pid in _marked(self._mark)} - {0}

    def left(self) -> list[int]:
        """Return the numbers of all processes that bear the lab's mark, noted or not."""
        return _marked(self._mark)


def _look(pid: int) -> tuple[str, str]:
    """Return state and start time of a process; empty state: there is none."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        if _PROC.joinpath("self").exists():
            return "", ""
        try:
            os.kill(pid, 0)
        except OSError:
            return "", ""
        return "?", ""
    return fields[0], fields[19]  # state and starttime: proc(5), fields 3 and 22


def _marked(mark: str) -> list[int]:
    """Return the processes whose environment bears the mark, except ourselves."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in _processes():
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0") and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found


def _processes() -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from (folder for folder in _PROC.iterdir() if folder.name.isdecimal())


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _end(groups: set[int]) -> None:
    """End groups of processes: asked first, then killed."""
    for group in groups:
        _signal_group(group, signal.SIGTERM)
        _signal_group(group, signal.SIGCONT)  # one that was stopped cannot hear it otherwise
    _wait(groups, _GRACE_S)
    for group in groups:
        _signal_group(group, signal.SIGKILL)
    _wait(groups, _KILL_S)


def _wait(groups: set[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(_running(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)


def _running(group: int) -> bool:
    """Whether a process of a group still runs; one that has ended and waits for its parent does not."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(group, os.WNOHANG)
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return _look(group)[0] not in {"", "Z", "X"} or any(
        _group(int(folder.name)) == group and _look(int(folder.name))[0] not in {"Z", "X", ""}
        for folder in _processes()
    )
