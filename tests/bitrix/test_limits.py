"""The portal's limits as arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bitrix.limits import BURST, HEADROOM, Bucket, Operating
from app.model import Lane

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def sent_at_once(lane: Lane) -> int:
    bucket, sent = Bucket(NOW), 0
    while not bucket.wait(lane, NOW):
        bucket, sent = bucket.taken(NOW), sent + 1
    return sent


def test_urgent_lane_has_room_when_the_others_wait() -> None:
    counts = [sent_at_once(lane) for lane in (Lane.BACKFILL, Lane.SWEEP, Lane.LIVE, Lane.URGENT)]
    assert counts == sorted(counts)
    assert counts[-1] < BURST
    assert counts[-1] - counts[-2] >= 5


@given(st.lists(st.tuples(st.sampled_from(list(Lane)), st.floats(0, 20)), min_size=1, max_size=300))
def test_portal_never_refuses_a_request_that_waited(requests: list[tuple[Lane, float]]) -> None:
    """The portal lowers its level once a second, later than we reckon."""
    ours, level, seen_at, now = Bucket(NOW), 0.0, NOW, NOW
    for lane, pause in requests:
        now += timedelta(seconds=pause)
        now += ours.wait(lane, now) + timedelta(microseconds=1)
        whole = (now - seen_at) // SECOND
        level, seen_at = max(0.0, level - 2 * whole), seen_at + whole * SECOND
        ours, level = ours.taken(now), level + 1
        assert level <= BURST


def test_full_bucket_drains_by_two_a_second() -> None:
    bucket = Bucket(NOW).full(NOW)
    assert bucket.level_at(NOW + 10 * SECOND) == BURST - 20
    assert bucket.wait(Lane.URGENT, NOW) > timedelta(0)


def test_head_room_is_a_share_for_every_lane() -> None:
    assert set(HEADROOM) == set(Lane)


def told(operating: float, duration: float = 0.5) -> dict[str, float]:
    return {"operating": operating, "duration": duration}


def test_method_rests_before_its_allowance_is_used() -> None:
    operating = Operating().noted("crm.item.update", told(350), NOW)
    assert operating.rests_until("CRM.item.update", 10, NOW) is None
    rests_until = operating.rests_until("crm.item.update", 50, NOW)
    assert rests_until is not None
    assert rests_until > NOW + timedelta(minutes=10)


def test_other_methods_go_on() -> None:
    operating = Operating().noted("crm.item.update", told(470), NOW)
    assert operating.rests_until("crm.item.list", 50, NOW) is None


def test_method_wakes_when_its_oldest_minutes_leave() -> None:
    operating = Operating().noted("a", told(200), NOW).noted("a", told(360), NOW + timedelta(minutes=5))
    rests_until = operating.rests_until("a", 20, NOW + timedelta(minutes=5))
    assert rests_until is not None
    assert rests_until < NOW + timedelta(minutes=12)
    assert operating.rests_until("a", 20, rests_until) is None


def test_portals_word_is_believed_when_work_has_left() -> None:
    operating = Operating().noted("a", told(300), NOW).noted("a", told(30), NOW + timedelta(minutes=9))
    assert operating.rests_until("a", 100, NOW + timedelta(minutes=9)) is None


def test_commands_of_a_batch_are_added_up_by_their_length() -> None:
    operating = Operating()
    for _ in range(720):
        operating = operating.noted("a", {"duration": 0.5}, NOW, limited=True)
    assert operating.rests_until("a", 1, NOW) is not None


@pytest.mark.parametrize("time", [{}, {"duration": 0.05}, {"duration": "x"}, {"operating": None}])
def test_portal_without_limits_never_rests(time: dict[str, object]) -> None:
    operating = Operating()
    for _ in range(2000):
        operating = operating.noted("a", time, NOW)
    assert operating.rests_until("a", 50, NOW) is None


def test_blocked_method_rests_as_long_as_the_portal_says() -> None:
    until = NOW + timedelta(minutes=3)
    operating = Operating().resting("a", until)
    assert operating.rests_until("a", 1, NOW) == until
    assert operating.rests_until("a", 1, until) is None
