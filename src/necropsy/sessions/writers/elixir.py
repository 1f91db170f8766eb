r"""Elixir: Plug.Session in Redis (Phoenix), by redbird and plug_session_redis.

``redbird_session_SFMyNTY.<200>.<43>`` (the id, signed by Plug.Crypto) and a bare ``<128 of Base64>``::

    83 74 00 00 00 01 6d 00 00 00 0b _csrf_token 6d 00 00 00 18 …       a map in Erlang's external term format
    83 74 00 00 00 02 … 6d 00 00 00 0a user_token 6d 00 00 00 20 …      logged in by mix phx.gen.auth

redbird sets the whole lifetime (30 days of 86,164 s, unless told otherwise) at each write; plug_session_redis sets it once, at
birth, and the next write takes it away: such a key never leaves. Phoenix writes the session when something is put in: a
form's CSRF token is enough.

Source: beam-community/redbird ``plug/session/redis.ex``, ``key.ex``, ``value.ex``, aposto/plug_session_redis ``store.ex``,
elixir-plug/plug_crypto ``crypto.ex``; redbird is proved by tests/writers/plug_redbird* (from checkouts of its sources and
Plug's), plug_session_redis by its source alone.
"""

from __future__ import annotations

from typing import Final

from necropsy.sessions.attributes import NOBODYS, USERS
from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import ALNUM, URL_SAFE, SessionForm

PLUG: Final = "plug"
_MAP: Final = r"(?s)^\x83t\x00\x00\x00."
_NAME: Final = r"m\x00\x00\x00."
_PLAIN: Final = r"(?:m\x00\x00..[ -~]*|a.|b.{4}|w\x03nil|w\x04true|w\x05false|d\x00\x03nil|j)"
_FLAT: Final = rf"(?:{_PLAIN}|t\x00\x00\x00.(?:{_NAME}[ -~]+{_PLAIN})*)"
_SOMEBODY: Final = "|".join(
    sorted(USERS | {"user_token", "current_user", "current_user_id", "guardian_default_token", "live_socket_id"})
)
_NOBODY: Final = "|".join(sorted(NOBODYS | {"phoenix_flash", "preferred_locale"}))

CURES: Final = {
    PLUG: Cure(
        framework="Phoenix (Plug.Session in Redis: redbird, plug_session_redis)",
        starts="Whatever is put into the session: a page with a form (its CSRF token), a flash, the redirect to a login.",
        stop="Leave the health route outside the pipeline that fetches the session.",
        code="""pipeline :health do
  plug :accepts, ["html", "json"]   # no :fetch_session, no :protect_from_forgery
end
scope "/health" do
  pipe_through :health
  get "/", MyAppWeb.HealthController, :index
end""",
        language="elixir",
        lifetime='plug Plug.Session, store: :redis, key: "_app", expiration_in_seconds: 86_400',
        source="phoenix guides (routing, pipelines), redbird README",
    ),
}

FORMS: Final = tuple(
    SessionForm(
        PLUG,
        first=b"\x83",
        value=_MAP,
        key=key,
        alphabet=alphabet,
        longest=longest,
        user=rf"{_MAP}(?:{_NAME}[ -~]+{_FLAT})*{_NAME}(?:{_SOMEBODY})(?:m\x00|[abntlhk])",
        nobody=rf"{_MAP}(?:{_NAME}(?:{_NOBODY}){_FLAT})+$",
        empty=r"(?s)^\x83t\x00\x00\x00\x00$",
    )
    for key, alphabet, longest in (
        (r"SFMyNTY\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]{43}$", URL_SAFE + b".", 252),
        (r"[A-Za-z0-9+/]{128}$", ALNUM + b"+/", 128),
    )
)
