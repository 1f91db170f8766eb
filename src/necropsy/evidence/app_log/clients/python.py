"""Python: redis-py, valkey-py, aioredis, django-redis, coredis, Celery's and Kombu's use of them."""

from __future__ import annotations

from typing import Final

from necropsy.evidence.app_log.clients.interface import ErrorClass
from necropsy.model.store_trouble import StoreTrouble as T

_ROOM: Final = r"(?:redis|valkey|aioredis|coredis|fakeredis)(?:\.asyncio)?\.exceptions\."

PYTHON: Final[tuple[ErrorClass, ...]] = (
    ErrorClass(
        "redis.exceptions.TimeoutError",
        _ROOM + r"(?:Socket)?TimeoutError|Timeout (?:reading from|writing to) socket",
        T.SLOW,
    ),
    ErrorClass("Error 110 connecting", r"\bError (?:110|60|10060) (?:connecting to|while writing to socket)", T.SLOW),
    ErrorClass(
        "redis.exceptions.MaxConnectionsError",
        _ROOM + r"MaxConnectionsError|" + _ROOM + r"ConnectionError: (?:Too many connections|No connection available)",
        T.POOL,
    ),
    ErrorClass(
        "redis.exceptions.ConnectionError", _ROOM + r"ConnectionError|ConnectionInterrupted: Redis", T.LOST, vague=True
    ),
    ErrorClass(
        "Error connecting to the store",
        r"\bError -?\d+ connecting to \S+:\d+|\bError \d+ while (?:reading from|writing to) \S+:\d+",
        T.LOST,
    ),
    ErrorClass(
        "redis.exceptions.ResponseError",
        _ROOM + r"(?:Response|Redis|Data|Invalid\w+|Exec\w+|Lock\w*)Error",
        T.ERROR,
        vague=True,
    ),
)
"""Errors of clients in Python."""
