"""Open the configuration files that were named, and those that they name in turn.

Nothing here is fatal: what cannot be read becomes ``Absent`` with the next step. Neither sources nor absences hold a word
of what is inside the files, as configuration may hold passwords.
"""

from __future__ import annotations

import glob
import ipaddress
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from necropsy._internal.paths import exists, is_dir, is_file, may_list
from necropsy.evidence.configuration import live
from necropsy.evidence.configuration.embedded import parts
from necropsy.evidence.configuration.follow import Mention, mentions
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Absent, Source
from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.locate import MAGIC, candidates
from necropsy.probes.nginx.tree import bases
from necropsy.probes.probers.registry import PROBERS
from necropsy.probes.simulate import SIMULATED
from necropsy.wire.files import STANDARD_INPUT, expand, fingerprint, is_utf8, read_text

_HOLDING: Final = frozenset(("kubernetes", "values", "compose"))
"""Kinds whose files may hold the configuration of others."""
OF_BYTES: Final = frozenset(("nginx", "haproxy", "caddy"))
"""Kinds whose programs take any bytes, where YAML and JSON must be UTF-8."""
KINDS: Final = (*SIMULATED, *(prober.kind for prober in PROBERS))
_FOLDER: Final = {
    "prometheus": ("prometheus.yml", "prometheus.yaml"),
    "blackbox": ("blackbox.yml", "blackbox.yaml"),
    "nginx": ("nginx.conf",),
    "haproxy": ("haproxy.cfg",),
    "caddy": ("Caddyfile",),
    "compose": ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"),
}
"""Main file that each kind keeps in its folder."""
_YAML: Final = ("*.yml", "*.yaml")
_ALL: Final = {
    "consul": ("*.json", "*.hcl"),
    "nginx": ("*.conf",),
    "file_sd": ("*.json", *_YAML),
    "http_sd": ("*.json",),
    "dns_sd": ("*",),
    "haproxy": ("*.cfg",),
    "caddy": ("*Caddyfile*", "*.caddy"),
    "traefik": ("*.toml", *_YAML),
    "terraform": ("*.tf", "*.tf.json"),
    "cloudformation": (*_YAML, "*.json", "*.template"),
    "uptime_kuma": ("*.json",),
}
"""Files that are read of a folder without a pattern, not deeper, as an agent of Consul reads its own; YAML by default."""
_MANIFEST: Final = re.compile(r"^apiVersion\s*:", re.MULTILINE)
_KIND: Final = re.compile(r"^kind\s*:", re.MULTILINE)
_MOST_FILES: Final = 10_000


def read(kind: str, locators: Sequence[str]) -> tuple[list[ConfigurationFile], list[Source], list[Absent]]:
    """Read configuration files of one kind, following what they name.

    Parameters
    ----------
    kind
        One of ``KINDS``.
    locators
        Files, globs, folders or ``-``. For ``consul`` and ``prometheus`` also the ``http(s)://`` address of a running
        one, which is better evidence than its files. For ``consul`` also ``ADDRESS=FILE``: the address of the node whose
        agent reads it; for ``http_sd`` also ``URL=FILE``: the URL that the file answers.

    Returns
    -------
    tuple
        Texts (each file once), their sources, and what could not be read.
    """
    reader = _ConfigurationReader(kind)
    for locator in locators:
        if kind in live.KINDS and live.is_url(locator):
            reader.ask(locator)
            continue
        split = {"consul": _split_address, "http_sd": _split_url}.get(kind)
        address, rest = split(locator) if split else (None, locator)
        for name in expand([rest]):
            reader.name(name, address)
    return reader.files, reader.sources, reader.absent


def _split_address(locator: str) -> tuple[str | None, str]:
    """Split ``ADDRESS=FILE``; a file whose own name holds an equals sign stays whole.

    >>> _split_address("172.12.1.189=web.json"), _split_address("a/b=c.json"), _split_address("web-1=consul/")
    (('172.12.1.189', 'web.json'), (None, 'a/b=c.json'), ('web-1', 'consul/'))
    """
    address, equals, rest = locator.partition("=")
    if not equals or not rest or exists(locator):
        return None, locator
    try:
        return str(ipaddress.ip_address(address.strip("[]"))), rest
    except ValueError:
        named = re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", address)
        return (address, rest) if named else (None, locator)


def _split_url(locator: str) -> tuple[str | None, str]:
    """Split ``URL=FILE`` at the last equals sign, as URLs have some of their own.

    >>> _split_url("http://cmdb/targets?role=web=answer.json"), _split_url("answer.json")
    (('http://cmdb/targets?role=web', 'answer.json'), (None, 'answer.json'))
    """
    url, equals, rest = locator.rpartition("=")
    return (url, rest) if equals and url.startswith(("http://", "https://")) else (None, locator)


class _ConfigurationReader:
    """Texts, sources and absences as they are found."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.files: list[ConfigurationFile] = []
        self.sources: list[Source] = []
        self.absent: list[Absent] = []
        self._seen: dict[tuple[str, str], int] = {}

    def name(self, name: str, address: str | None) -> None:
        """Read a file or folder that somebody named."""
        if name != STANDARD_INPUT and is_dir(name):
            if not may_list(name):
                self._miss(self.kind, name, "Permission denied", "Make it readable for this user.")
                return
            found = list(_of_folder(self.kind, Path(name)))
            if not found:
                wanted = ", ".join(_ALL.get(self.kind, _YAML))
                self._miss(self.kind, name, f"no {wanted} in this folder", "Give the files, or another folder.")
            for inside in found:
                self._file(self.kind, inside, address, "")
            return
        self._file(self.kind, name, address, "")

    def ask(self, url: str) -> None:
        """Read a running server."""
        found = live.read(self.kind, url)
        self.files += found.files
        self.sources += found.sources
        self.absent += [absent for absent in found.absent if absent not in self.absent]

    def _file(self, kind: str, name: str, address: str | None, because: str, main: str | None = None) -> None:
        key = (kind, str(Path(name).resolve()) if name != STANDARD_INPUT else name)
        if key in self._seen:
            known = self.files[self._seen[key]]
            if address is not None and known.node_address not in (None, address):
                # One file that the agents of two nodes read: it counts for both.
                self.files.append(ConfigurationFile(name, known.text, kind, address))
            return
        if len(self.files) >= _MOST_FILES:
            return
        try:
            text = read_text(name, any_bytes=kind in OF_BYTES)
        except UnreadableSource as error:
            self._miss(kind, name, error.message.removeprefix(f"{name}: "), error.hint)
            return
        inside = parts(text, name) if kind in _HOLDING or _is_manifest(text, kind) else []
        if kind not in _HOLDING and _is_manifest(text, kind):
            self._of_manifest(kind, name, inside)
            return
        self._seen[key] = len(self.files)
        self.files.append(ConfigurationFile(name, text, kind, address, patchable=kind not in OF_BYTES or is_utf8(name)))
        self.files.extend(inside)
        digest, size = fingerprint(name)
        self.sources.append(Source(reader=kind, locator=name, sha256=digest, size=size, note=because))
        # Includes of nginx count from the main file; so do those of the files that it includes.
        main = main or name
        for file in (ConfigurationFile(name, text, kind), *inside):
            for mention in mentions(file.kind, file.text, file.name):
                self._follow(mention, main, f"{name}:{mention.line}")

    def _of_manifest(self, kind: str, name: str, inside: list[ConfigurationFile]) -> None:
        """Take from a manifest of Kubernetes what it holds of the kind that somebody named it as."""
        of_kind = [part for part in inside if part.kind == kind]
        self.files.extend(of_kind)
        digest, size = fingerprint(name)
        if of_kind:
            self.sources.append(Source(reader=kind, locator=name, sha256=digest, size=size, note="inside a manifest"))
        else:
            reason = f"a Kubernetes manifest without a configuration of {kind}"
            self._miss(kind, name, reason, f"Give it as --kubernetes {name}, and the {kind} configuration beside it.")

    def _follow(self, mention: Mention, main: str, by: str) -> None:
        if main == STANDARD_INPUT and not mention.written.startswith("/"):
            self._miss(mention.kind, mention.written, f"named by {by}, whose folder is not known", "Give it as a file.")
            return
        bases_of = bases(main, {file.name: file.text for file in self.files}) if mention.kind == "nginx" else (main,)
        below = (place for base in bases_of for place in candidates(base, mention.written))
        places = [place for place in dict.fromkeys(below) if _is_of_this_machine(main, place)]
        for place in places:
            found = _matching(place)
            for name in found:
                self._file(mention.kind, name, None, f"named by {by}", main if mention.kind == "nginx" else None)
            if found:
                return
        # A glob that matches nothing in a folder that exists is a fact; a folder that was not copied is not. A single
        # file that is missing is said when the texts are understood.
        real = candidates(main, mention.written)[-1]
        if mention.kind == "nginx" and not mention.written.startswith("/"):
            return  # nginx takes a glob that matches nothing, and the folder that it counts from is here
        if MAGIC.search(mention.written) and not (real in places and is_dir(Path(real).parent)):
            hint = "Give the whole configuration folder."
            self._miss(mention.kind, mention.written, f"named by {by}, not given", hint)

    def _miss(self, kind: str, locator: str, reason: str, hint: str) -> None:
        absent = Absent(kind=kind, locator=locator, reason=reason, hint=hint)
        if absent not in self.absent:
            self.absent.append(absent)


def _is_manifest(text: str, kind: str) -> bool:
    """Whether a text that was named as another kind is a manifest of Kubernetes."""
    return kind in ("prometheus", "blackbox") and _MANIFEST.search(text) is not None and _KIND.search(text) is not None


def _of_folder(kind: str, folder: Path) -> Iterator[str]:
    for main in _FOLDER.get(kind, ()):
        if is_file(folder / main):
            yield str(folder / main)
            return
    names = {str(path) for pattern in _ALL.get(kind, _YAML) for path in folder.glob(pattern) if is_file(path)}
    yield from sorted(names)


def _is_of_this_machine(main: str, place: str) -> bool:
    """Whether a path may be read here: a copy of another machine's ``/etc/nginx`` must not be mixed with this one's."""
    if not place.startswith("/") or place.startswith(f"{Path(main).parent}/"):
        return True
    return Path(main).resolve().parts[:2] == Path(place).parts[:2]


def _matching(path: str) -> list[str]:
    if is_file(path):
        return [path]
    if not MAGIC.search(path):
        return []
    # Path.glob would normalise the name, which must stay as the pure part will look for it.
    return sorted(name for name in glob.glob(path) if is_file(name))  # noqa: PTH207
