"""CEL expressions on a body that is JSON: ``body.status == 'UP'``. Needs the package common-expression-language.

As in blackbox, which reads JSON as Go does, each number is a double: ``body.count == 2`` is right, ``body.count + 1`` an error.
"""

from __future__ import annotations

import json
from typing import Any


def refused(expression: str) -> str | None:
    """Return why an expression cannot be used; None when it can."""
    try:
        import cel
    except ImportError:
        return "the package common-expression-language is missing: pip install 'necropsy[guard]'"
    try:
        cel.compile(expression)
    except ValueError as error:
        return " ".join(str(error).split())
    return None


def verdict(expression: str, text: bytes) -> bool | str:
    """Return what an expression says of a body, or why it says nothing: it is no JSON, a field is missing, it is no boolean."""
    import cel

    try:
        body = json.loads(text, parse_int=float, parse_constant=_no_json)
    except ValueError:
        return "the body is not JSON"
    try:
        said: Any = cel.evaluate(expression, {"body": body})
    except (ValueError, KeyError, TypeError, RuntimeError, IndexError, OverflowError, ArithmeticError) as error:
        return f"the CEL expression {expression!r} cannot be evaluated: {' '.join(str(error).split())}"
    return said if isinstance(said, bool) else f"the CEL expression {expression!r} is neither true nor false"


def _no_json(constant: str) -> float:
    raise ValueError(constant)
