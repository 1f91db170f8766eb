"""Spring Session Data Redis: indexed, plain, reactive and reactive indexed; any namespace, JDK or JSON values.

=========================  ============================================================  ===============================
layout, repository         keys of one session in namespace ``spring:session``           expiry of the hash
=========================  ============================================================  ===============================
spring-indexed             ``…:sessions:<id>`` hash, ``…:sessions:expires:<id>``         EXPIRE lifetime + 300
spring                     ``…:sessions:<id>``                                           EXPIREAT last access + lifetime
spring-reactive            ``…:sessions:<id>``                                           EXPIRE lifetime
spring-reactive-indexed    as indexed, and ``…:sessions:<id>:idx`` if logged in          EXPIRE lifetime + 300
=========================  ============================================================  ===============================

Shared by many sessions are the sets ``…:expirations:<ms>``, one a minute, or in their place one sorted set
``…:sessions:expirations``; and a set for each principal, ``…:index:…PRINCIPAL_NAME_INDEX_NAME:<name>``.

Source: spring-session ``spring-session-data-redis/src/main/java/org/springframework/session/data/redis/``:
RedisIndexedSessionRepository, RedisSessionRepository, ReactiveRedisSessionRepository,
ReactiveRedisIndexedSessionRepository, RedisSessionMapper; versions 1.0 to 3.5.
"""
