"""Layouts that a user describes in a TOML file: ``necropsy examine --layout FILE``.

::

    [[layout]]
    name = "shop"
    type = "string"                  # or "hash"
    key = "shop:sid:{id}"            # {id} last; * is anything
    id = "[0-9a-f]{32}"              # by default 16 to 256 letters, digits, comma, - and _
    begins = '{"sid":'               # what each value begins with
    born = { pattern = '"createdAt":([0-9]+)', unit = "ms" }        # one group; s, ms or iso
    used = { pattern = '"lastSeen":"([^"]+)"', unit = "iso" }
    lifetime = "12h"                 # or { pattern = '"ttl":([0-9]+)', unit = "s" }; by default inferred from the TTLs
    user = '"userId":"'              # values that have it are somebody's
    nobody = '"userId":null'         # values that have it are nobody's; all others are unknown

    [[layout]]
    name = "old-shop"
    type = "hash"
    key = "*:session:{id}"
    needs = ["created", "ttl"]       # fields that each of them has
    born = { field = "created", unit = "ms" }
    lifetime = { field = "ttl", unit = "s" }
    user = "user_id"                 # field that is there, and not empty, when somebody is logged in
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from necropsy.model.errors import ConfigurationError
from necropsy.model.toml_document import parse_toml
from necropsy.sessions.columns import numbers
from necropsy.sessions.writers.aspnet_provider import CURES as ASPNET_CURES
from necropsy.sessions.writers.form import URL_SAFE, SessionForm
from necropsy.sessions.writers.forms import CURES as FORMS_CURES
from necropsy.sessions.writers.hash_forms import CURES as HASH_CURES
from necropsy.sessions.writers.hashes import HashForm, TimeField

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from necropsy.sessions.writers.form import Moments

_NAMES: Final = frozenset(
    {"name", "type", "key", "id", "begins", "needs", "born", "used", "lifetime", "user", "nobody", "grace"}
)
_TAKEN: Final = frozenset({*FORMS_CURES, *HASH_CURES, *ASPNET_CURES, "express", "fastify", "django", "flask"})
_UNITS: Final = {"s": 1000.0, "ms": 1.0}
_TIME: Final = re.compile(r"([0-9]+)(ms|s|m|h|d)\Z")
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_ISO: Final = "iso"
_HINT: Final = "docs/sessions.md shows a complete file."


@dataclass(frozen=True, slots=True)
class Described:
    """Times of a value by the user's patterns; each has one group."""

    patterns: Mapping[str, tuple[str, str]]
    """Of ``created``, ``used`` and ``lifetime``: pattern and unit."""
    lifetime_ms: float | None = None
    """The same for all."""

    def __call__(self, heads: pa.Array) -> Moments:
        """Read them of a whole column."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        told: Moments = {}
        for name, (pattern, unit) in self.patterns.items():
            text = pc.struct_field(pc.extract_regex(heads, pattern=pattern), "time").cast(pa.string())
            if unit == _ISO:
                whole = pc.utf8_slice_codeunits(pc.replace_substring(text, " ", "T"), 0, 19)
                seconds = pc.strptime(whole, format="%Y-%m-%dT%H:%M:%S", unit="s", error_is_null=True).cast(pa.int64())
                told[name] = numbers(seconds.fill_null(0)) * 1000.0, numbers(seconds.is_valid())
                continue
            sound = numbers(pc.fill_null(pc.match_substring_regex(text, r"^[0-9]{1,15}(\.[0-9]{1,12})?$"), False))
            values = pc.if_else(pa.array(sound), text, "0").cast(pa.float64())
            told[name] = numbers(values) * _UNITS[unit], sound
        if self.lifetime_ms is not None:
            told["lifetime"] = np.full(len(heads), self.lifetime_ms), np.ones(len(heads), bool)
        return told


def parse(text: str, file: str) -> tuple[SessionForm | HashForm, ...]:
    """Return the layouts of a file.

    Raises
    ------
    ConfigurationError
        Not TOML, a name that is not known, or a pattern that is none; with file, line and what to write.
    """
    document = parse_toml(text, file, _HINT)
    entries = document.get("layout")
    if not isinstance(entries, list) or not entries or set(document) != {"layout"}:
        raise ConfigurationError(file, 1, "expected [[layout]] tables and nothing else", hint=_HINT)
    return tuple(_EntryReader(file, text, entry, number).layout() for number, entry in enumerate(entries, 1))


@dataclass(frozen=True, slots=True)
class _EntryReader:
    file: str
    text: str
    entry: dict[str, Any]
    number: int

    def layout(self) -> SessionForm | HashForm:
        for name in self.entry:
            if name not in _NAMES:
                raise self._wrong(name, f"unknown name {name!r}", f"Known names: {', '.join(sorted(_NAMES))}.")
        kind = self._text("type", "string")
        if kind not in {"string", "hash"}:
            raise self._wrong("type", f"type is {kind!r}", 'Write type = "string" or type = "hash".')
        return self._string() if kind == "string" else self._hash()

    def _string(self) -> SessionForm:
        begins = self._text("begins", "").encode()
        patterns = {
            name: self._pattern(key)
            for name, key in (("created", "born"), ("used", "used"), ("lifetime", "lifetime"))
            if isinstance(self.entry.get(key), dict)
        }
        return SessionForm(
            self._name(),
            first=begins[:1] or bytes(range(256)),
            value=self._sound("begins", "(?s)^" + re.escape(begins.decode())) if begins else "",
            key=self._key(),
            alphabet=URL_SAFE + b",",
            longest=256,
            clock=Described(patterns, self._fixed("lifetime")),
            precision_s=1.0 if any(unit == _ISO for _, unit in patterns.values()) else 0.001,
            user=self._sound("user", self._text("user", "")),
            nobody=self._sound("nobody", self._text("nobody", "")),
            grace_s=round((self._fixed("grace") or 0) / 1000),
        )

    def _hash(self) -> HashForm:
        times = {name: self._field(name) for name in ("born", "used", "lifetime")}
        needs = self.entry.get("needs", [])
        if not isinstance(needs, list) or not needs or not all(isinstance(name, str) for name in needs):
            raise self._wrong("needs", "a hash without the names of its fields", 'Write needs = ["created", "data"].')
        return HashForm(
            self._name(),
            key=self._key(),
            alphabet=URL_SAFE + b",",
            longest=256,
            needs=tuple(needs),
            created=times["born"],
            used=times["used"],
            lifetime=times["lifetime"],
            user=self._text("user", ""),
            anonymous=True,
            grace_s=round((self._fixed("grace") or 0) / 1000),
        )

    def _name(self) -> str:
        name = self._text("name", "")
        if not re.fullmatch(r"[a-z][a-z0-9\-]{0,39}", name):
            raise self._wrong("name", f"name is {name!r}", 'Write name = "shop": small letters, digits and hyphens.')
        if name in _TAKEN or name.startswith("spring"):
            raise self._wrong(
                "name", f"name is {name!r}, a layout that is known already", f'Write name = "own-{name}".'
            )
        return name

    def _key(self) -> str:
        key = self._text("key", "")
        if not key.endswith("{id}") or key.count("{id}") != 1:
            raise self._wrong("key", f"key is {key!r}", 'Mark the id, at the end of the key: key = "shop:sid:{id}".')
        start = "".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", key[:-4]))
        return self._sound("id", rf"(?s)^{start}(?:{self._text('id', '[A-Za-z0-9_,-]{16,256}')})$")

    def _pattern(self, name: str) -> tuple[str, str]:
        told = self.entry[name]
        pattern, unit = told.get("pattern"), told.get("unit", "s")
        if unit not in {*_UNITS, _ISO}:
            raise self._wrong(name, f"the unit of {name} is {unit!r}", 'Write unit = "s", "ms" or "iso".')
        if isinstance(pattern, str):
            self._sound(name, pattern)
        if not isinstance(pattern, str) or len(re.findall(r"\((?!\?)", re.sub(r"\\.", "", pattern))) != 1:
            raise self._wrong(
                name,
                f"{name} needs a pattern with one group",
                f'{name} = {{ pattern = \'"at":([0-9]+)\', unit = "ms" }}',
            )
        return self._sound(name, "(?s)" + re.sub(r"(?<!\\)\((?!\?)", "(?P<time>", pattern, count=1)), unit

    def _field(self, name: str) -> TimeField | None:
        told = self.entry.get(name)
        if told is None:
            return None
        if not isinstance(told, dict) or not isinstance(told.get("field"), str) or told.get("unit", "s") not in _UNITS:
            raise self._wrong(
                name, f"{name} needs a field and a unit", f'{name} = {{ field = "created", unit = "ms" }}'
            )
        return TimeField(told["field"], _UNITS[told.get("unit", "s")])

    def _fixed(self, name: str) -> float | None:
        """Milliseconds of a time like 12h."""
        told = self.entry.get(name)
        if told is None or isinstance(told, dict):
            return None
        found = _TIME.match(told) if isinstance(told, str) else None
        if not found:
            raise self._wrong(name, f"{name} is {told!r}", f'Write {name} = "12h" (ms, s, m, h or d).')
        return int(found[1]) * _SECONDS[found[2]] * 1000

    def _text(self, name: str, default: str) -> str:
        told = self.entry.get(name, default)
        if not isinstance(told, str):
            raise self._wrong(name, f"{name} is not a string", f'Write {name} = "…".')
        return told

    def _sound(self, name: str, pattern: str) -> str:
        """Return a pattern that compiles."""
        import pyarrow as pa
        import pyarrow.compute as pc

        try:
            pc.match_substring_regex(pa.array([b""]), pattern)
        except pa.ArrowInvalid as error:
            raise self._wrong(
                name, f"not a pattern: {error}", "Patterns are RE2's: no look-ahead, no back-references."
            ) from error
        return pattern

    def _wrong(self, name: str, message: str, hint: str) -> ConfigurationError:
        places = [
            number
            for number, line in enumerate(self.text.splitlines(), 1)
            if re.match(rf"\s*{re.escape(name)}\s*=", line)
        ]
        line = places[min(self.number, len(places)) - 1] if places else 1
        return ConfigurationError(self.file, line, f"layout {self.number}: {message}", hint=hint)


def classes(described: tuple[SessionForm | HashForm, ...]) -> tuple[type[Any], ...]:
    """Return layouts that know these forms: one for strings, one for hashes."""
    from necropsy.sessions.writers.hash_forms import wanted
    from necropsy.sessions.writers.hashes import Hashes
    from necropsy.sessions.writers.strings import Strings

    texts = tuple(form for form in described if isinstance(form, SessionForm))
    hashes = tuple(form for form in described if isinstance(form, HashForm))

    class DescribedStrings(Strings):
        forms = texts
        cures: ClassVar[Mapping[str, Any]] = {}
        inferred = tuple(form.layout for form in texts)

    class DescribedHashes(Hashes):
        forms = hashes
        projection = wanted(hashes)
        inferred = tuple(form.layout for form in hashes)

    return (*([DescribedStrings] if texts else []), *([DescribedHashes] if hashes else []))
