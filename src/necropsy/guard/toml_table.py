"""One table of a TOML file that is being read: its values by kind, and the line of what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from necropsy.autopsy.sources import parse_event
from necropsy.guard.notify.plan import Quiet, parse_quiet
from necropsy.model.durations import seconds_of
from necropsy.model.errors import ConfigurationError, NecropsyError, UsageError
from necropsy.wire.http import is_url
from necropsy.wire.redis.address import Secret


@dataclass(frozen=True, slots=True)
class TomlTable:
    """One table. Each method raises ``ConfigurationError`` with file and line for a value of the wrong kind."""

    path: str
    whole: str
    name: str
    values: dict[str, Any]
    place: int
    """Its number among the tables of this name, from 0."""
    environ: Mapping[str, str]

    def known(self, names: frozenset[str]) -> None:
        """Refuse names that are not known."""
        for name in self.values:
            if name not in names:
                raise self.wrong(
                    name, f"unknown name {name!r} in [{self.name}]", f"Known names: {', '.join(sorted(names))}."
                )

    def text(self, name: str) -> str | None:
        """Return a text; None when it is not there."""
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self.wrong(name, f"{name} is not a string", f'Write it in quotes: {name} = "{value}".')

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; one text is a list of one."""
        value = self.values.get(name, [])
        several = [value] if isinstance(value, str) else value
        if not isinstance(several, list) or not all(isinstance(one, str) for one in several):
            raise self.wrong(name, f"{name} is not a string or a list of strings", f'Write {name} = ["…"].')
        return tuple(several)

    def file(self, name: str) -> str | None:
        """Return a path, relative to the file; None when it is not there."""
        text = self.text(name)
        return str(Path(self.path).parent / text) if text else None

    def number(self, name: str, default: float, most: float = float("inf")) -> float:
        """Return a number of 0 or more."""
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong(name, f"{name} is not a number", f"Write {name} = 0.2, without quotes.")
        if not 0 <= value <= most:
            raise self.wrong(
                name, f"{name} is {value:g}", f"From 0 to {most:g}." if most != float("inf") else "0 or more."
            )
        return float(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return whether something is wanted."""
        value = self.values.get(name, default)
        if isinstance(value, bool):
            return value
        raise self.wrong(name, f"{name} is not true or false", f"Write {name} = false, without quotes.")

    def seconds(self, name: str, default: float) -> float:
        """Return the seconds of a duration."""
        bare = self.values.get(name)
        if isinstance(bare, int) and not isinstance(bare, bool):
            raise self.wrong(name, f"{name} is a number without a unit", f'Write {name} = "{bare}s".')
        text = self.text(name)
        if text is None:
            return default
        try:
            return seconds_of(text)
        except UsageError as error:
            raise self.wrong(name, f"{name}: {error}", f'Write {name} = "10m".') from None

    def url(self, name: str) -> str | None:
        """Return an address of the web."""
        text = self.text(name)
        if text is not None and not is_url(text):
            raise self.wrong(name, f"{name} is no http or https address", f'Write {name} = "http://HOST:PORT".')
        return text

    def repeat(self, name: str, default: float | None) -> float | None:
        """Return the seconds of a repeat interval; None: ``never``."""
        return None if self.values.get(name) == "never" else self.seconds(name, default or 0.0) or None

    def quiet(self, name: str, default: Quiet | None) -> Quiet | None:
        """Return quiet hours; None: ``never``, or not there."""
        text = self.text(name)
        if text is None or text == "never":
            return default if text is None else None
        try:
            return parse_quiet(text)
        except UsageError as error:
            raise self.wrong(name, error.message, error.hint) from None

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """Return one of several words."""
        text = self.text(name)
        if text is None:
            return default
        if text not in choices:
            raise self.wrong(name, f"{name} is {text!r}", f"One of {', '.join(choices)}.")
        return text

    def events(self, name: str) -> tuple[str, ...]:
        """Return events, each TIME=TEXT."""
        texts = self.texts(name)
        for text in texts:
            try:
                parse_event(text)
            except NecropsyError as error:
                raise self.wrong(name, error.message, error.hint) from None
        return texts

    def policies(self, name: str) -> dict[str, str]:
        """Return policies of a prober by module."""
        from necropsy.guard.prober.probe import POLICIES

        found = {}
        for text in self.texts(name):
            module, _, policy = text.partition("=")
            if not module or policy not in POLICIES:
                raise self.wrong(name, f"{text!r} is not MODULE=POLICY", f"Policies: {', '.join(POLICIES)}.")
            found[module] = policy
        return found

    def secret(self, name: str) -> Secret:
        """Return a secret: written in the file, in a file of its own, or in the environment."""
        file, variable, plain = self.file(f"{name}-file"), self.text(f"{name}-env"), self.text(name)
        if file is not None:
            try:
                return Secret(Path(file).read_text(encoding="utf-8").partition("\n")[0].strip())
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "not text"
                raise self.wrong(f"{name}-file", f"{file}: {reason}", "Its first line is the secret.") from None
        if variable is not None:
            if variable not in self.environ:
                raise self.wrong(
                    f"{name}-env", f"{variable} is not in the environment", f"Set it, or write {name}-file."
                )
            return Secret(self.environ[variable])
        return Secret(plain or "")

    def wrong(self, name: str, reason: str, hint: str) -> ConfigurationError:
        """Say what is wrong, with the line of the name in this table, else that of the table."""
        lines = self.whole.splitlines()
        heads = [n for n, line in enumerate(lines) if re.match(rf"\s*\[+\s*{re.escape(self.name)}\s*\]", line)]
        begin = heads[min(self.place, len(heads) - 1)] if heads else 0
        found = begin
        for place in range(begin + 1, len(lines)):
            if re.match(r"\s*\[", lines[place]):
                break
            if name and re.match(rf"\s*\"?{re.escape(name)}\"?\s*=", lines[place]):
                found = place
                break
        return ConfigurationError(self.path, found + 1, reason, hint=hint)
