"""Times on the command line."""

from __future__ import annotations

from necropsy.model.errors import UsageError


def seconds(option: str, text: str) -> float:
    """Return the seconds of a time such as ``500ms``, ``2s`` or ``5m``.

    Raises
    ------
    UsageError
        It is none, or not above 0.
    """
    from necropsy.probes.prometheus.duration import parse_duration

    try:
        found = parse_duration(text) / 1000
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is not a time", hint="Write it as 500ms, 2s or 5m.") from error
    if found <= 0:
        raise UsageError(f"{option} must be above 0", hint="Write it as 500ms, 2s or 5m.")
    return found
