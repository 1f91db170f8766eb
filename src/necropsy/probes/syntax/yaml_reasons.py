"""The faults of a YAML text in words: the parser's own name its grammar, not what is wrong with the line."""

from __future__ import annotations

from typing import Any, Final

_INDENTED: Final = "or is indented unlike the lines above it"
_REASONS: Final = (
    ("expected ',' or ']'", "the list [ of line {start} lacks a comma or its ]"),
    ("expected ',' or '}'", "the mapping {{ of line {start} lacks a comma or its }}"),
    ("node content", "no value where one must stand"),
    ("'-' indicator", f"this line does not begin with - as the list of line {{start}} does, {_INDENTED}"),
    ("could not find expected ':'", "line {start} is no `key: value`: it has no colon"),
    ("expected key", f"this line does not continue the mapping of line {{start}} with `key: value`, {_INDENTED}"),
    ("expected <block end>", f"this line does not continue what line {{start}} begins, {_INDENTED}"),
    ("mapping values are not allowed", "this colon begins a mapping where none may stand"),
    ("mapping keys are not allowed", "this ? begins a mapping where none may stand"),
    ("sequence entries are not allowed", "this - begins a list where none may stand"),
    ("cannot start any token", "no value may begin with this character, unless it is quoted"),
    ("unexpected end of stream", "the quote of line {start} is never closed"),
    ("unknown escape character", "this backslash begins no escape that YAML has in double quotes"),
    ("hexdecimal number", "this escape lacks hexadecimal digits"),
    ("invalid Unicode character escape", "this escape is no Unicode character"),
    ("alphabetic or numeric character", "no name follows this * or &; quote a value that begins so"),
    ("expected <document start>", "this line belongs to no document: `---` begins another"),
    ("tab character", "a tab indents this line"),
    ("comment or line break", "something follows the | or > of this line"),
    ("undefined tag handle", "this tag (!) is not defined"),
)  # fmt: skip


_BLOCK: Final = ("expected key", "'-' indicator", "expected <block end>")


def reason(error: Any, text: str) -> str:
    r"""Return what is wrong, in words; what is not in the table as the parser has it.

    Parameters
    ----------
    error
        A ``yaml.MarkedYAMLError``, of libyaml or of PyYAML's own parser.
    text
        What was parsed.

    >>> import yaml
    >>> def refused(text):
    ...     try:
    ...         list(yaml.parse(text))
    ...     except yaml.MarkedYAMLError as error:
    ...         return reason(error, text)
    >>> refused("targets: [a, b\njob: c\n")
    'the list [ of line 1 lacks a comma or its ]'
    >>> refused("a: 'b\n")
    'the quote of line 1 is never closed'
    """
    problem, place = error.problem or "", error.problem_mark
    mark = error.context_mark or place
    if place:
        line, *after = text.split("\n")[place.line :] or [""]
        if "node content" in problem and not line[place.column :].strip() and not "".join(after).strip():
            return "the text ends inside of a list [ or a mapping {"
        if any(said in problem for said in _BLOCK) and line[: place.column].strip(" -"):
            return "something follows the value of this line; if it belongs to it, quote all of it"
    for said, meant in _REASONS:
        if said in problem:
            return meant.format(start=mark.line + 1 if mark else 1)
    return " ".join(part for part in (error.context, error.problem) if part)
