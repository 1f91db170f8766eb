"""Further files that a configuration text names. Pure: text in, patterns out; text that cannot be parsed names none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from necropsy.model.errors import ConfigurationError
from necropsy.probes.nginx.tokens import Directive
from necropsy.probes.nginx.tokens import read as read_nginx
from necropsy.probes.syntax.document import parse_yaml


@dataclass(frozen=True, slots=True)
class Mention:
    """One path or glob that a configuration names."""

    written: str
    kind: str
    """Kind of the file that is named: ``prometheus``, ``file_sd`` or ``nginx``."""
    line: int


def mentions(kind: str, text: str, name: str) -> list[Mention]:
    r"""Return what a text of this kind names, in its order.

    >>> mentions("nginx", "http {\n include conf.d/*.conf;\n}", "nginx.conf")
    [Mention(written='conf.d/*.conf', kind='nginx', line=2)]
    """
    try:
        if kind == "nginx":
            return list(_includes(read_nginx(text, name)))
        if kind == "prometheus":
            return list(_prometheus(text, name))
    except ConfigurationError:  # said again, with its line, when the text is simulated
        pass
    return []


def _includes(directives: tuple[Directive, ...]) -> Iterator[Mention]:
    for directive in directives:
        if directive.name == "include" and len(directive.arguments) == 1 and directive.block is None:
            yield Mention(directive.arguments[0], "nginx", directive.line)
        yield from _includes(directive.block or ())


def _prometheus(text: str, name: str) -> Iterator[Mention]:
    root = parse_yaml(text, name)
    for pattern in root.get("scrape_config_files") or ():
        yield Mention(pattern.text(), "prometheus", pattern.line)
    for job in root.get("scrape_configs") or ():
        for discovery in job.get("file_sd_configs") or ():
            for pattern in discovery.get("files") or ():
                yield Mention(pattern.text(), "file_sd", pattern.line)
