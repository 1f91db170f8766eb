"""A Django application that keeps its sessions in the cache: visited, described, saved.

Arguments: Redis port, truth file, kind (builtin, django-redis, django-redis-json, django-redis-zlib).
"""

from __future__ import annotations

import json
import sys
import time

import django
import redis
from django.conf import settings

port, truth_file, kind = int(sys.argv[1]), sys.argv[2], sys.argv[3]
OPTIONS = {
    "builtin": {},
    "django-redis": {},
    "django-redis-json": {"SERIALIZER": "django_redis.serializers.json.JSONSerializer"},
    "django-redis-zlib": {"COMPRESSOR": "django_redis.compressors.zlib.ZlibCompressor"},
}
BACKEND = "django.core.cache.backends.redis.RedisCache" if kind == "builtin" else "django_redis.cache.RedisCache"
cache = {"BACKEND": BACKEND, "LOCATION": f"redis://127.0.0.1:{port}/0"}
if OPTIONS[kind]:
    cache["OPTIONS"] = OPTIONS[kind]
if kind == "django-redis-json":
    cache["KEY_PREFIX"] = "shop"
settings.configure(
    SECRET_KEY="hush",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    CACHES={"default": cache},
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    SESSION_COOKIE_AGE=86_400,
    CSRF_USE_SESSIONS=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.cache import cache as store  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.middleware.csrf import get_token  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402

call_command("migrate", verbosity=0)


def form(request):
    get_token(request)
    return HttpResponse("form")


def empty(request):
    request.session.create()
    return HttpResponse("empty")


def cart(request):
    request.session["cart"] = [1, 2, 3]
    return HttpResponse("cart")


def short(request):
    request.session["cart"] = []
    request.session.set_expiry(1)
    return HttpResponse("short")


urlpatterns = [path("form", form), path("empty", empty), path("cart", cart), path("short", short)]
client = redis.Redis(port=port)
traits: dict[str, str] = {}


def note(trait: str, browser: Client) -> None:
    traits[browser.session.session_key] = trait


for trait, place in (
    ("probe", "form"),
    ("probe", "form"),
    ("empty", "empty"),
    ("with a cart", "cart"),
    ("expired", "short"),
):
    browser = Client()
    browser.get(f"/{place}")
    note(trait, browser)
browser = Client()
browser.force_login(User.objects.create_user("principal-alice"))
note("logged in", browser)
browser.logout()
browser.get("/cart")
browser = Client()
browser.force_login(User.objects.get(username="principal-alice"))
note("logged in", browser)

facts = []
for key in sorted(client.keys()):
    name = key.decode()
    identifier = next((one for one in traits if name.endswith(one)), None)
    if identifier:
        fact = {"key": name, "id": identifier, "trait": traits[identifier], "expires_ms": client.pexpiretime(key)}
        facts.append(fact)
    else:
        facts.append(
            {"key": name, "id": name[-32:], "trait": "after logging out", "expires_ms": client.pexpiretime(key)}
        )
store.set("products", {"_auth_user_id": 1})
with open(truth_file, "w") as file:  # noqa: PTH123
    json.dump({"framework": "django", "keys": len(facts) + 1, "sessions": facts}, file, indent=1)
time.sleep(2.5)
client.save()
