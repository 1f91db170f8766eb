"""The case that a watch keeps: a file of its own, which no other command has written."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from necropsy._internal.paths import exists, is_dir
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

    if not is_dir(path.parent):
        raise UsageError(
            f"{path}: there is no folder {path.parent}", hint="Create the folder, or give another by --case."
        )
    if not exists(path):
        return
    with Case.open(path) as case:
        if not case.has("look"):
            raise UsageError(
                f"{path} is the case of an examination, which a watch would overwrite",
                hint="Give another file by --case: a watch keeps its own case.",
            )


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep a case for this process while the block runs: of two that write one case each would lose what the other saw.

    ``CASE.lock`` stands for it, since each look replaces the case itself.

    Raises
    ------
    UsageError
        Another watch or guard holds it, or the file cannot be written.
    """
    lock = Path(f"{path}.lock")
    try:
        stream = lock.open("a")
    except OSError as error:
        raise UsageError(f"{lock}: cannot write: {error.strerror}", hint="Give another file by --case.") from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"{path} is kept by another watch or guard that is running",
                hint="End that one, or give another file by --case: each keeps its own case.",
            ) from None
        except OSError:  # a file system without locks
            pass
        yield
