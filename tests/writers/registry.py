"""Every writer that can be had, in the order of the table in docs/sessions.md."""

from __future__ import annotations

from typing import Final

from writers.harness import Writer

_PHP: Final = "php -d error_reporting=22527 -S 127.0.0.1:$PORT index.php"
_PHP_VERSION: Final = "dpkg-query -W -f '${Package} ${Version}\\n' php8.2-cli php-redis php-igbinary"
_NODE: Final = "node app.js"
_PYTHON: Final = "$WORK/py/bin/python app.py"


def _npm(names: str) -> str:
    return f"cd $WORK/node && npm ls --depth=0 {names} | tail -n +2 | tr -d '├└─ '; node --version"


def _pip(names: str) -> str:
    return f"$WORK/py/bin/pip list --format freeze 2>/dev/null | grep -iE '^({names.replace(' ', '|')})=='"


def _pip2(names: str) -> str:
    return _pip(names).replace("$WORK/py/", "$WORK/py2/")


_RAILS: Final = "ruby app.rb"
_GEMS: Final = (
    "dpkg-query -W -f '${Package} ${Version}\\n' ruby-rails ruby-redis-rails ruby-redis-actionpack ruby-redis-store"
)

_SINATRA: Final = "dpkg-query -W -f '${Package} ${Version}\\n' ruby-sinatra ruby-redis-rack"
_SYMFONY: Final = "dpkg-query -W -f '${Package} ${Version}\\n' php-symfony-http-foundation php-redis php-igbinary"

_MAGENTO: Final = (
    "test -d $WORK/magento && echo php-redis-session-abstract defae6e, credis 418f703; php --version | head -1"
)
"""In no registry: checkouts of colinmollenhour/php-redis-session-abstract and colinmollenhour/credis lie in
``$WORK/magento/abstract`` and ``$WORK/magento/credis``, at these commits."""


def _go(names: str, folder: str = ".") -> str:
    return f"cd ../{folder} && grep -E '({names.replace(' ', '|')})' go.mod | sed 's/ *\\/\\/.*//' | tr -d '\\t'; go version"


_JAVA: Final = 'java -cp "$WORK/java/*:$WORK/java/dependency/*" {}'
_MICRONAUT: Final = 'java -cp "$WORK/java_micronaut/*:$WORK/java_micronaut/dependency/*" writers.MicronautWriter'
_SPRING: Final = 'java -cp "$WORK/java_spring/*:$WORK/java_spring/dependency/*" writers.SpringShop'
_BOOT: Final = 'java -cp "$WORK/java_spring/*:$WORK/java_spring/dependency/*" writers.{}'
_MSM: Final = 'java -cp "$WORK/java_msm/*:$WORK/java_msm/dependency/*" MsmWriter'


def _pom(artifact: str) -> str:
    return f"grep -o '{artifact}</artifactId><version>[^<]*' pom.xml | tr '<>/' '   '; java -version 2>&1 | head -1"


def _crates(names: str) -> str:
    return f"grep -A1 -E '^name = \"({names.replace(' ', '|')})\"' Cargo.lock | grep -o '\".*\"'; rustc --version"


_REDBIRD: Final = "elixir -pa $WORK/elixir app.exs"
_PLUG: Final = "test -f $WORK/elixir/Elixir.Redbird.Key.beam && echo redbird 0624c81, plug a898c45, plug_crypto c326c3c; elixir --version | tail -1"
"""In no registry that is reached here: checkouts of beam-community/redbird, elixir-plug/plug and elixir-plug/plug_crypto at
these commits, compiled into ``$WORK/elixir`` by ``tests/writers/plug_redbird/compile CHECKOUTS``; Redix is stood in for."""

_AUTHELIA: Final = "test -x $WORK/bin/authelia-writer && echo authelia 23572030, fasthttp/session 2.5.9; go version"
_HARBOR: Final = "test -x $WORK/bin/harbor-writer && echo harbor c50c7ddd; go version"
"""In no registry: their sources at these commits, with ``tests/writers/products/*.go`` built inside them (its README)."""
_SNC: Final = "test -d $WORK/snc && echo SncRedisBundle b6119b7; dpkg-query -W -f '${Package} ${Version}\\n' php-symfony-http-foundation php-redis"
"""The last release that had a session handler (3.x; 4 has none): a checkout lies in ``$WORK/snc``."""


_SUPERSET: Final = "$WORK/superset/bin/pip list --format freeze 2>/dev/null | grep -iE '^(apache.superset|flask.session|cachelib|redis)=='"

WRITERS: Final = (
    Writer("php_session", "php", _PHP, _PHP_VERSION, r"PHPREDIS_SESSION:[^_]+"),
    Writer(
        "php_serialize", "php", _PHP, _PHP_VERSION, r"shop:[a-z0-9]+",
        environment=(("SERIALIZER", "php_serialize"), ("PREFIX", "shop:")), folder="php_session",
    ),
    Writer(
        "php_igbinary", "php", _PHP, _PHP_VERSION, r"PHPREDIS_SESSION:[^_]+", companions=r".*_LOCK",
        environment=(("SERIALIZER", "igbinary"), ("LOCKING", "1")), folder="php_session",
    ),
    Writer(
        "symfony", "symfony", _PHP, "dpkg-query -W -f '${Package} ${Version}\\n' php-symfony-http-foundation php-redis",
        r"sf_s.+",
    ),
    Writer(
        "laravel", "laravel", _PHP, "dpkg-query -W -f '${Package} ${Version}\\n' php-laravel-framework php-redis",
        r"laravel_database_laravel_cache:(?![0-9a-f]{40}$)[A-Za-z0-9]{40}", lifetime_s=7200,
    ),
    Writer(
        "laravel_predis", "laravel", _PHP, "dpkg-query -W -f '${Package} ${Version}\\n' php-laravel-framework php-nrk-predis php-predis",
        r"laravel_cache:(?![0-9a-f]{40}$)[A-Za-z0-9]{40}", lifetime_s=7200, environment=(("CLIENT", "predis"), ("PREFIX", "")), folder="laravel",
    ),
    Writer(
        "laravel_encrypted", "laravel", _PHP, "dpkg-query -W -f '${Package} ${Version}\\n' php-laravel-framework php-redis",
        r"laravel_database_laravel_cache:(?![0-9a-f]{40}$)[A-Za-z0-9]{40}", lifetime_s=7200, environment=(("ENCRYPT", "1"),), folder="laravel",
    ),
    Writer("express_redis", "express", _NODE, _npm("express express-session connect-redis"), r"sess:.{32}"),
    Writer(
        "express_two_lifetimes", "express", _NODE, _npm("express-session connect-redis"), r"sess:.{32}", lifetime_s=None,
        environment=(("TTL", "1"),), folder="express_redis",
    ),
    Writer(
        "express_partitioned", "express", _NODE, _npm("express-session connect-redis"), r"sess:.{32}",
        environment=(("COOKIE", '{"maxAge":86400000,"partitioned":true,"priority":"high"}'),), folder="express_redis",
    ),
    Writer("nestjs", "express", _NODE, _npm("@nestjs/core express-session connect-redis"), r"nest:sess:.{32}"),
    Writer("fastify_session", "fastify", _NODE, _npm("fastify @fastify/session connect-redis"), r"sess:.{32}"),
    Writer("koa_session", "koa", _NODE, _npm("koa koa-session koa-redis"), r"[0-9a-f-]{36}"),
    Writer(
        "koa_session_prefix", "koa", _NODE, _npm("koa koa-session koa-redis"), r"app:[0-9a-f-]{36}",
        environment=(("PREFIX", "app:"),), folder="koa_session",
    ),
    Writer("koa_generic", "koa-generic", _NODE, _npm("koa koa-generic-session koa-redis"), r"koa:sess:.+"),
    Writer("flask_session", "flask", _PYTHON, _pip("flask flask-session flask-login msgspec"), r"session:.{43}"),
    Writer(
        "flask_session_json", "flask", _PYTHON, _pip("flask flask-session flask-login msgspec"), r"web-.{43}",
        environment=(("FORMAT", "json"), ("PREFIX", "web-")), folder="flask_session",
    ),
    Writer("django_cache", "django", _PYTHON, _pip("django redis"), r":1:django\.contrib\.sessions\.cache[a-z0-9]{32}"),
    Writer(
        "django_redis_set_expiry", "django", _PYTHON, _pip("django django-redis"), r"shop:1:django\.contrib\.sessions\.cache[a-z0-9]{32}",
        environment=(("DJANGO_REDIS", "1"), ("EXPIRY", "1209600")), folder="django_cache", lifetime_s=None,
    ),
    Writer("starsessions", "starsessions", _PYTHON, _pip("starlette starsessions"), r"starsessions\..+"),
    Writer(
        "starsessions_rolling", "starsessions", _PYTHON, _pip("starlette starsessions"), r"web:.+",
        environment=(("ROLLING", "1"), ("PREFIX", "web:")), folder="starsessions",
    ),
    Writer("litestar", "litestar", _PYTHON, _pip("litestar"), r"LITESTAR:.+"),
    Writer("aiohttp_session", "aiohttp", _PYTHON, _pip("aiohttp aiohttp-session"), r"AIOHTTP_SESSION_.{32}"),
    Writer(
        "aiohttp_session_forever", "aiohttp", _PYTHON, _pip("aiohttp aiohttp-session"), r"AIOHTTP_SESSION_.{32}", lifetime_s=None,
        environment=(("MAX_AGE", "0"),), folder="aiohttp_session",
    ),
    Writer("rails_redis_store", "rails", _RAILS, _GEMS, r"rack:session:2::[0-9a-f]{64}", environment=(("STORE", "redis"),)),
    Writer(
        "rails_cache_store", "rails-cache", _RAILS, _GEMS, r"_session_id:2::[0-9a-f]{64}", folder="rails_redis_store",
        environment=(("STORE", "cache"), ("CSRF", "1")),
    ),
    Writer(
        "rails_cache_store_forever", "rails-cache", _RAILS, _GEMS, r"shop:_session_id:2::[0-9a-f]{64}", lifetime_s=None,
        environment=(("STORE", "cache"), ("FOREVER", "1"), ("NAMESPACE", "shop"), ("CSRF", "1")), folder="rails_redis_store",
    ),
    Writer("go_scs", "scs", "$WORK/bin/go_scs", _go("alexedwards/scs redis/go-redis"), r"scs:session:.+"),
    Writer(
        "go_scs_idle", "scs", "$WORK/bin/go_scs", _go("alexedwards/scs redis/go-redis"), r"scs:session:.+", lifetime_s=3600,
        environment=(("IDLE", "1"),), folder="go_scs",
    ),
    Writer("go_redistore", "redistore", "$WORK/bin/go_redistore", _go("boj/redistore"), r"session_.+"),
    Writer(
        "go_redistore_json", "redistore", "$WORK/bin/go_redistore", _go("boj/redistore"), r"session_.+",
        environment=(("JSON", "1"),), folder="go_redistore",
    ),
    Writer("go_gin", "redistore", "$WORK/bin/go_gin", _go("gin-contrib/sessions gin-gonic/gin"), r"session_.+"),
    Writer("go_fiber", "fiber", "$WORK/bin/go_fiber", _go("gofiber/fiber gofiber/storage"), r"[0-9a-f-]{36}"),
    Writer("tower_sessions", "tower-sessions", "$WORK/cargo/release/tower-sessions-writer", _crates("tower-sessions axum"), r"[A-Za-z0-9_-]{22}"),
    Writer("actix_session", "actix-session", "$WORK/cargo/release/actix-session-writer", _crates("actix-session actix-web"), r"[A-Za-z0-9]{64}"),
    Writer("vertx", "vertx", _JAVA.format("VertxWriter"), _pom("vertx-web-sstore-redis"), r"[0-9a-f]{32}|[A-Za-z0-9_-]{22}", folder="java"),
    Writer("shiro", "shiro", _JAVA.format("ShiroWriter"), _pom("shiro-redis"), r"shiro:session:.+", folder="java"),
    Writer(
        "redisson_tomcat", "redisson-tomcat", _JAVA.format("RedissonWriter"), _pom("redisson-tomcat-10"),
        r"redisson:tomcat_session:.+", folder="java",
    ),
    Writer(
        "shiro_shop", "shiro", _JAVA.format("ShiroShop"), _pom("shiro-redis"), r"web:sid\.[0-9a-f-]{36}", folder="java", lifetime_s=2700,
    ),
    Writer(
        "shiro_shop_kept", "shiro", _JAVA.format("ShiroShop"), _pom("shiro-redis"), r"web:sid\..+", folder="java", lifetime_s=2700,
        environment=(("KEEPS", "1"), ("EXPIRE", "7200"), ("RANDOM_IDS", "1")),
    ),
    Writer("vertx_shop", "vertx", _JAVA.format("VertxShop"), _pom("vertx-web-sstore-redis"), r"[A-Za-z0-9_-]+", folder="java", lifetime_s=2700, db=2),
    Writer(
        "vertx_shop_lazy", "vertx", _JAVA.format("VertxShop"), _pom("vertx-web-sstore-redis"), r"[A-Za-z0-9_-]+", folder="java", lifetime_s=2700,
        db=2, environment=(("LAZY", "1"), ("ID_LENGTH", "32")),
    ),
    Writer(
        "redisson_shop", "redisson-tomcat", _JAVA.format("RedissonShop"), _pom("redisson-tomcat-10"),
        r"shop:redisson:tomcat_session:.+", folder="java", lifetime_s=2700, db=4,
    ),
    Writer(
        "redisson_shop_jdk", "redisson-tomcat", _JAVA.format("RedissonShop"), _pom("redisson-tomcat-10"),
        r"shop:redisson:tomcat_session:.+", folder="java", lifetime_s=2700, db=4, companions=r".*notified_nodes.*",
        environment=(("CODEC", "SerializationCodec"), ("KEEPS", "1"), ("BROADCAST", "1")),
    ),
    Writer(
        "redisson_shop_json", "redisson-tomcat", _JAVA.format("RedissonShop"), _pom("redisson-tomcat-10"),
        r"shop:redisson:tomcat_session:.+", folder="java", lifetime_s=2700, db=4, environment=(("CODEC", "JsonJacksonCodec"),),
    ),
    Writer(
        "msm", "memcached-session-manager", _MSM, _pom("memcached-session-manager-tc9"), r"[0-9A-F]{32}", folder="java_msm",
    ),
    Writer(
        "msm_non_sticky", "memcached-session-manager", _MSM, _pom("memcached-session-manager-tc9"), r"shop_[0-9A-F]{32}", folder="java_msm",
        companions=r".*(validity|lock|bak).*", lifetime_s=2700, environment=(("NON_STICKY", "1"), ("PREFIX", "shop"), ("MINUTES", "45")),
    ),
    Writer(
        "micronaut_session", "micronaut", _MICRONAUT, _pom("micronaut-redis-lettuce"), r".*sessions:[0-9a-f-]{36}", folder="java_micronaut",
        companions=r".*(expir|active).*",
    ),
    Writer(
        "micronaut_session_shop", "micronaut", _MICRONAUT, _pom("micronaut-redis-lettuce"), r".*sessions:[0-9a-f-]{36}", folder="java_micronaut",
        companions=r".*(expir|active).*", lifetime_s=2700,
        environment=(("USER_KEY", "member"), ("LIFETIME", "45m"), ("NAMESPACE", "web:"), ("BATCH", "1")),
    ),
    Writer(
        "spring_shop", "spring", _SPRING, _pom("spring-boot-dependencies"), r"shop:web:sessions:[0-9a-f-]{36}", folder="java_spring",
        lifetime_s=2700, db=3,
    ),
    Writer(
        "spring_shop_indexed", "spring-indexed", _SPRING, _pom("spring-boot-dependencies"), r"shop:web:sessions:[0-9a-f-]{36}", folder="java_spring",
        companions=r"shop:web:(sessions:expir|expirations|index).*", lifetime_s=2700, db=3, environment=(("INDEXED", "1"), ("COUNTS", "1"), ("KEEPS", "1")),
    ),
    Writer("spring_default", "spring", _BOOT.format("SpringDefault"), _pom("spring-boot-dependencies"), r"spring:session:sessions:[0-9a-f-]{36}", folder="java_spring"),
    Writer(
        "spring_indexed_forever", "spring-indexed", _SPRING, _pom("spring-boot-dependencies"), r"shop:web:sessions:[0-9a-f-]{36}", folder="java_spring",
        companions=r"shop:web:(sessions:expir|expirations|index).*", lifetime_s=None, db=3, environment=(("INDEXED", "1"), ("LIFETIME", "-1s")),
    ),
    Writer(
        "spring_indexed_ends", "spring-indexed", _BOOT.format("SpringDefault"), _pom("spring-boot-dependencies"), r"spring:session:sessions:[0-9a-f-]{36}",
        folder="java_spring", companions=r"spring:session:(sessions:expir|expirations|index).*", lifetime_s=None, environment=(("INDEXED", "1"),),
    ),
    Writer("spring_reactive", "spring-reactive", _BOOT.format("SpringReactive"), _pom("spring-boot-dependencies"), r"spring:session:sessions:[0-9a-f-]{36}", folder="java_spring", lifetime_s=21_600, renames=True),
    Writer(
        "spring_reactive_indexed", "spring-reactive-indexed", _BOOT.format("SpringReactive"), _pom("spring-boot-dependencies"),
        r"spring:session:sessions:[0-9a-f-]{36}", folder="java_spring", companions=r"spring:session:sessions:(expir|index|.*:idx).*", lifetime_s=21_600,
        environment=(("INDEXED", "1"),), renames=True,
    ),
    Writer(
        "axum_login_shop", "tower-sessions", "$WORK/cargo/release/axum-login-shop", _crates("tower-sessions axum-login axum"), r"[A-Za-z0-9_-]{22}",
        lifetime_s=2700, db=5,
    ),
    Writer(
        "axum_login_shop_always", "tower-sessions", "$WORK/cargo/release/axum-login-shop", _crates("tower-sessions axum-login axum"), r"[A-Za-z0-9_-]{22}",
        lifetime_s=2700, db=5, folder="axum_login_shop", environment=(("ALWAYS", "1"), ("COUNTS", "1")),
    ),
    Writer(
        "actix_shop", "actix-session", "$WORK/cargo/release/actix-shop", _crates("actix-session actix-identity actix-web"), r"shop[A-Za-z0-9]{64}",
        lifetime_s=2700, db=1, environment=(("PREFIX", "shop"),),
    ),
    Writer(
        "actix_shop_own", "actix-session", "$WORK/cargo/release/actix-shop", _crates("actix-session actix-identity actix-web"), r"s:[A-Za-z0-9]{64}",
        lifetime_s=2700, db=1, folder="actix_shop", environment=(("PREFIX", "s:"), ("OWN", "1")),
    ),
    Writer(
        "express_cured", "express", _NODE, _npm("express express-session connect-redis"), r"sess:.{32}",
        environment=(("CURED", "1"),), folder="express_redis",
    ),
    Writer("litestar_cured", "litestar", _PYTHON, _pip("litestar"), r"LITESTAR:.+", environment=(("CURED", "1"),), folder="litestar"),
    Writer(
        "flask_shop", "flask", _PYTHON, _pip("flask flask-session msgspec"), r"shop\.[A-Za-z0-9_-]{43}", lifetime_s=5400,
    ),
    Writer(
        "flask_shop_long_ids", "flask", _PYTHON, _pip("flask flask-session msgspec"), r"fs[A-Za-z0-9_-]{64}", lifetime_s=5400,
        environment=(("PREFIX", "fs"), ("ID_LENGTH", "48"), ("FORMAT", "json"), ("USER_NAME", "user_id")), folder="flask_shop",
    ),
    Writer(
        "flask_old", "flask", "$WORK/py2/bin/python app.py", _pip2("flask flask-session"), r"web:[0-9a-f-]{36}", lifetime_s=5400,
        environment=(("PREFIX", "web:"), ("PERMANENT", "1"), ("USER_NAME", "user_id")), folder="flask_shop",
    ),
    Writer(
        "django_shop", "django", _PYTHON, _pip("django django-redis"), r"site:prod:7:django\.contrib\.sessions\.cache[a-z0-9]{32}",
        environment=(("SERIALIZER", "json.JSONSerializer"), ("CSRF", "1")), lifetime_s=10800, db=3,
    ),
    Writer(
        "django_shop_every", "django", _PYTHON, _pip("django django-redis"), r"site:prod:7:django\.contrib\.sessions\.cached_db[a-z0-9]{32}",
        environment=(("SERIALIZER", "msgpack.MSGPackSerializer"), ("EVERY", "1"), ("CSRF", "1"), ("ENGINE", "cached_db"), ("OWN", "member_id")),
        folder="django_shop", lifetime_s=10800, db=3,
    ),
    Writer(
        "django_shop_zlib", "django", "$WORK/py2/bin/python app.py", _pip2("django django-redis"), r"site:prod:7:django\.contrib\.sessions\.cache[a-z0-9]{32}",
        environment=(("COMPRESSOR", "zlib.ZlibCompressor"), ("AGE", "1209600")), folder="django_shop", lifetime_s=1209600, db=3,
    ),
    Writer("sanic_session", "sanic", "$WORK/py2/bin/python app.py", _pip2("sanic sanic-session"), r"session:[0-9a-f]{32}"),
    Writer(
        "sanic_session_prefix", "sanic", "$WORK/py2/bin/python app.py", _pip2("sanic sanic-session"), r"app[0-9a-f]{32}", lifetime_s=7200,
        environment=(("PREFIX", "app"), ("EXPIRY", "7200")), folder="sanic_session",
    ),
    Writer("fastapi_users", "fastapi-users", _PYTHON, _pip("fastapi fastapi-users"), r"fastapi_users_token:.{43}"),
    Writer("aiohttp_shop", "aiohttp", _PYTHON, _pip("aiohttp aiohttp-session"), r"SHOP_.{32}", lifetime_s=3600),
    Writer("litestar_shop", "litestar", _PYTHON, _pip("litestar"), r"shop(_sessions)?:[0-9a-f]{64}", lifetime_s=3600),
    Writer("express_shop", "express", _NODE, _npm("express-session connect-redis7 passport connect-flash"), r"shop_.{32}", lifetime_s=7200),
    Writer("fastify_shop", "fastify", _NODE, _npm("@fastify/session connect-redis"), r"web-.{32}", lifetime_s=5400),
    Writer(
        "fastify_shop_all", "fastify", _NODE, _npm("@fastify/session connect-redis"), r"web-.{32}", lifetime_s=3600,
        environment=(("ALL", "1"), ("FIXED", "1"), ("MAX_AGE", "3600000")), folder="fastify_shop",
    ),
    Writer("koa_shop", "koa", _NODE, _npm("koa-session koa-passport"), r"shop/.{24}", lifetime_s=1800),
    Writer(
        "koa_shop_browser", "koa", _NODE, _npm("koa-session koa-passport"), r"shop/.{24}", environment=(("SESSION", "1"),), folder="koa_shop",
    ),
    Writer("koa_generic_shop", "koa-generic", _NODE, _npm("koa-generic-session koa-redis"), r"shop-.{32}", lifetime_s=5400),
    Writer("hapi_yar", "hapi", _NODE, _npm("@hapi/hapi @hapi/yar @hapi/catbox-redis"), r".*yar.*:.{36}"),
    Writer(
        "hapi_yar_blank", "hapi", _NODE, _npm("@hapi/hapi @hapi/yar @hapi/catbox-redis"), r"shop:.*yar.*:.{36}",
        environment=(("PARTITION", "shop"), ("BLANK", "1")), folder="hapi_yar",
    ),
    Writer("better_auth", "better-auth", "node app.mjs", _npm("better-auth"), r"[A-Za-z0-9]{32}", companions=r"active-sessions-.*"),
    Writer(
        "better_auth_prefix", "better-auth", "node app.mjs", _npm("better-auth"), r"ba:[A-Za-z0-9]{32}", companions=r"ba:active-sessions-.*",
        environment=(("PREFIX", "ba:"),), folder="better_auth",
    ),
    Writer("auth_js", "auth-js", "node app.mjs", _npm("@auth/core @auth/unstorage-adapter"), r"user:session:[0-9a-f-]{36}", companions=r"user:.*", lifetime_s=None),
    Writer("php_shop", "php", _PHP, _PHP_VERSION, r"app:[0-9a-f]{32}", lifetime_s=1440),
    Writer(
        "php_shop_serialize", "php", _PHP, _PHP_VERSION, r"s.[0-9a-f]{32}", lifetime_s=1440, folder="php_shop",
        environment=(("PREFIX", "s."), ("SERIALIZER", "php_serialize"), ("USER_NAME", "user_id")),
    ),
    Writer(
        "php_shop_igbinary", "php", _PHP, _PHP_VERSION, r"web_session_[0-9A-Za-z,-]{48}", lifetime_s=1440, folder="php_shop",
        environment=(("PREFIX", "web_session_"), ("SERIALIZER", "igbinary"), ("USER_NAME", "user_id"), ("SID_LENGTH", "48"), ("SID_BITS", "6")),
    ),
    Writer("symfony_shop", "symfony", _PHP, _SYMFONY, r"shop:.+", lifetime_s=3600),
    Writer(
        "symfony_shop_igbinary", "symfony", _PHP, _SYMFONY, r"PHPREDIS_SESSION:.+", lifetime_s=3600, folder="symfony_shop",
        environment=(("SERIALIZER", "igbinary"), ("PREFIX", "PHPREDIS_SESSION:")),
    ),
    Writer(
        "laravel_shop", "laravel", _PHP, "dpkg-query -W -f '${Package} ${Version}\\n' php-laravel-framework php-redis",
        r"shop_shop_cache:(?![0-9a-f]{40}$)[A-Za-z0-9]{40}", lifetime_s=2700, environment=(("PREFIX", "shop_"),),
    ),
    Writer("rack_sinatra", "rails", _RAILS, _SINATRA, r"shop:2::[0-9a-f]{64}", lifetime_s=7200),
    Writer(
        "rack_sinatra_forever", "rails", _RAILS, _SINATRA, r"web:sessions:2::[0-9a-f]{64}", lifetime_s=None, folder="rack_sinatra",
        environment=(("NAMESPACE", "web:sessions"), ("FOREVER", "1")),
    ),
    Writer(
        "rails_shop", "rails-cache", _RAILS, _GEMS, r"web:_session_id:2::[0-9a-f]{64}", lifetime_s=10800,
        environment=(("STORE", "cache"), ("NAMESPACE", "web"), ("CSRF", "1")),
    ),
    Writer(
        "rails_shop_store", "rails", _RAILS, _GEMS, r"web:2::[0-9a-f]{64}", lifetime_s=10800, folder="rails_shop",
        environment=(("STORE", "redis"), ("NAMESPACE", "web"), ("DEFAULTS", "5.2")),
    ),
    Writer("caches_rails", "", "ruby rails.rb", _GEMS, "(?!)", folder="caches", fills=True),
    Writer("caches_python", "", "$WORK/py/bin/python python.py", _pip("django django-redis celery rq"), "(?!)", folder="caches", fills=True),
    Writer("caches_spring", "", _SPRING.replace("SpringShop", "SpringCaches"), _pom("spring-boot-dependencies"), "(?!)", folder="java_spring", fills=True),
    Writer("caches_node", "", "node node.js", _npm("bullmq cache-manager @keyv/redis"), "(?!)", folder="caches", fills=True),
    Writer("caches_queues_python", "", "$WORK/py2/bin/python queues.py", _pip2("arq dramatiq huey limits aiocache"), "(?!)", folder="caches", fills=True),
    Writer("caches_queues_node", "", "node queues.js", _npm("bull bee-queue rate-limiter-flexible rate-limit-redis"), "(?!)", folder="caches", fills=True),
    Writer("caches_sidekiq", "", "ruby sidekiq.rb", "dpkg-query -W -f '${Package} ${Version}\\n' ruby-sidekiq", "(?!)", folder="caches", fills=True),
    Writer("caches_php", "", "php -d error_reporting=22527 php.php", _SYMFONY, "(?!)", folder="caches", fills=True),
    Writer(
        "go_scs_shop", "scs", "$WORK/bin/go_scs_shop", _go("alexedwards/scs gomodule/redigo"), r"shop.{43}", lifetime_s=None,
        environment=(("USER_NAME", "userID"),),
    ),
    Writer(
        "go_shop", "redistore", "$WORK/bin/go_shop", _go("boj/redistore"), r"shop-.+", lifetime_s=5400, environment=(("USER_NAME", "customer"),),
    ),
    Writer(
        "go_shop_user_id", "redistore", "$WORK/bin/go_shop", _go("boj/redistore"), r"shop-.+", lifetime_s=5400,
        environment=(("USER_NAME", "user_id"),), folder="go_shop",
    ),
    Writer("go_fiber_shop", "fiber", "$WORK/bin/go_fiber_shop", _go("gofiber/fiber/v3 gofiber/storage"), r"[A-Za-z0-9_-]+", lifetime_s=5400),
    Writer(
        "go_fiber_shop_absolute", "fiber", "$WORK/bin/go_fiber_shop", _go("gofiber/fiber/v3 gofiber/storage"), r"[A-Za-z0-9_-]+", lifetime_s=None,
        environment=(("ABSOLUTE", "1"),), folder="go_fiber_shop",
    ),
    Writer(
        "go_beego", "beego", "$WORK/bin/go_beego", _go("beego/beego", "go_providers"), r"[0-9a-f]{32}", folder="go_providers",
        environment=(("USER_NAME", "user_id"),),
    ),
    Writer(
        "go_beego_prefix", "beego", "$WORK/bin/go_beego", _go("beego/beego", "go_providers"), r"shop-[0-9a-f]{32}", folder="go_providers",
        environment=(("PREFIX", "shop-"),),
    ),
    Writer("go_chi", "gitea", "$WORK/bin/go_chi", _go("gitea.com/go-chi/session", "go_providers"), r"[0-9a-f]{16}", folder="go_providers"),
    Writer(
        "go_chi_prefix", "gitea", "$WORK/bin/go_chi", _go("gitea.com/go-chi/session", "go_providers"), r"gitea:[0-9a-f]{16}", folder="go_providers",
        environment=(("PREFIX", "gitea:"),),
    ),
    Writer("plug_redbird", "plug", _REDBIRD, _PLUG, r"redbird_session_SFMyNTY.+"),
    Writer(
        "plug_redbird_own", "plug", _REDBIRD, _PLUG, r"redbird_session_SFMyNTY.+", folder="plug_redbird", environment=(("USER_NAME", "member"),),
    ),
    Writer(
        "oauth2_proxy", "oauth2-proxy", _PYTHON, "$WORK/bin/oauth2-proxy --version; echo module v7.15.6", r"_oauth2_proxy-[0-9a-f]{32}",
        companions=r".*\.lock",
    ),
    Writer(
        "oauth2_proxy_cookie", "oauth2-proxy", _PYTHON, "$WORK/bin/oauth2-proxy --version; echo module v7.15.6", r"shop_sso-[0-9a-f]{32}",
        companions=r".*\.lock", environment=(("COOKIE", "shop_sso"),), folder="oauth2_proxy",
    ),
    Writer("starsessions_shop", "starsessions", _PYTHON, _pip("starlette starsessions"), r"shop/.+/s", lifetime_s=7200, db=2),
    Writer("fastapi_users_shop", "fastapi-users", _PYTHON, _pip("fastapi fastapi-users"), r"shop:tok:.{43}", lifetime_s=3600),
    Writer("sanic_shop", "sanic", "$WORK/py2/bin/python app.py", _pip2("sanic sanic-session"), r"shop\.sanic\.[0-9a-f]{32}", lifetime_s=5400, db=6),
    Writer("hapi_shop", "hapi", _NODE, _npm("@hapi/hapi @hapi/yar @hapi/catbox-redis"), r"web-1:visits:[0-9a-f]{48}", lifetime_s=7200, db=4),
    Writer(
        "better_auth_shop", "better-auth", "node app.mjs", _npm("better-auth"), r"shop/auth/[A-Za-z0-9]{32}", companions=r"shop/auth/active-sessions-.*", lifetime_s=7200,
    ),
    Writer("auth_js_shop", "auth-js", "node app.mjs", _npm("@auth/core @auth/unstorage-adapter"), r"web:shop:.*session:[0-9a-f]{64}", companions=r"web:shop:.*", lifetime_s=None),
    Writer("go_beego_shop", "beego", "$WORK/bin/go_beego_shop", _go("beego/beego", "go_providers"), r"[0-9a-f]{48}", folder="go_providers", lifetime_s=2700, db=3),
    Writer("go_chi_shop", "gitea", "$WORK/bin/go_chi_shop", _go("gitea.com/go-chi/session", "go_providers"), r"shop\.[0-9a-f]{32}", folder="go_providers", lifetime_s=2700, db=2),
    Writer("go_rbcervilla", "redistore", "$WORK/bin/go_rbcervilla", _go("rbcervilla/redisstore", "go_providers"), r"session:.+", folder="go_providers"),
    Writer(
        "go_rbcervilla_shop", "redistore", "$WORK/bin/go_rbcervilla", _go("rbcervilla/redisstore", "go_providers"), r"shop\..+", folder="go_providers",
        environment=(("PREFIX", "shop."), ("USER_NAME", "member"), ("COUNTS", "1")),
    ),
    Writer("go_gin_shop", "redistore", "$WORK/bin/go_gin_shop", _go("gin-contrib/sessions gin-gonic/gin"), r"gin:shop/.+", lifetime_s=3600),
    Writer("authelia", "authelia", "$WORK/bin/authelia-writer", _AUTHELIA, r"authelia-session:.+", lifetime_s=3600, folder="products"),
    Writer(
        "authelia_day", "authelia", "$WORK/bin/authelia-writer", _AUTHELIA, r"authelia-session:.+", folder="products", environment=(("EXPIRATION", "24h"),),
    ),
    Writer(
        "harbor", "beego", "$WORK/bin/harbor-writer", _HARBOR, r"[0-9a-f]{32}", lifetime_s=3600, folder="products",
        environment=(("MINUTES", "60"), ("REDIS_DB", "0")),
    ),
    Writer(
        "gitlab", "rails", _RAILS, _GEMS, r"session:gitlab:2::[0-9a-f]{64}", lifetime_s=604_800, folder="rails_shop",
        environment=(("STORE", "redis"), ("NAMESPACE", "session:gitlab"), ("DEFAULTS", "5.2"), ("LIFETIME", "604800")),
    ),
    Writer("snc_redis", "symfony", _PHP, _SNC, r"shop_session.+", lifetime_s=3600),
    Writer("superset", "flask", "$WORK/superset/bin/python app.py", _SUPERSET, r"session:.+", lifetime_s=2_678_400),
    Writer("magento_handler", "magento", "php -S 127.0.0.1:$PORT index.php", _MAGENTO, r"sess_.+", lifetime_s=None),
    Writer(
        "magento_handler_compressed", "magento", "php -S 127.0.0.1:$PORT index.php", _MAGENTO, r"sess_.+", lifetime_s=None,
        environment=(("COMPRESS", "1"), ("UNLOCKED", "1")), folder="magento_handler",
    ),
)  # fmt: skip
"""How each is started and which of its keys are sessions."""
