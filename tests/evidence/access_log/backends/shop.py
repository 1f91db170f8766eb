"""Logs that have in them what engines and partitions could differ in."""

from __future__ import annotations

import json
import random

AGENTS = [f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{60 + i} Safari/537.36" for i in range(20)]
NAMES = [a + b for a in "abcdefghijkl" for b in "abcdefghijkl"]


def shop_lines() -> list[bytes]:
    """Two hours of a shop: people, probers that are redirected, a crawler, names in paths, and lines of all kinds of damage."""
    rng = random.Random(4)
    moments: list[tuple[float, str]] = []

    def add(
        at: float, client: str, agent: str, path: str, status: int, referer: str = "-", host: str = "shop.example"
    ) -> None:
        moments.append((at, json.dumps({"ts": round(1714557600 + at, 3), "remote_addr": client, "host": host, "request": f"GET {path} HTTP/1.1",
            "status": status, "http_referer": referer, "http_user_agent": agent,
            "size": 0 if path == "/healthz" or (path == "/help/faq.html" and int(at) % 2) else 512})))  # fmt: skip

    for tick in range(720):
        for phase, host in ((2.25, "10.1.1.1:80"), (2.75, "10.1.1.2:80"), (7.5, "10.1.1.1:8080")):
            add(tick * 10 + phase, "", "Go-http-client/1.1", "/", 302, host=host)
            if host.endswith(":80"):
                add(
                    tick * 10 + phase + 0.01,
                    "",
                    "Go-http-client/1.1",
                    "/login",
                    200,
                    f"http://{host}",
                    host.removesuffix(":80"),
                )
        add(tick * 10 + 0.5, "10.0.0.9", "kube-probe/1.29", "/healthz", 200)
    for person in range(400):
        client, agent = f"10.2.{person % 40}.{person % 7}", rng.choice(AGENTS)
        at = rng.random() * 7000
        for _ in range(rng.randrange(1, 9)):
            at += rng.random() * 20
            path = rng.choice(
                [
                    "/",
                    f"/product/{rng.randrange(500)}",
                    f"/users/{rng.choice(NAMES)}/profile",
                    "/search?q=x",
                    "/help/faq.html",
                ]
            )
            add(at, client, agent, path, rng.choice([200, 200, 200, 404]), "https://shop.example/")
            if rng.random() < 0.2:
                add(at, client, agent, "/account", 302, "https://shop.example/")
                add(at + 0.3, client, agent, "/login", 200)
    lines = [line.encode() for _, line in sorted(moments)]
    for damage in (
        b"\xff\xfe\x00 binary",
        b"",
        b'{"ts": cut',
        b"\x1b[31mred\x1b[0m",
        lines[7].replace(b"Chrome", b"Chr\\u00f6me"),
        b"x" * 3000,
    ):
        for _ in range(5):
            lines.insert(rng.randrange(len(lines)), damage)
    return lines


def cookie_lines() -> list[str]:
    """A log that tells of cookies: one client drops them, people bring them back."""
    form = '{client} [{at}] "GET /page HTTP/1.1" 200 "{cookie}" "{given}" "{agent}"'
    return [
        form.format(
            client=f"10.3.0.{number % 5}", at=f"01/May/2024:10:{number // 60 % 60:02}:{number % 60:02} +0000",
            cookie="-" if number % 5 == 0 or number < 5 else "SESSION=abc", given="SESSION=new; Path=/" if number % 5 == 0 or number < 5 else "-",
            agent=f"agent/{number % 5}",
        )
        for number in range(600)
    ]  # fmt: skip


COOKIE_FORMAT = (
    '$remote_addr [$time_local] "$request" $status "$http_cookie" "$sent_http_set_cookie" "$http_user_agent"'
)
