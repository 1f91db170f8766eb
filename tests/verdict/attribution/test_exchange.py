from __future__ import annotations

import numpy as np

from necropsy.verdict.attribution.exchange import Offer, Ownership, find_room


def _offer(train: int, group: int, rank: int = 1) -> Offer:
    return Offer(train, group, 1.0, 1.0, 1.0, rank)


def _own(offer: Offer, used: np.ndarray) -> Ownership | None:
    """Each group has one visit, which makes one birth."""
    mine = np.asarray([offer.group])
    return None if used[offer.group] else Ownership(offer.train, offer.group, mine, np.asarray([offer.train]))


def _settled(offers: dict[int, list[Offer]], found: dict[int, Ownership], train: int) -> dict[int, int]:
    used = np.zeros(10, np.int8)
    for own in found.values():
        used[own.visits] = True
    assert find_room(train, offers, found, used, _own) is (train in found)
    assert np.flatnonzero(used).tolist() == sorted(own.group for own in found.values())
    return {number: own.group for number, own in found.items()}


def _held(*pairs: tuple[int, int]) -> dict[int, Ownership]:
    return {train: Ownership(train, group, np.asarray([group]), np.asarray([train])) for train, group in pairs}


def test_a_train_takes_a_group_that_is_free() -> None:
    assert _settled({0: [_offer(0, 4)]}, {}, 0) == {0: 4}


def test_a_chain_of_exchanges_gives_every_train_an_owner() -> None:
    offers = {0: [_offer(0, 1), _offer(0, 2)], 1: [_offer(1, 2), _offer(1, 3)], 2: [_offer(2, 1)]}
    assert _settled(offers, _held((0, 1), (1, 2)), 2) == {0: 2, 1: 3, 2: 1}


def test_where_no_chain_ends_nothing_is_moved() -> None:
    offers = {0: [_offer(0, 1), _offer(0, 2)], 1: [_offer(1, 2)], 2: [_offer(2, 1)]}
    assert _settled(offers, _held((0, 1), (1, 2)), 2) == {0: 1, 1: 2}


def test_no_train_is_moved_to_a_health_endpoint() -> None:
    offers = {0: [_offer(0, 1), _offer(0, 2, rank=0)], 2: [_offer(2, 1)]}
    assert _settled(offers, _held((0, 1)), 2) == {0: 1}
