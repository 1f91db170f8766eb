"""The errors that a store in trouble causes in its clients, most telling first: the one table of them.

An entry of a log often names several: Spring's ``QueryTimeoutException`` wraps Lettuce's
``RedisCommandTimeoutException``; Jedis wraps ``SocketTimeoutException``. The entry counts once, as the first of this
table that it names anywhere: what the server itself says comes first, then what a client says of a command, of its
pool, of a connection; the wrappers of frameworks, which say least, come last. Words that others write too (a payment
provider that "timed out") count only where the entry names a client of a store beside them.
"""

from __future__ import annotations

from typing import Final

from necropsy.evidence.app_log.clients.dotnet_beam import DOTNET_BEAM
from necropsy.evidence.app_log.clients.everyone import EVERYONE
from necropsy.evidence.app_log.clients.interface import ErrorClass
from necropsy.evidence.app_log.clients.jvm import JVM
from necropsy.evidence.app_log.clients.native import NATIVE
from necropsy.evidence.app_log.clients.node import NODE
from necropsy.evidence.app_log.clients.php_ruby import PHP_RUBY
from necropsy.evidence.app_log.clients.python import PYTHON
from necropsy.evidence.app_log.clients.server import SERVER

_BY_CLIENT: Final = (*SERVER, *JVM, *NODE, *PYTHON, *PHP_RUBY, *NATIVE, *DOTNET_BEAM, *EVERYONE)

KNOWN: Final[tuple[ErrorClass, ...]] = tuple(
    sorted(_BY_CLIENT, key=lambda error: (error.shared, error.vague, error.trouble.rank))
)
"""The table: sure words before shared ones, plain ones before vague ones, the most telling trouble first."""

NAMELESS: Final = "error that names the store"
"""Class of an entry that names a store and an error, in words that no row knows."""

OTHER: Final = r"([A-Za-z_$][\w$.\\:]*(?:Exception|Error))\b"
"""Finds the name of any other exception."""

_CLIENTS: Final = (
    r"redis\.clients\.|jedis|lettuce|lambdaworks\.redis|redisson|data\.redis|ioredis|node[-_]redis|node_modules/(?:@redis/|redis/|redis-)"
    r"|/redis/(?:client|connection|asyncio|_parsers|retry|cluster|sentinel)|aioredis|django_redis|hiredis|go-redis|redigo|rueidis"
    r"|StackExchange\.Redis|ServiceStack\.Redis|FreeRedis|CSRedis|predis|phpredis|object-cache\.php|Redis->|gems/redis|RedisClient"
    r"|\bredix\b|eredis|hedis|fred::|redis::|redis_rs|redis-rs|resty[./]redis|valkey[-_./]?(?:glide|py|go)|iovalkey|glide\.api"
)
STORE: Final = (
    r"(?i)" + _CLIENTS + r"|(?:redis|rediss|valkey|valkeys)://|:(?:6379|6380|26379)\b"
    r"|\b(?:redis|valkey) (?:command|server|connection|client|store|session|cluster|sentinel|cache|host)\b|session store"
)
"""Finds the name of a store's client, of its port or of its address scheme: what makes shared words count."""

MENTIONED: Final = r"(?i)redis|valkey|keydb|elasticache|memorystore|memorydb|dragonfly(?:db)?\b|" + _CLIENTS
"""Finds any mention of a store."""

ELSEWHERE: Final = (
    r"(?i)jdbc|hikari|\bSQL\b|postgres|psql|mysql|mariadb|oracle|sqlstate|mongo|cassandra|couchbase|kafka|rabbit|amqp|\bgrpc\b|io\.grpc|smtp|mailer|"
    r"https?://|http\.client|httpclient|okhttp|axios|restclient|resttemplate|webclient|feign|elasticsearch|opensearch|\bldap\b|\bs3\b|"
    r"payment|stripe|paypal|memcache|zookeeper|\bconsul\b|\bvault\b|\bdns\b"
)
"""Finds the name of something that is not a store: shared words in its line are about that."""
