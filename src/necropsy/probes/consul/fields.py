"""Fields of Consul's JSON and HCL, whose names come as ``ServiceID``, ``service_id`` and ``serviceid``."""

from __future__ import annotations

from collections.abc import Iterator

from necropsy.model.evidence import Origin
from necropsy.probes.syntax.node import Node


class NormalisedFields:
    """The fields of one mapping by normalised name; a block that HCL repeats gives several values."""

    __slots__ = ("_by_name", "node")

    def __init__(self, node: Node) -> None:
        self.node = node
        self._by_name: dict[str, list[tuple[Node, Node]]] = {}
        for key, value in node.pairs:
            if value.kind != "null":
                self._by_name.setdefault(normal(key.text()), []).append((key, value))

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    @property
    def names(self) -> frozenset[str]:
        """Normalised names of all fields that have a value."""
        return frozenset(name for name, pairs in self._by_name.items() if any(not _empty(value) for _, value in pairs))

    def value(self, *names: str) -> Node | None:
        """Value of the first of these fields that exists."""
        for name in names:
            if name in self._by_name:
                return self._by_name[name][-1][1]
        return None

    def text(self, *names: str) -> str:
        """Text of the first of these fields that exists; empty without one."""
        node = self.value(*names)
        return node.text() if node is not None else ""

    def number(self, *names: str) -> int:
        """Whole number of the first of these fields that exists; 0 when there is none or it is no number."""
        try:
            return int(self.text(*names) or "0", 0)
        except ValueError:
            return 0

    def flag(self, *names: str) -> bool:
        """Whether the first of these fields that exists says true."""
        return self.text(*names).lower() == "true"

    def texts(self, *names: str) -> tuple[str, ...]:
        """Texts of a list; a single text is a list of one."""
        node = self.value(*names)
        return tuple(node.texts()) if node is not None else ()

    def mapping(self, *names: str) -> dict[str, str]:
        """Return texts by key; HCL may wrap the one object into a list."""
        return {key.text(): value.text() for key, value in self._mapping_pairs(names)}

    def lines(self, *names: str) -> dict[str, Origin]:
        """Return where each key of a mapping stands."""
        return {key.text(): key.origin() for key, _ in self._mapping_pairs(names)}

    def _mapping_pairs(self, names: tuple[str, ...]) -> Iterator[tuple[Node, Node]]:
        for name in names:
            for _, value in self._by_name.get(name, ()):
                for item in (value, *value.elements):
                    yield from item.pairs

    def mappings(self, *names: str) -> Iterator[NormalisedFields]:
        """Yield objects: of a list, of a single object, of a block that is repeated."""
        for name in names:
            for _, value in self._by_name.get(name, ()):
                for item in value.elements if value.kind == "sequence" else (value,):
                    if item.kind == "mapping":
                        yield NormalisedFields(item)

    def origin(self, *names: str, what: str = "") -> Origin:
        """Place of the first of these fields that exists; else of the whole."""
        for name in names:
            if name in self._by_name:
                return self._by_name[name][-1][0].origin(what)
        return self.node.origin(what)


def normal(name: str) -> str:
    """Normalise a field's name.

    >>> normal("ServiceID") == normal("service_id")
    True
    """
    return name.replace("_", "").lower()


def _empty(node: Node) -> bool:
    return not (node.text() or node.pairs or node.elements)
