"""Documents are tests: what is generated is fresh, what is shown works, what is linked exists."""

from __future__ import annotations

import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from necropsy.case.store import Case
from necropsy.examine.registry import SLUGS

pytestmark = pytest.mark.checkout

SECTIONS = ("Signs", "Why it hurts", "Before and after", "Remedy", "Verify", "References")
WIDTH = 80
"""Pages are printed in terminals."""


@pytest.fixture(scope="module")
def tool(checkout: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("necropsy_docs", checkout / "tools" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(checkout: Path) -> dict[str, str]:
    folder = checkout / "src" / "necropsy" / "cli" / "pages"
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.md"))
    }


def _words(text: str) -> str:
    """The text without its line breaks: another release of the help's formatter may wrap elsewhere."""
    return " ".join(text.split())


# -- generated --------------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_generated_documents_are_fresh(checkout: Path, tool: ModuleType) -> None:
    stale = [
        str(path)
        for path, text in tool.documents().items()
        if not (checkout / path).is_file() or _words((checkout / path).read_text(encoding="utf-8")) != _words(text)
    ]
    assert not stale, "run: make docs"


@pytest.mark.integration
def test_the_verdict_in_the_readme_is_what_the_demo_prints(checkout: Path, tool: ModuleType) -> None:
    assert (checkout / "README.md").read_text(encoding="utf-8") == tool.readme(), "run: make docs"


def test_every_option_of_every_command_says_what_it_is_for(tool: ModuleType) -> None:
    from typer.main import get_command

    from necropsy.cli.main import app

    commands = [get_command(app)]
    for command in commands:
        commands += getattr(command, "commands", {}).values()
        assert command.help, command.name
        for parameter in command.params:
            assert getattr(parameter, "help", ""), f"{command.name} {parameter.name}"


# -- pages ------------------------------------------------------------------------------------------------------------


def test_every_slug_has_its_page_and_every_page_its_slug(pages: dict[str, str]) -> None:
    assert set(pages) == set(SLUGS)


def test_a_page_opens_with_its_slug_and_the_slug_s_meaning(pages: dict[str, str]) -> None:
    for slug, text in pages.items():
        title, meaning = text.split("\n\n")[:2]
        assert title == f"# {slug}"
        assert _words(meaning) == SLUGS[slug]


def test_a_page_says_what_to_look_for_what_to_do_and_how_to_undo_it(pages: dict[str, str]) -> None:
    for slug, text in pages.items():
        sections = tuple(re.findall(r"^## (.+)$", text, re.MULTILINE))
        if slug == "healthy":
            assert {"Signs", "Verify"} <= set(sections)
        else:
            assert sections == SECTIONS, slug
            assert re.search(r"^Undo: ", text, re.MULTILINE), slug


def test_pages_fit_into_a_terminal(pages: dict[str, str]) -> None:
    for slug, text in pages.items():
        assert [line for line in text.splitlines() if len(line) > WIDTH] == [], slug


def test_pages_name_only_slugs_that_exist(pages: dict[str, str]) -> None:
    areas = "|".join({slug.split("/")[0] for slug in SLUGS if "/" in slug})
    for slug, text in pages.items():
        assert set(re.findall(rf"`((?:{areas})/[a-z-]+)`", text)) <= set(SLUGS), slug


# -- what is shown works ----------------------------------------------------------------------------------------------


def _documents(checkout: Path) -> Iterator[tuple[str, str]]:
    for folder in (checkout, checkout / "docs", checkout / "src" / "necropsy", checkout / "changes"):
        found = folder.glob("*.md") if folder == checkout else folder.rglob("*.md")
        for path in sorted(found):
            yield path.relative_to(checkout).as_posix(), path.read_text(encoding="utf-8")


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_every_query_that_is_shown_runs_on_a_case(checkout: Path) -> None:
    import duckdb

    shown = [(name, block) for name, text in _documents(checkout) for block in _blocks(text, "sql")]
    assert len(shown) > len(SLUGS)
    broken = []
    with Case.create(None) as case:
        for name, block in shown:
            try:
                case.rows(block)
            except duckdb.Error as error:
                broken.append(f"{name}: {error}")
    assert broken == []


def _commands_shown(text: str) -> Iterator[list[str]]:
    for block in _blocks(text, "sh") + _blocks(text, "bash"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "necropsy":
                yield words[1:]


def _subcommands(command: Any) -> dict[str, Any]:
    return dict(getattr(command, "commands", {}))


def test_every_command_and_option_that_is_shown_exists(checkout: Path) -> None:
    from typer.main import get_command

    from necropsy.cli.main import app

    root = get_command(app)
    shown = [(name, words) for name, text in _documents(checkout) for words in _commands_shown(text)]
    assert shown
    for name, words in shown:
        command = root
        if words[0] in _subcommands(root):
            command = _subcommands(root)[words[0]]
            if len(words) > 1 and words[1] in _subcommands(command):
                command = _subcommands(command)[words[1]]
        else:
            assert words[0].startswith("-"), f"{name}: necropsy {' '.join(words)}"
        options = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
        used = {word.split("=")[0] for word in words if word.startswith("-") and word != "-"}
        assert used <= options | {"--help", "-h"}, f"{name}: necropsy {' '.join(words)}"


def test_every_make_target_that_is_shown_exists(checkout: Path) -> None:
    makefile = (checkout / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert {"demo", "test", "lint", "bench", "docs", "help"} <= targets
    for name, text in _documents(checkout):
        for target in re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)`", text, re.MULTILINE):
            asked = target[0] or target[1]
            assert asked in targets or asked.startswith("bench-"), f"{name}: make {asked}"


def _links(text: str) -> list[str]:
    without_code = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    return [target for target in re.findall(r"\]\(([^)#\s]+)", without_code) if not target.startswith("http")]


def test_every_link_leads_somewhere(checkout: Path) -> None:
    links = [(name, target) for name, text in _documents(checkout) for target in _links(text)]
    assert links
    assert [link for link in links if not (checkout / link[0]).parent.joinpath(link[1]).exists()] == []


def test_the_readme_opens_with_redis_alone_and_then_the_two_commands(checkout: Path) -> None:
    first, second, *_ = _blocks((checkout / "README.md").read_text(encoding="utf-8"), "sh")
    assert "necropsy examine --redis redis://" in first
    assert [line.split("#")[0].strip() for line in second.splitlines()] == ["make demo", "make test"]


def test_the_incident_file_in_the_readme_is_read_as_it_stands(checkout: Path, tmp_path: Path) -> None:
    from necropsy.autopsy.incident_file import load

    (shown,) = _blocks((checkout / "README.md").read_text(encoding="utf-8"), "toml")
    (tmp_path / "incident.toml").write_text(shown)
    sources = load(str(tmp_path / "incident.toml"))
    assert [(store.name, store.memory_limit) for store in sources.stores] == [("A", 10**9)]
    assert sources.access_log
    assert sources.consul[0].startswith("10.0.0.1=")


# -- architecture and decisions ---------------------------------------------------------------------------------------


def test_the_layers_in_the_documentation_are_those_that_are_enforced(checkout: Path) -> None:
    settings = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["id"] == "layers")
    text = (checkout / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert "\n".join(contract["layers"]) in text


def test_the_documentation_names_every_room_of_the_house(checkout: Path) -> None:
    text = (checkout / "docs" / "architecture.md").read_text(encoding="utf-8")
    house = checkout / "src" / "necropsy"
    rooms = {path.parent.name for path in house.glob("*/__init__.py")}
    rooms |= {path.name for path in house.glob("*.py") if path.name not in {"__init__.py", "__main__.py"}}
    missing = [room for room in sorted(rooms) if not re.search(rf"^  {room}/? ", text, re.MULTILINE)]
    assert missing == []


def test_every_decision_is_dated_and_listed(checkout: Path) -> None:
    folder = checkout / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    for path in sorted(folder.glob("*.md")):
        if path.name != "README.md":
            assert re.search(r"^Date: \d{4}-\d\d-\d\d\. Status: ", path.read_text(encoding="utf-8"), re.MULTILINE), path
            assert f"]({path.name})" in index, path.name


def test_every_change_is_a_fragment_that_says_of_what_kind_it_is(checkout: Path) -> None:
    for path in sorted((checkout / "changes").glob("*.md")):
        if path.name != "README.md":
            assert re.match(r"(Added|Changed|Fixed|Removed): ", path.read_text(encoding="utf-8")), path.name
