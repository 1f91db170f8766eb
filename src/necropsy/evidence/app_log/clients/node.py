"""Node: ioredis, node-redis, redis-parser, connect-redis, Bull."""

from __future__ import annotations

from typing import Final

from necropsy.evidence.app_log.clients.interface import ErrorClass
from necropsy.model.store_trouble import StoreTrouble as T

NODE: Final[tuple[ErrorClass, ...]] = (
    ErrorClass("MaxRetriesPerRequestError", r"MaxRetriesPerRequestError|max retries per request limit", T.LOST),
    ErrorClass("CommandTimeoutError", r"\bCommandTimeoutError", T.SLOW),
    ErrorClass(
        "SocketClosedUnexpectedlyError",
        r"SocketClosedUnexpectedlyError|Socket closed unexpectedly|Redis connection lost and command aborted"
        r"|Redis connection in broken state|Redis connection to \S+ failed|Stream isn't writeable and enableOfflineQueue",
        T.LOST,
    ),
    ErrorClass("ClientClosedError", r"ClientClosedError|ClientOfflineError|DisconnectsClientError", T.LOST),
    ErrorClass("ReplyError", r"\bReplyError|\bErrorReply\b", T.ERROR, vague=True),
    ErrorClass("ConnectionTimeoutError", r"ConnectionTimeoutError|SocketTimeoutError", T.SLOW, shared=True),
    ErrorClass("Command timed out", r"Command timed out", T.SLOW, shared=True),
    ErrorClass("Connection is closed", r"Error: Connection is closed|The client is closed", T.LOST, shared=True),
    ErrorClass("ETIMEDOUT", r"\b(?:ETIMEDOUT|ESOCKETTIMEDOUT)\b", T.SLOW, shared=True),
    ErrorClass(
        "ECONNREFUSED",
        r"\b(?:ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)\b",
        T.LOST,
        shared=True,
    ),
)
"""Errors of clients in JavaScript."""
