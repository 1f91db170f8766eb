"""Django with its sessions in a Redis cache, Django's own or django-redis: the pages of every writer here."""

import os

from django.conf import settings

port = os.environ["REDIS_PORT"]
cache = {"LOCATION": f"redis://127.0.0.1:{port}/0"}
if os.environ.get("DJANGO_REDIS"):
    cache |= {"BACKEND": "django_redis.cache.RedisCache", "KEY_PREFIX": "shop"}
    cache |= {"OPTIONS": {"SERIALIZER": os.environ["DJANGO_REDIS"]}} if "." in os.environ["DJANGO_REDIS"] else {}
else:
    cache |= {"BACKEND": "django.core.cache.backends.redis.RedisCache"}
settings.configure(
    SECRET_KEY="x",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    CACHES={"default": cache},
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    SESSION_COOKIE_AGE=86400,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"],
    USE_TZ=True,
)

import django  # noqa: E402

django.setup()

from django.core.cache import cache as store  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, HttpResponseRedirect  # noqa: E402
from django.urls import path  # noqa: E402


def home(request):
    return HttpResponse("home" + str(request.session.get("cart", "")))


def health(request):
    return HttpResponse("ok")


def account(request):
    if "_auth_user_id" in request.session:
        return HttpResponse("yours")
    request.session["next"] = "/account"
    return HttpResponseRedirect("/login")


def login(request):
    if request.method == "GET":
        return HttpResponse("who?")
    if request.POST["password"] != "right":
        return HttpResponse("no", status=403)
    # What django.contrib.auth.login does, without a table of users.
    request.session.cycle_key()
    request.session["_auth_user_id"] = request.POST["user"]
    request.session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    request.session["_auth_user_hash"] = "0" * 64
    if os.environ.get("EXPIRY"):
        request.session.set_expiry(int(os.environ["EXPIRY"]))
    return HttpResponseRedirect("/account")


def cart(request):
    request.session["cart"] = [{"sku": 7}]
    store.set("prices", {"a": 1}, 600)
    store.set("views.decorators.cache.cache_page..GET.0123456789abcdef0123456789abcdef", "<p>", 600)
    return HttpResponse("kept")


def logout(request):
    request.session.flush()
    return HttpResponse("gone")


urlpatterns = [
    path("", home),
    path("health", health),
    path("account", account),
    path("login", login),
    path("cart", cart),
    path("logout", logout),
]

from wsgiref.simple_server import make_server  # noqa: E402

make_server("127.0.0.1", int(os.environ["PORT"]), get_wsgi_application()).serve_forever()
