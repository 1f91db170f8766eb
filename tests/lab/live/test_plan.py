"""What a lab consists of."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from necropsy.lab.live import addresses, plan
from necropsy.lab.live.plan import LabOptions
from necropsy.model.errors import NecropsyError, UsageError


def test_a_day_is_scaled_and_what_is_immortal_is_not(tmp_path: Path) -> None:
    drawn = plan.draw(tmp_path, LabOptions(speed=60, interval_s=2))
    assert [admin.lifetime_s for admin in drawn.admins] == [1440, 2_147_483_647]
    assert drawn.interval_s == 2
    assert plan.draw(tmp_path, LabOptions(speed=10)).interval_s == 1
    assert plan.draw(tmp_path, LabOptions(speed=60)).interval_s == plan.LEAST_INTERVAL_S


def test_it_is_read_as_it_was_kept(tmp_path: Path) -> None:
    drawn = plan.draw(tmp_path, LabOptions(speed=30, without=("consul",)))
    plan.keep(drawn)
    assert plan.read(tmp_path) == drawn


def test_no_two_things_listen_at_one_place_and_two_labs_share_none(tmp_path: Path) -> None:
    one, other = (plan.draw(tmp_path / name, LabOptions()) for name in ("one", "other"))
    assert one.id != other.id
    taken = [set(_places(lab)) for lab in (one, other)]
    assert len(taken[0]) == len(list(_places(one)))
    assert not taken[0] & taken[1]


def test_on_one_address_alone_every_port_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "network", lambda: "127.0.0")  # as on a Mac
    places = list(_places(plan.draw(tmp_path, LabOptions())))
    assert {place.host for place in places} == {"127.0.0.1"}
    assert len(set(places)) == len(places)


def test_a_port_that_is_taken_is_not_handed_out() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        assert addresses.Ports().take("127.0.0.1", taken) != taken


def test_beside_the_last_port_another_is_found() -> None:
    ports = addresses.Ports()
    assert ports.take("127.0.0.1", 65_535) != ports.take("127.0.0.1", 65_535)


def test_a_prober_that_no_machine_could_serve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"every 0\.1 s") as refused:
        plan.draw(tmp_path, LabOptions(interval_s=0.1))
    assert "--interval" in refused.value.hint


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id": 1}'], ids=["empty", "list", "nothing", "other"])
def test_a_file_that_is_no_plan_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    (tmp_path / plan.FILE).write_text(text)
    with pytest.raises(NecropsyError, match="not the file of a lab"):
        plan.read(tmp_path)


def _places(drawn: plan.LabPlan) -> list[plan.ListeningAddress]:
    machines = [place for m in drawn.machines for place in (m.proxy, m.blue, m.green)]
    return [*(admin.redis for admin in drawn.admins), *machines, *(place for _, place in drawn.places)]
