r"""Rust: tower-sessions (axum, axum-login) and actix-session.

``<22 letters>`` and ``<64 letters and digits>`` (any prefix)::

    93 c4 10 <16: id> 81 a4 user a4 anna 99 cd 07 ea …    tower-sessions: MessagePack of [id, {…}, expiry]
    … 81 af axum-login.data 82 a9 auth_hash dc … a7 user_id cd 0f a0 …
    {"user_id":"\"anna\"","cart":"[7]"}                   actix-session: JSON of texts that are JSON
    {"actix_identity.user_id":"\"anna\"", …}              with actix-identity

Both store nothing until something is put in. tower-sessions sets the key's expiry to a whole second.

Source: tower-sessions ``session.rs``, tower-sessions-redis-store ``lib.rs``, actix-session ``storage/redis_rs.rs``; proved by
tests/writers/{tower_sessions,axum_login_shop*,actix_session,actix_shop*}.
"""

from __future__ import annotations

from typing import Final

from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import ALNUM, URL_SAFE, SessionForm

TOWER: Final = "tower-sessions"
ACTIX: Final = "actix-session"
_RECORD: Final = r"(?s)^\x93\xc4\x10.{16}[\x80-\x8f]"
_PAIR: Final = r"(?:[\xa0-\xbf][ -~]+(?:[\xa0-\xbf][ -~]*|[\x00-\x7f]|[\xc0-\xc3]|\xcc.|\xcd..|\xce.{4}|\xd9.[ -~]*))"
_AXUM_LOGIN: Final = (
    r"\xafaxum-login\.data\x82(?:\xa9auth_hash(?:\xc0|(?:[\x90-\x9f]|\xdc..)(?:[\x00-\x7f]|\xcc.)*))?\xa7user_id[^\xc0]"
)
"""The record of axum-login for a user; the hash is a list of numbers, and a number is no name."""
_NOBODYS: Final = (
    r"(?:[\xa0-\xbf](?:next|flash|messages|csrf|csrf_token|lang|locale|cart|basket)"
    r"(?:[\xa0-\xbf][ -~]*|[\x00-\x7f]|[\xc0-\xc3]|\xd9.[ -~]*))"
)

CURES: Final = {
    TOWER: Cure(
        framework="Rust (tower-sessions, axum-login)",
        starts="A value that is put into the session; a visitor who only reads starts none, unless always_save is on.",
        stop="Put nothing into the session for anonymous visitors, and leave the health route outside the layer.",
        code="""Router::new().route("/", get(home)).layer(SessionManagerLayer::new(store)
    .with_expiry(Expiry::OnInactivity(Duration::days(1))))
    .route("/health", get(health)) // added after the layer""",
        language="rust",
        lifetime="Expiry::OnInactivity(Duration::days(1))",
        source="tower-sessions documentation (SessionManagerLayer)",
    ),
    ACTIX: Cure(
        framework="Rust (actix-session)",
        starts="A value that is put into the session; a visitor who only reads starts none.",
        stop="Put nothing into the session for anonymous visitors.",
        code="""SessionMiddleware::builder(store, key)
    .session_lifecycle(PersistentSession::default().session_ttl(Duration::days(1))).build()""",
        language="rust",
        lifetime="session_ttl(Duration::days(1))",
        source="actix-session documentation (SessionMiddleware)",
    ),
}

FORMS: Final = (
    SessionForm(
        TOWER,
        first=b"\x93",
        value=r"(?s)^\x93\xc4\x10.{16}[\x80-\x8f\xde]",
        key=r"[A-Za-z0-9_\-]{22}$",
        alphabet=URL_SAFE,
        longest=22,
        user=rf"{_RECORD}{_PAIR}*(?:\xa4user|\xa7user_id)[^\xc0\xc2\xa0]|{_AXUM_LOGIN}",
        nobody=rf"{_RECORD}{_NOBODYS}+\x99",
        empty=r"(?s)^\x93\xc4\x10.{16}\x80",
    ),
    SessionForm(
        ACTIX,
        first=b"{",
        value=r'^\{"[^"]{1,64}":"(?:\\"|\[|\{|-?[0-9]|true|false|null)',
        key=r"[A-Za-z0-9]{64}$",
        unless=r"[0-9a-f]{64}$",  # a hash, as caches use it
        alphabet=ALNUM,
        longest=64,
        inside=(),
    ),
)
