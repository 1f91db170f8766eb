"""The fixtures of access logs: visits are tested on lines that were read."""

from evidence.access_log.conftest import reading, scratch

__all__ = ["reading", "scratch"]
