"""The treatment of a report: its steps, and its patches written to the user's own files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from necropsy import autopsy
from necropsy.autopsy.sources import Sources, parse_time
from necropsy.model.finding import Patch
from necropsy.model.report import Report
from necropsy.report.commands import treatment as text
from necropsy.treat.edits.text import unified_diff
from necropsy.treat.writing import PatchError, Written
from necropsy.treatment.patching import Chosen, Patches, fewest, patches, write_all
from necropsy.treatment.steps import steps

STORY = Path(__file__).parents[1] / "cases" / "incident-before"


def _examined(folder: Path) -> Report:
    return autopsy.examine(
        Sources(
            prometheus=(str(folder / "prometheus.yml"),),
            consul=(str(folder / "consul-services.json"),),
            access_log=(str(folder / "access.log"),),
            now=parse_time("2019-05-24T19:00:00Z"),
            checksums=True,
        )
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(STORY, tmp_path / "story")


def test_patches_are_written_once_with_a_backup_and_end_the_finding(folder: Path) -> None:
    report = _examined(folder)
    found = patches(report)
    assert found.chosen
    before = {one.patch.file: Path(one.patch.file).read_text() for one in found.chosen}
    results = write_all(report, found, Path())
    assert all(isinstance(result, Written) for result in results)
    for file, old in before.items():
        assert Path(file).read_text() != old
    assert {str(one.file): one.backup.read_text() for one in results if isinstance(one, Written)} == before
    again = write_all(report, found, Path())
    assert not any(isinstance(result, Written) for result in again), "the files are others by now"
    slugs = {one.slug for one in found.chosen}
    left = patches(_examined(folder))
    assert not {one.patch.diff for one in left.chosen if one.slug in slugs} & {one.patch.diff for one in found.chosen}


def test_the_steps_begin_with_the_patches_and_change_nothing(folder: Path) -> None:
    report = _examined(folder)
    found = patches(report)
    made = steps(report, found, Path("incident.toml"))
    assert made[0].command == "necropsy treat incident.toml --patch"
    shown = text.treatment(made, found)
    assert shown.startswith("1. Stop the births")
    assert shown.endswith("Nothing was changed. Each command shows its plan first, and can be undone.\n")
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in STORY.iterdir())


def _chosen(slug: str, lines: int, *stops: str) -> list[Chosen]:
    return [Chosen(slug, Patch(f"{slug}.yml", f"diff of {slug}", lines, 0, slug, stops), slug)]


def test_the_fewest_remedies_that_stop_everything_are_chosen_and_of_equals_the_smaller() -> None:
    groups = [_chosen("a", 1, "1", "2"), _chosen("b", 1, "3"), _chosen("c", 9, "1", "2", "3"), _chosen("d", 3)]
    assert fewest(groups) == {2}
    assert fewest([*groups, _chosen("e", 2, "1", "2", "3")]) == {4}
    assert fewest([*groups[:2], _chosen("f", 1, "2", "3")]) in ({0, 1}, {0, 2})
    assert fewest([_chosen("d", 3)]) == set()
    many = [_chosen(str(number), 1, str(number)) for number in range(20)]
    assert fewest([*many, _chosen("all", 1, *map(str, range(20)))]) == {20}


def test_a_patch_says_which_requests_it_stops(folder: Path) -> None:
    report = _examined(folder)
    found = patches(report)
    stopped = {request for one in found.chosen for request in one.patch.stops}
    assert stopped
    assert stopped == {request for one in patches(report, every=True).chosen for request in one.patch.stops}
    shown = text.treatment(steps(report, found, Path("incident.toml")), found)
    for one in found.others:
        assert f"{one.slug}: {one.patch.file}" in shown


def _of_two_files(folder: Path) -> Patches:
    """A remedy over two files, and another over one."""
    chosen = []
    for slug, name in (("a", "prometheus.yml"), ("a", "consul-services.json"), ("b", "access.log")):
        text = (folder / name).read_text()
        made = unified_diff(name, text, text + "\n")
        chosen.append(Chosen(slug, Patch(str(folder / name), made, 1, 0, "", (slug,)), slug))
    return Patches(tuple(chosen), ())


def test_a_remedy_over_two_files_is_written_whole_or_not_at_all(folder: Path) -> None:
    report, found = _examined(folder), _of_two_files(folder)
    before = {one.patch.file: Path(one.patch.file).read_text() for one in found.chosen}
    changed = folder / "consul-services.json"
    changed.write_text(changed.read_text() + " ")
    first, second, other = write_all(report, found, Path())
    assert isinstance(first, PatchError)
    assert "belongs together with that of" in first.message
    assert isinstance(second, PatchError)
    assert "changed since it was examined" in second.message
    assert isinstance(other, Written), "another remedy does not wait for it"
    assert (folder / "prometheus.yml").read_text() == before[str(folder / "prometheus.yml")]


def test_a_remedy_of_which_a_file_was_written_before_is_finished(folder: Path) -> None:
    report, found = _examined(folder), _of_two_files(folder)
    assert isinstance(write_all(report, Patches(found.chosen[:1], ()), Path())[0], Written)
    first, second, _ = write_all(report, found, Path())
    assert isinstance(first, PatchError)
    assert "has this patch already" in first.message
    assert isinstance(second, Written)


def test_a_link_and_what_it_leads_to_are_one_file(folder: Path) -> None:
    report, found = _examined(folder), _of_two_files(folder)
    (folder / "link.yml").symlink_to(folder / "prometheus.yml")
    one = found.chosen[0]
    link = Chosen("c", Patch(str(folder / "link.yml"), one.patch.diff, 1, 0, "", ("c",)), "c")
    results = write_all(report, Patches((one, link), ()), Path())
    assert [type(result) for result in results] == [Written]
