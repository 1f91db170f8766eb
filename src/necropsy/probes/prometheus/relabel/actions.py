"""The actions of relabelling, each compiled into a function that changes a label set in place.

A function returns True if it drops the target. Whatever depends on one text alone (a match, an expansion) is
remembered per rule: services share tags, ports and names, so that most targets cost a look-up each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import md5
from typing import Any, Final, TypeVar

from necropsy.probes.prometheus.regexp import Template
from necropsy.probes.prometheus.relabel.rule import Rule, valid_name
from necropsy.probes.prometheus.version import Version

Key = TypeVar("Key", str, tuple[str, ...])
Result = TypeVar("Result")
Apply = Callable[[dict[str, str]], bool | None]
Writes = Callable[[dict[str, str]], frozenset[str]]
"""Names that a rule will set or delete in a label set, also where the value stays the same. Changes nothing."""
_NOTHING: Final[frozenset[str]] = frozenset()
_REMEMBERED: Final = 50_000
"""Texts that a rule remembers; then it forgets all and begins anew, so that memory stays bounded."""


def compile_action(rule: Rule, version: Version) -> Apply:
    """Return the function of one rule."""
    if rule.action == "replace":
        return _replace(rule, version)
    if rule.action in ("keep", "drop"):
        return _keep_or_drop(rule)
    if rule.action in ("keepequal", "dropequal"):
        return _equal(rule)
    if rule.action == "labelmap":
        return _labelmap(rule)
    if rule.action in ("labeldrop", "labelkeep"):
        return _labeldrop_or_keep(rule)
    return _computed(rule)


def compile_both(rule: Rule, version: Version) -> tuple[Apply, Writes]:
    """Return the function of one rule and the one that foresees what it writes; they share what they remember."""
    names = rule.regexp.names
    target = Template(rule.target_label, names).constant if rule.action == "replace" else None
    if target is None or rule.regex == "(.*)" or not valid_name(target, legacy=rule.legacy_names):
        return compile_action(rule, version), compile_writes(rule, version)
    computed, source, own = _computes(rule, Template(rule.replacement, names)), _source(rule), frozenset((target,))
    return (
        _replace_one(rule, target, computed),
        lambda labels: own if computed(source(labels)) is not None else _NOTHING,
    )


def compile_writes(rule: Rule, version: Version) -> Writes:
    """Return the function that foresees what one rule writes."""
    if rule.action in ("keep", "drop", "keepequal", "dropequal"):
        return lambda _: _NOTHING
    if rule.action == "replace":
        return _replace_writes(rule, version)
    if rule.action == "labelmap":
        regexp, template = rule.regexp, Template(rule.replacement, rule.regexp.names)

        def renamed(names: tuple[str, ...]) -> frozenset[str]:
            return frozenset(regexp.replace_all(name, template) for name in names if regexp.matches(name))

        return _of_names(renamed)
    if rule.action in ("labeldrop", "labelkeep"):
        drop_if = rule.action == "labeldrop"
        return _of_names(lambda names: frozenset(name for name in names if rule.regexp.matches(name) is drop_if))
    own = frozenset((rule.target_label,))
    return lambda _: own


def _of_names(function: Callable[[tuple[str, ...]], frozenset[str]]) -> Writes:
    remembered = memoised(function)
    return lambda labels: remembered(tuple(labels))


def _replace_writes(rule: Rule, version: Version) -> Writes:
    names = rule.regexp.names
    target = Template(rule.target_label, names)
    if target.constant is None:
        apply = compile_action(rule, version)

        def compare(labels: dict[str, str]) -> frozenset[str]:
            recorder = Recorder(labels)
            apply(recorder)
            return frozenset(recorder.written)

        return compare
    if not valid_name(target.constant, legacy=rule.legacy_names):
        return lambda _: _NOTHING
    own = frozenset((target.constant,))
    source = _source(rule)
    if rule.regex == "(.*)":
        newlines = version >= (3, 0)
        return lambda labels: own if newlines or "\n" not in source(labels) else _NOTHING
    matches = memoised(rule.regexp.matches)
    return lambda labels: own if matches(source(labels)) else _NOTHING


class Recorder(dict[str, str]):
    """A label set that remembers which names were written."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        super().__init__(labels)
        self.written: set[str] = set()

    def __setitem__(self, name: str, value: str) -> None:
        self.written.add(name)
        super().__setitem__(name, value)

    def pop(self, name: str, *default: Any) -> Any:
        """Delete a label, and remember that."""
        self.written.add(name)
        return super().pop(name, *default)


def _source(rule: Rule) -> Callable[[dict[str, str]], str]:
    """Return the function that joins the source labels."""
    names, separator = rule.source_labels, rule.separator
    if not names:
        return lambda _: ""
    if len(names) == 1:
        only = names[0]
        return lambda labels: labels.get(only, "")
    if len(names) == 2:
        first, second = names
        return lambda labels: f"{labels.get(first, '')}{separator}{labels.get(second, '')}"
    return lambda labels: separator.join([labels.get(name, "") for name in names])


def memoised(function: Callable[[Key], Result]) -> Callable[[Key], Result]:
    """Return the function with a bounded memory; faster than ``functools.lru_cache`` as it keeps no order."""
    remembered: dict[Key, Result] = {}

    def remember(key: Key) -> Result:
        try:
            return remembered[key]
        except KeyError:
            if len(remembered) >= _REMEMBERED:
                remembered.clear()
            result = remembered[key] = function(key)
            return result

    return remember


def _set(labels: dict[str, str], name: str, value: str) -> None:
    if value:
        labels[name] = value
    else:
        labels.pop(name, None)


def _replace(rule: Rule, version: Version) -> Apply:
    names = rule.regexp.names
    target, replacement = Template(rule.target_label, names), Template(rule.replacement, names)
    if target.constant is None:
        return _replace_any(rule, target, replacement, version)
    if not valid_name(target.constant, legacy=rule.legacy_names):
        return lambda _: None  # "a$$b" is "a$b", which is no name before UTF-8 names
    if rule.regex == "(.*)" and replacement.parts in ([], [(0,)], [(1,)]):
        return _copy(rule, target.constant, bool(replacement.parts), newlines=version >= (3, 0))
    return _replace_one(rule, target.constant, _computes(rule, replacement))


def _copy(rule: Rule, target: str, copies: bool, *, newlines: bool) -> Apply:
    """The commonest rules: the whole source, or nothing, into one label."""
    source = _source(rule)

    def apply(labels: dict[str, str]) -> None:
        value = source(labels)
        if newlines or "\n" not in value:
            _set(labels, target, value if copies else "")

    return apply


def _computes(rule: Rule, replacement: Template) -> Callable[[str], str | None]:
    """Return the function from a source to the new value; None where the expression does not match."""
    find, expand = rule.regexp.find, replacement.expand

    def compute(value: str) -> str | None:
        data = value.encode("utf-8", "surrogatepass")
        spans = find(data)
        return None if spans is None else expand(data, spans).decode("utf-8", "surrogatepass")

    return memoised(compute)


def _replace_one(rule: Rule, target: str, computed: Callable[[str], str | None]) -> Apply:
    """Any expression and replacement, into a label whose name is known."""
    source = _source(rule)

    def apply(labels: dict[str, str]) -> None:
        value = computed(source(labels))
        if value:
            labels[target] = value
        elif value is not None:
            labels.pop(target, None)

    return apply


def _replace_any(rule: Rule, target: Template, replacement: Template, version: Version) -> Apply:
    """The name of the label depends on the match as well."""
    source, find, legacy = _source(rule), rule.regexp.find, rule.legacy_names

    def compute(value: str) -> tuple[str, str] | None:
        data = value.encode("utf-8", "surrogatepass")
        spans = find(data)
        if spans is None:
            return None
        name = target.expand(data, spans).decode("utf-8", "surrogatepass")
        if not valid_name(name, legacy=legacy):
            return None
        value = replacement.expand(data, spans).decode("utf-8", "surrogatepass")
        # Before #13308 an empty value deleted the label whose name is the template itself: none, in practice.
        return (name if value or version >= (2, 50) else rule.target_label), value

    computed = memoised(compute)

    def apply(labels: dict[str, str]) -> None:
        result = computed(source(labels))
        if result is not None:
            _set(labels, *result)

    return apply


def _keep_or_drop(rule: Rule) -> Apply:
    source = _source(rule)
    matches = memoised(rule.regexp.matches)
    if rule.action == "drop":
        return lambda labels: matches(source(labels))
    return lambda labels: not matches(source(labels))


def _equal(rule: Rule) -> Apply:
    source, target, drop_if = _source(rule), rule.target_label, rule.action == "dropequal"
    return lambda labels: (labels.get(target, "") == source(labels)) is drop_if


def _computed(rule: Rule) -> Apply:
    """``hashmod``, ``lowercase``, ``uppercase``: a value computed from the source alone."""
    source, target, modulus = _source(rule), rule.target_label, rule.modulus
    if rule.action == "lowercase":
        return lambda labels: _set(labels, target, lower(source(labels)))
    if rule.action == "uppercase":
        return lambda labels: _set(labels, target, upper(source(labels)))

    def hashmod(labels: dict[str, str]) -> None:
        digest = md5(source(labels).encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
        labels[target] = str(int.from_bytes(digest[8:], "big") % modulus)

    return hashmod


def _labelmap(rule: Rule) -> Apply:
    regexp = rule.regexp
    template = Template(rule.replacement, regexp.names)

    def rename(names: tuple[str, ...]) -> list[tuple[str, str]]:
        return [(name, regexp.replace_all(name, template)) for name in sorted(names) if regexp.matches(name)]

    renamed = memoised(rename)

    def apply(labels: dict[str, str]) -> None:
        # Targets of a job have the same few sets of names. All values are read before the first is written.
        pairs = [(target, labels[name]) for name, target in renamed(tuple(labels))]
        for target, value in pairs:
            labels[target] = value  # noqa: PERF403 -- one by one: whoever watches the label set sees each write

    return apply


def _labeldrop_or_keep(rule: Rule) -> Apply:
    regexp, drop_if = rule.regexp, rule.action == "labeldrop"

    def choose(names: tuple[str, ...]) -> list[str]:
        return [name for name in names if regexp.matches(name) is drop_if]

    chosen = memoised(choose)

    def apply(labels: dict[str, str]) -> None:
        for name in chosen(tuple(labels)):
            labels.pop(name)

    return apply


def upper(text: str) -> str:
    """Return upper case as Go does, rune by rune: ``ß`` stays, no rune becomes two.

    >>> upper("straße"), "straße".upper()
    ('STRAßE', 'STRASSE')
    """
    if text.isascii():
        return text.upper()
    # Where Unicode's full mapping is two runes, the simple one is the title case (ᾳ to ᾼ) or none (ß, ŉ, ﬁ).
    return "".join(next((c for c in (rune.upper(), rune.title()) if len(c) == 1), rune) for rune in text)


def lower(text: str) -> str:
    """Return lower case as Go does, rune by rune: no final sigma, and ``İ`` becomes ``i``.

    >>> lower("ΑΣ"), "ΑΣ".lower()
    ('ασ', 'ας')
    """
    if text.isascii():
        return text.lower()
    return "".join("i" if rune == "İ" else rune.lower() for rune in text)
