r"""Rails' sessions in Redis: redis-actionpack, redis-rack and redis-session-store write Ruby's Marshal, CacheStore a cache entry.

``rack:session:2::<64 hex>``, ``_session_id:2::<64 hex>`` (any prefix; before Rails 6.1 and Rack 2.0.8 the bare id of 32 hex;
the 64 are a SHA-256 of the cookie)::

    04 08 { 06 I"10 _csrf_token …                                  Marshal of a Hash; ``04 08 { 00`` when nothing is in it
    04 08 o: ActiveSupport::Cache::Entry … @value{ … @created_atf 17 1795984739.88 … @expires_inf 0b 8.64e4        to 6.1
    00 04 08 [ 08 {…    00 11 …                                    7.0; since 7.1

``@created_at`` of an entry is its last write. Without ``expire_after`` the key has no expiry. Logged in is who has
``warden.user.<scope>.key`` (Devise) or a ``user_id``. A page that only reads makes nothing; a CSRF token (csrf_meta_tags in
a layout), a flash message or ``reset_session`` makes one.

Source: rails ``action_dispatch/middleware/session/cache_store.rb``, ``active_support/cache.rb``; redis-store
``redis-rack``; warden ``session_serializer.rb``; proved by tests/writers/rails_*.
"""

from __future__ import annotations

from typing import Final

from necropsy.sessions.attributes import NOBODYS
from necropsy.sessions.cure import Cure
from necropsy.sessions.writers.form import HEX, NAMED_OTHERWISE, Clock, SessionForm

LAYOUT: Final = "rails"
CACHE: Final = "rails-cache"
_HASHED: Final = r"(?:^|[^0-9A-Za-z])2::[0-9a-f]{64}$"
_LETTERS: Final = HEX + b":"
_PLAIN: Final = r"(?:^|[^0-9a-f])[0-9a-f]{32}$"
_KEY: Final = r'(?:I".NAME\x06(?::\x06E|;.)[TF]|:.NAME)'
_PLAIN_VALUE: Final = (
    r'(?:I"[^\x00-\x04][^\x06]*\x06(?::\x06E|;.)[TF]|[0TF]|i[\x00\x05-\xff]|i\x01.|i\x02..|;.|\[\x00|\{\x00)'
)
_FLASH: Final = (
    r'(?:I"\x0aflash\x06(?::\x06E|;.)[TF]\{\x07I"\x0cdiscard\x06(?::\x06E|;.)T\[\x00I"\x0cflashes\x06;.T\{[^{\[]*?'
    r'(?:I".[^\x06]*\x06;.[TF])+)'
)
_PAIR: Final = rf"(?:{_FLASH}|{_KEY.replace('NAME', '[ -~]+')}{_PLAIN_VALUE})"
_HARMLESS: Final = rf"(?:{_FLASH}|{_KEY.replace('NAME', '(?:' + '|'.join(sorted(NOBODYS)) + ')')}{_PLAIN_VALUE})"
_NAMES: Final = f"(?:{'|'.join(sorted(NOBODYS))}|user_id|session_id|warden[.]user[.][a-z_]+[.]key)"
"""Names of which a bare id's session has one first: a hash under 32 hex may be a cache's as well."""
_USER_ID: Final = rf"{_KEY.replace('NAME', 'user_id')}(?:i[^\x00]|I\")"
_WARDEN: Final = rf"{_KEY.replace('NAME', 'warden[.]user[.][a-z_]+[.]key')}\["
_SOMEBODY: Final = rf"{_PAIR}*(?:{_USER_ID}|{_WARDEN})"
_USER: Final = (
    rf'(?s)(?:^\x04\x08|@value)\{{.{_SOMEBODY}|"warden\.user\.[a-z_]+\.key":[^n]|warden\.user\.[a-z_]+\.key\x06'
)
_ENTRY: Final = (
    r"(?s)@created_atf.(?P<written>[0-9]{1,12}(?:\.[0-9]{1,9})?)"
    r"(?:.*@expires_inf.(?P<lifetime>[0-9]{1,12}(?:\.[0-9]{1,9})?(?:e[0-9]{1,2})?))?"
)

CURES: Final = {
    name: Cure(
        framework=framework,
        starts="A CSRF token in a page (csrf_meta_tags, a form), a flash message, a redirect that remembers where from.",
        stop="Answer health checks outside the application's session, and print no CSRF token for anonymous visitors.",
        code=f"""# config/routes.rb, since Rails 7.1: a page without a session
get 'up', to: 'rails/health#show'
# config/initializers/session_store.rb
Rails.application.config.session_store {store}, expire_after: 1.day""",
        language="ruby",
        lifetime="expire_after: 1.day",
        source="rails guides action_controller_overview (session), redis-store README",
    )
    for name, framework, store in (
        (LAYOUT, "Rails (redis-actionpack, redis-session-store)", ":redis_store, servers: ENV['REDIS_URL']"),
        (CACHE, "Rails (CacheStore)", ":cache_store"),
    )
}

FORMS: Final = (
    *(
        SessionForm(
            LAYOUT,
            first=b"\x04",
            value=value,
            key=key,
            alphabet=_LETTERS,
            longest=longest,
            user=_USER,
            nobody=rf"(?s)^\x04\x08\{{.{_HARMLESS}+$",
            empty=r"(?s)^\x04\x08\{\x00$",
            unless=unless,
        )
        for value, key, longest, unless in (
            (r"(?s)^\x04\x08\{", _HASHED, 67, ""),
            (rf"(?s)^\x04\x08\{{(?:\x00$|.{_KEY.replace('NAME', _NAMES)})", _PLAIN, 32, NAMED_OTHERWISE),
        )
    ),
    SessionForm(
        LAYOUT,
        first=b"{",
        value=r"^\{",
        key=_HASHED,
        alphabet=_LETTERS,
        longest=67,
        inside=(),
        empty=r"^\{\}$",
        word=b"2::",
    ),
    SessionForm(
        CACHE,
        first=b"\x04",
        value=r"(?s)^\x04\x08o: ActiveSupport::Cache::Entry",
        key=_HASHED,
        alphabet=_LETTERS,
        longest=67,
        clock=Clock(_ENTRY, written="s", lifetime="s", tail=96),
        precision_s=0.001,
        user=_USER,
        nobody=rf"(?s)@value\{{.{_HARMLESS}+(?::|;)",
        empty=r"(?s)@value\{\x00",
    ),
    SessionForm(
        CACHE,
        first=b"\0\1",
        value=r"(?s)^(?:\x00\x04\x08|\x01x|\x00\x11)",
        key=_HASHED,
        alphabet=_LETTERS,
        longest=67,
        user=_USER,
    ),
)
