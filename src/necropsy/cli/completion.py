"""``necropsy completion``: the script that completes commands and options in a shell."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import typer

from necropsy.cli import output

VARIABLE: Final = "_NECROPSY_COMPLETE"
"""Variable of the environment by which the script asks for what could come next."""


class Shell(StrEnum):
    """Shells that can complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def completion(
    shell: Annotated[
        Shell, typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell.", case_sensitive=False)
    ],
) -> None:
    """Print the shell script that completes commands and options. Changes no file.

    \b
    Examples:
      eval "$(necropsy completion bash)"
      necropsy completion zsh > ~/.zfunc/_necropsy
      necropsy completion fish > ~/.config/fish/completions/necropsy.fish
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from typer._completion_shared import get_completion_script

    output.say(get_completion_script(prog_name="necropsy", complete_var=VARIABLE, shell=shell.value) + "\n")


def answer() -> None:
    """Let click answer a shell that asks what could come next."""
    from typer._completion_classes import completion_init

    completion_init()
