"""The pattern of every key: session layouts name theirs, all others fold by their shapes, and at the end by counting.

A pattern has a number while keys are counted. What it is called is known when all have been seen: whether a word stays
depends on how many keys share it (``sessions.folding.collapse``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from necropsy.sessions.folding import collapse, fold, fold_names
from necropsy.sessions.vocabulary import is_common

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

MOST_PATTERNS: Final = 50_000
"""Patterns that are held before they are folded by counting."""
_MOST_NAMES: Final = 200_000
_JOINED: Final = re.compile(r"[A-Za-z*]*(?:[_+~=\-][A-Za-z*]*)+")
_BY_CHANCE: Final = 3
"""Letters of a word that a random id may have in it."""
_LETTERS: Final = re.compile(r"[A-Za-z]+")


class Patterns:
    """Numbers patterns, and says in the end what they are called."""

    def __init__(self) -> None:
        from necropsy.sessions.registry import LAYOUTS

        self._layouts = [layout() for layout in LAYOUTS]
        self._numbers: dict[str, int] = {}
        self._names: set[str] = set()
        self._fixed: set[int] = set()

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, batch: pa.RecordBatch) -> npt.NDArray[np.int32]:
        """Return the number of the pattern of each key of a batch.

        Layouts see the names and types of keys here, and nothing of values: those that need them leave their keys to
        be folded by shape, which comes to the same pattern.
        """
        import numpy as np

        from necropsy.sessions.columns import Keys

        keys = Keys(batch)
        found = np.zeros(batch.num_rows, np.int32)
        for layout in self._layouts:
            for claim in layout.recognise(keys):
                keys.free[claim.rows] = False
                found[claim.rows] = self._numbered(claim.pattern, fixed=True)
                if claim.names is not None:
                    self._remember(claim.names)
        rest = np.flatnonzero(keys.free)
        found[rest] = self._numbered(fold(keys.take("key", rest)), fixed=False)
        return found

    def settle(self, counts: Mapping[int, int]) -> dict[int, int]:
        """Fold by counting, and number what is left afresh.

        Parameters
        ----------
        counts
            Keys of each pattern so far.

        Returns
        -------
        dict
            Old number to new number.
        """
        nameless = {
            number: text if number in self._fixed else fold_names(text, self._names)
            for text, number in self._numbers.items()
        }
        shares: dict[str, int] = {}
        for number, text in nameless.items():
            if number not in self._fixed:
                shares[text] = shares.get(text, 0) + counts.get(number, 0)
        became = {text: tidy(folded) for text, folded in collapse(shares).items()}
        numbers: dict[str, int] = {}
        moved: dict[int, int] = {}
        fixed = set()
        for number, text in nameless.items():
            called = text if number in self._fixed else became[text]
            moved[number] = numbers.setdefault(called, len(numbers))
            if number in self._fixed:
                fixed.add(moved[number])
        self._numbers, self._fixed = numbers, fixed
        return moved

    def called(self) -> list[tuple[int, str]]:
        """Return every number with its pattern."""
        return [(number, text) for text, number in self._numbers.items()]

    def _numbered(self, patterns: pa.Array, *, fixed: bool) -> npt.NDArray[Any]:
        import numpy as np
        import pyarrow as pa

        if not len(patterns):
            return np.zeros(0, np.int32)
        encoded = patterns if isinstance(patterns, pa.DictionaryArray) else patterns.dictionary_encode()
        texts = encoded.dictionary.to_pylist()
        numbers = np.array(
            [self._numbers.setdefault(text if fixed else tidy(text), len(self._numbers)) for text in texts], np.int32
        )
        if fixed:
            self._fixed.update(numbers.tolist())
        answer: npt.NDArray[Any] = numbers[encoded.indices.to_numpy(zero_copy_only=False)]
        return answer

    def _remember(self, names: pa.Array) -> None:
        """Remember principals, raw and as they fold, so that no other pattern keeps one."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if len(self._names) >= _MOST_NAMES:
            return
        distinct = pc.unique(names.cast(pa.binary()))
        self._names.update(name.decode("utf-8", "replace").lower() for name in distinct.to_pylist() if name)
        self._names.update(name.lower() for name in fold(distinct).to_pylist() if name.strip("*"))


def tidy(pattern: str) -> str:
    """Fold what hyphens and underscores leave of an id in base64url.

    >>> tidy("sess:*-x"), tidy("sess:*_*-e-"), tidy("sess:*-*_*-OF"), tidy("db_*:page"), tidy("rate-limit:*")
    ('sess:*', 'sess:*', 'sess:*', 'db_*:page', 'rate-limit:*')
    """
    return _JOINED.sub(_as_one, pattern) if "*" in pattern else pattern


def _as_one(found: re.Match[str]) -> str:
    text = found[0]
    words = _LETTERS.findall(text)
    both = "-" in text and "_" in text  # people use the one or the other, base64url both
    several = both or text.count("*") > 1
    longest = 2 if several else 1  # db_* keeps its word; *-db_* is an id with two letters in it
    of_an_id = all(
        (several and len(word) <= _BY_CHANCE and (both or not word.islower()))  # OF, Msg: common words, by chance
        or (len(word) <= longest and not is_common(word))
        for word in words
    )
    return "*" if "*" in text and of_an_id else text
