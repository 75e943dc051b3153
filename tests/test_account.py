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
)
from app.sla.explanation import spans_of_clock
from tests.sla.lives import (
    EMERGENCY,
    HOLD,
    MOSCOW,
    OFFICE,
    SOLVED,
    WAIT,
    WORK,
    at,
    client,
    cycle,
    life,
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
    assert why(story, "23.11 13:00")[-1] == "пауза: ждём клиента, наше слово 23.11 11:00 (Иванова А.)"


def test_a_postponement_says_until_when_and_what_for() -> None:
    story = life(
        "23.11 10:00", ("23.11 12:00", HOLD), postponed_until=[(at("23.11 12:00"), at("27.11 12:00"))]
    )
    found = why(story, "23.11 13:00", ("23.11 12:00", "ждём камеру"), ("24.11 12:00", "потом"))
    assert found[-1] == "пауза: отложено до 27.11 12:00, причина: ждём камеру"


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
        ("20.11 16:00", "20.11 2 ч + 23.11 9 ч + 24.11 9 ч + 25.11 4 ч; не считаются: выходной"),
        (
            "02.11 16:00",
            "02.11 2 ч + 03.11 8 ч + 05.11 9 ч + 06.11 5 ч; не считаются: праздник: День народного единства",
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
        "23.11 1 ч + 25.11 9 ч + 26.11 9 ч + 27.11 5 ч; не считаются: пауза: ждём клиента 16 ч"
    )


def test_a_postponement_that_still_runs_is_not_in_the_sum() -> None:
    until = [(at("23.11 12:00"), at("25.11 12:00"))]
    story = life("23.11 10:00", ("23.11 12:00", HOLD), postponed_until=until)
    before, after = solution(story, "23.11 13:00"), solution(story, "25.11 12:00")
    assert due_line(before, OFFICE, MOSCOW).endswith(": 23.11 8 ч + 24.11 9 ч + 25.11 7 ч")
    assert due_line(after, OFFICE, MOSCOW).endswith(
        ": 23.11 2 ч + 25.11 6 ч + 26.11 9 ч + 27.11 7 ч; не считаются: пауза: отложено 18 ч"
    )


def test_a_long_sum_names_its_first_and_last_day() -> None:
    moves = [
        (f"{day}.11 {hour}", state)
        for day in (23, 24, 25)
        for hour, state in (("11:00", HOLD), ("17:00", WORK))
    ]
    line = due_line(solution(life("23.11 10:00", *moves), "25.11 17:30"), OFFICE, MOSCOW)
    assert ": 23.11 2 ч + 24.11–26.11 15 ч + 27.11 7 ч; не считаются: пауза: отложено 18 ч" in line


def test_an_extended_deadline_is_nobodys_sum() -> None:
    story = life("23.11 10:00", extensions=[Extension(at("24.11 10:00"), at("30.11 12:00"), 7)])
    clock = solution(story, "24.11 11:00")
    assert due_line(clock, OFFICE, MOSCOW).startswith("срок продлён: 30.11.2026 12:00 назначен человеком")
    assert turns(clock, told(story)) == ((at("24.11 10:00"), "срок продлён, прежний 25.11 16:00"),)


def test_the_sum_names_what_is_left() -> None:
    line = sum_line(solution(life("23.11 10:00"), "23.11 13:20"), told(), at("23.11 13:20"))
    assert line == "Итого засчитано 3 ч 20 мин из 24 ч; срок 25.11.2026 16:00; осталось 20 ч 40 мин"


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
