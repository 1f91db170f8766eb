"""Read a node as strictly as Prometheus does: unknown and repeated keys, and texts where texts belong.

Prometheus decodes with ``yaml.UnmarshalStrict`` (go-yaml v2): a scalar of any look fits a text field, null leaves the
zero value, a collection does not fit a scalar nor the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from necropsy.model.errors import ConfigurationError
from necropsy.probes.prometheus.duration import parse_duration
from necropsy.probes.syntax.node import Node

_FEW: Final = 12
"""Keys that fit into a hint."""


def from_python(value: Any, *, file: str = "<rules>", line: int = 0) -> Node:
    """Return the node for plain Python data, as if it had been written in a file: ``8080`` becomes ``"8080"``.

    >>> from_python({"regex": 8080, "separator": None}).get("regex").text()
    '8080'
    """
    if isinstance(value, Node):
        return value
    if isinstance(value, Mapping):
        pairs = tuple(
            (from_python(key, file=file, line=line), from_python(item, file=file, line=line))
            for key, item in value.items()
        )
        return Node("mapping", None, line, 0, 0, 0, line, file, "block", pairs=pairs)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        elements = tuple(from_python(item, file=file, line=line) for item in value)
        return Node("sequence", None, line, 0, 0, 0, line, file, "block", elements=elements)
    if value is None:
        return Node("null", None, line, 0, 0, 0, line, file, "plain")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return Node("scalar", text, line, 0, 0, 0, line, file, "plain")


def mapping(
    node: Node,
    what: str,
    known: Collection[str],
    problems: list[ConfigurationError] | None = None,
    *,
    hints: Mapping[str, str] | None = None,
) -> dict[str, Node]:
    """Return the values of a mapping by key; null is an empty mapping.

    With ``problems``, keys that are not in ``known`` are left out and noted there; ``hints`` are for particular ones.

    Raises
    ------
    ConfigurationError
        It is no mapping, has a key twice, or one that is not in ``known``.
    """
    if node.kind == "null":
        return {}
    if node.kind != "mapping":
        names = sorted(known)
        hint = f"Keys: {', '.join(names)}." if len(names) <= _FEW else "Write keys and values: name: value."
        raise node.error(f"{what} must be a mapping of keys to values", hint=hint)
    unique(node)
    for key, _ in node.entries():
        if key.text() not in known:
            hint = (hints or {}).get(key.text()) or _closest(key.text(), known) or "Remove this line."
            error = key.error(f"field {key.text()} not found in {what}", hint=hint)
            if problems is None:
                raise error
            problems.append(error)
    return {name: value for name, value in node.items() if name in known}


def _closest(word: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    found = get_close_matches(word, known, n=1)
    return f"Was {found[0]} meant?" if found else ""


def unique(node: Node) -> None:
    """Raise ``ConfigurationError`` if a mapping has a key twice."""
    for key in node.repeated_keys():
        raise key.error(f"field {key.text()} already set above", hint="Remove one of the two.")


def text(node: Node | None, default: str) -> str:
    """Return the text of a scalar; ``default`` if there is no node, the empty text for null.

    Raises
    ------
    ConfigurationError
        It is a collection.
    """
    if node is None:
        return default
    if node.kind in ("mapping", "sequence"):
        raise node.error(f"a {node.kind} where a string is expected", hint="Write one value, in quotes if in doubt.")
    return node.text()


def texts(node: Node | None) -> tuple[str, ...]:
    """Return the texts of a sequence; none for null or no node.

    Raises
    ------
    ConfigurationError
        It is no sequence, or has an element that is not a string.
    """
    return tuple(text(element, "") for element in sequence(node))


def sequence(node: Node | None) -> tuple[Node, ...]:
    """Return the elements of a sequence; none for null or no node. Raises ``ConfigurationError`` for anything else."""
    if node is None or node.kind == "null":
        return ()
    if node.kind != "sequence":
        raise node.error("expected a list", hint="Write [value] or one '- value' a line.")
    return node.elements


def boolean(node: Node | None, default: bool) -> bool:
    """Return a boolean; ``default`` if there is no node, False for null. Raises ``ConfigurationError`` otherwise."""
    if node is None:
        return default
    return False if node.kind == "null" else node.boolean()


def integer(node: Node) -> int:
    """Return a whole number. Raises ``ConfigurationError`` for anything else, quoted digits included."""
    if node.kind == "scalar" and node.style != "plain":
        raise node.error("a quoted text where a number is expected", hint="Remove the quotes.")
    if re.fullmatch(r"[-+]?\d+\.\d*", node.text()):  # go-yaml cuts the fraction off
        return int(float(node.text()))
    return node.integer()


def duration(node: Node | None) -> int:
    """Return milliseconds; 0 (which means the default) for null or no node. Raises ``ConfigurationError``."""
    if node is None or node.kind == "null":
        return 0
    try:
        return parse_duration(text(node, ""))
    except ValueError as error:
        raise node.error(str(error), hint="Write it as 15s, 1m30s, 500ms.") from None
