"""Two lists of the same things agree: where one cannot be made of the other, what is added to one fails here."""

from __future__ import annotations

import re

import pytest

from necropsy.evidence.access_log.formats.json import json_keys, json_names
from necropsy.evidence.access_log.formats.layout import FIELDS
from necropsy.evidence.app_log.line_patterns import CALM, LEVELS
from necropsy.examine.interface import EVIDENCE
from necropsy.examine.registry import SLUGS
from necropsy.guard.prober import module_file
from necropsy.guard.prober.signs import leads_to_login
from necropsy.guard.rules import CREATORS
from necropsy.model import keyspace
from necropsy.model.traffic import LIKELIHOODS, REDIRECTS
from necropsy.probes.discovery.dns_zone import _TYPES as DNS_TYPES
from necropsy.probes.discovery.mechanisms import FINDERS
from necropsy.probes.probers.registry import BY_KIND
from necropsy.probes.prometheus.blackbox import modules
from necropsy.probes.prometheus.blackbox.redirects import _CHANGE_METHOD, _KEEP_METHOD
from necropsy.probes.prometheus.blackbox.validity import PROBERS
from necropsy.probes.prometheus.configuration_fields import DISCOVERIES, LATER_DISCOVERIES
from necropsy.probes.prometheus.validity import discoveries
from necropsy.probes.session_risk import is_page
from necropsy.report.commands import keys, traffic
from necropsy.traffic import judgement
from necropsy.verdict.order import PLACES, CauseKind

_CHECKED = set(discoveries.CHECKS) | discoveries._NO_CLIENT


def test_every_prober_that_is_read_counts_as_evidence_of_probes() -> None:
    assert set(EVIDENCE["probe"][0]) == {"prometheus", "consul", *BY_KIND}


def test_the_order_of_causes_names_findings_that_there_are() -> None:
    named = {*PLACES, *(slug for place in PLACES.values() for slug in place.explains)}
    assert named <= set(SLUGS)


def test_the_guard_pages_for_every_cause_that_creates_sessions() -> None:
    assert set(CREATORS) == {slug for slug, place in PLACES.items() if place.group is CauseKind.CREATES}


def test_kinds_of_discovery_that_are_checked_or_simulated_are_kinds_of_prometheus() -> None:
    known = {*DISCOVERIES, *LATER_DISCOVERIES}
    assert _CHECKED - known == set()
    assert {kind for kind, _ in FINDERS} - known == set()


def test_types_of_names_that_prometheus_takes_are_looked_up() -> None:
    assert set(DNS_TYPES) == {"SRV", "A", "AAAA", "MX", "NS"}


def test_every_prober_of_the_exporter_is_known_to_send_requests_or_not() -> None:
    assert {"http", "websocket", *modules.HARMLESS} == set(PROBERS) == {"http", *module_file.OTHER_PROBERS}


def test_what_the_guards_prober_serves_is_a_setting_of_the_exporter() -> None:
    assert set(module_file._FIELDS) - modules._HTTP == set()


def test_statuses_that_lead_on_are_the_same_everywhere() -> None:
    assert {*_CHANGE_METHOD, *_KEEP_METHOD} == judgement._PERMANENT | judgement._TEMPORARY == set(REDIRECTS)


def test_every_field_of_json_has_names_and_a_shape_and_is_one_of_a_layout() -> None:
    assert set(json_names.NAMES) == set(json_keys._SHAPES)
    assert set(json_names.NAMES) <= set(FIELDS)


@pytest.mark.parametrize("classes", [keyspace.TTL_CLASSES, keyspace.IDLE_CLASSES, keyspace.SIZE_CLASSES])
def test_every_class_of_keys_has_its_words(classes: tuple[str, ...]) -> None:
    assert all(keys._worded(label) for label in classes)


def test_every_likelihood_has_a_colour_or_none() -> None:
    assert set(traffic._STYLES) == set(LIKELIHOODS)


def test_a_login_is_a_page_for_people_in_lint_and_in_traffic() -> None:
    for path in ("/login", "/log_in", "/sign-in", "/sso", "/saml2", "/oauth2", "/j_security_check", "/users/sign_in"):
        assert is_page(path), path
        assert judgement._LOGIN.search(path), path
        assert leads_to_login(path), path


def test_a_word_that_ends_as_a_login_does_is_none_in_lint_and_in_traffic() -> None:
    for path in ("/product/blog-in", "/design-in", "/catalog_in/3", "/loginov", "/cases", "/author", "/signing"):
        assert not is_page(path), path
        assert not judgement._LOGIN.search(path), path
        assert not leads_to_login(path), path
    for path in ("/userlogin", "/admin-log-in", "/b2b_sign_on", "/sign-on", "/weblogin.do", "/shop/customer-signin"):
        assert judgement._LOGIN.search(path), path
        assert leads_to_login(path), path


def test_a_calm_level_is_a_level() -> None:
    calm = re.findall(r"\b[A-Z]{4,}\b", CALM.replace("FINER?", "FINE|FINER"))
    assert set(calm) - LEVELS == set()
