"""The case that a watch keeps: a file of its own, which no other command has written."""

from __future__ import annotations

from pathlib import Path

from necropsy.model.errors import UsageError


def require_own(path: Path) -> None:
    """Refuse a case that a watch would destroy, and a folder that is not there.

    Raises
    ------
    UsageError
        The folder of the file does not exist, or the file holds an examination and no look of a watch.
    CaseError
        The file is no case.
    """
    from necropsy.case.store import Case

    if not path.parent.is_dir():
        raise UsageError(
            f"{path}: there is no folder {path.parent}", hint="Create the folder, or give another by --case."
        )
    if not path.exists():
        return
    with Case.open(path) as case:
        if not case.has("look"):
            raise UsageError(
                f"{path} is the case of an examination, which a watch would overwrite",
                hint="Give another file by --case: a watch keeps its own case.",
            )
