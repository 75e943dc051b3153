"""How figures come about, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from app.account import (
    Told,
    due_line,
    pause_reasons,
    running_totals,
    span_words,
    sum_line,
    turns,
    verdict_line,
)
from app.commands.explaining import explanation
from app.explained import account_of, clock_account
from app.forgetting import bare_ticket
from app.model import (
    ClassChange,
    ClockName,
    Entry,
    EntryKind,
    ExplainedSpan,
    Extension,
    Fact,
    FactKind,
    ItemRef,
    Ledger,
    State,
    Story,
    TicketClass,
)
from app.sla.calendar import calendar_of
from app.sla.explanation import spans_of_clock
from app.sla.ledger import cycles_of
from app.sla.targets import TermsChange
from app.sla.workdays import russian_workdays
from tests.lives import Desk, card, reading
from tests.sla.lives import (
    CONSULTATION,
    EMERGENCY,
    FIVE_DAYS,
    HOLD,
    MOSCOW,
    OFFICE,
    SOLVED,
    STANDARD,
    TERMS,
    WAIT,
    WORK,
    at,
    becomes,
    class_terms,
    client,
    cycle,
    day,
    extended,
    life,
    one_class,
    ours,
)

NAMES = {5: "Иванова А."}


def told(story: Story | None = None, *reasons: tuple[str, str]) -> Told:
    written = tuple((at(when), text) for when, text in reasons)
    return Told(lambda person: NAMES.get(person or 0, ""), MOSCOW, story, written)


def solution(story: Story, now: str) -> Ledger:
    return cycle(story, now).solution


def why(story: Story, now: str, *reasons: tuple[str, str]) -> list[str]:
    spans = spans_of_clock(solution(story, now), OFFICE, at(now))
    return [span_words(span, told(story, *reasons)) for span in spans]


def test_a_pause_says_on_which_word_of_ours_it_rests() -> None:
    story = life("23.11 10:00", ("23.11 12:00", WAIT), spoken=[ours("23.11 11:00", author=5)])
    assert why(story, "23.11 13:00")[-1] == "пауза: ждём клиента, наше сообщение 23.11 11:00 (Иванова А.)"


def test_a_postponement_says_until_when_and_what_for() -> None:
    story = life(
        "23.11 10:00", ("23.11 12:00", HOLD), postponed_until=[(at("23.11 12:00"), at("27.11 12:00"))]
    )
    found = why(story, "23.11 13:00", ("23.11 12:00", "ждём камеру"), ("24.11 12:00", "потом"))
    assert found[-1] == "пауза: отложено до 27.11 12:00, причина: ждём камеру"


@pytest.mark.parametrize("stale", ["21.11 10:00", "23.11 12:00"])
def test_a_date_that_had_passed_when_it_was_postponed_is_not_named(stale: str) -> None:
    story = life("23.11 10:00", ("23.11 12:00", HOLD), postponed_until=[(at("20.11 09:00"), at(stale))])
    assert why(story, "24.11 13:00")[-1] == "пауза: отложено"


def _field(code: str, value: str) -> Fact:
    ref, when = ItemRef.parse("deal:41"), at("23.11 12:00")
    return Fact(ref, FactKind.FIELD, f"{code}#1", when, when, value={"code": code, "value": value})


def test_reasons_of_pauses_come_from_the_card() -> None:
    facts = [_field("SLA_PAUSE_REASON", "ждём камеру"), _field("title", "Камера")]
    assert pause_reasons(facts) == ((at("23.11 12:00"), "ждём камеру"),)


def test_totals_run_over_counted_spans_only() -> None:
    story = life("20.11 16:00")
    spans = spans_of_clock(solution(story, "23.11 10:00"), OFFICE, at("23.11 10:00"))
    assert [total.total_seconds() / 3600 for total in running_totals(spans)] == [2, 2, 2, 2, 3]


@pytest.mark.parametrize(
    ("start", "line"),
    [
        ("23.11 10:00", "23.11 8 ч + 24.11 9 ч + 25.11 7 ч"),
        ("20.11 16:00", "20.11 2 ч + 23.11 9 ч + 24.11 9 ч + 25.11 4 ч; не считается выходной"),
        (
            "02.11 16:00",
            "02.11 2 ч + 03.11 8 ч + 05.11 9 ч + 06.11 5 ч; не считается праздник «День народного единства»",
        ),
        ("23.11 10:00:40", "23.11 7 ч 59 мин + 24.11 9 ч + 25.11 7 ч 1 мин"),
    ],
)
def test_a_deadline_is_told_as_a_sum_of_days(start: str, line: str) -> None:
    found = due_line(solution(life(start), start), OFFICE, MOSCOW)
    assert found == f"24 ч рабочего времени с {start[:11]}: {line}"


def test_a_pause_is_named_in_the_sum_with_its_length() -> None:
    story = life("23.11 10:00", ("23.11 11:00", WAIT), ("25.11 09:00", WORK), spoken=[ours("23.11 10:30")])
    assert due_line(solution(story, "25.11 10:00"), OFFICE, MOSCOW).endswith(
        "23.11 1 ч + 25.11 9 ч + 26.11 9 ч + 27.11 5 ч; не считается пауза «ждём клиента» — 16 ч"
    )


def test_a_postponement_that_still_runs_is_not_in_the_sum() -> None:
    until = [(at("23.11 12:00"), at("25.11 12:00"))]
    story = life("23.11 10:00", ("23.11 12:00", HOLD), postponed_until=until)
    before, after = solution(story, "23.11 13:00"), solution(story, "25.11 12:00")
    assert due_line(before, OFFICE, MOSCOW).endswith(": 23.11 8 ч + 24.11 9 ч + 25.11 7 ч")
    assert due_line(after, OFFICE, MOSCOW).endswith(
        ": 23.11 2 ч + 25.11 6 ч + 26.11 9 ч + 27.11 7 ч; не считается пауза «отложено» — 18 ч"
    )


def test_a_long_sum_names_its_first_and_last_day() -> None:
    moves = [
        (f"{day}.11 {hour}", state)
        for day in (23, 24, 25)
        for hour, state in (("11:00", HOLD), ("17:00", WORK))
    ]
    line = due_line(solution(life("23.11 10:00", *moves), "25.11 17:30"), OFFICE, MOSCOW)
    assert ": 23.11 2 ч + 24.11–26.11 15 ч + 27.11 7 ч; не считается пауза «отложено» — 18 ч" in line


def test_the_desks_own_day_off_is_named_and_nights_are_not() -> None:
    closed = calendar_of(
        zone=MOSCOW, weekly=FIVE_DAYS, production=russian_workdays(), closed=[day("24.11.2026")]
    )
    clock = cycle(life("23.11 10:00"), "23.11 11:00", one_class(closed, 4, 24)).solution
    assert due_line(clock, closed, MOSCOW).endswith(
        ": 23.11 8 ч + 25.11 9 ч + 26.11 7 ч; не считается нерабочий день отдела"
    )


def test_an_extended_deadline_is_nobodys_sum() -> None:
    story = life("23.11 10:00", extensions=[Extension(at("24.11 10:00"), at("30.11 12:00"), 7)])
    clock = solution(story, "24.11 11:00")
    assert due_line(clock, OFFICE, MOSCOW).startswith("срок продлён: 30.11.2026 12:00 назначен человеком")
    assert turns(clock, told(story)) == ((at("24.11 10:00"), "срок продлён, прежний 25.11 16:00"),)


def test_time_spent_solved_is_added_to_an_agreed_date() -> None:
    story = life(
        "23.11 10:00", ("24.11 12:00", SOLVED), ("25.11 12:00", WORK),
        extensions=[extended("23.11 12:00", "30.11 12:00")],
    )  # fmt: skip
    assert due_line(solution(story, "25.11 15:30"), OFFICE, MOSCOW) == (
        "срок продлён: 30.11.2026 12:00 назначен человеком, плюс 9 ч, пока было решено: 01.12.2026 12:00"
    )


def test_an_extension_that_rules_applied_later_made_good_is_told_so() -> None:
    story = life("23.11 10:00", extensions=[extended("26.11 10:00", "04.12 12:00")])
    longer = {STANDARD: class_terms(STANDARD, 4, 48)}
    applied = TermsChange(at("26.11 12:00"), longer, "v2", "Соколов И.")
    clock = cycles_of(story, TERMS, at("26.11 13:00"), [applied])[-1].solution
    late = "продление до 04.12 12:00 пришло после тогдашнего срока"
    assert [text for _, text in turns(clock, told(story))] == [
        f"{late}; по правилам, применённым позже, оно действует",
        "нарушение прежнего срока остаётся, хотя срок сменился",
        "применены другие правила, версия v2, применяет Соколов И.",
    ]


def test_an_extension_that_a_raise_overtook_is_no_reason_of_the_deadline() -> None:
    story = life(
        "23.11 10:00",
        classes=[becomes("24.11 09:00", EMERGENCY)],
        extensions=[extended("23.11 12:00", "30.11 12:00")],
    )
    clock = solution(story, "24.11 10:00")
    assert due_line(clock, OFFICE, MOSCOW) == "4 ч рабочего времени с 24.11 09:00: 24.11 4 ч"


def test_after_a_raise_the_sum_counts_from_it() -> None:
    clock = solution(life("23.11 10:00", classes=[becomes("24.11 09:00", EMERGENCY)]), "24.11 10:00")
    account = clock_account(clock, OFFICE, told(), at("24.11 10:00"))
    assert account.sum == (
        "Итого засчитано 9 ч, с повышения 24.11 09:00 засчитано 1 ч из 4 ч; "
        "срок 24.11.2026 13:00; осталось 3 ч"
    )


def test_explain_begins_with_what_the_term_is_counted_from() -> None:
    desk = Desk()
    desk.reads(reading("23.11 10:01", of=card("23.11 10:00")))
    raised = replace(desk.stamped(card("23.11 10:00"), SLA_CLASS="emergency"), modified_at=at("24.11 09:00"))
    ticket = desk.reads(reading("24.11 10:00", of=raised)).ticket
    account = account_of(ticket, desk.rules.calendars, told(), (), at("24.11 10:00"))
    lines = list(explanation(ticket, account, told()))
    assert "Решение: отведено 4 ч, отсчёт с 24.11.2026 09:00, с повышения; начато 23.11.2026 10:00" in lines


def test_explain_after_a_purge_says_that_the_words_are_gone() -> None:
    desk = Desk()
    ticket = bare_ticket(desk.reads(reading("23.11 10:01", of=card("23.11 10:00"))).ticket)
    account = account_of(ticket, desk.rules.calendars, told(), (), at("24.11 10:00"))
    title, _, value, *_ = explanation(ticket, account, told())
    assert (title, value) == ("deal:41: без темы", "Класс: Стандартное (текст стёрт); В норме")


def test_a_pause_after_a_raise_is_not_counted_from_it() -> None:
    story = life(
        "23.11 10:00", ("24.11 10:00", HOLD), ("24.11 12:00", WORK),
        classes=[becomes("24.11 09:00", EMERGENCY)],
    )  # fmt: skip
    account = clock_account(solution(story, "24.11 12:30"), OFFICE, told(story), at("24.11 12:30"))
    assert ", с повышения 24.11 09:00 засчитано 1 ч 30 мин из 4 ч; " in account.sum
    assert account.sum.endswith("осталось 2 ч 30 мин")


@pytest.mark.parametrize(
    ("change", "agreed", "text"),
    [
        (becomes("24.11 09:00", EMERGENCY), (), "класс стал «Экстренное»: срок посчитан заново"),
        (becomes("25.11 15:00", EMERGENCY), (), "класс стал «Экстренное»: прежний срок раньше, он остаётся"),
        (becomes("24.11 09:00", CONSULTATION), (), "класс стал «Консультация»: срок посчитан заново"),
        (becomes("24.11 09:00", TicketClass.NOT_TICKET), (), "класс стал «Не обращение»: срок снят"),
        (
            becomes("24.11 09:00", CONSULTATION),
            [extended("23.11 12:00", "30.11 12:00")],
            "класс стал «Консультация»: назначенный срок остаётся",
        ),
        (
            becomes("24.11 09:00", EMERGENCY),
            [extended("23.11 12:00", "24.11 11:00")],
            "класс стал «Экстренное»: назначенный срок остаётся",
        ),
    ],
)
def test_a_change_of_class_says_what_became_of_the_deadline(
    change: ClassChange, agreed: list[Extension], text: str
) -> None:
    story = life("23.11 10:00", classes=[change], extensions=agreed)
    clock = solution(story, "25.11 15:30")
    assert [told_of for when, told_of in turns(clock, told(story)) if when == change.at] == [text]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (CONSULTATION, ["нарушение прежнего срока остаётся, хотя срок сменился",
                        "класс стал «Консультация»: срок посчитан заново"]),
        (EMERGENCY, ["класс стал «Экстренное»: прежний срок раньше, он остаётся"]),
        (TicketClass.NOT_TICKET, ["класс стал «Не обращение»: срок снят"]),
    ],
)  # fmt: skip
def test_a_breach_outlives_a_deadline_that_changed(value: TicketClass, said: list[str]) -> None:
    clock = solution(life("23.11 10:00", classes=[becomes("26.11 10:00", value)]), "26.11 11:00")
    assert [text for _, text in turns(clock, told())] == said


def standing(story: Story, now: str) -> str:
    return clock_account(solution(story, now), OFFICE, told(story), at(now)).sum


PAUSED = "на паузе: срок сдвинется один раз, когда она кончится"


def test_a_pause_says_that_the_deadline_will_move() -> None:
    story = life("23.11 10:00", ("25.11 15:59", WAIT), spoken=[ours("25.11 15:59")])
    assert standing(story, "27.11 12:00").endswith(PAUSED)


@pytest.mark.parametrize("start", ["25.11 16:00", "27.11 10:00"])
def test_a_pause_that_began_after_the_deadline_promises_nothing(start: str) -> None:
    story = life("23.11 10:00", (start, WAIT), spoken=[ours(start)])
    assert standing(story, "27.11 12:00").endswith("; срок прошёл, пауза его не сдвигает")


def test_an_agreed_date_is_not_said_to_move_with_a_pause() -> None:
    story = life("23.11 10:00", ("24.11 10:00", HOLD), extensions=[extended("23.11 12:00", "30.11 12:00")])
    assert standing(story, "24.11 12:00").endswith("; на паузе: назначенный срок она не сдвигает")


def test_the_sum_names_what_is_left() -> None:
    line = sum_line(solution(life("23.11 10:00"), "23.11 13:20"), told(), at("23.11 13:20"))
    assert line == "Итого засчитано 3 ч 20 мин из 24 ч; срок 25.11.2026 16:00; осталось 20 ч 40 мин"


@pytest.mark.parametrize(
    ("now", "line"),
    [
        ("25.11 16:00", "Итого засчитано 24 ч из 24 ч; срок 25.11.2026 16:00"),
        ("25.11 17:15", "Засчитано 25 ч 15 мин при сроке 24 ч; срок 25.11.2026 16:00; срок прошёл"),
    ],
)
def test_more_than_the_term_is_no_part_of_it(now: str, line: str) -> None:
    assert sum_line(solution(life("23.11 10:00"), now), told(), at(now)).startswith(line)


def test_after_a_raise_too_more_than_the_term_is_no_part_of_it() -> None:
    clock = solution(life("23.11 10:00", classes=[becomes("24.11 09:00", EMERGENCY)]), "24.11 15:00")
    account = clock_account(clock, OFFICE, told(), at("24.11 15:00"))
    assert "с повышения 24.11 09:00 засчитано 6 ч при сроке 4 ч" in account.sum


def test_an_agreed_date_is_not_measured_by_the_term() -> None:
    story = life("23.11 10:00", extensions=[extended("23.11 12:00", "30.11 12:00")])
    line = sum_line(solution(story, "27.11 12:00"), told(), at("27.11 12:00"))
    assert line.startswith("Итого засчитано 38 ч из 24 ч; срок 30.11.2026 12:00")


def test_several_things_left_out_of_a_sum_stand_side_by_side() -> None:
    story = life(
        "20.11 16:00",
        ("20.11 17:00", SOLVED),
        ("23.11 11:00", WORK),
        ("23.11 12:00", HOLD),
        ("23.11 14:00", WORK),
    )
    line = due_line(solution(story, "23.11 15:00"), OFFICE, MOSCOW)
    assert line.endswith("; не считаются время «было решено» — 3 ч, выходной, пауза «отложено» — 2 ч")


def test_seconds_are_shown_where_they_are_dropped() -> None:
    line = sum_line(solution(life("23.11 10:00:40"), "23.11 10:05"), told(), at("23.11 10:05"))
    assert line.endswith(
        "с секундами: засчитано 0:04:20, срок 16:00:40 (секунды отбрасываются, а не округляются)"
    )


def _line(story: Story, now: str, clock: ClockName = ClockName.SOLUTION) -> str:
    found = cycle(story, now)
    return verdict_line(found.reply if clock is ClockName.REPLY else found.solution, told(story))


def test_a_verdict_names_the_word_behind_it() -> None:
    story = life("23.11 10:00", spoken=[ours("23.11 11:00", author=5)])
    assert (
        _line(story, "23.11 12:00", ClockName.REPLY) == "Вердикт: в срок, сообщение (Иванова А.) 23.11 11:00"
    )


def test_a_verdict_names_the_call_behind_it() -> None:
    story = life("23.11 10:00", spoken=[ours("23.11 16:00", author=5, call=True)])
    late = "Вердикт: нарушен, срок прошёл 23.11 14:00; звонок (Иванова А.) 23.11 16:00"
    assert _line(story, "23.11 17:00", ClockName.REPLY) == late


def test_a_verdict_names_the_move_behind_it() -> None:
    story = life("23.11 10:00", ("23.11 12:00", SOLVED))
    assert _line(story, "23.11 13:00") == (
        "Вердикт: в срок, решено (стадия «Решено, ждёт подтверждения») 23.11 12:00"
    )
    assert _line(story, "23.11 13:00", ClockName.REPLY) == "Вердикт: в срок, закрыто без ответа 23.11 12:00"


def test_a_missed_deadline_without_an_answer_says_what_is_missing() -> None:
    story = life("23.11 10:00", spoken=[client("23.11 11:00")])
    assert _line(story, "23.11 15:00", ClockName.REPLY).endswith("срок прошёл 23.11 14:00, а ответа нет")
    assert _line(story, "23.11 15:00") == "Вердикт: ещё нет, часы идут"


def test_a_clock_that_ended_without_a_verdict_says_on_what() -> None:
    story = life("23.11 10:00", ("23.11 12:00", State.DUPLICATE))
    clock = solution(story, "23.11 13:00")
    assert verdict_line(clock, told(story)) == "Вердикта нет: «Дубль» 23.11 12:00"
    assert sum_line(clock, told(story), at("23.11 13:00")) == "Итого засчитано 2 ч из 24 ч; срок снят"


def test_what_was_met_before_the_clocks_ended_keeps_its_verdict() -> None:
    story = life("23.11 10:00", ("23.11 12:00", State.DUPLICATE), spoken=[ours("23.11 11:00", author=5)])
    assert _line(story, "23.11 13:00", ClockName.REPLY) == (
        "Вердикт: в срок, сообщение (Иванова А.) 23.11 11:00"
    )


def test_a_change_of_class_is_told_with_its_time() -> None:
    raised = ClassChange(at("23.11 12:00"), EMERGENCY, by_person=True)
    story = life("23.11 10:00")
    story = replace(story, classes=(*story.classes, raised))
    clock = solution(story, "23.11 13:00")
    assert turns(clock, told(story)) == (
        (at("23.11 12:00"), "класс стал «Экстренное»: срок посчитан заново"),
    )
    assert due_line(clock, OFFICE, MOSCOW) == "4 ч рабочего времени с 23.11 12:00: 23.11 4 ч"


@pytest.mark.parametrize(
    ("kind", "cause", "text"),
    [
        (EntryKind.RETARGETED, "rules:abc", "применены другие правила, версия abc"),
        (
            EntryKind.RETARGETED,
            "rules:abc:Соколов И.",
            "применены другие правила, версия abc, применяет Соколов И.",
        ),
        (EntryKind.RETARGETED, "decree:abc", "утверждён производственный календарь: срок посчитан заново"),
        (EntryKind.SUPERSEDED, "rules:abc", "нарушение прежнего срока остаётся, хотя срок сменился"),
        (EntryKind.WAIVED, "нет света", "вне SLA, причина: нет света"),
        (EntryKind.WAIVED, "", "снова учитывается"),
        (EntryKind.EXTENDED, "late:2026-11-30T09:00:00Z",
         "продление до 30.11 12:00 пришло после срока и нарушения не отменяет"),
    ],
)  # fmt: skip
def test_turns_read_as_words(kind: EntryKind, cause: str, text: str) -> None:
    when: datetime = at("23.11 12:00")
    clock = replace(solution(life("23.11 10:00"), "23.11 13:00"), entries=(Entry(when, kind, cause),))
    assert turns(clock, told()) == ((at("23.11 12:00"), text),)


def test_without_a_story_a_pause_has_its_kind_alone() -> None:
    span = ExplainedSpan(
        ClockName.SOLUTION, at("23.11 10:00"), at("23.11 11:00"), False, 60, "pause:postponed"
    )
    assert span_words(span, told()) == "пауза: отложено"
