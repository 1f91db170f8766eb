"""Everything that can go wrong, as one small tree.

::

    NecropsyError                 exit 1   the run failed
    ├── UsageError                exit 2   the command line contradicts itself
    ├── NoEvidence                exit 3   nothing that could be examined
    ├── UnreadableSource          exit 1   one source cannot be read at all
    │   └── ConfigurationError    exit 1   a configuration file is wrong at a line
    │       └── NotJudged         exit 4   nothing is known to be wrong there, and nothing to be right
    └── CaseError                 exit 1   a case file cannot be opened or written
        └── CaseTooNew            exit 1   written by a newer necropsy

Each carries a ``hint``: the next step for the person who reads it. They are caught once, in ``cli/main.py``. Bugs are
not in this tree and are not caught. A reader's ``UnreadableSource`` is turned into an ``Absent`` by the conductor, so
that one bad file never ends an autopsy.
"""

from __future__ import annotations


class NecropsyError(Exception):
    """Base of every error that a user can do something about.

    Parameters
    ----------
    message
        What failed, and where.
    hint
        What to do next, one sentence.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(NecropsyError):
    """The command line contradicts itself."""

    exit_code = 2


class NoEvidence(NecropsyError):  # noqa: N818 -- "no evidence" is the design's word for it
    """Nothing was given, or nothing that was given could be examined."""

    exit_code = 3


class UnreadableSource(NecropsyError):  # noqa: N818
    """One source cannot be read at all."""


class ConfigurationError(UnreadableSource):
    """A configuration file is wrong at a known place.

    The message begins with ``file:line:`` so that editors and terminals can jump to it; line 0 is the file as a whole.
    """

    def __init__(self, file: str, line: int, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{file}:{line}: {reason}" if line else f"{file}: {reason}", hint=hint)
        self.file = file
        self.line = line
        self.reason = reason

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, ConfigurationError) and self._said == other._said

    def __hash__(self) -> int:
        return hash(self._said)

    @property
    def _said(self) -> tuple[str, str]:
        return self.message, self.hint

    @property
    def place(self) -> str:
        """``file:line``, or the file alone when no line of it is to blame."""
        return f"{self.file}:{self.line}" if self.line else self.file


class NotJudged(ConfigurationError):  # noqa: N818
    """A place in configuration that could not be judged: something is missing, or newer than this program.

    It is no fault of the file, and never shown as fine.
    """

    exit_code = 4


class CaseError(NecropsyError):
    """A case file cannot be opened or written."""


class CaseOutOfMemory(CaseError):  # noqa: N818
    """The memory that the database of a case may take is too little for what it writes."""


class CaseTooNew(CaseError):  # noqa: N818
    """The case file was written by a newer necropsy than this one."""
