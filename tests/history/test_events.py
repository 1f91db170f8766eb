from necropsy.history.change_points import ChangePoint
from necropsy.history.events import Event, event_of

CHANGE = ChangePoint(10_000.0, 9_940.0, 10_060.0, 5.0, 1_440.0)


def event(at_s: float, kind: str = "given", store: str | None = None) -> Event:
    return Event(at_s, kind, f"{kind} at {at_s:g}", "test", store)


def test_an_event_within_the_interval_stands_at_the_change() -> None:
    assert event_of(CHANGE, [event(10_050.0)], "A") == event(10_050.0)


def test_a_rollout_takes_a_quarter_of_an_hour_at_most() -> None:
    assert event_of(CHANGE, [event(9_940.0 - 800)], "A") is not None
    assert event_of(CHANGE, [event(9_940.0 - 1_000)], "A") is None


def test_what_came_after_the_change_is_not_named() -> None:
    assert event_of(CHANGE, [event(10_100.0)], "A") is None


def test_an_event_of_another_store_is_not_named() -> None:
    assert event_of(CHANGE, [event(10_000.0, store="B")], "A") is None
    assert event_of(CHANGE, [event(10_000.0, store="A")], "A") is not None


def test_what_somebody_did_comes_before_what_was_seen_of_it() -> None:
    events = [event(10_000.0, "target-appeared"), event(9_900.0, "commit")]

    assert event_of(CHANGE, events, "A") == events[1]
