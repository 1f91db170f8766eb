"""From a seed and a kind to a folder of evidence with its truth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from incidents import configuration, logs, truth
from incidents.chance import Chance
from incidents.kinds.registry import BY_NAME
from incidents.scene import Scene
from incidents.stores import WRITERS, stamp
from necropsy.lab import server

EPOCH_MS = 1_546_300_800_000
"""2019-01-01; incidents play within the eight years after it."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident on disk. The options of ``necropsy examine`` are kept by kind of evidence."""

    folder: Path
    truth: dict[str, Any]
    options: dict[str, list[str]]
    now: str

    def command(self, withheld: str = "") -> list[str]:
        """Arguments of ``necropsy examine``, without one kind of evidence."""
        given = [
            option for kind, options in self.options.items() if kind not in {withheld, "formats"} for option in options
        ]
        if withheld == "configuration":
            given += self.options["formats"]
        return ["examine", *given, "--now", self.now, "--format", "json", "--quiet", "--fail-on", "never"]


def imagine(seed: int, kind: str) -> tuple[Scene, logs.Style | None]:
    """Simulate an incident; nothing is written."""
    chance = Chance(seed, kind)
    now = EPOCH_MS + chance.whole(0, 8 * 365 * 86_400_000)
    scene = Scene(seed, kind, now, chance.fork("scene"))
    BY_NAME[kind].fill(scene)
    for actor in scene.actors.values():
        actor.name = actor.name or next(name for name, one in scene.actors.items() if one is actor)
    style = None
    if "log" in scene.evidence:
        style = logs.draw(scene, chance.fork("log style"), formats=scene.log_formats)
        if scene.log_from is not None and style.start_ms > scene.log_from:
            style = logs.moved(style, scene.log_from)
    return scene, style


def build(seed: int, kind: str, folder: Path) -> Incident:
    """Write all evidence and ``truth.json``; the same seed gives the same bytes.

    With one exception: a dump lists its keys in an order that its server draws afresh, and tells what memory that took.
    """
    scene, style = imagine(seed, kind)
    folder.mkdir(parents=True, exist_ok=True)
    options: dict[str, list[str]] = {"dump": [], "log": [], "configuration": [], "formats": []}
    written = None
    if style is not None:
        written = logs.write(scene, style, folder / "logs")
        for path in written.files:
            options["log"] += ["--access-log", str(path)]
        if style.format != "combined" and not style.format.startswith("json"):
            options["formats"] = ["--log-format", logs.FORMATS[style.format]]
    if "configuration" in scene.evidence:
        options["configuration"] = configuration.write(scene, style, folder / "configuration")
    if "dump" in scene.evidence:
        for number, store in enumerate(scene.stores.values()):
            path = folder / f"{store.name}.rdb"
            _dump(scene, store.name, path, seed + number)
            options["dump"] += ["--rdb", f"{store.name}={path}"]
            if store.maximum:
                options["dump"] += ["--memory-limit", store.maximum]
    facts = truth.judgeable(scene, style, written)
    (folder / "truth.json").write_text(json.dumps(facts, indent=1))
    now = datetime.fromtimestamp(scene.now_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return Incident(folder, facts, options, now)


def _dump(scene: Scene, name: str, path: Path, seed: int) -> None:
    """Load the sessions into a real server, and let it save."""
    store = scene.stores[name]
    sessions = sorted((one for one in scene.sessions if one.store == name), key=lambda one: (one.born_ms, one.id))
    with server.running(server.BUILDS[seed % len(server.BUILDS)]) as running:
        running.feed(WRITERS[store.layout](store, sessions, scene.now_ms))
        running.feed(store.others)
        running.save(path)
    stamp.save_time(path, scene.now_ms // 1000)
