"""Apache's formats, by its documentation and by the real server: what it writes is read for what was asked."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.evidence.access_log.formats.given import given as layouts_of
from necropsy.evidence.access_log.formats.text.apache import is_apache, translate
from necropsy.model.evidence import Origin
from necropsy.probes.nginx import apache_logs
from necropsy.probes.simulate import LogFormat
from servers import free_port

APACHE = shutil.which("apache2", path="/usr/sbin:/usr/bin") or shutil.which("httpd", path="/usr/sbin:/usr/bin")
MODULES = next(
    (path for path in map(Path, ("/usr/lib/apache2/modules", "/usr/lib/httpd/modules")) if path.is_dir()), None
)
COMBINED = r"%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\""
WHAT = "client, user_agent, host, method, path, status"


def form(text: str) -> LogFormat:
    return LogFormat("--log-format", text, "default", Origin("--log-format", 0))


@pytest.mark.process
@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (
            COMBINED,
            r'203.0.113.9 - frank [24/May/2019:20:41:34 +0200] "GET /a?b HTTP/1.1" 302 17 "-" "he said \"hi\""' + "\n",
            ("203.0.113.9", r"he said \"hi\"", "", "GET", "/a", 302),
        ),
        (
            '%v:%p %h %l %u %t "%r" %>s',
            'shop.example:443 203.0.113.9 - - [24/May/2019:20:41:34 +0200] "GET / HTTP/1.1" 200\n',
            ("203.0.113.9", "", "shop.example:443", "GET", "/", 200),
        ),
        (
            "%{%Y-%m-%dT%H:%M:%S}t.%{msec_frac}t%{%z}t %a %m %U%q %s %D",
            "2019-05-24T20:41:34.000+0200 203.0.113.9 GET /a?b 200 1204\n",
            ("203.0.113.9", "", "", "GET", "/a", 200),
        ),
        (
            '[%{%F %T}t.%{usec_frac}t] %{X-Forwarded-For}i %h "%r" %>s',
            '[2019-05-24 18:41:34.000000] 198.51.100.7, 10.0.0.2 203.0.113.9 "GET / HTTP/1.1" 200\n',
            ("198.51.100.7", "", "", "GET", "/", 200),
        ),
        (
            "%{sec}t.%{msec_frac}t|%>s|%r|%{User-agent}i|%{Host}i",
            "1558723294.000|200|GET / HTTP/1.1|curl/8.5.0|shop.example\n",
            ("", "curl/8.5.0", "shop.example", "GET", "/", 200),
        ),
        ("%{msec}t %>s %r", "1558723294000 200 GET / HTTP/1.1\n", ("", "", "", "GET", "/", 200)),
        ("%{usec}t %>s %r", "1558723294000000 200 GET / HTTP/1.1\n", ("", "", "", "GET", "/", 200)),
        ("%{%Y-%m-%d %H:%M:%S %z}t %>s %r", "2019-05-24 20:41:34 +0200 200 GET / HTTP/1.1\n", ("", "", "", "GET", "/", 200)),
        (
            r"{ \"time\":\"%{%FT%T%z}t\", \"status\":\"%>s\", \"request\":\"%r\", \"agent\":\"%{User-agent}i\" }",
            '{ "time":"2019-05-24T20:41:34+0200", "status":"200", "request":"GET / HTTP/1.1", "agent":"curl/8.5.0" }\n',
            ("", "curl/8.5.0", "", "GET", "/", 200),
        ),
        (
            '%t %400,501{User-agent}i %!200,304{Referer}i "%r" %>s',
            '[24/May/2019:20:41:34 +0200] - - "GET / HTTP/1.1" 200\n',
            ("", "", "", "GET", "/", 200),
        ),
    ],
)  # fmt: skip
def test_a_format_of_apache_is_read_as_its_documentation_says(
    reading: Callable[..., Any], text: str, line: str, expected: tuple[object, ...]
) -> None:
    read = reading(line * 3, log_formats=[form(text)])
    *what, first_at = read.one(f"{WHAT}, first_at")
    assert tuple(what) == expected
    assert first_at.replace(tzinfo=UTC) == datetime(2019, 5, 24, 18, 41, 34, tzinfo=UTC)
    assert read.log.sources[0].note.startswith("--log-format")


def test_the_time_of_apache_is_the_beginning_so_a_duration_moves_nothing(reading: Callable[..., Any]) -> None:
    line = '[24/May/2019:18:41:34 +0000] "GET / HTTP/1.1" 200 5000000 5\n'
    read = reading(line, log_formats=[form('%t "%r" %>s %D %T')])
    assert read.one("first_at")[0].replace(tzinfo=UTC) == datetime(2019, 5, 24, 18, 41, 34, tzinfo=UTC)


def test_lines_with_and_without_escaped_quotes_are_all_read(reading: Callable[..., Any]) -> None:
    line = '203.0.113.9 - - [24/May/2019:18:41:{:02} +0000] "GET /{} HTTP/1.1" 200 17 "-" "{}"\n'
    agents = [r"a \"b\" c", "curl/8.5.0", r"back\\slash", "curl/8.5.0"] * 50
    log = "".join(line.format(number % 60, "x", agent) for number, agent in enumerate(agents))
    read = reading(log, log_formats=[form(COMBINED)])
    assert read.log.blemishes == []
    assert dict(read.classes("user_agent, visits")) == {r"a \"b\" c": 50, "curl/8.5.0": 100, r"back\\slash": 50}


def test_formats_of_nginx_are_not_taken_for_apache_s() -> None:
    assert not is_apache('$remote_addr - [$time_local] "$request" 100%d')
    assert not is_apache("plain")


@given(st.text(alphabet='%{}<>!"\\htruUqvpisDT,019 :.-$', max_size=40))
def test_any_text_is_translated_or_refused_and_never_an_error(text: str) -> None:
    translate(text)
    layouts_of(["a line"], [form(text)])


def test_formats_are_found_in_a_configuration_with_their_lines() -> None:
    text = (
        '# LogFormat "commented" out\nServerRoot "/etc/httpd"\n<IfModule log_config_module>\n'
        f'  LogFormat "{COMBINED}" combined\n\tlogformat\t"%h %t" short\n</IfModule>\n'
        "CustomLog logs/access_log combined\nCustomLog '|/usr/bin/rotatelogs x 60' \"%t \\\n%r\" env=!quiet\n"
        "Include conf.d/*.conf\nLogFormat\nCustomLog\n"
    )
    found = apache_logs.read(text, "httpd.conf")
    assert [(f.name, f.text, f.origin.line) for f in found.formats] == [
        ("combined", COMBINED.replace('\\"', '"'), 4),
        ("short", "%h %t", 5),
        ("of |/usr/bin/rotatelogs x 60", "%t %r", 8),
    ]
    assert (found.server_root, found.includes) == ("/etc/httpd", ("conf.d/*.conf",))


@given(st.text(max_size=200))
def test_any_configuration_is_read_without_an_error(text: str) -> None:
    apache_logs.read(text, "httpd.conf")


# -- the real Apache ------------------------------------------------------------------------------------------------

FORMATS = {
    "combined": COMBINED,
    "vhost": r"%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"",
    "fine": r"%{%Y-%m-%dT%H:%M:%S}t.%{usec_frac}t%{%z}t %a %m %U%q %>s %D \"%{User-agent}i\" %{Host}i",
    "epoch": r"%{msec}t %{c}a %m %U %>s %{ms}T %k \"%{Referer}i\" \"%{User-agent}i\"",
    "json": r"{\"time\":\"%{%FT%T%z}t\",\"status\":\"%>s\",\"request\":\"%r\",\"agent\":\"%{User-agent}i\"}",
}
ASKED = (
    ("GET", "/index.html", "curl/8.5.0", 200),
    ("GET", "/missing?q=1", "curl/8.5.0", 404),
    ("HEAD", "/index.html", 'he said "hi"', 200),
    ("GET", "/index.html", "back\\slash", 200),
    ("GET", "/index.html", "tab\there", 200),
)


@contextmanager
def logging_apache(folder: Path) -> Iterator[int]:
    """Run Apache in a folder; it writes a log of each format there; its port."""
    if APACHE is None or MODULES is None:
        pytest.skip("needs Apache: apt-get install apache2-bin")
    port = free_port()
    (folder / "pages").mkdir()
    (folder / "pages" / "index.html").write_text("hello")
    modules = "".join(
        f"LoadModule {name}_module {path}\n"
        for name in ("mpm_event", "authz_core", "log_config", "logio")
        if (path := MODULES / f"mod_{name}.so").exists()
    )
    logs = "".join(
        f'LogFormat "{text}" {name}\nCustomLog {folder}/{name}.log {name}\n' for name, text in FORMATS.items()
    )
    (folder / "httpd.conf").write_text(
        f"{modules}ServerRoot {folder}\nPidFile {folder}/httpd.pid\nErrorLog {folder}/error.log\nServerName shop.example\n"
        f"Listen 127.0.0.1:{port}\nDocumentRoot {folder}/pages\n{logs}"
    )
    command = [APACHE, "-d", str(folder), "-f", f"{folder}/httpd.conf", "-D", "FOREGROUND"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env={"TZ": "Europe/Berlin"}) as process:
        try:
            for _ in range(400):
                with socket.socket() as listening:
                    if listening.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            else:
                pytest.fail((folder / "error.log").read_text())
            yield port
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """A folder with the logs of what was asked, and when that began."""
    folder = tmp_path_factory.mktemp("apache")
    began = datetime.now(UTC)
    with logging_apache(folder) as port:
        for method, target, agent, status in ASKED:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request(method, target, headers={"User-Agent": agent})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
            connection.close()
    return folder, began


@pytest.mark.integration
@pytest.mark.parametrize("name", FORMATS)
def test_what_the_real_apache_writes_is_read_for_what_was_asked(
    written: tuple[Path, datetime], reading: Callable[..., Any], name: str
) -> None:
    folder, began = written
    formats = apache_logs.read((folder / "httpd.conf").read_text(), "httpd.conf").formats
    read = reading([folder / f"{name}.log"], log_formats=formats)
    assert read.log.blemishes == [] if name != "json" else len(read.log.blemishes) <= 1  # \x09 is no JSON
    assert read.log.sources[0].note.startswith(f"LogFormat {name} from httpd.conf:")
    rows = read.classes("method, path, user_agent, status, visits, client, host, first_at")
    shown = {agent: agent.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") for _, _, agent, _ in ASKED}
    expected = {(method, target.split("?")[0], shown[agent], status) for method, target, agent, status in ASKED}
    if name != "json":
        assert {row[:4] for row in rows} == expected
        assert {row[5] for row in rows} == {"127.0.0.1"}
    assert sum(row[4] for row in rows) == len(ASKED)
    for row in rows:
        assert began - timedelta(seconds=1) <= row[7].replace(tzinfo=UTC) <= datetime.now(UTC)
