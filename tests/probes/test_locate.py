"""Finding the file that a configuration names among those that were given."""

from __future__ import annotations

import pytest

from necropsy.probes.locate import matching


@pytest.mark.parametrize(
    ("main", "written", "expected"),
    [
        ("p.yml", "t/*.json", ["t/a.json", "t/b.json"]),
        ("./p.yml", "./t/a.json", ["t/a.json"]),
        ("p.yml", "t/../t/a.json", ["t/a.json"]),
        ("p.yml", "/etc/prometheus/t/*.json", ["t/a.json", "t/b.json"]),
        ("p.yml", "/etc/prometheus/t/b.json", ["t/b.json"]),
        ("p.yml", "/etc/x/*", []),  # a star alone would take everything beside the main file
        ("p.yml", "t/?.json", ["t/a.json", "t/b.json"]),
        ("p.yml", "t/[^a].json", ["t/b.json"]),
        ("p.yml", "*", ["p.yml"]),
        ("p.yml", "t/*", ["t/a.json", "t/b.json"]),
        ("x/p.yml", "t/a.json", []),
        ("/etc/p/p.yml", "/etc/p/t/*.json", []),
    ],
)
def test_names_answer_a_path_or_glob(main: str, written: str, expected: list[str]) -> None:
    assert matching(["t/b.json", "t/a.json", "t/.hidden.json", "p.yml", "t/u/c.json"], main, written) == expected
