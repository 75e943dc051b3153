"""The portal's limits as arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bitrix.limits import (
    CALM,
    ENTERPRISE,
    HEADROOM,
    LEAST_SHARE,
    RECOVERY,
    SHARE,
    STANDARD,
    UNLIMITED,
    Bucket,
    Guess,
    Operating,
    Share,
    Tariff,
    tariff_of,
)
from app.model import Lane

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WHOLE = Share(1.0)

shares = st.floats(LEAST_SHARE, 1)
arrivals = st.lists(st.tuples(st.sampled_from(list(Lane)), st.floats(0, 20)), min_size=1, max_size=300)


def sent_at_once(lane: Lane, bucket: Bucket) -> int:
    sent = 0
    while not bucket.wait(lane, NOW):
        bucket, sent = bucket.taken(NOW), sent + 1
    return sent


def test_urgent_lane_has_room_when_the_others_wait() -> None:
    lanes = (Lane.BACKFILL, Lane.SWEEP, Lane.LIVE, Lane.URGENT)
    counts = [sent_at_once(lane, Bucket(NOW)) for lane in lanes]
    assert counts == sorted(counts)
    assert counts[-1] <= STANDARD.burst * SHARE
    assert counts[-1] - counts[-2] >= 5


def moments(bucket: Bucket, requests: list[tuple[Lane, float]]) -> list[datetime]:
    """When each request goes that waits as it is told."""
    now, sent = NOW, []
    for lane, pause in requests:
        now += timedelta(seconds=pause)
        while wait := bucket.wait(lane, now):
            now += wait + timedelta(microseconds=1)
        bucket = bucket.taken(now)
        sent.append(now)
    return sent


@given(arrivals, st.sampled_from([STANDARD, ENTERPRISE]), shares)
def test_no_window_holds_more_than_our_share_of_burst_and_drain(
    requests: list[tuple[Lane, float]], tariff: Tariff, share: float
) -> None:
    sent = moments(Bucket(NOW, tariff=tariff, share=Share(share)), requests)
    for first in range(0, len(sent), 7):
        for last in range(first, len(sent), 5):
            seconds = (sent[last] - sent[first]).total_seconds()
            most = share * (tariff.burst + tariff.drain * seconds)
            assert last - first + 1 <= max(most, 1) + 0.01


@given(arrivals, st.sampled_from([STANDARD, ENTERPRISE]))
def test_portal_never_refuses_a_request_that_waited(
    requests: list[tuple[Lane, float]], tariff: Tariff
) -> None:
    """Even alone on the address: the portal lowers its level once a second, later than we reckon."""
    level, seen_at = 0.0, NOW
    for now in moments(Bucket(NOW, tariff=tariff, share=WHOLE), requests):
        whole = (now - seen_at) // SECOND
        level, seen_at = max(0.0, level - tariff.drain * whole), seen_at + whole * SECOND
        level += 1
        assert level <= tariff.burst


def test_full_bucket_drains_at_our_share_of_two_a_second() -> None:
    bucket = Bucket(NOW, share=WHOLE, level=50)
    assert bucket.level_at(NOW + 10 * SECOND) == STANDARD.burst - 20
    assert bucket.wait(Lane.URGENT, NOW) > timedelta(0)


def test_head_room_is_a_share_for_every_lane() -> None:
    assert set(HEADROOM) == set(Lane)


def test_smallest_share_still_lets_every_lane_go() -> None:
    assert all(sent_at_once(lane, Bucket(NOW, share=Share(LEAST_SHARE))) for lane in Lane)


def test_portal_without_a_bucket_is_never_waited_for() -> None:
    bucket = Bucket(NOW, tariff=UNLIMITED)
    for _ in range(1000):
        bucket = bucket.taken(NOW)
    assert not bucket.wait(Lane.BACKFILL, NOW)


# --- others on our address ---------------------------------------------------------------


def test_refusal_halves_our_share_and_it_recovers_slowly() -> None:
    share = Share(0.8).lowered(NOW)
    later = [share.at(NOW + part * RECOVERY) for part in (0, 0.1, 0.25, 1)]
    assert later[0] == pytest.approx(0.4)
    assert later == sorted(later)
    assert later[1] < 0.5
    assert later[-1] == pytest.approx(0.8)


def test_refusals_of_one_crowd_count_once() -> None:
    once = Share().lowered(NOW)
    assert once.lowered(NOW + CALM / 2) == once
    assert once.lowered(NOW + CALM).at(NOW + CALM) < once.at(NOW + CALM)


def test_share_is_never_lowered_to_nothing() -> None:
    share = Share()
    for number in range(50):
        share = share.lowered(NOW + number * CALM)
    assert share.at(NOW + 50 * CALM) >= LEAST_SHARE


def test_refusal_is_waited_out() -> None:
    assert Bucket(NOW).full(NOW).wait(Lane.URGENT, NOW) > timedelta(0)


def test_portal_that_was_thought_to_have_no_bucket_has_one_after_its_refusal() -> None:
    assert Bucket(NOW, tariff=UNLIMITED).full(NOW).tariff == STANDARD


@given(arrivals, arrivals, st.floats(0.1, 0.9))
def test_lender_and_borrower_together_keep_the_lenders_share(
    before: list[tuple[Lane, float]], after: list[tuple[Lane, float]], part: float
) -> None:
    bucket = Bucket(NOW)
    for lane, _ in before:
        if not bucket.wait(lane, NOW):
            bucket = bucket.taken(NOW)
    until = NOW + timedelta(days=1)
    lender, borrower = bucket.lending(part, until, NOW), bucket.borrowed(part, NOW)
    sent = [*moments(lender, after), *moments(borrower, after)]
    for seconds in (0, 5, 60):
        told = sum(at <= NOW + seconds * SECOND for at in sent)
        allowed = SHARE * (STANDARD.burst + STANDARD.drain * seconds) - bucket.level + part * bucket.level
        assert told <= allowed + 2 * LEAST_SHARE * STANDARD.burst


# --- which tariff ------------------------------------------------------------------------


def test_portal_whose_answers_tell_no_operating_has_no_bucket() -> None:
    guess = Guess()
    for _ in range(3):
        assert guess.tariff == STANDARD
        guess = guess.heard({"duration": 0.1})
    assert guess.tariff == UNLIMITED


@pytest.mark.parametrize("time", [{"operating": 0, "duration": 0.1}, {"operating": 0.7}])
def test_one_word_of_operating_is_a_cloud(time: dict[str, float]) -> None:
    assert Guess(10).heard(time).tariff == STANDARD


def test_answer_without_figures_says_nothing() -> None:
    assert Guess(2).heard({}).tariff == STANDARD


@pytest.mark.parametrize(
    ("licence", "tariff"),
    [
        ({"LICENSE": "de_ent10000", "LICENSE_FAMILY": "ent"}, ENTERPRISE),
        ({"LICENSE": "ru_ent250"}, ENTERPRISE),
        ({"LICENSE": "ru_team", "LICENSE_FAMILY": "team"}, STANDARD),
        ({}, None),
    ],
)
def test_applications_licence_tells_the_tariff(licence: dict[str, str], tariff: Tariff | None) -> None:
    assert tariff_of(licence) == tariff


# --- working time ------------------------------------------------------------------------


def told(operating: float, duration: float = 0.5) -> dict[str, float]:
    return {"operating": operating, "duration": duration}


def test_method_rests_before_its_allowance_is_used() -> None:
    operating = Operating().noted("crm.item.update", told(350), NOW)
    assert operating.rests_until("CRM.item.update", 10, NOW) is None
    rests_until = operating.rests_until("crm.item.update", 50, NOW)
    assert rests_until is not None
    assert rests_until > NOW + timedelta(minutes=10)


def test_first_lane_may_still_use_what_mass_work_must_leave() -> None:
    operating = Operating().noted("crm.item.update", told(365), NOW)
    assert operating.rests_until("crm.item.update", 1, NOW) is not None
    assert operating.rests_until("crm.item.update", 1, NOW, Lane.URGENT) is None


def test_busiest_method_is_told_with_its_share_of_the_allowance() -> None:
    operating = Operating().noted("a", told(48), NOW).noted("b", told(240), NOW)
    assert operating.busiest(NOW) == ("b", 0.5)
    assert operating.busiest(NOW + timedelta(hours=1))[1] == 0


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
