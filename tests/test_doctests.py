"""The examples in docstrings, run on the package as it is imported: from the checkout, compiled or not, or installed.

pytest's own collector loads a module from its source file, beside the compiled one that the others import.
"""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

import necropsy

HOUSE = Path(necropsy.__file__).parent
WITH_EXAMPLES = sorted(
    ".".join(("necropsy", *path.relative_to(HOUSE).with_suffix("").parts)).removesuffix(".__init__")
    for path in HOUSE.rglob("*.py")
    if re.search(r"^ *>>> [^#]", path.read_text(encoding="utf-8"), re.MULTILINE)
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_module_hold(name: str) -> None:
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(verbose=False)
    complaints: list[str] = []
    for example in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        runner.run(example, out=complaints.append)
    assert not complaints, "".join(complaints)
    compiled = not str(module.__file__).endswith(".py")
    assert runner.tries or compiled, "examples that doctest does not find"
