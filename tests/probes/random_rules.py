"""Random scrape jobs with a seed: rules and targets chosen so that they meet often, and at the odd corners."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

NAMES = ("a", "b", "c_1", "job", "__tmp", "__meta_x", "__meta_x_y", "__address__", "__param_target", "__param_module")
WRITTEN = (*NAMES, "__metrics_path__", "__scheme__", "instance", "d", "__scrape_interval__", "__scrape_timeout__")
VALUES = (
    "foo", "bar", "FOO", "baz", "10.0.0.1:8080", "host", "a,b,c", ",a,", "", "1.2.3.4", "80", "8080", "[::1]", "[::1]:9",
    "::1", "x:y:z", "line\nbreak", "straße", "İstanbul ΑΣ", "ᾳ ﬁ ǆ", "/health", "/p?q=1#f", "https", "http", "1h30m", "90m",
    "foo-bar", "a b+c%2F", "$1", "€", "a" * 40,
)  # fmt: skip
REGEXES = (
    "(.*)", "(.+)", "", "f(.*)", "(.*)o", "foo|bar", "foo", ".*,a,.*", "([^:]+)(?::(\\d+))?", "([^:]+)(?::\\d+)?;(\\d+)",
    "(?i)FOO", "(?P<n>\\w+)-(?P<m>.*)", "a)|(b", "(a)|(f)(.*)", "\\pL+", "(?s)(.*)\n(.*)", "[[:alpha:]]+", "(.*);(.*)",
    "(?U)(.+)(.*)", "\\Q[::1]\\E(.*)", "x{0,3}", "(|a)*", "\\bfoo\\b", "[^;]*;[^;]*", "(https?)", "(\\d+)\\.(\\d+).*",
)  # fmt: skip
NAME_REGEXES = (
    "__meta_(.*)", "__meta_(x)(.*)", "(a|b)", "c_(\\d)", "__(.*)__", "(.+)", "a", "job", "(?P<n>.)_.*", "__tmp", "b)|(c",
)  # fmt: skip
REPLACEMENTS = (
    "$1", "${1}", "$2", "$0", "", "static", "$1x", "${1}x|$$|$|${|$3|${2}", "${n}/$m", "$10", "$01", "http://$1/health",
    "/p/$1?x=1", "ü$1", "host:80", "30m", "$1:$2", "$$1", "1h", "https", " ",
)  # fmt: skip
TARGETS = ("__param_$1", "l_${1}", "${1}", "$2", "a$1b", "__param_n$1_", "${n}")
ACTIONS = (
    *["replace"] * 10, "keep", "drop", "keepequal", "dropequal", "hashmod", "lowercase", "uppercase", *["labelmap"] * 2,
    "labeldrop", "labelkeep",
)  # fmt: skip


def rule(chance: random.Random, actions: Sequence[str] = ACTIONS) -> dict[str, Any]:
    """A rule that every Prometheus takes that has these actions."""
    action = chance.choice(actions)
    made = _rule_of_names(chance, action) if action.startswith("label") else _rule_of_values(chance, action)
    if action != "replace" or chance.random() < 0.3:
        made["action"] = chance.choice((action, action.upper(), action.title()))
    return made


def _rule_of_names(chance: random.Random, action: str) -> dict[str, Any]:
    made: dict[str, Any] = {"regex": chance.choice(NAME_REGEXES)}
    if action == "labelmap" and chance.random() < 0.8:
        made["replacement"] = chance.choice(("$1", "m_$1", "__param_$1", "${1}_$2", "z_${n}", "fixed"))
    if action == "labelkeep":
        made["regex"] += "|__.*|a|b"
    return made


def _rule_of_values(chance: random.Random, action: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if chance.random() < 0.9:
        made["source_labels"] = chance.choices(NAMES, k=chance.choice((1, 1, 1, 2, 2, 3)))
    if action not in ("keep", "drop"):
        made["target_label"] = chance.choice(WRITTEN)
    if action in ("keepequal", "dropequal"):
        return made
    if action == "hashmod":
        made["modulus"] = chance.choice((1, 2, 10, 1000, 2**64 - 1))
    if chance.random() < 0.3:
        made["separator"] = chance.choice(("", ",", "-", ";;"))
    if action in ("replace", "keep", "drop") and chance.random() < 0.7:
        # Most rules that keep should keep most targets, so that the rules behind them are reached.
        lenient = "|.*(?s:.)*" if action == "keep" and chance.random() < 0.7 else ""
        made["regex"] = chance.choice(REGEXES) + lenient
    if action == "replace" and chance.random() < 0.7:
        made["replacement"] = chance.choice(REPLACEMENTS)
    if action == "replace" and chance.random() < 0.15:
        made["target_label"] = chance.choice(TARGETS)
    return made


def group(chance: random.Random) -> dict[str, Any]:
    """A target group of one to four addresses with up to five labels."""
    names = chance.sample([name for name in NAMES if name != "__address__"], chance.randrange(6))
    return {
        "targets": [
            chance.choice((*VALUES, "web-1:80", "10.0.0.2", "web-2:8080")) for _ in range(chance.randint(1, 4))
        ],
        "labels": {name: chance.choice(VALUES) for name in names},
    }


def jobs(seed: int, count: int, actions: Sequence[str] = ACTIONS) -> list[dict[str, Any]]:
    """Scrape configurations named by their number; none is asked more often than twice an hour by default."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        job: dict[str, Any] = {
            "job_name": f"job-{number}",
            "scrape_interval": "2h",
            "scrape_timeout": "1s",
            "relabel_configs": [rule(chance, actions) for _ in range(chance.randint(1, 6))],
            "static_configs": [group(chance) for _ in range(chance.randint(1, 5))],
        }
        if chance.random() < 0.4:
            job["params"] = {
                name: chance.choices(VALUES, k=chance.randint(0, 3))
                for name in chance.sample(("module", "target", "q r"), 2)
            }
        if chance.random() < 0.3:
            job["metrics_path"] = chance.choice(("/probe", "noslash", "/a%2Fb", "/m?x=1", "/ü (*)", ""))
        if chance.random() < 0.2:
            job["scheme"] = chance.choice(("https", "http"))
        made.append(job)
    return made


def revealed(job: dict[str, Any]) -> dict[str, Any]:
    """The same job with one more rule that copies every label, internal ones too, to a public name."""
    reveal: Sequence[dict[str, Any]] = [{"action": "labelmap", "regex": "(.+)", "replacement": "seen_$1"}]
    return {**job, "relabel_configs": [*job["relabel_configs"], *reveal]}
