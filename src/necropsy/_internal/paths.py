"""Questions about paths that a user gave: in a folder that may not be entered, there is nothing; opening it says why.

``pathlib`` before Python 3.14 raises ``PermissionError`` there: ``/var/log/nginx`` is closed to ordinary users on Debian.
"""

from __future__ import annotations

import glob
import os
import os.path
from os import PathLike


def exists(path: str | PathLike[str]) -> bool:
    """Tell whether there is a file or a folder, as far as it can be told."""
    return os.path.exists(path)  # noqa: PTH110 -- see above


def is_file(path: str | PathLike[str]) -> bool:
    """Tell whether there is a file, as far as it can be told."""
    return os.path.isfile(path)  # noqa: PTH113 -- see above


def is_dir(path: str | PathLike[str]) -> bool:
    """Tell whether there is a folder, as far as it can be told."""
    return os.path.isdir(path)  # noqa: PTH112 -- see above


def why_no_file(path: str | PathLike[str]) -> str:
    """Say why there is no file to read: missing, a folder, or behind a folder that may not be entered."""
    try:
        os.stat(path)  # noqa: PTH116 -- the error is what is asked for
    except (FileNotFoundError, NotADirectoryError):
        return "no such file"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "no such file"
    return "is a folder" if is_dir(path) else "not a file"


def closed_folder(pattern: str) -> str:
    """Return the folder that a glob had to list and may not; empty when there is none."""
    folder = os.path.dirname(pattern)  # noqa: PTH120 -- as above
    while glob.has_magic(folder):
        folder = os.path.dirname(folder)  # noqa: PTH120 -- as above
    return folder if is_dir(folder) and not may_list(folder) else ""


def may_list(folder: str | PathLike[str]) -> bool:
    """Tell whether this user may see what is in a folder."""
    return os.access(folder, os.R_OK | os.X_OK)
