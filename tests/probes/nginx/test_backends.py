"""nginx's own tokenizer, includes, inheritance and matching, against texts and against the real nginx."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.errors import ConfigurationError, NotJudged
from necropsy.probes.nginx import tokens
from necropsy.probes.nginx.backends import NginxMap, read_nginx
from necropsy.probes.nginx.servers import serves
from necropsy.probes.nginx.tree import build

ADMIN = Path(__file__).parents[2] / "assets" / "nginx" / "admin"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/bin")


def texts(folder: Path, prefix: str = "") -> dict[str, str]:
    return {
        prefix + path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def words(text: str) -> list[tuple[str, ...]]:
    return [(item.name, *item.arguments) for item in tokens.read(text, "nginx.conf")]


def drawn(text: str) -> NginxMap:
    return read_nginx({"nginx.conf": text})


def states(text: str) -> dict[int, str]:
    return {backend.port: backend.state for backend in drawn(text).backends if backend.role == "upstream"}


# -- tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b;", [("a", "b")]),
        ("a b;c d;", [("a", "b"), ("c", "d")]),
        ("a 'b c' \"d;e{f}\";", [("a", "b c", "d;e{f}")]),
        ("a b'c d'e;", [("a", "b'c", "d'e")]),  # a quote inside a word is a character
        (r"a b\ c\;d\{e;", [("a", r"b\ c\;d\{e")]),  # the backslash protects, and stays
        (r"""a "\"b\"" '\'c\'' \\d \tx;""", [("a", '"b"', "'c'", "\\d", "\tx")]),
        ("a ${b}c;", [("a", "${b}c")]),
        ("a b#c # d;\n;", [("a", "b#c")]),
        ("a 'b\nc'\n\td;", [("a", "b\nc", "d")]),
        ("a 'b')c;", [("a", "b", ")c")]),
        ("a b}c;", [("a", "b}c")]),
    ],
)
def test_words_are_cut_as_nginx_cuts_them(text: str, expected: list[tuple[str, ...]] | None) -> None:
    if expected is None:
        with pytest.raises(ConfigurationError):
            words(text)
    else:
        assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a b", 1, "unexpected end of file"),
        ("a {\nb;\n", 3, 'expecting "}"'),
        ("a;\n}", 2, 'unexpected "}"'),
        ("\n;", 2, 'unexpected ";"'),
        ("\n\n{", 3, 'unexpected "{"'),
        ("a;\nb 'c\n\n", 2, "never closed"),
        ("a 'b'c;", 1, "after a closing quote"),
        ("a { b }", 1, 'unexpected "}"'),
    ],
)
def test_what_nginx_refuses_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as raised:
        words(text)
    assert raised.value.line == line
    assert raised.value.hint


def test_lines_count_through_comments_quotes_and_blocks() -> None:
    [block] = tokens.read("# one\nhttp {\n  a 'x\ny' z;\n  # five\n  b;\n}\n", "f")
    assert block.line == 2
    assert [(item.name, item.line) for item in block.block or ()] == [("a", 3), ("b", 6)]


def test_a_lua_block_is_stepped_over_whatever_braces_its_strings_hold() -> None:
    text = """location / {
        content_by_lua_block {
            ngx.say("}") -- }
            local t = { a = [[ } ]], b = '}' }
        }
        proxy_pass http://a;
    }"""
    [location] = tokens.read(text, "f")
    assert [(item.name, item.line) for item in location.block or ()] == [("content_by_lua_block", 2), ("proxy_pass", 6)]


def test_a_hundred_thousand_braces_end_in_an_error_not_in_a_crash() -> None:
    with pytest.raises(ConfigurationError, match="nested"):
        words("a{" * 100_000)


@given(st.text(alphabet="ab \t\n\"'\\{};#$()é\x00", max_size=40))
def test_any_text_is_read_or_refused_with_a_line_inside_it(text: str) -> None:
    try:
        lines = [item.line for item in tokens.read(text, "f")]
    except ConfigurationError as error:
        lines = [error.line]
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=5))
def test_a_quoted_word_comes_back_whatever_it_holds(values: list[str]) -> None:
    quoted = " ".join('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    assert words(f"a {quoted};") == [("a", *values)]


# -- include --------------------------------------------------------------------------------------------------------


def test_includes_are_resolved_against_the_main_file_even_from_an_included_one() -> None:
    files = {
        "etc/nginx.conf": "http { include sub/a.conf; }",
        "etc/sub/a.conf": "include sub/b.conf;",
        "etc/sub/b.conf": "server { listen 81; }",
    }
    tree = build(files, "etc/nginx.conf")
    assert tree.problems == ()
    assert tree.included == {"etc/sub/a.conf", "etc/sub/b.conf"}
    assert [(b.port, str(b.origin)) for b in read_nginx(files).backends] == [(81, "etc/sub/b.conf:1")]


@pytest.mark.parametrize(
    ("fragment", "policy"),
    [
        ("etc/conf.d/shop.conf", "etc/tls/policy.conf"),  # the folder of the main file above it
        ("etc/conf.d/templates/shop.conf", "etc/tls/policy.conf"),
        ("copied/sites/shop.conf", "copied/tls/policy.conf"),  # no main file was given: a folder above
    ],
)
def test_a_fragment_that_nobody_includes_counts_from_the_folder_of_its_main_file(fragment: str, policy: str) -> None:
    texts = {
        "etc/nginx.conf": "events {}\nhttp { include custom.d/*.conf; }",
        fragment: "server { listen 81; include tls/policy.conf; }",
        policy: "ssl_protocols TLSv1.3;",
    }
    assert read_nginx(texts).problems == ()


@pytest.mark.parametrize("text", ["location /shop { proxy_pass http://10.0.0.1:8080; }", "proxy_pass http://app;"])
def test_a_bare_location_is_said_not_to_be_examined(text: str) -> None:
    (problem,) = read_nginx({"snippets/shop.conf": text}).problems
    assert isinstance(problem, NotJudged)
    assert "outside any server block" in problem.reason


def test_an_absolute_include_is_found_beside_a_copy_of_the_main_file() -> None:
    files = texts(ADMIN, "evidence/")
    files["evidence/nginx.conf"] = files["evidence/nginx.conf"].replace("conf.d/", "/etc/nginx/conf.d/")
    assert {b.port for b in read_nginx(files).backends if b.role == "proxy"} == {8180, 8181, 8182}


def test_a_star_matches_no_slash_and_no_hidden_file_and_order_is_by_name() -> None:
    files = {
        "nginx.conf": "include d/*.conf;",
        "d/2.conf": "b;",
        "d/1.conf": "a;",
        "d/.h.conf": "hidden;",
        "d/e/3.conf": "deep;",
    }
    assert [item.name for item in build(files, "nginx.conf").directives] == ["a", "b"]


@pytest.mark.parametrize(("pattern", "names"), [("[ab].c", "ab"), ("[!a].c", "bx"), ("?.c", "abx"), ("[x-a].c", "")])
def test_includes_may_use_sets(pattern: str, names: str) -> None:
    files = {"nginx.conf": f"include {pattern};", "a.c": "a;", "b.c": "b;", "x.c": "x;"}
    assert "".join(item.name for item in build(files, "nginx.conf").directives) == names


def test_a_missing_include_is_a_problem_at_its_line_and_an_empty_glob_is_none() -> None:
    tree = build({"nginx.conf": "a;\ninclude gone.conf;\ninclude gone/*.conf;\nb;"}, "nginx.conf")
    assert [(problem.line, problem.hint != "") for problem in tree.problems] == [(2, True)]
    assert [item.name for item in tree.directives] == ["a", "b"]


def test_a_circle_of_includes_is_a_problem_and_everything_else_is_read() -> None:
    files = {"a.conf": "include b.conf; x;", "b.conf": "include a.conf; y;"}
    [problem, *_] = read_nginx(files).problems
    assert "includes itself" in problem.reason


@pytest.mark.process
def test_includes_that_double_again_and_again_are_bounded() -> None:
    files = {f"{n}.conf": f"include {n + 1}.conf;" * 20 for n in range(25)} | {"25.conf": "a;"}
    tree = build(files, "0.conf")
    assert any("directives" in problem.reason for problem in tree.problems)


def test_a_damaged_include_is_a_problem_and_the_main_file_still_counts() -> None:
    found = read_nginx({"nginx.conf": "http { include b.conf; server { listen 80; } }", "b.conf": "server {"})
    assert [problem.file for problem in found.problems] == ["b.conf"]
    assert [backend.port for backend in found.backends] == [80]


@pytest.mark.parametrize(("main", "expected"), [("copy/nginx.conf", "copied"), ("/etc/nginx/nginx.conf", "own")])
def test_a_copied_configuration_includes_its_copies_and_not_what_this_machine_has(main: str, expected: str) -> None:
    files = {main: "include /etc/nginx/a.conf;", "/etc/nginx/a.conf": "own;", "copy/a.conf": "copied;"}
    assert [item.name for item in build(files, main).directives] == [expected]


# -- the map --------------------------------------------------------------------------------------------------------


def test_the_admin_configuration_gives_its_proxies_with_their_logs() -> None:
    found = read_nginx(texts(ADMIN))
    assert found.problems == ()
    proxies = [(b.address, b.port, b.access_log, b.log_format) for b in found.backends if b.role == "proxy"]
    assert proxies == [
        ("127.0.0.1", 8181, None, None),
        ("*", 8180, None, None),
        ("*", 8180, "logs/admin.log", "json"),
        ("127.0.0.1", 8182, "logs/default.log", "combined"),
    ]


def test_the_admin_configuration_gives_its_backends_live_and_idle() -> None:
    found = read_nginx(texts(ADMIN))
    upstreams = {b.port: (b.state, b.upstream, b.access_log) for b in found.backends if b.role == "upstream"}
    assert upstreams == {
        8080: ("live", "admin", "logs/admin.log"),
        8082: ("idle", "admin", None),
        8083: ("idle", "admin", None),
        8084: ("idle", "green", None),
        8090: ("live", "", "logs/admin.log"),
        8091: ("live", "", "logs/admin.log"),
    }


def test_log_formats_are_joined_without_a_separator() -> None:
    [json_format, quoted] = read_nginx(texts(ADMIN)).log_formats
    assert json_format.escape == "json"
    assert json_format.text == (
        '{"@timestamp":"$time_iso8601","remote_addr":"$http_x_forwarded_for","host":"$http_host","request":"$request",'
        '"status": "$status","body_bytes_sent":"$body_bytes_sent","http_user_agent":"$http_user_agent"}'
    )
    assert str(json_format.origin) == "nginx.conf:6"
    assert (quoted.name, quoted.text, quoted.escape) == ('with "quotes"', "$remote_addr\t${status}x", "default")


@pytest.mark.parametrize("text", ["log_format a escape=xml '$status';", "log_format a;", "log_format;"])
def test_a_log_format_that_nginx_refuses_is_a_problem(text: str) -> None:
    found = drawn(f"http {{ {text} }}")
    assert found.log_formats == ()
    assert len(found.problems) == 1


def test_a_fragment_of_http_level_is_read_like_the_inside_of_http() -> None:
    assert [(b.role, b.port, b.access_log) for b in drawn("server { listen 81; access_log a; }").backends] == [
        ("proxy", 81, "a")
    ]


@pytest.mark.parametrize(
    ("inside", "log"),
    [
        ("", "http.log"),
        ("access_log s.log;", "s.log"),
        ("access_log off;", None),
        ("access_log s.log; access_log off;", None),
        ("access_log off; location / { access_log l.log; }", "l.log"),
        ("location / { access_log off; }", None),
        ("location /a { access_log off; }", "http.log"),
        ("location = / { access_log exact.log gzip=4; } location / { access_log off; }", "exact.log"),
    ],
)
def test_a_level_with_any_access_log_replaces_the_one_above(inside: str, log: str | None) -> None:
    [backend] = drawn(f"http {{ access_log http.log; server {{ listen 80; {inside} }} }}").backends
    assert backend.access_log == log
    assert backend.log_format == (None if log is None else "combined")


def test_without_any_access_log_nginx_writes_combined_to_its_default() -> None:
    [backend] = drawn("http { server { } }").backends
    assert (backend.address, backend.port) == ("*", 80)
    assert (backend.access_log, backend.log_format) == ("logs/access.log", "combined")


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("80", [("*", 80)]),
        ("*:81", [("*", 81)]),
        ("0.0.0.0:81", [("*", 81)]),
        ("[::]:82 ipv6only=on", [("*", 82)]),
        ("[::1]:83", [("[::1]", 83)]),
        ("127.0.0.1", [("127.0.0.1", 80)]),
        ("localhost:84 ssl", [("localhost", 84)]),
        ("85-87", [("*", 85), ("*", 86), ("*", 87)]),
        ("127.0.0.1:85-86", [("127.0.0.1", 85), ("127.0.0.1", 86)]),
        ("unix:/run/nginx.sock", []),
        ("443 quic", []),
    ],
)
def test_listen_in_every_form(listen: str, expected: list[tuple[str, int]]) -> None:
    assert [(b.address, b.port) for b in drawn(f"server {{ listen {listen}; }}").backends] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("upstream a { server h:1; server h:2 down; server h:3 backup; }", {1: "live", 2: "idle", 3: "idle"}),
        ("upstream a { server h:1 down; server h:3 backup; }", {1: "idle", 3: "live"}),
        ("upstream a { server h:1; } upstream b { server h:2; } server { location / { proxy_pass http://a/x; } }", {1: "live", 2: "idle"}),
        ("upstream a { server h:1; } server { location / { proxy_pass http://A; } }", {1: "live"}),
        ("upstream a { server h:1; } server { location / { fastcgi_pass a; } }", {1: "live"}),
        ("upstream a { server h:1; } server { location / { proxy_pass http://$http_host; } }", {1: "unknown"}),
        ("upstream a { server h:1; } upstream b { server h:2; } server { set $up b; location / { proxy_pass http://$up; } }", {1: "idle", 2: "live"}),
        ("map $cookie_x $up { default a; 1 b; } upstream a { server h:1; } upstream b { server h:2; } upstream c { server h:3; } server { location / { proxy_pass http://${up}; } }", {1: "live", 2: "live", 3: "idle"}),
        ("server { location / { proxy_pass http://10.0.0.1; } location /s { proxy_pass https://10.0.0.2/; } }", {80: "live", 443: "live"}),
        ("server { location / { proxy_pass http://unix:/run/a.sock:/x; } }", {}),
        ("upstream a { server unix:/run/a.sock; server [::1]:8080; }", {8080: "live"}),
        ("upstream a { server 127.0.0.1:1 down; } server { location / { proxy_pass http://localhost:1; } }", {1: "live"}),
    ],
)  # fmt: skip
def test_backends_are_live_or_idle(text: str, expected: dict[int, str]) -> None:
    assert states(text) == expected


def test_a_stream_proxy_sees_no_requests() -> None:
    found = drawn("stream { access_log tcp.log; upstream a { server h:1; } server { listen 5; proxy_pass a; } }")
    assert [(b.role, b.port, b.state, b.access_log) for b in found.backends] == [
        ("proxy", 5, "live", None),
        ("upstream", 1, "live", None),
    ]


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/", "/"),
        ("/login", "/"),
        ("/health", "/health"),
        ("/health/x", "/"),
        ("/a.CSS", r"\.(css|js)$"),
        ("/files/ab/x", "^/files/[a-z]{2,3}/"),
        ("/files/abcd/x", "/"),
        ("/api/x", "/api/"),
        ("/api/v1/x", r"^/api/v\d+/"),
    ],
)
def test_a_path_is_served_by_the_location_that_nginx_would_choose(path: str, pattern: str) -> None:
    server = read_nginx(texts(ADMIN)).servers[0]
    assert serves(server, path).pattern == pattern


def test_a_prefix_with_a_caret_beats_regular_expressions() -> None:
    server = drawn("server { location ^~ /static/ { } location ~ css$ { } }").servers[0]
    assert serves(server, "/static/a.css").pattern == "/static/"
    assert serves(server, "/other/a.css").pattern == "css$"


# -- the real nginx -------------------------------------------------------------------------------------------------


def real(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if NGINX is None:
        pytest.skip("needs nginx: apt-get install nginx-light")
    (folder / "logs").mkdir(exist_ok=True)
    command = [NGINX, "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr", "-g", "pid nginx.pid;", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def temporary_paths(folder: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


@pytest.mark.integration
def test_the_admin_configuration_is_one_that_nginx_itself_accepts(tmp_path: Path) -> None:
    shutil.copytree(ADMIN, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "nginx.conf"
    path.write_text(path.read_text().replace("http {", "http { " + temporary_paths(tmp_path), 1))
    answer = real(tmp_path, "-t")
    assert answer.returncode == 0, answer.stderr


@pytest.mark.integration
def test_random_texts_are_accepted_and_refused_by_the_same_rules_as_nginx(tmp_path: Path) -> None:
    """``types`` takes any words at all, so what nginx refuses there is what its tokenizer refuses."""

    @given(st.text(alphabet="ab \n\"'\\{;#$)", max_size=14))
    def check(inside: str) -> None:
        text = "events { }\nhttp { " + temporary_paths(tmp_path) + "types { x/y z; " + inside + "\n x/y z; } }\n"
        (tmp_path / "nginx.conf").write_text(text)
        answer = real(tmp_path, "-t")
        try:
            http = tokens.read(text, "nginx.conf")[1]
        except ConfigurationError:
            assert answer.returncode != 0, answer.stderr
        else:
            block = next(item for item in http.block or () if item.name == "types").block or ()
            nested = any(item.block is not None for item in block)
            assert (answer.returncode != 0) == nested, answer.stderr

    check()


@pytest.mark.integration
def test_the_words_that_are_read_are_the_words_that_nginx_answers_with(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free_port: int = taken.getsockname()[1]
    written = [
        r"a\ b",
        r'"a\"b\tc"',
        r"'\'\\x\y'",
        "a'b",
        '"{;}"',
        "x#y",
        r"\;\{\}",
        r"\\\n\r",
        "'a\nb'",
        "a}b",
        r"'\q'",
    ]
    locations = "".join(f"location = /{n} {{ return 200 {word}; }}\n" for n, word in enumerate(written))
    text = (
        f"daemon off; master_process off; events {{ }} http {{ {temporary_paths(tmp_path)} access_log off;"
        f" server {{ listen 127.0.0.1:{free_port}; {locations} }} }}"
    )
    (tmp_path / "nginx.conf").write_text(text)
    answer = real(tmp_path, "-t")
    assert answer.returncode == 0, answer.stderr
    assert NGINX is not None
    command = [NGINX, "-p", f"{tmp_path}/", "-c", "nginx.conf", "-e", "stderr", "-g", "pid nginx.pid;"]
    server = drawn(text).servers[0]
    block = tokens.read(text, "nginx.conf")[3].block or ()
    returns = [
        item.arguments[1]
        for outer in block
        if outer.name == "server"
        for location in outer.block or ()
        for item in location.block or ()
    ]
    assert len(server.root.nested) == len(written) == len(returns)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            for number, expected in enumerate(returns):
                assert body(free_port, f"/{number}") == expected
        finally:
            process.terminate()


def body(port: int, path: str) -> str:
    for _ in range(200):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except ConnectionRefusedError:
            time.sleep(0.05)
        finally:
            connection.close()
    pytest.fail("nginx did not start")
