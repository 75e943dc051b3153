from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from app.metrics.digest import AgentLine, Digest, Freshness, OffHours, digest_of
from app.metrics.periods import Period, PeriodKind
from app.model import State, TicketClass
from tests.metrics.example import MONDAY, example, ticket
from tests.metrics.outcomes import BREACHED, IVANOVA, PETROV, at, closed, outcome, ref, replied, solved

WEEK = Period(PeriodKind.WEEK, date(2026, 11, 16), date(2026, 11, 22))
MONTH = Period(PeriodKind.MONTH, date(2026, 10, 1), date(2026, 10, 31))


def monday(*outcomes: Any, **asked: Any) -> Digest:
    return example(outcomes, [], **asked)


def agents(digest: Digest) -> dict[int | None, AgentLine]:
    return {line.agent: line for line in digest.agents}


def test_the_sums_of_the_example() -> None:
    figures = example().figures
    before = example(period=Period(PeriodKind.DAY, date(2026, 11, 20), date(2026, 11, 22))).figures
    came, done, left = (int(figures[code].value or 0) for code in ("created", "solved", "backlog"))

    assert (before["backlog"].value, came, done, left) == (21, 16, 14, 23)
    assert left == 21 + came - done


def test_agents_share_the_received_and_the_open() -> None:
    digest = example()

    assert sum(line.received for line in digest.agents) == digest.figures["created"].value
    assert sum(line.open for line in digest.agents) == digest.figures["backlog"].value == digest.aging.total


def test_classes_share_the_received() -> None:
    by_class = example().by_class

    assert [by_class[value]["created"].value for value in by_class] == [1, 11, 4]


def test_norms_grow_with_people_and_days() -> None:
    week = example(period=WEEK, agents=3)

    assert week.norm((14, 15)) == (210, 225)


def test_norms_do_not_grow_with_days_before_the_service() -> None:
    day = example()
    office = replace(day.office, since=date(2026, 11, 19))
    week = digest_of([], [], WEEK, office=office, fresh=day.fresh, now=day.made_at)

    assert week.norm((14, 15)) == (2 * 2 * 14, 2 * 2 * 15)


def test_a_late_reply_and_solution_are_one_line() -> None:
    late = solved(
        received_at=at("23.11 09:00"),
        reply_outcome=BREACHED,
        reply_outcome_at=at("23.11 13:00"),
        first_reply_at=at("23.11 13:12"),
        solve_outcome=BREACHED,
        solve_outcome_at=at("23.11 14:00"),
        when="23.11 17:00",
    )
    (line,) = monday(late).late

    assert (line.reply_over, line.solve_over) == (timedelta(minutes=12), timedelta(hours=3))
    assert not line.still_open


def test_a_deadline_still_missed_grows_until_now() -> None:
    waiting = outcome(
        received_at=at("20.11 10:00"), solve_outcome=BREACHED, solve_outcome_at=at("23.11 17:00")
    )
    (line,) = monday(waiting).late

    assert (line.solve_over, line.still_open) == (timedelta(hours=1, minutes=5), True)


def test_lateness_off_hours_is_told_in_calendar_time() -> None:
    evening = replied(
        received_at=at("23.11 10:00"),
        reply_outcome=BREACHED,
        reply_outcome_at=at("23.11 18:00"),
        first_reply_at=at("23.11 18:30"),
    )

    assert monday(evening).late[0].reply_over == timedelta(minutes=30)


def test_emergencies_lead_the_late() -> None:
    missed = {"reply_outcome": BREACHED, "reply_outcome_at": at("23.11 12:00")}
    digest = monday(outcome(1, **missed), outcome(2, value=TicketClass.EMERGENCY, **missed))

    assert [line.ref for line in digest.late] == [ref(2), ref(1)]


@pytest.mark.parametrize(("mine", "heavy"), [(4, False), (6, False), (7, True)])
def test_a_queue_much_longer_than_the_others_is_marked(mine: int, heavy: bool) -> None:
    queue = [outcome(n, agent=IVANOVA, received_at=at("23.11 10:00")) for n in range(mine)]
    others = [outcome(n, agent=PETROV, received_at=at("23.11 10:00")) for n in range(50, 55)]

    assert agents(monday(*queue, *others))[IVANOVA].overloaded is heavy


def test_alone_the_daily_norm_is_the_measure() -> None:
    queue = [outcome(n, agent=IVANOVA, received_at=at("23.11 10:00")) for n in range(16)]

    assert agents(monday(*queue))[IVANOVA].overloaded
    assert not agents(monday(*queue[:15]))[IVANOVA].overloaded


def test_nobodys_tickets_have_their_line() -> None:
    assert agents(monday(outcome(received_at=at("23.11 10:00"))))[None].open == 1


def test_off_hours_tell_the_slowest_answer_to_an_emergency() -> None:
    night: dict[str, Any] = {"off_hours": True, "received_at": at("23.11 00:00")}
    urgent = replied(1, value=TicketClass.EMERGENCY, when="23.11 09:40", **night)
    silent = outcome(2, value=TicketClass.EMERGENCY, **night)

    found = monday(urgent, silent, outcome(3, **night)).off_hours

    assert found == OffHours(3, 2, timedelta(hours=9, minutes=40), 1)


def test_returns_are_counted_on_their_day() -> None:
    back = solved(received_at=at("16.11 10:00"), when="18.11 10:00", reopened_at=(at("23.11 10:00"),))

    assert monday(back).returned == 1


def test_mondays_digest_covers_the_weekend() -> None:
    weekend = Period(PeriodKind.DAY, date(2026, 11, 20), date(2026, 11, 22))
    came = [outcome(n, received_at=at(f"{n}.11 12:00")) for n in (19, 20, 21, 22, 23)]

    digest = example(came, [], period=weekend, now="23.11 09:05")

    assert (digest.figures["created"].value, digest.norm((14, 15))) == (3, (28, 30))


def test_a_week_stands_beside_the_one_before() -> None:
    tickets = [outcome(1, received_at=at("10.11 10:00")), outcome(2, received_at=at("17.11 10:00"))]
    week = example(tickets, [], period=WEEK)

    assert (week.figures["created"].refs, week.earlier[0].figures["created"].refs) == ((ref(2),), (ref(1),))


def test_a_week_tells_its_days() -> None:
    tickets = [
        solved(1, received_at=at("17.11 10:00"), when="17.11 12:00"),
        solved(2, received_at=at("17.11 10:00"), when="18.11 12:00", solve_outcome=BREACHED),
    ]
    days = example(tickets, [], period=WEEK).by_day

    assert [(day.day, kpi.value) for day, kpi in days] == [(17, 1), (18, 0)]


def test_a_month_can_show_a_trend() -> None:
    columns = example([], [], period=MONTH, months=5).earlier

    assert [column.period.first.month for column in columns] == [9, 8, 7, 6, 5]


def test_a_month_proposes_a_bonus() -> None:
    good = closed(
        agent=IVANOVA,
        solve_agent=IVANOVA,
        reply_agent=IVANOVA,
        received_at=at("05.10 10:00"),
        when="05.10 17:00",
        solved_at=at("05.10 16:00"),
        first_solved_at=at("05.10 16:00"),
        reply_outcome_at=at("05.10 11:00"),
        solve_outcome_at=at("05.10 16:00"),
    )
    line = agents(example([good], [], period=MONTH))[IVANOVA]

    assert line.bonus is not None
    assert 0 < line.bonus < 1.1


def test_a_day_proposes_none() -> None:
    assert {line.bonus for line in example().agents} == {None}


@pytest.mark.parametrize(
    ("read", "known"), [("24.11 09:04", True), ("24.11 00:00", True), ("23.11 23:59", False), (None, False)]
)
def test_a_period_is_known_when_the_reading_reaches_its_end(read: str | None, known: bool) -> None:
    assert example(fresh=Freshness(at(read) if read else None)).known is known


def test_a_running_period_is_known_up_to_a_quarter_of_an_hour_ago() -> None:
    today = Period(PeriodKind.DAY, date(2026, 11, 24), date(2026, 11, 24))

    assert example(period=today, fresh=Freshness(at("24.11 08:50"))).known
    assert not example(period=today, fresh=Freshness(at("24.11 08:49"))).known


def test_uncounted_tickets_are_nowhere() -> None:
    digest = monday(replace(outcome(agent=IVANOVA, received_at=at("23.11 10:00")), counted=False))

    assert (digest.agents, digest.aging.total, digest.figures["created"].value) == ((), 0, 0)


def test_tickets_older_than_the_service_are_told_apart() -> None:
    digest = example([], [ticket(1, counted=False), ticket(2), ticket(3, state=State.RESOLVED)])

    assert digest.uncounted == 1


def test_no_comparison_with_days_before_the_service() -> None:
    week = example()
    young = digest_of(
        [],
        [],
        WEEK,
        office=replace(week.office, since=date(2026, 11, 16)),
        fresh=week.fresh,
        now=week.made_at,
    )

    assert young.earlier == ()


def test_knowledge_counted_elsewhere_is_of_this_period_only() -> None:
    day = example()
    office = replace(day.office, kb_updates=6)
    week = digest_of([], [], WEEK, office=office, fresh=day.fresh, now=day.made_at)

    assert week.figures["kb_updates"].numerator == 6
    assert week.earlier[0].figures["kb_updates"].numerator == 0


def test_the_period_of_the_example_is_monday() -> None:
    assert example().bounds == (at("23.11 00:00"), at("24.11 00:00"))
    assert MONDAY.weekday() == 0
