"""Words that key names are made of and people are not: kept in a pattern even when a single key has them.

Every other word must be shared by several keys to be kept (``folding.collapse``), as it may be somebody's name. Names of
products, frameworks and data structures, and the nouns of web shops and back offices; lower case, singular.
"""

from __future__ import annotations

import re
from typing import Final

WORDS: Final = frozenset(
    """
    access account action active activity actor address admin alert alias all analytics anon anonymous any api app
    application archive article asset async attempt attribute audit auth author authorization auto available avatar
    backend backoff backup balance banner basket batch bearer bin blacklist block blog blob bloom board body book boot
    bot bucket buffer build bull bullmq burst by bytes cache call campaign captcha cart case catalog catalogue category
    celery cell cfg challenge channel chat check checkout checksum circuit city class clean cleanup client clock cluster
    code collection com command comment common completed component config configuration confirm connect connection
    consent consumer contact content context control cookie core count counter country coupon create created cron crypto
    csrf currency current customer daily dashboard data database date day dead debounce debug default delay delayed
    delete deleted delivery demo detail dev device dict dictionary digest dir direct discount dispatch distributed django
    doc document domain done draft driver due edge elastic elected email engine entity entry env environment error event
    events example exchange exclusive expiration expire expired expires expiry export express extra factory fail failed
    failure fallback fast feature feed field file filter final fingerprint first flag flash flask flow follow for forgot
    form forum frame frontend full func function game gateway gauge generic geo get gin global go grant group guard guest
    handler hash health heartbeat help high histogram history hit home hook host hour hourly html http https id idempotency
    idempotent idle image import in inbox index info init input instance intent interval inventory invite invoice io ip
    item java job json jwt kafka key keys kind kombu koa lang language laravel last latest layout leader leaderboard
    ledger legacy level like limit limiter link list live load local locale location lock log login logout long loop low
    main map mapping mark master mail match max media member memo menu message meta metadata method metric micronaut
    middleware migration min minute mode model monitor month monthly mq msg mutex my name namespace nav navigation net
    network new news next node nonce notification notify null number oauth oauth2 object odoo of offer offline offset oidc
    old on online open operation option order org otp out outbox owner page partition partner password path pay payload
    payment pending per permission persist phone php phpredis pid ping pipeline pkce place plan player plugin policy pool
    popular portal position post prefix presence price primary principal priority private process processed processing
    processor prod product production profile progress project promo promotion property proxy pub public publish pubsub
    pull push query question queue quota rack rails random rank ranking rate ratelimit ratelimiter rating raw read reading
    ready realtime recent recommendation record redirect redis redisson redlock ref reference refresh region register
    registry related release remember reminder remote replica reply report repository request reserved reset resource
    response rest result retry revoked role room root route row rq rule run running sale sample saved schedule scheduled
    scheduler schema scope score script search season second secondary secret security segment semaphore send sent seq
    sequence serial serie server service sess session set setting shard share shared shipping shiro shop short sidekiq
    signal simple site size sku slave slot slow snapshot socket sort source spring sql staging stale start started stat
    state static statistic stats status step stock stop storage store stream string style subscription success summary
    support symfony sync system table tag target task team temp template temporary tenant term test text theme thread
    threshold throttle throttler throttling ticket tile time timeline timeout timer timestamp title tmp to todo token top
    topic total trace tracking transaction transient translation trend trending trigger ts ttl two type uid unacked unique
    unread update updated upload url usage user username uuid validation value verification verify version vertx video
    view views visit visitor vote wait waiting wallet warehouse warm watch web webhook webpack websocket week weekly weight
    whitelist widget window word work worker workflow workspace write ws www xsrf year zone
    """.split()  # noqa: SIM905 -- a list of strings would be nine times as long
)
_PARTS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")


def is_common(word: str) -> bool:
    """Whether a word of a pattern is made of common words alone; a letter by itself is none: it may be a token's.

    >>> is_common("userProfiles"), is_common("v*"), is_common("RATE"), is_common("alice"), is_common("v")
    (True, True, True, False, False)
    >>> is_common("nI"), is_common("cOF"), is_common("tsB"), is_common("oauth2")
    (False, False, False, True)
    """
    parts = [part.lower() for part in _PARTS.findall(word)]
    if len(word) == 1:
        return False
    # v1 and v* are versions; nI and cOF are pieces of a token, though each of their parts looks like a word or a letter.
    single = len(parts) == 1
    return all(
        (len(part) == 1 and (single or part.isdigit())) or part in WORDS or part.removesuffix("s") in WORDS
        for part in parts
    )
