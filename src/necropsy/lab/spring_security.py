"""Attributes of Spring Security 5.1 in a session: the user who is logged in, and the request that led to the login page."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from necropsy.lab.java import WRITES_MORE, JavaClass, JavaObject, serialize

PRINCIPAL_INDEX: Final = "org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME"
"""Attribute that holds the user name, and family of the index sets."""

_STRING: Final = "Ljava/lang/String;"
_OBJECT: Final = "Ljava/lang/Object;"
_VERSION: Final = 510
"""``SpringSecurityCoreVersion.SERIAL_VERSION_UID`` of the 5.1 line."""
_SECURITY: Final = "org.springframework.security."

_ARRAY_LIST: Final = JavaClass("java.util.ArrayList", 0x7881D21D99C7619D, (("size", "I"),), WRITES_MORE)
_TREE_SET: Final = JavaClass("java.util.TreeSet", 0xDD98509395ED875B, (), WRITES_MORE)
_TREE_MAP: Final = JavaClass(
    "java.util.TreeMap", 0x0CC1F63E2D256AE6, (("comparator", "Ljava/util/Comparator;"),), WRITES_MORE
)  # fmt: skip
_ANY_CASE: Final = JavaClass("java.lang.String$CaseInsensitiveComparator", 0x77035C7D5C50E5CE)
_UNMODIFIABLE: Final = JavaClass(
    "java.util.Collections$UnmodifiableCollection", 0x19420080CB5EF71E, (("c", "Ljava/util/Collection;"),)
)
_UNMODIFIABLE_LIST: Final = JavaClass(
    "java.util.Collections$UnmodifiableList", 0xFC0F2531B5EC8E10, (("list", "Ljava/util/List;"),), parent=_UNMODIFIABLE
)
_UNMODIFIABLE_SET: Final = JavaClass("java.util.Collections$UnmodifiableSet", 0x801D92D18F9B8055, parent=_UNMODIFIABLE)
_LOCALE: Final = JavaClass(
    "java.util.Locale",
    0x7EF811609C30F9EC,
    (("hashcode", "I"), *((name, _STRING) for name in ("country", "extensions", "language", "script", "variant"))),
    WRITES_MORE,
)

_CONTEXT: Final = JavaClass(
    f"{_SECURITY}core.context.SecurityContextImpl",
    _VERSION,
    (("authentication", "Lorg/springframework/security/core/Authentication;"),),
)
_ABSTRACT_TOKEN: Final = JavaClass(
    f"{_SECURITY}authentication.AbstractAuthenticationToken",
    0xD3AA287E6E47640E,
    (("authenticated", "Z"), ("authorities", "Ljava/util/Collection;"), ("details", _OBJECT)),
)
_TOKEN: Final = JavaClass(
    f"{_SECURITY}authentication.UsernamePasswordAuthenticationToken",
    _VERSION,
    (("credentials", _OBJECT), ("principal", _OBJECT)),
    parent=_ABSTRACT_TOKEN,
)
_AUTHORITY: Final = JavaClass(f"{_SECURITY}core.authority.SimpleGrantedAuthority", _VERSION, (("role", _STRING),))
_DETAILS: Final = JavaClass(
    f"{_SECURITY}web.authentication.WebAuthenticationDetails",
    _VERSION,
    (("remoteAddress", _STRING), ("sessionId", _STRING)),
)
_USER: Final = JavaClass(
    f"{_SECURITY}core.userdetails.User",
    _VERSION,
    (
        ("accountNonExpired", "Z"), ("accountNonLocked", "Z"), ("credentialsNonExpired", "Z"), ("enabled", "Z"),
        ("authorities", "Ljava/util/Set;"), ("password", _STRING), ("username", _STRING),
    ),
)  # fmt: skip
_COMPARATOR: Final = JavaClass(f"{_SECURITY}core.userdetails.User$AuthorityComparator", _VERSION)
_SAVED_REQUEST: Final = JavaClass(
    f"{_SECURITY}web.savedrequest.DefaultSavedRequest",
    0x1E404844F9366494,
    (
        ("serverPort", "I"), ("contextPath", _STRING), ("cookies", "Ljava/util/ArrayList;"),
        ("headers", "Ljava/util/Map;"), ("locales", "Ljava/util/ArrayList;"), ("method", _STRING),
        ("parameters", "Ljava/util/Map;"), ("pathInfo", _STRING), ("queryString", _STRING), ("requestURI", _STRING),
        ("requestURL", _STRING), ("scheme", _STRING), ("serverName", _STRING), ("servletPath", _STRING),
    ),
)  # fmt: skip


_CSRF_TOKEN: Final = JavaClass(
    f"{_SECURITY}web.csrf.DefaultCsrfToken",
    0x5AEFB7C82FA2FBD5,
    (("headerName", _STRING), ("parameterName", _STRING), ("token", _STRING)),
)


def csrf_token(token: str) -> bytes:
    """Return the token that a rendered form leaves in the session."""
    return serialize(JavaObject(_CSRF_TOKEN, (("X-CSRF-TOKEN", "_csrf", token),)))


def security_context(principal: str, role: str, address: str, session_id: str) -> bytes:
    """Return ``SPRING_SECURITY_CONTEXT`` of a person who logged in by a form.

    Parameters
    ----------
    principal
        User name.
    role
        The one authority, such as ``ROLE_STAFF``.
    address
        Client address at the login.
    session_id
        Session id *before* the login: ``WebAuthenticationDetails`` is made before the id changes.
    """
    authority = JavaObject(_AUTHORITY, ((role,),))
    held = _list(authority)
    ordered = JavaObject(_TREE_SET, ((),), (JavaObject(_COMPARATOR), struct.pack(">i", 1), authority))
    user = JavaObject(
        _USER, ((True, True, True, True, JavaObject(_UNMODIFIABLE_SET, ((ordered,), ())), None, principal),)
    )
    details = JavaObject(_DETAILS, ((address, session_id),))
    authorities = JavaObject(_UNMODIFIABLE_LIST, ((held,), (held,)))
    token = JavaObject(_TOKEN, ((True, authorities, details), (None, user)))
    return serialize(JavaObject(_CONTEXT, ((token,),)))


def saved_request(host: str, port: int, path: str, headers: Mapping[str, str]) -> bytes:
    """Return ``SPRING_SECURITY_SAVED_REQUEST`` of a GET without query.

    Parameters
    ----------
    host
        Server name, without port.
    headers
        Name in lower case and value of every request header.
    """
    pairs: list[object] = [piece for name, value in sorted(headers.items()) for piece in (name, _list(value))]
    held = JavaObject(_TREE_MAP, ((JavaObject(_ANY_CASE),),), (struct.pack(">i", len(headers)), *pairs))
    english = JavaObject(_LOCALE, ((-1, "", "", "en", "", ""),))
    authority = host if port == 80 else f"{host}:{port}"
    return serialize(
        JavaObject(
            _SAVED_REQUEST,
            ((
                port, "", _list(), held, _list(english), "GET", JavaObject(_TREE_MAP, ((None,),), (struct.pack(">i", 0),)),
                None, None, path, f"http://{authority}{path}", "http", host, path,
            ),),
        )
    )  # fmt: skip


def _list(*elements: object) -> JavaObject:
    return JavaObject(_ARRAY_LIST, ((len(elements),),), (struct.pack(">i", len(elements)), *elements))
