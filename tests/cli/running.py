"""Commands run in this process: what they print, and the exit code that the shell would see."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from necropsy.cli.main import command_line
from necropsy.model.errors import NecropsyError


@dataclass(frozen=True)
class Said:
    """What a command said."""

    out: str
    code: int
    error: NecropsyError | None = None
    err: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str) -> Said:
    done = CliRunner().invoke(command_line(arguments), list(arguments), env={"NO_COLOR": "1"})
    if done.exception is not None and not isinstance(done.exception, (SystemExit, NecropsyError)):
        raise done.exception
    error = done.exception if isinstance(done.exception, NecropsyError) else None
    return Said(done.stdout, error.exit_code if error else done.exit_code, error, done.stderr)
