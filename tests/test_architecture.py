"""The house rules that no linter knows: layers, what loads at start, sizes of files, one slug everywhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from necropsy.examine.registry import SLUGS

pytestmark = pytest.mark.checkout

SPLIT_AT = 500
"""Lines at which a module must be split; 200 is the aim."""
HEAVY = ("duckdb", "numpy", "pyarrow", "scipy", "pandas", "yaml", "jinja2", "rich", "re2", "hcl2", "lark", "redis")
"""Third parties that no command needs before it runs: `necropsy --help` must answer at once."""


@pytest.fixture(scope="module")
def modules(checkout: Path) -> dict[Path, ast.Module]:
    house = checkout / "src" / "necropsy"
    return {
        path.relative_to(house): ast.parse(path.read_text(encoding="utf-8"), str(path))
        for path in sorted(house.rglob("*.py"))
    }


@pytest.fixture(scope="module")
def nodes(modules: dict[Path, ast.Module]) -> dict[Path, list[ast.AST]]:
    """All nodes of each module."""
    return {path: list(ast.walk(module)) for path, module in modules.items()}


@pytest.mark.process
def test_the_import_contracts_hold(checkout: Path) -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    run = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.process
def test_the_command_line_starts_without_anything_heavy() -> None:
    program = "import sys, necropsy.cli.main; print(*{name.split('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert sorted(set(run.stdout.split()) & set(HEAVY)) == []


@pytest.mark.process
def test_help_is_printed_without_anything_heavy() -> None:
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr))\n"
        "sys.argv = ['necropsy', 'examine', '--help']\n"
        "import necropsy.cli.main as line; line.main()"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "--rdb" in run.stdout
    assert sorted(set(run.stderr.split()) & set(HEAVY)) == []


def _loaded_on_import(module: ast.Module) -> Iterator[str]:
    """Top-level packages that importing this module loads: not in functions, not under TYPE_CHECKING."""
    waiting: list[ast.stmt] = list(module.body)
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, ast.Import):
            yield from (alias.name.split(".")[0] for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            yield (statement.module or "").split(".")[0]
        elif isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test):
            waiting += statement.orelse
        elif isinstance(statement, (ast.If, ast.Try, ast.With, ast.ClassDef)):
            waiting += [node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.stmt)]


def test_the_vocabulary_needs_the_standard_library_alone(modules: dict[Path, ast.Module]) -> None:
    for path, module in modules.items():
        if path.parts[0] == "model":
            foreign = set(_loaded_on_import(module)) - set(sys.stdlib_module_names) - {"necropsy"}
            assert foreign == set(), path


def test_no_module_is_so_long_that_it_must_be_split(checkout: Path, modules: dict[Path, ast.Module]) -> None:
    house = checkout / "src" / "necropsy"
    lengths = {path: len((house / path).read_text(encoding="utf-8").splitlines()) for path in modules}
    assert {str(path): length for path, length in lengths.items() if length >= SPLIT_AT} == {}


def test_there_is_no_drawer_for_everything(modules: dict[Path, ast.Module]) -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [str(path) for path in modules if drawers & {path.stem, *path.parts}] == []


def test_every_module_says_what_it_is_for(modules: dict[Path, ast.Module]) -> None:
    assert [str(path) for path, module in modules.items() if not ast.get_docstring(module)] == []


def test_no_docstring_begins_with_a_question(nodes: dict[Path, list[ast.AST]]) -> None:
    """It says what a thing is or does; a sentence that begins with *what* or *which* leaves that to the reader."""
    questions = {"What", "Who", "Whom", "Whose", "Which", "Where", "When", "How"}
    asking = [
        f"{path}:{getattr(node, 'lineno', 1)}"
        for path, found in nodes.items()
        for node in found
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and (ast.get_docstring(node) or "-").split()[0] in questions
    ]
    assert asking == []


def test_no_two_classes_have_one_name(modules: dict[Path, ast.Module]) -> None:
    places: dict[str, list[str]] = {}
    for path, module in modules.items():
        for node in module.body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(str(path))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_what_stands_below_a_name_describes_that_name(nodes: dict[Path, list[ast.AST]]) -> None:
    astray = [
        f"{path}:{line.lineno}"
        for path, found in nodes.items()
        for node in found
        if isinstance(node, ast.Module | ast.ClassDef)
        for above, line in pairwise(node.body)
        if isinstance(line, ast.Expr)
        and isinstance(line.value, ast.Constant)
        and not isinstance(above, ast.Assign | ast.AnnAssign)
    ]
    assert astray == []


def test_no_room_is_empty(checkout: Path) -> None:
    rooms = [path for path in (checkout / "src" / "necropsy").iterdir() if (path / "__init__.py").is_file()]
    assert [room.name for room in rooms if not any(p.name != "__init__.py" for p in room.rglob("*.py"))] == []


def test_nothing_prints_outside_the_command_line(nodes: dict[Path, list[ast.AST]]) -> None:
    printing = [
        f"{path}:{node.lineno}"
        for path, found in nodes.items()
        for node in found
        if path.parts[0] != "cli"
        and isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == "print")
            or ast.unparse(node.func) in {"sys.stdout.write", "sys.stderr.write"}
        )
    ]
    assert printing == []


def test_judgement_asks_nobody(nodes: dict[Path, list[ast.AST]]) -> None:
    judgement = {"model", "sessions", "probes", "examine", "verdict", "report"}
    asking = [
        f"{path}:{node.lineno}"
        for path, found in nodes.items()
        for node in found
        if path.parts[0] in judgement
        and (
            (isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("urllib.request."))
            or (isinstance(node, ast.ImportFrom) and node.module == "urllib" and ast.unparse(node).find("request") > 0)
            or (isinstance(node, ast.Import) and any(alias.name == "urllib.request" for alias in node.names))
        )
    ]
    assert asking == []  # the other ways out are in the import contracts, which cannot name a part of a package


def test_judgement_opens_no_file(nodes: dict[Path, list[ast.AST]]) -> None:
    judgement = {"model", "history", "rhythm", "visits", "sessions", "probes", "examine", "verdict", "report"}
    opening = {
        "open",
        "read_text",
        "read_bytes",
        "glob",
        "iglob",
        "rglob",
        "iterdir",
        "scandir",
        "listdir",
        "is_file",
        "exists",
    }
    opened = [
        f"{path}:{node.lineno}"
        for path, found in nodes.items()
        for node in found
        if path.parts[0] in judgement
        and isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in opening
        and not ast.unparse(node.func).startswith(
            "resources.files(__package__)"
        )  # its own SQL, schemas and style sheets
    ]
    assert opened == []  # files are opened by `evidence` and `wire`


def test_no_session_can_be_brought_to_life(nodes: dict[Path, list[ast.AST]]) -> None:
    dangerous = {"pickle", "cPickle", "dill", "marshal", "shelve", "jsonpickle", "cloudpickle"}
    importing = [
        f"{path}:{node.lineno}"
        for path, found in nodes.items()
        for node in found
        if (isinstance(node, ast.Import) and dangerous & {alias.name.split(".")[0] for alias in node.names})
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in dangerous)
    ]
    assert importing == []


def test_registries_are_written_down_and_not_collected(nodes: dict[Path, list[ast.AST]]) -> None:
    collected = [
        str(path)
        for path, found in nodes.items()
        if any("__subclasses__" in (getattr(node, "attr", ""), getattr(node, "value", "")) for node in found)
    ]
    assert collected == []


# -- one slug everywhere ----------------------------------------------------------------------------------------------


def test_every_slug_is_the_path_of_its_examiner(checkout: Path) -> None:
    house = checkout / "src" / "necropsy" / "examine"
    missing = [slug for slug in SLUGS if not (house / f"{slug.replace('-', '_')}.py").is_file()]
    assert missing == []


def test_every_examiner_is_a_value_of_its_module_and_in_the_registry(checkout: Path) -> None:
    from importlib import import_module

    from necropsy.examine.registry import EXAMINERS

    assert len({examiner.slug for examiner in EXAMINERS}) == len(EXAMINERS)
    for examiner in EXAMINERS:
        module = import_module("necropsy.examine." + examiner.slug.replace("/", ".").replace("-", "_"))
        assert module.EXAMINER is examiner
    house = checkout / "src" / "necropsy" / "examine"
    written = {path for path in house.rglob("*.py") if "\nEXAMINER: " in path.read_text(encoding="utf-8")}
    assert len(written) == len(EXAMINERS), "an examiner is not in the registry"


def test_no_report_knows_a_slug_by_its_name(nodes: dict[Path, list[ast.AST]]) -> None:
    """What a report asks of a finding is a property of the finding."""
    named = [
        f"{path}:{node.lineno}"
        for path, found in nodes.items()
        if path.parts[0] == "report"
        for node in found
        if isinstance(node, ast.Compare)
        and any(isinstance(one, ast.Constant) and one.value in SLUGS for one in ast.walk(node))
    ]
    assert named == []


# -- the tests --------------------------------------------------------------------------------------------------------


def test_every_examiner_fix_and_reader_has_its_test_at_the_same_path(checkout: Path) -> None:
    house = checkout / "src" / "necropsy"
    tested = [house / "examine" / f"{slug.replace('-', '_')}.py" for slug in SLUGS]
    tested += [path for path in (house / "treat" / "fixes").rglob("*.py") if "\nFIX: " in path.read_text("utf-8")]
    tested += (house / "evidence").glob("*/reader.py")
    places = [path.relative_to(house) for path in sorted(tested)]
    assert len(places) > 50
    missing = [
        str(place) for place in places if not (checkout / "tests" / place.with_name(f"test_{place.name}")).is_file()
    ]
    assert missing == []


# -- the project's own files ------------------------------------------------------------------------------------------


def test_no_file_of_the_project_names_a_path_of_one_machine(checkout: Path) -> None:
    tracked = subprocess.run(
        ["git", "grep", "-nIE", r"(^|[^a-zA-Z0-9_.])/(root|home/[a-z]+|Users/[A-Za-z]+|work|farm)/", "--", "."],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tracked.returncode in (0, 1), tracked.stderr
    assert [line for line in tracked.stdout.splitlines() if "tests/test_architecture.py" not in line] == []


def test_the_version_is_said_once(checkout: Path) -> None:
    import necropsy

    settings = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    assert necropsy.__version__ == settings["project"]["version"]


def test_what_a_compiled_loop_compares_with_is_declared_to_the_compiler(checkout: Path) -> None:
    """A constant that is not, is an object: it is looked up and compared as one, each time."""
    slow = []
    for typed in sorted((checkout / "src").rglob("*.pxd")):
        declared = set(re.findall(r"\w+", " ".join(re.findall(r"(?m)^cdef [^(:\n]+$", typed.read_text()))))
        module = ast.parse(typed.with_suffix(".py").read_text())
        constants = {
            name.id
            for node in module.body
            if isinstance(node, ast.Assign)
            for name in ast.walk(node.targets[0])
            if isinstance(name, ast.Name) and name.id.isupper()
        }
        loops = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and node.name != "__init__"]
        compared = {
            name.id
            for loop in loops
            for node in ast.walk(loop)
            if isinstance(node, ast.Compare)
            for name in ast.walk(node)
            if isinstance(name, ast.Name)
        }
        slow += [f"{typed.stem}.{name}" for name in sorted(constants & compared - declared)]
    assert slow == []
