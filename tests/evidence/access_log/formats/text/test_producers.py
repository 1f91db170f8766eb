"""Every producer in the table: recognised without help, its fields read, its health check found to come every 10 s."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evidence.access_log.conftest import ASSETS
from evidence.access_log.producers import BROWSER, CHECKER, PRODUCERS, Written, requests

DOCS = Path(__file__).parents[5] / "docs" / "traffic.md"
BEGIN, END = "<!-- producers -->\n", "<!-- end of producers -->"
FIELDS = ("client", "user agent", "host")


@pytest.mark.process
@pytest.mark.parametrize("name", PRODUCERS)
def test_the_health_check_is_found_in_the_log_of(name: str, reading) -> None:
    written = PRODUCERS[name]
    read = reading("\n".join(written.text(request) for request in requests()) + "\n")
    assert read.log.absent == []
    assert [(blemish.why, blemish.count) for blemish in read.log.blemishes] == []
    told = set(written.tells.split(", "))
    rows = read.classes("path, client, user_agent, host, status, period_s, visits")
    check = next(row for row in rows if row[0] == "/")
    assert check[4:] == (200 if written.status else None, pytest.approx(10, abs=0.01), 60)
    assert check[1] == ("10.8.1.21" if "client" in told else "")
    assert check[2] == (CHECKER if "user agent" in told else "")
    assert bool(check[3]) == ("host" in told)
    visitors = {row[2] for row in rows if row[0] == "/cart"}
    assert visitors <= {BROWSER, BROWSER.replace(" ", "%20"), ""}


PROGRAMS = {
    "caddy": ("Caddy 2.6", "client, user agent, host"),
    "express_winston": ("express-winston 4.2", "user agent, host"),
    "fastify": ("Fastify 5", "client, host"),
    "gunicorn": ("gunicorn", "client, user agent"),
    "haproxy_captured_headers": ("HAProxy 2.6, captured headers", "client, user agent, host"),
    "haproxy_clf": ("HAProxy 2.6, httplog clf", "client"),
    "haproxy_httplog": ("HAProxy 2.6, httplog", "client"),
    "haproxy_syslog": ("HAProxy 2.6 by syslog", "client"),
    "hypercorn": ("Hypercorn", "client, user agent"),
    "lighttpd": ("lighttpd 1.4.69", "client, user agent, host"),
    "morgan": ("morgan, combined", "client, user agent"),
    "nginx_syslog": ("nginx by syslog", "client, user agent"),
    "pino_http": ("pino-http", "client, user agent, host"),
    "werkzeug": ("Werkzeug", "client"),
}
"""Lines that these programs wrote themselves: 40 requests for ``/`` by one client, about one a second."""


@pytest.mark.process
@pytest.mark.parametrize("name", PROGRAMS)
def test_forty_requests_of_one_client_are_read_from_what_the_program_itself_wrote(name: str, reading) -> None:
    read = reading([ASSETS / "programs" / f"{name}.log"])
    assert read.log.requests == 40
    told = PROGRAMS[name][1].split(", ")
    client, agent, host, path, visits = read.one("client, user_agent, host, path, visits")
    assert (client, agent) == ("127.0.0.1" if "client" in told else "", "checker/1.0" if "user agent" in told else "")
    assert (bool(host), path, visits) == ("host" in told, "/", 40)


def test_each_file_of_a_program_is_in_the_table() -> None:
    assert {path.stem for path in (ASSETS / "programs").glob("*.log")} == set(PROGRAMS)


def _row(name: str, written: Written) -> str:
    told = set(written.tells.split(", "))
    return f"| {name} | {' | '.join('yes' if field in told else '-' for field in FIELDS)} | yes |\n"


@pytest.mark.checkout
def test_the_table_in_the_documentation_is_that_of_the_tests() -> None:
    head = "| producer, layout | client | user agent | host | rhythm found |\n|---|---|---|---|---|\n"
    table = BEGIN + head + "".join(_row(name, written) for name, written in PRODUCERS.items())
    table += f"\nWritten by the programs themselves: {', '.join(name for name, _ in PROGRAMS.values())}.\n" + END
    text = DOCS.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, behind = rest.partition(END)
    if os.environ.get("NECROPSY_GOLDEN"):
        DOCS.write_text(before + table + behind, encoding="utf-8")
    assert table in DOCS.read_text(encoding="utf-8")
    assert len(PRODUCERS) >= 40
