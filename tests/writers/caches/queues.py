"""Queues, rate limiters and caches of Python beside those of caches_python: arq, Dramatiq, Huey, limits, aiocache. No session among them."""

import asyncio
import os
import uuid

import dramatiq
import redis
from aiocache import RedisCache
from aiocache.serializers import JsonSerializer, PickleSerializer
from arq import create_pool
from arq.connections import RedisSettings
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend
from huey import RedisHuey
from limits import parse
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

PORT = int(os.environ["REDIS_PORT"])
URL = f"redis://127.0.0.1:{PORT}/0"

broker = RedisBroker(url=URL)
broker.add_middleware(Results(backend=RedisBackend(url=URL)))
dramatiq.set_broker(broker)


@dramatiq.actor(store_results=True)
def send(user, number):
    return {"user": user, "number": number}


for number in range(20):
    message = send.send("anna", number)
    broker.get_results_backend().store_result(message, {"user": "anna", "user_id": number}, 600_000)

huey = RedisHuey("mails", url=URL)


@huey.task()
def mail(user):
    return {"user": user}


for number in range(20):
    task = mail("anna")
    huey.put_result(task.id, {"user": "anna", "n": number})

storage = RedisStorage(URL)
for strategy in (FixedWindowRateLimiter(storage), MovingWindowRateLimiter(storage)):
    for number in range(20):
        strategy.hit(parse("10/hour"), "login", f"10.0.0.{number}", uuid.uuid4().hex)


async def main():
    pool = await create_pool(RedisSettings(port=PORT))
    for number in range(20):
        await pool.enqueue_job("send", {"user": "anna", "n": number}, _defer_by=60 if number % 2 else None)
    for serializer in (JsonSerializer(), PickleSerializer()):
        cache = RedisCache(endpoint="127.0.0.1", port=PORT, serializer=serializer, namespace="web")
        for number in range(20):
            await cache.set(uuid.uuid4().hex, {"user": "anna", "user_id": number}, ttl=3600)
        await cache.close()


asyncio.run(main())
client = redis.Redis(port=PORT)
for number in range(20):
    client.set(f"idempotency:{uuid.uuid4()}", '{"status":201,"body":{"user":{"id":1}}}', ex=86_400)
    client.set(f"reset:{uuid.uuid4().hex}", str(number), ex=900)
    client.set(f"lock:{uuid.uuid4().hex}", uuid.uuid4().hex, px=600_000)
