"""A shop in Django: cached sessions in another serializer, messages, a login of its own or django.contrib.auth's."""

import os

from django.conf import settings

port = os.environ["REDIS_PORT"]
options = {"CLIENT_CLASS": "django_redis.client.DefaultClient"}
if os.environ.get("SERIALIZER"):
    options["SERIALIZER"] = f"django_redis.serializers.{os.environ['SERIALIZER']}"
if os.environ.get("COMPRESSOR"):
    options["COMPRESSOR"] = f"django_redis.compressors.{os.environ['COMPRESSOR']}"
    options["COMPRESS_MIN_LEN"] = 1
settings.configure(
    SECRET_KEY="x",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    CACHES={
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{port}/3",
            "KEY_PREFIX": "site:prod",
            "VERSION": 7,
            "OPTIONS": options,
        }
    },
    SESSION_ENGINE=f"django.contrib.sessions.backends.{os.environ.get('ENGINE', 'cache')}",
    SESSION_SAVE_EVERY_REQUEST=bool(os.environ.get("EVERY")),
    SESSION_COOKIE_AGE=int(os.environ.get("AGE", "10800")),
    MESSAGE_STORAGE="django.contrib.messages.storage.session.SessionStorage",
    CSRF_USE_SESSIONS=bool(os.environ.get("CSRF")),
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"/tmp/django-shop-{os.getpid()}.db"}},
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    USE_TZ=True,
)

import django  # noqa: E402

django.setup()

from django.contrib import messages  # noqa: E402
from django.contrib.auth import authenticate, get_user_model  # noqa: E402
from django.contrib.auth import login as log_in  # noqa: E402
from django.contrib.auth import logout as log_out  # noqa: E402
from django.core.cache import cache as store  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, HttpResponseRedirect  # noqa: E402
from django.middleware.csrf import get_token  # noqa: E402
from django.urls import path  # noqa: E402

call_command("migrate", verbosity=0)
for name in ("anna", "berta", "carla"):
    get_user_model().objects.create_user(name, password="right")
OWN = os.environ.get("OWN")


def home(request):
    if settings.CSRF_USE_SESSIONS:
        get_token(request)
    return HttpResponse("home" + str(request.session.get("cart", "")))


def health(request):
    return HttpResponse("ok")


def account(request):
    if (OWN and OWN in request.session) or request.user.is_authenticated:
        return HttpResponse("yours")
    messages.warning(request, "log in first")
    return HttpResponseRedirect("/login")


def login(request):
    if request.method == "GET":
        return HttpResponse("who?")
    user = authenticate(request, username=request.POST["user"], password=request.POST["password"])
    if user is None:
        messages.error(request, "wrong")
        return HttpResponseRedirect("/login")
    if OWN:
        request.session.cycle_key()
        request.session[OWN] = user.pk
    else:
        log_in(request, user)
    return HttpResponseRedirect("/account")


def cart(request):
    request.session["cart"] = {"7": {"count": 2, "price": "12.50"}}
    request.session["_language"] = "de"
    store.set("prices", {"a": 1}, 600)
    store.set("user:1:_auth_user_id", {"_auth_user_id": 1}, 600)
    return HttpResponse("kept")


def logout(request):
    log_out(request)
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
