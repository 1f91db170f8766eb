"""Apache Superset with its sessions on the server: the application itself; the pages of every writer are names for its own."""

import os
import tempfile
from pathlib import Path

folder = Path(tempfile.mkdtemp(prefix="superset-"))
settings = folder / "superset_config.py"
settings.write_text(
    f"""
import redis
SECRET_KEY = "a secret of the harness alone, and long enough"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
SESSION_SERVER_SIDE = True
SESSION_TYPE = "redis"
SESSION_REDIS = redis.Redis(port={os.environ["REDIS_PORT"]})
SESSION_USE_SIGNER = True
WTF_CSRF_FIELD_NAME = "_csrf"
RATELIMIT_ENABLED = False
TALISMAN_ENABLED = False
SESSION_COOKIE_SECURE = False
""",
    encoding="utf-8",
)
os.environ["SUPERSET_CONFIG_PATH"] = str(settings)
os.environ["SUPERSET_HOME"] = str(folder)

from flask_wtf.csrf import generate_csrf  # noqa: E402
from superset.app import create_app  # noqa: E402
from superset.extensions import appbuilder, db  # noqa: E402
from werkzeug.serving import run_simple  # noqa: E402

app = create_app()
NAMES = {"/account": "/api/v1/me/", "/login": "/login/", "/cart": "/sign-in", "/logout": "/logout/"}
with app.app_context():
    import flask_migrate

    flask_migrate.upgrade()
    appbuilder.add_permissions(update_perms=True)
    appbuilder.sm.sync_role_definitions()
    role = appbuilder.sm.find_role("Gamma")
    for name in ("anna", "berta", "carla"):
        appbuilder.sm.add_user(name, name, "of the harness", f"{name}@example.com", role, "right")
    db.session.commit()


@app.get("/sign-in")
def token():
    """Stand in for the login page, whose script the wheel lacks: its template prints this token."""
    return f'<input name="_csrf" type="hidden" value="{generate_csrf()}">'


def named(environ, start):
    """Serve Superset's page of this name."""
    path = environ["PATH_INFO"]
    if path == "/login" and environ["REQUEST_METHOD"] != "POST":
        path = "/sign-in"
    if path in ("/cart", "/logout") and environ["REQUEST_METHOD"] == "POST":
        environ["REQUEST_METHOD"] = "GET"
    environ["PATH_INFO"] = NAMES.get(path, path)
    return app(environ, start)


run_simple("127.0.0.1", int(os.environ["PORT"]), named, threaded=True)
