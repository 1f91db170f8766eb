from datetime import UTC, datetime, timedelta

from necropsy.model.history import PastEvent, RateChange, StoreHistory
from necropsy.report.wording.over_time import changes, sentence, too_short

AT = datetime(2026, 11, 26, 23, 40, tzinfo=UTC)
HALF = timedelta(seconds=30)


class OnlyEvents:
    def __init__(self, *events: PastEvent) -> None:
        self.events = events


def said(event: PastEvent | None, births_of: str = "sessions") -> str:
    change = RateChange(AT, AT - HALF, AT + HALF, 20.0, 1_440.0, event.text if event else "")
    history = StoreHistory("A", "http://prometheus:9090", AT, AT, births_of, (), (change,))
    return sentence(change, history, OnlyEvents(*[event] if event else []))  # type: ignore[arg-type]


def test_a_change_says_when_how_surely_and_from_what_to_what() -> None:
    assert said(None) == (
        "2026-11-26 23:40 UTC (± 30 s): from 20 to 1,440 new sessions an hour (http://prometheus:9090)"
    )


def test_keys_are_not_called_sessions() -> None:
    assert "new keys an hour" in said(None, "keys")


def test_the_event_beside_it_is_a_coincidence_in_time() -> None:
    event = PastEvent(AT - timedelta(minutes=4), "given", "version 14", "--event")

    assert "; 4 minutes after version 14 (" in said(event)
    assert "; at the same time: version 14 (" in said(PastEvent(AT, "given", "version 14", "--event"))


def lasting(days: float) -> StoreHistory:
    change = RateChange(AT, AT - HALF, AT + HALF, 20.0, 1_440.0)
    return StoreHistory("A", "a source", AT - timedelta(days=days), AT, "sessions", (), (change,))


def test_a_history_shorter_than_two_weeks_says_that_a_change_may_be_a_monday() -> None:
    assert "of 9 days: a Monday or a weekend" in too_short(lasting(9))
    assert too_short(lasting(14)) == ""
    report = OnlyEvents()
    report.histories = (lasting(9), lasting(30))  # type: ignore[attr-defined]
    assert len(changes(report)) == 3  # type: ignore[arg-type]


def test_one_of_less_than_three_days_says_that_it_may_be_a_morning() -> None:
    assert "a morning, a Monday or a weekend" in too_short(lasting(0.5))
    assert "a morning" not in too_short(lasting(4))
