"""One relabel rule: its fields, defaults and validation (model/relabel/relabel.go: ``Config.Validate``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from necropsy.model.errors import ConfigurationError
from necropsy.probes.prometheus import schema_checks
from necropsy.probes.prometheus.regexp import Regexp, RegexpRefused, anchored
from necropsy.probes.prometheus.version import Version
from necropsy.probes.syntax.node import Node

ACTIONS: Final = {
    "replace": (0, 0),
    "keep": (0, 0),
    "drop": (0, 0),
    "hashmod": (0, 0),
    "labelmap": (0, 0),
    "labeldrop": (0, 0),
    "labelkeep": (0, 0),
    "lowercase": (2, 36),
    "uppercase": (2, 36),
    "keepequal": (2, 41),
    "dropequal": (2, 41),
}
"""Action → first version of Prometheus that has it."""
_FIELDS: Final = ("source_labels", "separator", "regex", "modulus", "target_label", "replacement", "action")
_DEFAULT_REGEX: Final = "(.*)"
_DEFAULT_REPLACEMENT: Final = "$1"
_DEFAULT_SEPARATOR: Final = ";"
_NEEDS_TARGET: Final = frozenset(("replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"))
_CASES: Final = frozenset(("lowercase", "uppercase"))
_EQUALS: Final = frozenset(("keepequal", "dropequal"))
_LEGACY_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_LEGACY_TEMPLATE: Final = re.compile(r"(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule, validated, with its defaults filled in."""

    action: str
    """In lower case."""
    source_labels: tuple[str, ...]
    separator: str
    regex: str
    """As written, without anchors."""
    modulus: int
    target_label: str
    replacement: str
    node: Node
    """The mapping in the configuration; its line is the rule's line."""
    regexp: Regexp
    """Compiled with its anchors."""
    default_regex: bool
    """No ``regex`` was written: the default, ``(.*)``."""
    legacy_names: bool
    """Whether label names are limited to ``[a-zA-Z_][a-zA-Z0-9_]*``."""

    @property
    def line(self) -> int:
        """Line of the rule's first field."""
        return self.node.line

    def describe(self) -> str:
        """Return what the rule does, in a few words.

        >>> from necropsy.probes.syntax.document import parse_yaml
        >>> from necropsy.probes.prometheus.version import prometheus_version
        >>> node = parse_yaml("{source_labels: [__address__], target_label: __param_target}", "prometheus.yml")
        >>> read_rule(node, prometheus_version("3.0")).describe()
        'copies __address__ into __param_target'
        """
        sources = self.separator.join(self.source_labels) or "nothing"
        if self.action == "replace":
            return self._describe_replace(sources)
        return {
            "keep": f"keeps targets whose {sources} matches {self.regex}",
            "drop": f"drops targets whose {sources} matches {self.regex}",
            "keepequal": f"keeps targets whose {sources} equals {self.target_label}",
            "dropequal": f"drops targets whose {sources} equals {self.target_label}",
            "hashmod": f"writes the hash of {sources} modulo {self.modulus} into {self.target_label}",
            "labelmap": f"copies labels named {self.regex} to {self.replacement}",
            "labeldrop": f"drops labels named {self.regex}",
            "labelkeep": f"keeps only labels named {self.regex}",
            "lowercase": f"copies {sources} into {self.target_label} in lower case",
            "uppercase": f"copies {sources} into {self.target_label} in upper case",
        }[self.action]

    def _describe_replace(self, sources: str) -> str:
        if not self.replacement:
            return f"deletes {self.target_label}"
        if "$" not in self.replacement:
            return f"sets {self.target_label} to {self.replacement}"
        if self.regex == _DEFAULT_REGEX and self.replacement in (_DEFAULT_REPLACEMENT, "${1}"):
            return f"copies {sources} into {self.target_label}"
        return f"sets {self.target_label} to {self.replacement} if {sources} matches {self.regex}"


def valid_name(name: str, *, legacy: bool) -> bool:
    """Return whether Prometheus takes this as a label name: any UTF-8 text since 3.0, letters and digits before."""
    if legacy:
        return _LEGACY_NAME.fullmatch(name) is not None
    return bool(name) and (name.isascii() or _is_utf8(name))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def valid_template(text: str) -> bool:
    """Return whether this may name a label with variables in it, by the rule that held before 3.2.

    >>> [valid_template(text) for text in ("label${1}", "foo${", "-$1", "bar.foo${1}")]
    [True, False, False, False]
    """
    return _LEGACY_TEMPLATE.fullmatch(text) is not None


def read_rule(node: Node, version: Version, *, legacy_names: bool = False) -> Rule:
    """Read and validate one rule.

    Raises
    ------
    ConfigurationError
        Prometheus of this version refuses it.
    """
    if node.kind == "null":
        raise node.error("empty or null relabeling rule", hint="Remove the empty list item.")
    fields = schema_checks.mapping(node, "relabel rule", _FIELDS)
    legacy = legacy_names or version < (3, 0)
    action = _action(fields.get("action"), version)
    source_labels = schema_checks.texts(fields.get("source_labels"))
    for element in fields["source_labels"].elements if "source_labels" in fields else ():
        if element.kind != "null" and not valid_name(element.text(), legacy=legacy):
            raise element.error(f'"{element.text()}" is not a valid label name', hint="Check the spelling.")
    regex = schema_checks.text(fields.get("regex"), _DEFAULT_REGEX)
    try:
        regexp = anchored(regex, version)
    except RegexpRefused as error:
        raise fields["regex"].error(
            f"regex {regex} is refused: {error}", hint="Prometheus takes RE2 syntax: no look-around, no backreferences."
        ) from None
    rule = Rule(
        action=action,
        source_labels=source_labels,
        separator=schema_checks.text(fields.get("separator"), _DEFAULT_SEPARATOR),
        regex=regex,
        modulus=_modulus(fields.get("modulus")),
        target_label=schema_checks.text(fields.get("target_label"), ""),
        replacement=schema_checks.text(fields.get("replacement"), _DEFAULT_REPLACEMENT),
        node=node,
        regexp=regexp,
        default_regex="regex" not in fields,
        legacy_names=legacy,
    )
    _validate(rule, fields, version)
    return rule


def _action(node: Node | None, version: Version) -> str:
    if node is None:
        return "replace"
    if node.kind == "null":
        raise node.error("relabel action cannot be empty", hint="Remove this line: replace is the default.")
    action = schema_checks.text(node, "").lower()
    since = ACTIONS.get(action)
    if since is None or version < since:
        known = ", ".join(name for name, first in ACTIONS.items() if version >= first)
        needs = f" before {since[0]}.{since[1]}" if since else ""
        raise node.error(f'unknown relabel action "{node.text()}"{needs}', hint=f"Actions of {version}: {known}.")
    return action


def _modulus(node: Node | None) -> int:
    if node is None or node.kind == "null":
        return 0
    number = schema_checks.integer(node)
    if not 0 <= number < 2**64:
        raise node.error(f"modulus {number} does not fit into 64 bits", hint="Write a number such as 10.")
    return number


def _validate(rule: Rule, fields: dict[str, Node], version: Version) -> None:
    """Check what goes together, in Prometheus' order and nearly its words."""

    def fail(name: str, reason: str, hint: str) -> ConfigurationError:
        return fields.get(name, rule.node).error(reason, hint=hint)

    action, target = rule.action, rule.target_label
    templates_are_legacy = rule.legacy_names or version < (3, 2)
    if action == "hashmod" and rule.modulus == 0:
        raise fail("modulus", "relabel configuration for hashmod requires non-zero modulus", "Add modulus: 8.")
    if action in _NEEDS_TARGET and not target:
        raise fail(
            "target_label",
            f"relabel configuration for {action} action requires 'target_label' value",
            "Add target_label, the label that is written.",
        )
    if action in _NEEDS_TARGET:
        # Before #13308 other actions took a template as well, and wrote a label of that very name.
        template = "$" in target and (action == "replace" or (version < (2, 50) and action != "hashmod"))
        valid = (
            valid_template(target)
            if template and templates_are_legacy
            else valid_name(target, legacy=rule.legacy_names)
        )
        if not valid:
            raise fail("target_label", f"\"{target}\" is invalid 'target_label' for {action} action", "Rename it.")
    if action in _CASES | _EQUALS and rule.replacement != _DEFAULT_REPLACEMENT:
        raise fail("replacement", f"'replacement' can not be set for {action} action", "Remove this line.")
    if action == "labelmap" and not (
        valid_template(rule.replacement) if templates_are_legacy else valid_name(rule.replacement, legacy=False)
    ):
        raise fail("replacement", f"\"{rule.replacement}\" is invalid 'replacement' for labelmap action", "Rename it.")
    extra = _surplus(rule, fields)
    if extra:
        allowed = "'source_labels' and 'target_label'" if action in _EQUALS else "'regex'"
        raise fail(extra, f"{action} action requires only {allowed}, and no other fields", "Remove this line.")


def _surplus(rule: Rule, fields: dict[str, Node]) -> str:
    """Return a field that this action does not take, and that has another value than its default; or nothing."""
    changed = {
        "modulus": rule.modulus != 0,
        "separator": rule.separator != _DEFAULT_SEPARATOR,
        "replacement": rule.replacement != _DEFAULT_REPLACEMENT,
    }
    if rule.action in _EQUALS:
        # Go compares pointers: even a regex that is written as the default counts as another one.
        changed["regex"] = not rule.default_regex
    elif rule.action in ("labeldrop", "labelkeep"):
        changed["source_labels"] = "source_labels" in fields and fields["source_labels"].kind != "null"
        changed["target_label"] = rule.target_label != ""
    else:
        return ""
    return next((name for name, is_changed in changed.items() if is_changed), "")
