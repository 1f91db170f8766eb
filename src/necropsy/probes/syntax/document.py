"""Texts of YAML and JSON to trees of nodes: bounded, without recursion, with errors that point at a line."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any, Final

from necropsy.model.errors import ConfigurationError
from necropsy.probes.syntax.json_document import JsonReader
from necropsy.probes.syntax.node import MAX_DEPTH, NULLS, RENDER_FIRST, Kind, Node
from necropsy.probes.syntax.yaml_reasons import reason

__all__ = ["MAX_NODES", "Node", "parse_json", "parse_yaml", "parse_yaml_all"]

MAX_NODES: Final = 2_000_000
"""Nodes of one document with aliases expanded. Beyond it a document is taken for a YAML bomb."""


def parse_yaml(text: str, file: str, *, limit: int = MAX_NODES) -> Node:
    r"""Parse the first document of a YAML text, as Prometheus does; an empty text is a null node.

    >>> job = parse_yaml("scrape_configs:\n  - job_name: 8080\n", "prometheus.yml").at("scrape_configs", 0)
    >>> job, job.at("job_name").text(), job.at("job_name").line
    (<mapping at prometheus.yml:2:5>, '8080', 2)

    Raises
    ------
    ConfigurationError
        Not YAML, or nested or repeated by aliases beyond what configuration can need.
    """
    return next(_documents(text, file, limit), None) or Node("null", None, 1, 0, 0, 0, 1, file, "plain")


def parse_yaml_all(text: str, file: str, *, limit: int = MAX_NODES) -> list[Node]:
    """Parse all documents of a YAML text, as Kubernetes does. Errors as ``parse_yaml``."""
    return list(_documents(text, file, limit))


def parse_json(text: str, file: str, *, limit: int = MAX_NODES) -> Node:
    r"""Parse a JSON text strictly (RFC 8259), keeping positions.

    >>> parse_json('{"Port":\n 8080}', "services.json").get("Port").line
    2

    Raises
    ------
    ConfigurationError
        Not JSON, or nested too deep.
    """
    return JsonReader(text, file, limit).read()


def _documents(text: str, file: str, limit: int) -> Iterator[Node]:
    import yaml

    try:
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)(text)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise ConfigurationError(file, line, "not YAML: not UTF-8", hint="Save the file as UTF-8.") from None
    except yaml.reader.ReaderError as error:
        raise _unreadable(text, file, error.position, error.reason) from None
    composer = _Composer(text, file, limit)
    try:
        while True:
            event = loader.get_event()
            if isinstance(event, yaml.StreamEndEvent):
                return
            if isinstance(event, yaml.DocumentStartEvent):
                yield composer.document(loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigurationError(file, line, f"not YAML: {reason(error, text)}", hint=_yaml_hint(text, line)) from None
    except yaml.reader.ReaderError as error:
        raise _unreadable(text, file, error.position, error.reason) from None
    finally:
        loader.dispose()


def _unreadable(text: str, file: str, position: int, said: str) -> ConfigurationError:
    line = text.count("\n", 0, position) + 1
    return ConfigurationError(file, line, f"not YAML: {said}", hint="Remove this character.")


def _yaml_hint(text: str, line: int) -> str:
    lines = text.split("\n")
    if line <= len(lines) and "\t" in lines[line - 1]:
        return "YAML forbids tabs as indentation: use spaces."
    if line <= len(lines) and "{{" in lines[line - 1]:
        return RENDER_FIRST
    return "Check indentation and quotes of this line and the one above it."


class _Composer:
    """Events to nodes, without recursion: neither depth nor aliases can exhaust the stack or memory."""

    def __init__(self, text: str, file: str, limit: int) -> None:
        self.text, self.file, self.limit = text, file, limit
        self.count = 0
        self.anchors: dict[str, tuple[Node, int]] = {}
        # Collections that are open: (start event, children so far, count of nodes before); the first is the document.
        self.stack: list[tuple[Any, list[Node], int]] = []
        self.actions: dict[str, Callable[[Any], None]] = {
            "ScalarEvent": self.scalar,
            "AliasEvent": self.alias,
            "MappingStartEvent": self.begin,
            "SequenceStartEvent": self.begin,
            "MappingEndEvent": self.end,
            "SequenceEndEvent": self.end,
        }

    def fail(self, event: Any, reason: str, hint: str) -> ConfigurationError:
        return ConfigurationError(self.file, event.start_mark.line + 1, reason, hint=hint)

    def document(self, loader: Any) -> Node:
        """Compose until the end of the document whose start was just read."""
        self.count, self.anchors = 0, {}
        self.stack = [(None, [], 0)]
        while True:
            event = loader.get_event()
            act = self.actions.get(type(event).__name__)
            if act is None:  # the document's end
                return self.stack[0][1][0]
            act(event)
            if self.count > self.limit:
                reason = f"more than {self.limit:,} values, aliases expanded"
                raise self.fail(event, reason, "This looks like a YAML bomb. If it is not, split the file.")

    def add(self, event: Any, node: Node, size: int) -> None:
        if event.anchor:
            self.anchors[event.anchor] = node, size
        self.stack[-1][1].append(node)

    def alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            reason = f"alias *{event.anchor} refers to nothing above it, or to itself"
            raise self.fail(event, reason, f"Define &{event.anchor} before using it.")
        node, size = self.anchors[event.anchor]
        self.count += size
        self.stack[-1][1].append(node)

    def begin(self, event: Any) -> None:
        self.count += 1
        if len(self.stack) > MAX_DEPTH:
            raise self.fail(event, f"nested deeper than {MAX_DEPTH} levels", "Is this the right file?")
        self.stack.append((event, [], self.count))

    def scalar(self, event: Any) -> None:
        self.count += 1
        start, end = event.start_mark, event.end_mark
        style = event.style or "plain"
        stop, end_line = end.index, end.line + 1
        if style in "|>":  # the parser's end mark is where the next token begins
            stop = start.index + len(self.text[start.index : stop].rstrip())
            end_line = start.line + 1 + self.text.count("\n", start.index, stop)
        value = event.value
        if event.tag is not None and event.tag.endswith(":binary"):
            value = self.binary(event)
        if style == "plain" and value in NULLS and (event.tag is None or event.tag.endswith(":null")):
            node = Node("null", None, start.line + 1, start.column, start.index, stop, end_line, self.file, style)
        else:
            node = Node("scalar", value, start.line + 1, start.column, start.index, stop, end_line, self.file, style)
        node.tag = event.tag
        self.add(event, node, 1)

    def binary(self, event: Any) -> str:
        """Decode a ``!!binary`` scalar, as go-yaml does; bytes that are not UTF-8 become replacement characters."""
        try:
            return base64.b64decode("".join(event.value.split()), validate=True).decode(errors="replace")
        except ValueError:
            raise self.fail(event, "a !!binary value that is not base64", "Write the text itself.") from None

    def end(self, ended: Any) -> None:
        begun, children, before = self.stack.pop()
        start = begun.start_mark
        if begun.flow_style or not children:
            stop, end_line = ended.end_mark.index, ended.end_mark.line + 1
        else:  # an aliased last child stands elsewhere, hence the maximum
            stop, end_line = max(children[-1].end, start.index), max(children[-1].end_line, start.line + 1)
        kind: Kind = "mapping" if type(begun).__name__ == "MappingStartEvent" else "sequence"
        style = "flow" if begun.flow_style else "block"
        node = Node(kind, None, start.line + 1, start.column, start.index, stop, end_line, self.file, style)
        if kind == "mapping":
            node.pairs = tuple(zip(children[::2], children[1::2], strict=True))
        else:
            node.elements = tuple(children)
        node.tag = begun.tag
        self.add(begun, node, self.count - before + 1)
