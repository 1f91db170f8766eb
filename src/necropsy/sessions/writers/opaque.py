r"""Sessions with an opaque value, and those that are known from their writer's source alone.

``_oauth2_proxy-<32 hex>`` (the cookie's name): AES of MessagePack, the secret in the user's cookie. Only who has logged in is
stored. ``authelia-session:<32 letters, digits, and -_!#$%^*>``: encrypted. ``<32 letters>``: better-auth's secondary storage::

    {"session":{"id":…,"expiresAt":"2026-…","token":…,"createdAt":"2026-…","userId":…},"user":{…}}

Source: oauth2-proxy ``pkg/sessions/persistence/{ticket,manager}.go`` (proved by tests/writers/oauth2_proxy*); authelia
``internal/session`` (proved by tests/writers/authelia*);
better-auth ``packages/better-auth/src/db/internal-adapter.ts`` (proved by tests/writers/better_auth*).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.sessions.columns import numbers
from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import ALNUM, HEX, URL_SAFE, SessionForm

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.sessions.writers.form import Moments

OAUTH2_PROXY: Final = "oauth2-proxy"
AUTHELIA: Final = "authelia"
BETTER_AUTH: Final = "better-auth"
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
_CREATED: Final = rf'"createdAt":"(?P<date>{_DATE})(?:\.(?P<ms>[0-9]{{3}}))?Z"'

CURES: Final = {
    OAUTH2_PROXY: Cure(
        framework="oauth2-proxy",
        starts="A login; an anonymous visit stores nothing.",
        stop="Nothing to stop: look for clients that log in repeatedly, and shorten the cookie's lifetime.",
        code="--skip-auth-route=^/health$ --cookie-expire=24h --cookie-refresh=1h",
        language="sh",
        lifetime="--cookie-expire=24h",
        source="oauth2-proxy docs configuration/overview",
    ),
    AUTHELIA: Cure(
        framework="Authelia",
        starts="Every request without the cookie that the proxy asks Authelia to authorize, also where the rule is bypass; the"
        " portal's own page starts none.",
        stop="Let the proxy answer health pages without asking Authelia: a rule with bypass stores a session all the same.",
        code="""location = /health {      # nginx; in Traefik a router without the middleware
    auth_request off;
    proxy_pass http://app;
}""",
        language="nginx",
        lifetime="session.expiration: 1d",
        source="authelia docs configuration/session; internal/handlers/handler_authz.go, handler_authz_authn.go",
    ),
    BETTER_AUTH: Cure(
        framework="better-auth (secondary storage)",
        starts="A login; an anonymous visit stores nothing.",
        stop="Nothing to stop: shorten the lifetime of sessions.",
        code="betterAuth({ session: { expiresIn: 60 * 60 * 24 }, secondaryStorage })",
        language="ts",
        lifetime="session: { expiresIn: 86400 }",
        source="better-auth docs concepts/session-management",
    ),
}


def _better_auth(heads: pa.Array) -> Moments:
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.extract_regex(heads, pattern=r"(?s)" + _CREATED)
    text = pc.struct_field(found, "date").cast(pa.string())
    seconds = pc.strptime(text, format="%Y-%m-%dT%H:%M:%S", unit="s", error_is_null=True).cast(pa.int64())
    known = numbers(seconds.is_valid())
    return {"created": (numbers(seconds.fill_null(0)) * 1000.0 + 500, known)}


FORMS: Final = (
    SessionForm(
        BETTER_AUTH,
        first=b"{",
        value=r'(?s)^\{"session":\{.*"userId":',
        key=r"(?:^|[^A-Za-z0-9])[A-Za-z0-9]{32}$",
        alphabet=ALNUM,
        longest=32,
        clock=_better_auth,
        always="yes",
    ),
    SessionForm(
        OAUTH2_PROXY,
        first=bytes(range(256)),
        value="",
        key=r"(?:oauth2_proxy[^:]*|_oauth2[^:]*)-[0-9a-f]{32}$",
        word=b"oauth2",
        alphabet=HEX,
        longest=32,
        always="yes",
        mortal=True,
    ),
    SessionForm(  # another cookie's name
        OAUTH2_PROXY,
        first=bytes(range(256)),
        value=r"(?s)^.{0,24}[\x80-\xff].{32}",
        key=r"(?:^|[^A-Za-z0-9])[A-Za-z0-9_.]*(?i:oauth|sso|proxy|auth|login)[A-Za-z0-9_.]*-[0-9a-f]{32}$",
        alphabet=HEX,
        longest=32,
        always="yes",
        mortal=True,
    ),
    SessionForm(
        AUTHELIA,
        first=bytes(range(256)),
        value="",
        word=b"authelia-session:",
        key=r"authelia-session:[A-Za-z0-9_\-!#$%^*]{32}$",
        alphabet=URL_SAFE + b"!#$%^*",
        longest=32,
        always="unknown",
        mortal=True,
    ),
)
