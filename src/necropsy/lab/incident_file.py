"""``incident.toml``: the sources of a staged story, as ``necropsy examine`` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from necropsy.lab.truth import Stage


def incident_file(stage: Stage) -> str:
    """Return the text; paths are relative to the file.

    ::

        now = 2019-05-24T19:00:00Z
        access-log = [
          "servers/a1/access.log",
        ]

        [[store]]
        name = "admin-a"
        rdb = "stores/admin-a.rdb"
        memory-limit = "1GB"
    """
    stores = stage.stores
    consul = [f"{_relative(stage, store.consul_answer)}" for store in stores]
    consul += [f"{d.address}={_relative(stage, d.path)}" for store in stores for d in store.consul_definitions]
    return "\n".join(
        [
            "# The sources of one autopsy, by the names that `necropsy examine` has for them.",
            f"now = {stage.now:%Y-%m-%dT%H:%M:%SZ}",
            *_list("access-log", _paths(stage, (path for store in stores for path in store.access_logs))),
            *_list("app-log", _paths(stage, (path for store in stores for path in store.error_logs))),
            *_list("nginx", _paths(stage, (path for store in stores for path in store.nginx))),
            *_list("prometheus", _paths(stage, [path for path in (stage.prometheus,) if path is not None])),
            *_list("blackbox", _paths(stage, [path for path in (stage.blackbox,) if path is not None])),
            *_list("consul", consul, "# An agent's definitions do not say where they run: ADDRESS=FILE"),
            *(line for store in stores for line in _store(stage, store.name, store.dump)),
            "",
        ]
    )


def _store(stage: Stage, name: str, dump: Path) -> list[str]:
    # Both stores of the incident ran on one machine with a gigabyte.
    return ["", "[[store]]", f'name = "{name}"', f'rdb = "{_relative(stage, dump)}"', 'memory-limit = "1GB"']


def _list(name: str, values: Iterable[str], comment: str = "") -> list[str]:
    lines = [f"  {json.dumps(value)}," for value in values]
    return [*([comment] if comment else []), f"{name} = [", *lines, "]"] if lines else []


def _paths(stage: Stage, paths: Iterable[Path]) -> list[str]:
    return [_relative(stage, path) for path in paths]


def _relative(stage: Stage, path: Path) -> str:
    return path.relative_to(stage.folder).as_posix()
