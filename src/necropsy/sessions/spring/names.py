"""Names that Spring Session gives to fields, and that we give to its layouts."""

from __future__ import annotations

from typing import Final

CREATED: Final = "creationTime"
ACCESSED: Final = "lastAccessedTime"
LIFETIME: Final = "maxInactiveInterval"
FIXED: Final = (CREATED, ACCESSED, LIFETIME)
"""Fields of every session; all others are attributes."""
ATTRIBUTE: Final = "sessionAttr:"
"""Begins the fields of attributes."""
CONTEXT: Final = f"{ATTRIBUTE}SPRING_SECURITY_CONTEXT"
PRINCIPAL: Final = f"{ATTRIBUTE}org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME"
SAVED_REQUEST: Final = f"{ATTRIBUTE}SPRING_SECURITY_SAVED_REQUEST"
PRINCIPAL_INDEX: Final = "PRINCIPAL_NAME_INDEX_NAME:"

INDEXED: Final = "spring-indexed"
PLAIN: Final = "spring"
REACTIVE: Final = "spring-reactive"
REACTIVE_INDEXED: Final = "spring-reactive-indexed"
UNTOLD: Final = "spring-untold"
"""Only while parts are put together: a record whose own expiry does not tell its repository."""

KINDS: Final = (UNTOLD, PLAIN, INDEXED, REACTIVE)
"""Kinds that a record's own fields decide."""

GRACE_S: Final = 300
"""Seconds that the indexed repositories keep a hash beyond its session, so that listeners can still read it."""
