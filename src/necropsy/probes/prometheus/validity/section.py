"""One mapping of a configuration, and checks that many of them share.

A check takes a section and raises ``ConfigurationError`` at the line to blame: that of the field, or, for a field that is
missing, the line where the section begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn
from urllib.parse import urlsplit

from necropsy.probes.prometheus import schema_checks
from necropsy.probes.syntax.node import Node


class Section:
    r"""A mapping whose fields are asked for by name.

    >>> from necropsy.probes.syntax.document import parse_yaml
    >>> section = Section(parse_yaml("role: robot\ntoken:", "a.yml"), "hetzner_sd")
    >>> section.text("role"), section.has("token"), section.text("port", "80")
    ('robot', False, '80')
    """

    __slots__ = ("node", "what")

    def __init__(self, node: Node, what: str) -> None:
        self.node = node
        self.what = what

    def text(self, name: str, default: str = "") -> str:
        """Return the text of a scalar field; ``default`` if it is not written, the empty text for null."""
        return schema_checks.text(self.node.get(name), default)

    def has(self, name: str) -> bool:
        """Whether a field is written and has a value: a text, an element, a key."""
        node = self.node.get(name)
        return node is not None and node.kind != "null" and bool(node.text() or node.pairs or node.elements)

    def written(self, name: str) -> bool:
        """Whether a field is written with anything but null."""
        node = self.node.get(name)
        return node is not None and node.kind != "null"

    def part(self, name: str) -> Section:
        """Return a mapping inside this one; an empty one if it is not written."""
        node = self.node.get(name)
        if node is None or node.kind == "null":
            node = schema_checks.from_python({}, file=self.node.file, line=self.node.line)
        elif node.kind != "mapping":
            raise node.error(f"{name} must be a mapping of keys to values", hint="Write name: value.")
        return Section(node, name)

    def refuse(self, name: str, reason: str, hint: str) -> NoReturn:
        """Raise an error at the line of this field, or of the section if it is not written."""
        raise (self.node.key(name) or self.node).error(f"{self.what}: {reason}", hint=hint)


Check = Callable[[Section], None]


def required(name: str, meaning: str = "") -> Check:
    """Refuse a section without this field, or with an empty one."""

    def check(section: Section) -> None:
        if not section.has(name):
            section.refuse(name, f"{meaning or name} is missing", f"Add {name}.")

    return check


def choice(name: str, allowed: tuple[str, ...], default: str | None = None) -> Check:
    """Refuse other values; without ``default`` also a field that is not written."""

    def check(section: Section) -> None:
        value = section.text(name, default or "")
        if value not in allowed:
            reason = f'unknown {name} "{value}"' if value else f"{name} is missing"
            section.refuse(name, reason, f"Write one of: {', '.join(allowed)}.")

    return check


def at_most_one(*names: str) -> Check:
    """Refuse more than one of these fields; the last one written is to blame."""

    def check(section: Section) -> None:
        given = [name for name in names if section.has(name)]
        if len(given) > 1:
            last = max(given, key=lambda name: (section.node.key(name) or section.node).line)
            section.refuse(last, f"only one of {', '.join(names)} may be set", "Keep one of them.")

    return check


def exactly_one(*names: str) -> Check:
    """Refuse none of these fields, or more than one."""

    def check(section: Section) -> None:
        if not any(section.has(name) for name in names):
            section.refuse(names[0], f"one of {', '.join(names)} must be set", f"Add {names[0]}.")
        at_most_one(*names)(section)

    return check


def address(name: str, *, schemes: tuple[str, ...] = (), relative: bool = False) -> Check:
    """Refuse what is no URL; with ``schemes`` also other ones; unless ``relative``, also one without scheme or host."""

    def check(section: Section) -> None:
        value = section.text(name)
        try:
            url = urlsplit(value)
            url.port  # noqa: B018 -- raises for a port that is no number
        except ValueError:
            section.refuse(name, f"{name} is not a URL", "Write it as http://host:port/path.")
        if value.startswith(":"):
            section.refuse(name, f"{name} is not a URL: no scheme in front of the colon", "Write http://host:port.")
        if schemes and url.scheme.lower() not in schemes:
            section.refuse(name, f"the scheme of {name} must be {' or '.join(schemes)}", f"Write {schemes[0]}://host.")
        if not relative and not (url.scheme and url.netloc):
            section.refuse(name, f"{name} has no {'host' if url.scheme else 'scheme'}", "Write http://host:port.")

    return check


def fields(known: Mapping[str, object] | frozenset[str]) -> Check:
    """Refuse fields that are not known, and repeated ones."""

    def check(section: Section) -> None:
        schema_checks.mapping(section.node, section.what, known)

    return check
