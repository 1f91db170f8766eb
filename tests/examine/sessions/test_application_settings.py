"""Settings of applications that were given to lint become one finding each, with every place."""

from __future__ import annotations

from pathlib import Path

from blank_cases import blank_case
from necropsy.autopsy.linting import lint
from necropsy.examine.sessions.application_settings import examine

CODE = "const session = require('express-session')\napp.use(session({ store, saveUninitialized: true }))\n"


def test_each_place_is_named_once_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "one.js").write_text(CODE)
    (tmp_path / "two.js").write_text("\n" + CODE)
    (finding,) = lint([str(tmp_path)]).report.findings
    assert finding.slug == "sessions/application-settings"
    assert "saveUninitialized" in finding.title
    places = [
        (exhibit.origin.file, exhibit.origin.line)
        for exhibit in (finding.primary, *finding.supporting)
        if exhibit.origin
    ]
    assert places == [(str(tmp_path / "one.js"), 2), (str(tmp_path / "two.js"), 3)]


def test_a_source_without_such_a_setting_is_read_and_clean(tmp_path: Path) -> None:
    (tmp_path / "app.js").write_text(CODE.replace("true", "false"))
    linted = lint([str(tmp_path / "app.js")])
    assert linted.report.findings == ()
    assert linted.files == (str(tmp_path / "app.js"),)
    assert not linted.refused


def test_a_case_without_applications_has_nothing_to_say() -> None:
    with blank_case() as case:
        assert list(examine(case)) == []
