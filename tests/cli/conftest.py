from __future__ import annotations

from pathlib import Path

import pytest

PROMETHEUS = """\
global:
  scrape_interval: 10s
scrape_configs:
  - job_name: blackbox
    metrics_path: /probe
    consul_sd_configs: [{server: "consul:8500"}]
    relabel_configs:
      - source_labels: [__meta_consul_tags]
        regex: .*,probed,.*
        action: keep
      - source_labels: [__address__]
        target_label: __param_target
      - target_label: __address__
        replacement: blackbox:9115
"""
SERVICES = """\
{"services": [
  {"id": "Nginx", "name": "admin", "tags": ["probed"], "port": 80,
   "check": {"http": "http://localhost/health", "interval": "10s"}},
  {"id": "Server:8080", "name": "admin", "tags": ["probed"], "port": 8080,
   "check": {"http": "http://localhost:8080/health", "interval": "10s"}},
  {"id": "Server:8081", "name": "admin", "tags": ["probed"], "port": 8081},
  {"id": "Redis", "name": "redis", "tags": [], "port": 6379}
]}
"""
NGINX = """\
events { worker_connections 64; }
http {
    access_log /var/log/nginx/access.log;
    upstream admin {
        server 127.0.0.1:8080;
        server 127.0.0.1:8081 down;
    }
    server {
        listen 80;
        server_name admin.example.com;
        location / { proxy_pass http://admin; }
    }
}
"""
BLACKBOX = """\
modules:
  http_2xx:
    prober: http
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The incident in small, as the current folder."""
    files = {"prometheus.yml": PROMETHEUS, "services.json": SERVICES, "nginx.conf": NGINX, "blackbox.yml": BLACKBOX}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def configuration(folder: Path) -> list[str]:
    """Options that name all of it."""
    assert folder.is_dir()
    options = {"prometheus": "prometheus.yml", "blackbox": "blackbox.yml", "consul": "10.0.0.1=services.json"}
    return [word for kind, name in options.items() for word in (f"--{kind}", name)]
