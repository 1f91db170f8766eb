"""TypeScript and the types of others, for files that other programs read: ``tools/node-packages`` installs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[1]
ROOM = CHECKOUT / ".tools" / "node"
_STRICT = (
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "--module",
    "nodenext",
    "--moduleResolution",
    "nodenext",
    "--target",
    "es2022",
)


def installed() -> Path:
    """Return the folder of the packages; where there is no npm the test is skipped, but in CI that is a failure."""
    run = subprocess.run([CHECKOUT / "tools" / "node-packages"], capture_output=True, text=True, check=False)
    if run.returncode:
        if os.environ.get("CI"):
            pytest.fail(run.stderr)
        pytest.skip(run.stderr.strip())
    return ROOM


def typed(name: str, values: Iterable[tuple[str, str, Any]]) -> str:
    """Return what the compiler finds wrong with values: package, type, value. As literals they may have no unknown name."""
    room = installed()
    lines = []
    for number, (package, kind, value) in enumerate(values):
        lines += [
            f'import type {{ {kind} as T{number} }} from "{package}";',
            f"export const v{number}: T{number} = {json.dumps(value)};",
        ]
    path = room / f"{name}-{os.getpid()}.ts"
    path.write_text("\n".join(lines))
    try:
        command = [str(room / "node_modules" / ".bin" / "tsc"), *_STRICT, path.name]
        run = subprocess.run(command, cwd=room, capture_output=True, text=True, check=False)
    finally:
        path.unlink()
    return run.stdout + run.stderr if run.returncode else ""


def run_script(name: str, value: Any, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a script of ``tests/node`` with a value as JSON on its standard input."""
    room = installed()
    shutil.copyfile(CHECKOUT / "tests" / "node" / name, room / name)  # modules are looked for beside the script
    return subprocess.run(
        ["node", name],
        cwd=room,
        input=json.dumps(value),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environ or {})},
    )
