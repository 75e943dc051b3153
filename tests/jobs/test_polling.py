"""A service to which no event can be posted: as good, nearly as fast, and cheap."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app import serving
from app.demo.story import DAY, example_tickets
from app.jobs import reconcile as sweep
from app.jobs.reconcile import next_poll_at, poll, poll_pace
from benchmarks import polling
from benchmarks.ground import Town, town

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.portals("cloud-std", reason="a self-hosted portal has no limits"),
]

MORNING = (DAY + timedelta(hours=9, minutes=27), DAY + timedelta(hours=10, minutes=1))
LIVES = ("D028", "D057", "D030", "D044", "D003")  # of this morning: a mail, calls, a form, a messenger


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path, events=False) as made:
        yield made


async def test_day_without_events_ends_like_the_day_with_them() -> None:
    """Half an hour twice, with seventy sweeps in it: it takes some seconds."""
    flow = [ticket for ticket in example_tickets() if ticket["id"] in LIVES]
    heard, polled = [
        await polling.played(events=events, flow=flow, sessions=4, span=MORNING) for events in (True, False)
    ]
    late = polling.latencies(heard, polled)
    assert polling.differences(heard, polled) == []
    assert len(late) >= 10
    assert late[int(len(late) * 0.95)] < timedelta(minutes=1)
    assert polling.share_of_day(polled, MORNING[1] - MORNING[0]) < 0.1
    assert polling.share_of_window(polled) < 0.1
    assert polled.refused == 0


async def test_service_without_events_polls(place: Town) -> None:
    assert poll_pace(place.desk) == sweep.POLL


async def test_service_with_events_does_not(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        assert poll_pace(place.desk) is None


@pytest.mark.parametrize("events", [True, False])
async def test_polling_takes_the_place_of_the_sweep_and_of_listening(tmp_path: Path, events: bool) -> None:
    async with town(tmp_path, events=events) as place:
        duties = {name for name, _, _ in serving._duties(place.desk)}
    assert ("poll" in duties, "reconcile" in duties, "listen" in duties) == (not events, events, events)


async def test_quiet_poll_is_one_request(place: Town) -> None:
    await poll(place.desk)
    place.clock.leap(timedelta(minutes=10))
    before = place.portal.requests
    await poll(place.desk)
    assert place.portal.requests - before == 1


async def test_poll_waits_for_its_pace(place: Town) -> None:
    await poll(place.desk)
    assert next_poll_at(place.desk) == place.desk.polled[0] + sweep.POLL  # type: ignore[index]
    before = place.portal.requests
    await poll(place.desk)
    assert place.portal.requests == before


async def test_poll_that_found_much_is_paid_for_before_the_next(place: Town) -> None:
    await poll(place.desk)
    for _ in range(30):
        await place.desk.working_portal.people()
    assert place.desk.polled
    pause = next_poll_at(place.desk) - place.desk.polled[0]
    requests = place.desk.working_portal.traffic.requests - place.desk.polled[1]
    assert requests / pause.total_seconds() <= 0.1 * 2


async def test_portal_without_limits_is_polled_at_the_pace_alone(tmp_path: Path) -> None:
    async with town(tmp_path, events=False) as place:
        budget = place.desk.working_portal.budget
        for _ in range(3):
            budget.answered("m", {"duration": 0.1}, place.clock.now())
        await poll(place.desk)
        budget_less = next_poll_at(place.desk)
        assert place.desk.polled
        assert budget_less >= place.desk.polled[0] + sweep.POLL
