"""Django's caches, Celery and RQ: no session among them."""

import hashlib
import os
import uuid

import redis
from django.conf import settings

port = os.environ["REDIS_PORT"]
url = f"redis://127.0.0.1:{port}/0"
own = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}
other = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": url, "KEY_PREFIX": "web"}
json = {**other, "KEY_PREFIX": "json", "OPTIONS": {"SERIALIZER": "django_redis.serializers.json.JSONSerializer"}}
settings.configure(CACHES={"default": own, "other": other, "json": json}, USE_TZ=True)

import django  # noqa: E402

django.setup()
from django.core.cache import caches  # noqa: E402

for name in ("default", "other", "json"):
    for number in range(20):
        digest = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
        caches[name].set(f"views.decorators.cache.cache_page..GET.{digest}.{digest}.en-us.UTC", "<p>cached</p>", 600)
        caches[name].set(f"template.cache.sidebar.{digest}", {"user_id": number, "cart": []}, 3600)
        caches[name].set(str(uuid.UUID(digest)), {"_auth_user_id": "1"}, 3600)
        caches[name].set(f"user:{number}:session", {"last": digest}, 3600)
        caches[name].set(hashlib.sha256(digest.encode()).hexdigest(), {}, 86400)

from celery import Celery  # noqa: E402

for serializer in ("json", "pickle"):
    app = Celery("work", broker=url, backend=url)
    app.conf.update(result_serializer=serializer, accept_content=["json", "pickle"], result_expires=86400)

    @app.task(name=f"work.add.{serializer}")
    def add(a, b):
        return {"user": "anna", "sum": a + b}

    for number in range(10):
        app.backend.store_result(str(uuid.uuid4()), {"user": "anna", "n": number}, "SUCCESS")
        add.delay(1, number)

from rq import Queue  # noqa: E402

queue = Queue(connection=redis.Redis(port=int(port)))
for _ in range(20):
    queue.enqueue("os.getcwd", result_ttl=3600, job_timeout=10)
store = redis.Redis(port=int(port))
for number in range(20):
    digest = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
    with store.lock(f"lock:{digest}", timeout=600, blocking_timeout=0):
        store.set(f"throttle:{digest}", 1, ex=600)
    store.set(f"lock:held:{digest}", uuid.uuid4().hex, ex=600)
