"""Layout of terminal text: wrapped lines, hanging labels, a right margin; readable without colour."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.text import Text

LABEL_WIDTH: Final = 7
"""Columns of ``CAUSE``, ``FIX`` … with the space behind them."""

_LEAST_ROOM: Final = 20

# Holds a number and its unit together while lines are wrapped. A private-use character, as rich breaks at no-break
# spaces too; it cannot be in the text, because what comes from outside has been made inert.
_GLUE: Final = "\ue000"
_NUMBER_AND_UNIT: Final = re.compile(r"(?<=\d) (?=(?:%|[kMGT]?B|s|days?|hours?|minutes?|years?|keys?|sessions?)(?!\w))")


class Sheet:
    """Text of a given width, written from top to bottom.

    Parameters
    ----------
    width
        Columns; nothing but `verbatim` goes beyond them.
    color
        Whether to write ANSI colours. What is said is the same without.
    """

    def __init__(self, *, width: int, color: bool) -> None:
        from rich.console import Console

        self.width = width
        self._out = StringIO()
        self._console = Console(
            file=self._out,
            width=width,
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
            _environ={},  # the same values give the same text, whatever TERM or COLUMNS say
        )

    def gap(self) -> None:
        """Write an empty line, unless the sheet is still blank."""
        if self._out.tell():
            self._console.print()

    def line(self, *parts: str | tuple[str, str], indent: int = 0, hang: int = 0) -> None:
        """One line of parts, plain or ``(text, style)``; wrapped, the lines after the first ``hang`` further in.

        Indents give way on a narrow sheet: what is written keeps 20 columns.
        """
        from rich.text import Text

        indent = max(0, min(indent, self.width - _LEAST_ROOM))
        hang = max(0, min(hang, self.width - indent - _LEAST_ROOM))
        # Wrapped twice on purpose: what follows the first line has less room, by the hanging indent.
        whole = Text.assemble(*(_glued(part) for part in parts))
        lines = whole.wrap(self._console, max(_LEAST_ROOM, self.width - indent), tab_size=4)
        first, rest = lines[0], whole[len(lines[0].plain) :]
        first.rstrip()
        self._put(indent, first)
        if len(lines) > 1:
            rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :]
            for further in rest.wrap(self._console, max(_LEAST_ROOM, self.width - indent - hang), tab_size=4):
                further.rstrip()
                self._put(indent + hang, further)

    def labelled(self, label: str, *parts: str | tuple[str, str], style: str = "bold") -> None:
        """``FIX    Probe /health``: a label in the margin, once, and text that hangs beside it."""
        width = max(LABEL_WIDTH, len(label) + 2)
        self.line((label.ljust(width), style), *parts, hang=width)

    def beside(self, *parts: str | tuple[str, str]) -> None:
        """More text in the column of `labelled`."""
        self.line(*parts, indent=LABEL_WIDTH)

    def ends(self, left: list[str | tuple[str, str]], right: str, *, style: str = "", indent: int = 0) -> None:
        """Put ``left`` at the left end and ``right`` at the right end of one line; on two lines if one is too short."""
        from rich.text import Text

        text = Text.assemble(*left)
        room = self.width - indent - text.cell_len
        if not right:
            self.line(*left, indent=indent, hang=2)
        elif room >= len(right) + 2:
            self._put(indent, Text.assemble(text, " " * (room - len(right)), (right, style)))
        else:
            self.line(*left, indent=indent, hang=2)
            self._put(self.width - len(right), Text(right, style=style))

    def verbatim(self, text: str, style: str = "") -> None:
        """One line that is never wrapped: a diff must stay a diff when it is copied."""
        from rich.text import Text

        self._console.print(Text(text, style=style), soft_wrap=True)

    def text(self) -> str:
        """Everything written so far, without blanks at line ends."""
        lines = self._out.getvalue().replace(_GLUE, " ").rstrip("\n").split("\n")
        return "\n".join(line.rstrip() for line in lines) + "\n"

    def _put(self, indent: int, text: Text) -> None:
        text.pad_left(indent)
        self._console.print(text, soft_wrap=True)


def _glued(part: str | tuple[str, str]) -> str | tuple[str, str]:
    if isinstance(part, tuple):
        return _NUMBER_AND_UNIT.sub(_GLUE, part[0]), part[1]
    return _NUMBER_AND_UNIT.sub(_GLUE, part)


def shortened(text: str, room: int) -> str:
    """Cut a text to so many columns, at a blank where there is one, and mark the cut.

    >>> shortened("four probes create all sessions", 20)
    'four probes create …'
    """
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= room:
        return text
    kept = set_cell_size(text, room - 2)
    whole = kept if text.startswith(f"{kept.rstrip()} ") else kept.rpartition(" ")[0] or kept
    return f"{whole.rstrip()} …"
