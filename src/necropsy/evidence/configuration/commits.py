"""Times at which configuration files were changed, from the git repository that holds them.

Only ``git log`` is run, with everything turned off by which a repository's own settings could start another program.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from necropsy._internal.paths import is_file
from necropsy.history.events import Event

_SAFE: Final = (
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "log.showSignature=false"),
    *("-c", "core.pager=cat"),
)
_TIMEOUT_S: Final = 10.0
_MOST: Final = 200
"""Commits of one file, the newest first."""
_SUBJECT: Final = 80


def commits_of(files: Iterable[str]) -> list[Event]:
    """Return the commits that changed some files, each commit once; none where there is no git or no repository.

    Parameters
    ----------
    files
        Paths; addresses and standard input have no history and are passed over.
    """
    git = shutil.which("git")
    found: dict[str, tuple[float, str, list[str]]] = {}
    for name in dict.fromkeys(files):
        path = Path(name)
        if git is None or not is_file(path):
            continue
        for commit, at, subject in _log(git, path):
            found.setdefault(commit, (at, subject, []))[2].append(path.name)
    return [
        Event(at, "commit", f"commit {commit[:9]} of {', '.join(names[:3])}: {subject}", "git")
        for commit, (at, subject, names) in sorted(found.items(), key=lambda item: item[1][0])
    ]


def _log(git: str, path: Path) -> list[tuple[str, float, str]]:
    """(commit, Unix time of the committer, subject) of one file."""
    command = [git, *_SAFE, "log", f"--max-count={_MOST}", "--format=%H%x00%ct%x00%s", "--", path.name]
    try:
        done = subprocess.run(  # noqa: S603 -- a fixed command; the name stands behind --
            command, cwd=path.resolve().parent, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    rows = [line.split("\0") for line in done.stdout.decode("utf-8", "replace").splitlines()]
    return [(row[0], float(row[1]), row[2][:_SUBJECT]) for row in rows if len(row) == 3 and row[1].isdigit()]
