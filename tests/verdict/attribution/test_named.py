from __future__ import annotations

import numpy as np
import pytest

from necropsy.verdict.attribution import named
from verdict.scenes import births, creator, visitors


@pytest.mark.parametrize("at_once", [1, 7, 1 << 17])
@pytest.mark.parametrize("creators", [0, 1, 40])
def test_births_are_put_together_by_creator_whatever_the_size_of_a_part(
    at_once: int, creators: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named, "AT_ONCE", at_once)
    who = np.random.default_rng(4).integers(-1, creators, 1_000).astype(np.int32)
    store = births(
        np.arange(1_000), creator=who, creators=tuple(creator(f"prober/{n}", "shop:80") for n in range(creators))
    )
    each = named._by_creator(store)
    assert [part.tolist() for part in each] == [np.flatnonzero(who == number).tolist() for number in range(creators)]


def test_browsers_are_not_believed_by_their_name() -> None:
    names = (creator("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/66.0", "shop"), creator("curl/8", "shop"))
    store = births(np.arange(10) * 1000, creator=np.asarray([0] * 4 + [1] * 5 + [-1]), creators=names)
    sources, free = named.named(store)
    assert [source.births.tolist() for source in sources] == [[4, 5, 6, 7, 8]]
    assert np.flatnonzero(free).tolist() == [0, 1, 2, 3, 9]
    assert np.flatnonzero(named.names_browser(store)).tolist() == [0, 1, 2, 3]


def test_a_program_of_many_pages_is_looked_for_at_all_of_them() -> None:
    pages = ["/", *(f"/news/{n}" for n in range(30)), *(f"/products/{n}" for n in range(30))]
    names = tuple(creator("SemrushBot/7", "shop", path=path) for path in pages)
    store = births(np.arange(61) * 1000, creator=np.arange(61), creators=names)
    (source,), _ = named.named(store)
    shown = [
        visitors(number, "shop", 0.0, path=path, agent=agent)
        for number, (path, agent) in enumerate(
            [("/", "SemrushBot/7"), ("/news/*", "SemrushBot/7"), ("/health", "SemrushBot/7"), ("/news/*", "curl/8")]
        )
    ]
    assert named.rows_of(source, store.creators, shown) == [0, 1]


def test_a_session_of_the_page_that_a_visit_is_redirected_to_is_of_that_visit() -> None:
    root = visitors(0, "shop", 0.0, agent="curl/8")
    names = (creator("curl/8", "shop", path="/login"), creator("curl/8", "shop", path="/cart"))
    assert root.followed_to == "/login"
    assert [named.rows_named(one, [root]) for one in names] == [[0], []]


def test_a_log_without_ports_shows_what_a_session_names_with_one() -> None:
    shown = [visitors(0, "10.2.112.17", 0.0, agent="kube-probe/1.21"), visitors(1, "10.2.112.19", 0.0)]
    pod = creator("kube-probe/1.21", "10.2.112.17:8080")
    assert named.rows_named(pod, shown) == [0]
    # Where a session names the host as the log does, the log's line is rather that one's.
    by_proxy = creator("kube-probe/1.21", "10.2.112.17")
    assert named.rows_named(pod, shown, frozenset({pod.host, by_proxy.host})) == []
    assert named.rows_named(by_proxy, shown, frozenset({pod.host, by_proxy.host})) == [0]
    # A log that has ports says which.
    assert named.rows_named(pod, [visitors(0, "10.2.112.17:8081", 0.0, agent="kube-probe/1.21")]) == []
