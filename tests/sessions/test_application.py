"""Settings of applications are found by exact signs: those that the real writers have, and none in their cured forms."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.sessions.application import RULES, SUFFIXES, settings

WRITERS = Path(__file__).parents[1] / "writers"
EXPRESS = "const session = require('express-session')\napp.use(session({ store, OPTIONS secret }))\n"
FLASK = "from flask_session import Session\nmanager = LoginManager(app)\nmanager.login_view = 'ask'\n"
FIBER = 'import "github.com/gofiber/fiber/v3/middleware/session"\n'
RACK = "Rails.application.config.session_store :redis_store,\n  servers: [url]"


def found(name: str, text: str) -> list[tuple[int, str]]:
    return [(one.line, one.layout) for one in settings(name, text)]


@pytest.mark.parametrize(
    ("name", "text", "line", "layout"),
    [
        ("app.js", EXPRESS.replace("OPTIONS", "\nsaveUninitialized: true,"), 3, "express"),
        ("app.ts", "import session from 'express-session'\napp.use(session({ secret }))", 2, "express"),
        ("app.mjs", "import f from '@fastify/session'\nx.register(f, { saveUninitialized: true })", 2, "fastify"),
        (
            "settings.py",
            "SESSION_ENGINE = 'django.contrib.sessions.backends.cache'\nCSRF_USE_SESSIONS = True\n",
            2,
            "django",
        ),
        ("app.py", FLASK, 3, "flask"),
        ("app.py", "from litestar import Litestar\nc = ServerSideSessionConfig(max_age=3600)\n", 2, "litestar"),
        ("main.go", FIBER + "app.Use(session.New(session.Config{Storage: storage}))", 2, "fiber"),
        ("App.java", "RedisSessionStore s;\nrouter.route().handler(SessionHandler.create(s));", 2, "vertx"),
        ("session_store.rb", RACK, 1, "rails"),
        ("config.ru", "", 0, ""),
        ("application.properties", "spring.data.redis.host=r\nspring.session.timeout=-1\n", 2, "spring"),
        ("application.yml", "spring:\n  session:\n    store-type: redis\n    timeout: -1\n", 4, "spring"),
        ("application.yaml", "spring.data.redis.host: r\nserver:\n  servlet:\n    session.timeout: -1s\n", 4, "spring"),
    ],
)
def test_a_setting_that_starts_sessions_for_everybody_is_found(name: str, text: str, line: int, layout: str) -> None:
    assert found(name, text) == ([(line, layout)] if line else [])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("app.js", EXPRESS.replace("OPTIONS", "saveUninitialized: false,")),
        ("app.js", EXPRESS.replace("OPTIONS", "...options,")),
        ("app.js", EXPRESS.replace("OPTIONS", "saveUninitialized: config.save,")),
        ("app.js", "// " + EXPRESS.replace("OPTIONS", "saveUninitialized: true,").replace("\n", "\n// ")),
        ("app.js", "store.save({ saveUninitialized: true })"),
        ("settings.py", "CSRF_USE_SESSIONS = True\n"),
        ("settings.py", "SESSION_ENGINE = 'django.contrib.sessions.backends.cache'\n# CSRF_USE_SESSIONS = True\n"),
        ("app.py", FLASK + "manager.login_message = None\n"),
        ("app.py", FLASK.replace("from flask_session import Session\n", "")),
        ("app.py", "from litestar import Litestar\nc = ServerSideSessionConfig(exclude=['^/health'])\n"),
        ("main.go", FIBER + "app.Use(session.New(session.Config{Next: skip}))"),
        ("main.go", FIBER + 'app.Get("/health", ok)\napp.Use(session.New(session.Config{Storage: storage}))'),
        ("App.java", "RedisSessionStore s;\nSessionHandler.create(s).setLazySession(true);"),
        ("session_store.rb", RACK + ",\n  expire_after: 1.day"),
        ("session_store.rb", "Rails.application.config.session_store :cookie_store"),
        ("application.properties", "spring.data.redis.host=r\n#spring.session.timeout=-1\nspring.session.timeout=1d\n"),
        ("application.yml", "spring:\n  session:\n    timeout: 1d\nother:\n  timeout: -1\n"),
    ],
)
def test_what_is_cured_commented_out_or_somebody_elses_is_not_found(name: str, text: str) -> None:
    assert found(name, text) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("app.ts", EXPRESS.replace("OPTIONS", "saveUninitialized: !isProduction,")),
        ("app.ts", EXPRESS.replace("OPTIONS", "saveUninitialized,")),
        ("app.js", EXPRESS.replace("OPTIONS", '"saveUninitialized": false,')),
        ("main.go", FIBER + "app.Get(healthcheck.LivenessEndpoint, healthcheck.New())\napp.Use(session.New())"),
        ("main.go", FIBER + 'app.Get("/api/healthz", ok)\napp.Use(session.New())'),
        ("App.java", 'RedisSessionStore s;\nrouter.route("/shop/*").handler(SessionHandler.create(s));'),
        (
            "App.java",
            'RedisSessionStore s;\nrouter.get("/health").handler(ok);\nrouter.route().handler(SessionHandler.create(s));',
        ),
        ("app.py", "from litestar import get\nc = ServerSideSessionConfig()\n@get('/health', skip_session=True)\n"),
        ("app.py", "from litestar import get\nc = ServerSideSessionConfig(exclude_opt_key='free')\n"),
        ("app.py", FLASK + "@manager.unauthorized_handler\ndef ask(): return redirect('/login')\n"),
        ("app.py", FLASK + "app.config['SESSION_TYPE'] = 'filesystem'\n"),
        ("application.properties", "spring.session.store-type=jdbc\nspring.session.timeout=-1\n"),
        ("application.yml", "spring:\n  session:\n    store-type: jdbc\n    timeout: -1\n"),
    ],
)
def test_a_well_written_application_raises_no_alarm(name: str, text: str) -> None:
    assert found(name, text) == []


@pytest.mark.parametrize(
    ("folder", "file", "layouts"),
    [
        ("express_shop", "app.js", {"express"}),
        ("fastify_shop", "app.js", set()),
        ("flask_session", "app.py", {"flask"}),
        ("flask_shop", "app.py", set()),
        ("litestar_shop", "app.py", {"litestar"}),
        ("go_fiber_shop", "main.go", set()),
        ("nestjs", "app.js", {"express"}),
        ("koa_shop", "app.js", set()),
        ("hapi_shop", "app.js", set()),
        ("django_shop", "app.py", set()),
        ("rack_sinatra", "app.rb", set()),
        ("vertx_shop", "../java/src/main/java/VertxShop.java", set()),
    ],
)
def test_the_real_applications_are_judged_as_they_behave(folder: str, file: str, layouts: set[str]) -> None:
    assert {layout for _, layout in found(file, (WRITERS / folder / file).read_text())} == layouts


@given(st.text(max_size=400), st.sampled_from(sorted(SUFFIXES)))
def test_arbitrary_text_never_raises(text: str, suffix: str) -> None:
    for rule in RULES:
        assert list(settings("a" + suffix, rule.layout + text)) is not None
