"""Secrets never pass the masking of addresses."""

from __future__ import annotations

import ast
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

import necropsy
from necropsy._internal.masking import masked, masked_address

SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).map(lambda text: f"hunter{text}2")


@given(st.sampled_from(["postgres", "redis", "rediss", "clickhouse", "trino"]), SECRETS)
def test_no_password_of_a_server_is_shown_whatever_its_characters(scheme: str, secret: str) -> None:
    assert masked_address(f"{scheme}://me:{secret}@db.example:1/logs") == f"{scheme}://db.example:1/logs"


@given(SECRETS)
def test_no_percent_encoded_password_of_a_web_address_is_shown(secret: str) -> None:
    address = f"https://me:{quote(secret, safe='')}@consul.example:8500/v1/@me?dc=1"
    assert masked_address(address) == "https://consul.example:8500/v1/@me?dc=1"
    assert masked(f"GET {address} failed") == "GET https://consul.example:8500/v1/@me?dc=1 failed"


@given(st.sampled_from(["token", "api_key", "X-Auth", "sslpassword", "JSESSIONID"]), st.text("abc123%._-", min_size=1))
def test_values_of_parameters_that_are_secrets_by_their_name_are_hidden(name: str, value: str) -> None:
    for show in (masked, masked_address):
        assert show(f"https://a.example/x?b=1&{name}={value}") == f"https://a.example/x?b=1&{name}=***"


def test_a_password_with_at_signs_is_hidden_as_a_whole_in_a_text() -> None:
    assert masked("from http://me:p@ss@a.example/ on") == "from http://a.example/ on"


def test_a_password_that_looks_like_a_placeholder_only_at_first_is_hidden() -> None:
    assert masked("redis://USER:hunter2@a") == "redis://a"
    assert masked("redis://a?password_file=FILEhunter2") == "redis://a?password_file=***"
    assert masked("http://a?password=FILE") == "http://a?password=***"


@pytest.mark.checkout
def test_no_sentence_of_ours_loses_its_point_by_masking() -> None:
    """A hint that names a parameter or a user in an address is printed through the mask as well."""
    lost = []
    for path in sorted(Path(necropsy.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            is_sentence = isinstance(text, str) and text[:1].isupper() and text.endswith(".")
            if is_sentence and "\n" not in text and "``" not in text and masked(text) != text:
                lost.append(f"{path.name}:{node.lineno}: {text} -> {masked(text)}")
    assert not lost
