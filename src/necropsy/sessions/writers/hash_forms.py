r"""Hashes: Redisson's Tomcat manager, Micronaut, ASP.NET Core, Magento.

============================================  ======================================================================
key                                           fields
============================================  ======================================================================
``redisson:tomcat_session:<ID>``              ``session:creationTime`` (09 a4 fb 96 …: Kryo; the JDK's and JSON codecs
                                              are read too), ``session:maxInactiveInterval``, and ``session:principal``
                                              after a login by the container
``micronaut:session:sessions:<id>``           ``Creation-Time``, ``Last-Accessed``, ``Max-Inactive-Interval``, ``attr:…``
``<instance><guid>``, ASP.NET Core            ``absexp`` -1, ``sldexp`` (ticks of 100 ns), ``data`` 02 <u24 entries> …
``sess_<id>``, Magento, OpenMage              ``data``, ``lock``, ``writes``, ``pid``, ``req``, ``wait``
============================================  ======================================================================

Beside a session of Micronaut is the string ``micronaut:session:expiry:<id>``, for all the sorted set ``…:active-sessions``.
Redisson and Micronaut say everything; the last use is read from the TTL, as every field that is looked at costs time. Any
entry of ASP.NET Core's distributed cache is such a hash: a session's data begin with 02. Who is logged in there stands in
another cookie, and in Magento's data, which may be compressed: unknown. Magento's lifetime grows with each write (the first
one times the number of writes; a minute for known bots), and no field says the first: births and last uses are unknown.

Source: redisson ``RedissonSession.java`` (proved by tests/writers/redisson*), micronaut-redis ``RedisSessionStore.java``
(proved by tests/writers/micronaut*), php-redis-session-abstract ``Handler.php`` (proved by tests/writers/magento_handler*,
from a checkout of its sources); by its source alone: aspnetcore ``RedisCache.cs``, ``DistributedSession.cs``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from necropsy.sessions.cure import Cure
from necropsy.sessions.keyspace import Projection
from necropsy.sessions.writers.form import ALNUM, URL_SAFE
from necropsy.sessions.writers.hashes import Hashes, HashForm, TimeField
from necropsy.sessions.writers.servlet import servlet_cure

if TYPE_CHECKING:
    from collections.abc import Mapping

REDISSON: Final = "redisson-tomcat"
MICRONAUT: Final = "micronaut"
ASPNET: Final = "aspnet"
MAGENTO: Final = "magento"

CURES: Final = {
    REDISSON: servlet_cure("Tomcat (Redisson's session manager)", "redisson docs web-session-management"),
    MICRONAUT: Cure(
        framework="Micronaut (micronaut-redis sessions)",
        starts="A handler that takes a Session argument, or a login with micronaut-security-session.",
        stop="Take an @Nullable Session in pages that are probed: none is made then.",
        code="@Get HttpResponse<?> home(@Nullable Session session) { … }",
        language="java",
        lifetime="micronaut.session.max-inactive-interval: 1d",
        source="micronaut-session guide",
    ),
    ASPNET: Cure(
        framework="ASP.NET Core (session in a distributed cache)",
        starts="Code that writes to HttpContext.Session; a visitor who only reads starts none.",
        stop="Write nothing to the session for anonymous visitors; map health checks before UseSession.",
        code="""app.MapHealthChecks("/health").DisableHttpMetrics();
builder.Services.AddSession(options => options.IdleTimeout = TimeSpan.FromMinutes(20));""",
        language="csharp",
        lifetime="options.IdleTimeout = TimeSpan.FromDays(1)",
        source="dotnet/aspnetcore Session, learn.microsoft.com app-state",
    ),
    MAGENTO: Cure(
        framework="Magento, OpenMage (Redis sessions)",
        starts="Every page of the shop; known bots get a short lifetime.",
        stop="Keep the short first lifetimes on, and probe a health page that starts no session (/health_check.php).",
        code="""'session' => ['save' => 'redis', 'redis' => [
    'first_lifetime' => '600', 'bot_first_lifetime' => '60', 'bot_lifetime' => '7200', 'max_lifetime' => '86400',
]],""",
        language="php",
        lifetime="'max_lifetime' => '86400'",
        source="Adobe Commerce docs, use Redis for session storage",
    ),
}

FORMS: Final = (
    HashForm(
        REDISSON,
        key=r"tomcat_session:[A-Za-z0-9._\-]{16,128}$",
        alphabet=ALNUM + b"._-",
        longest=128,
        needs=("session:creationTime", "session:maxInactiveInterval"),
        created=TimeField("session:creationTime", 1.0, codec=True),
        lifetime=TimeField("session:maxInactiveInterval", 1000.0, codec=True),
        user="session:principal",
        grace_s=60,
    ),
    HashForm(
        MICRONAUT,
        key=r"sessions:[A-Za-z0-9_\-]{16,64}$",
        alphabet=URL_SAFE,
        longest=64,
        needs=("Creation-Time", "Max-Inactive-Interval"),
        created=TimeField("Creation-Time", 1.0),
        lifetime=TimeField("Max-Inactive-Interval", 1000.0),
        user="attr:micronaut.AUTHENTICATION",
        anonymous=True,
        bare=3,
        companion=(b"expiry:", b"sessions:"),
        grace_s=300,
    ),
    HashForm(
        ASPNET,
        key=r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        alphabet=b"0123456789abcdef-",
        longest=36,
        needs=("sldexp", "data"),
        begins=("data", r"(?s)^\x02\x00"),
        lifetime=TimeField("sldexp", 1e-4),
    ),
    HashForm(
        MAGENTO,
        key=r"(?:^|[:_])[0-9A-Za-z,\-]{22,256}$",
        alphabet=ALNUM + b",-",
        longest=256,
        needs=("data", "writes"),
    ),
)


def wanted(forms: tuple[HashForm, ...]) -> Projection:
    """Fields of hashes that these forms want to see."""
    fields: dict[bytes, int] = {}
    for form in forms:
        for name, size in form.fields.items():
            fields[name] = max(size, fields.get(name, 0))
    return Projection(hash_fields=tuple(fields.items()))


class KnownHashes(Hashes):
    """The writers of hashes above."""

    forms: ClassVar[tuple[HashForm, ...]] = FORMS
    projection = wanted(FORMS)
    cures: ClassVar[Mapping[str, Cure]] = CURES
    inferred: ClassVar[tuple[str, ...]] = (ASPNET,)
