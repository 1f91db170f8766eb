"""Manifests: one or more YAML documents, lists unpacked."""

from __future__ import annotations

from collections.abc import Iterator

from necropsy.probes.syntax.document import parse_yaml_all
from necropsy.probes.syntax.node import Node


def manifests(text: str, file: str) -> Iterator[Node]:
    r"""Yield the manifests of a file; those inside of a list on their own.

    >>> [text_at(m, "kind") for m in manifests("kind: Pod\n---\nkind: List\nitems: [{kind: Service}]\n", "all.yml")]
    ['Pod', 'Service']

    Raises
    ------
    ConfigurationError
        Not YAML.
    """
    for document in parse_yaml_all(text, file):
        items = document.get("items")
        if text_at(document, "kind").endswith("List") and items is not None:
            yield from items
        elif document.kind == "mapping":
            yield document


def text_at(node: Node, *path: str | int) -> str:
    """Return the text at a path; empty when there is none."""
    found = node.at(*path)
    return found.text() if found is not None else ""


def texts_at(node: Node, *path: str | int) -> dict[str, str]:
    """Return the texts of a mapping at a path: labels, annotations."""
    found = node.at(*path)
    return {name: value.text() for name, value in found.items()} if found is not None else {}


def name_of(manifest: Node) -> str:
    """Return its name, or the beginning of it that its name is generated from."""
    return text_at(manifest, "metadata", "name") or text_at(manifest, "metadata", "generateName")


def namespace_of(manifest: Node) -> str:
    """Return its namespace; ``default`` if it names none."""
    return text_at(manifest, "metadata", "namespace") or "default"
