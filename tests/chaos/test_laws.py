"""The laws of `make chaos` see what they are there for: a life on paper, and what may be said of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.alerts import marker
from app.demo.story import MOSCOW
from tests.chaos.course import Course, after, open_time, stands
from tests.chaos.gate import CHAT, Heard
from tests.chaos.laws import Speech, belated, broken

HEAD = 15
BREACH = "🔴 Нарушен срок ответа: просрочено с 24.11 13:00"


def at(text: str) -> datetime:
    """«24.11 13:00:05» in Moscow; Tuesday is the 24th."""
    day, clock = text.split()
    whole = f"2026-{day[3:]}-{day[:2]}T{clock if clock.count(':') == 2 else clock + ':00'}"
    return datetime.fromisoformat(whole).replace(tzinfo=MOSCOW)


def life(*, replied: str = "", stages: tuple[tuple[str, str], ...] = (), value: str = "standard") -> Course:
    """Came on Tuesday at nine: four hours for the answer, twenty-four for the solution."""
    born = at("24.11 09:00")
    return Course(
        ref="deal:41",
        agent=11,
        states=((born, "new"), *((at(when), state) for when, state in stages)),
        ours=(at(replied),) if replied else (),
        theirs=(born,),
        classes=((born, value),),
    )


def notice(when: str, step: str = "reply_breach", to: int = HEAD, *, answered: bool = True) -> Heard:
    mark = marker(f"deal:41/1/{step}/{to}")
    return Heard(
        at(when), str(to), f"{BREACH}\n[url=x{mark}]№41[/url]", 1, f"b24sla|{step}", answered=answered
    )


def card(when: str) -> Heard:
    return Heard(at(when), CHAT, f"[url=x{marker('deal:41/1/card')}]№41[/url]\n{BREACH}", 2)


def speech(*heard: Heard, course: Course | None = None, until: str = "24.11 17:00") -> Speech:
    begin = at("24.11 00:00")
    return Speech(heard, {1: course or life()}, (HEAD, 11), HEAD, 10, "chat11", begin, at(until))


IN_TIME = (notice("24.11 13:00:10"), card("24.11 13:00:10"))


def test_a_breach_said_at_once_breaks_no_law() -> None:
    assert broken(speech(*IN_TIME)) == []


def test_a_breach_that_nobody_hears_of_is_found() -> None:
    assert [text.rpartition(": ")[2] for text in broken(speech())] == ["never said", "never said"]


def test_a_breach_said_later_than_a_sweep_and_a_minute_is_found() -> None:
    late = speech(notice("24.11 13:16:30"), card("24.11 13:00:10"))
    assert [text.partition(" by ")[0] for text in broken(late)] == ["life 1 reply_breach to 15"]
    assert [text.partition(" at ")[0] for text in belated(late)] == ["said late: life 1 reply_breach to 15"]


def test_while_the_portal_is_away_nothing_is_owed_and_soon_after_it_everything() -> None:
    away = replace(speech(), shut=((at("24.11 12:50"), at("24.11 15:00")),))
    assert broken(replace(away, heard=(notice("24.11 15:15"), card("24.11 15:15")))) == []
    assert broken(replace(away, heard=(notice("24.11 15:17"), card("24.11 15:15"))))


def test_what_is_answered_before_anybody_could_say_it_is_not_owed() -> None:
    away = replace(speech(), shut=((at("24.11 12:50"), at("24.11 15:00")),))
    solved = life(stages=(("24.11 14:00", "resolved"),))
    assert broken(replace(away, courses={1: solved})) == []


def test_a_notice_said_twice_is_found() -> None:
    again = speech(*IN_TIME, notice("24.11 13:05"))
    assert [text.partition(":")[0] for text in broken(again)] == ["said twice"]


def test_a_repeat_may_take_the_place_of_a_notice_of_unknown_fate() -> None:
    doubtful = notice("24.11 13:00:10", answered=False)
    assert broken(speech(doubtful, IN_TIME[1], notice("24.11 13:05"))) == []


def test_a_second_card_in_the_chat_is_found_whatever_its_fate() -> None:
    doubled = speech(IN_TIME[0], IN_TIME[1], card("24.11 13:05"))
    assert any(text.startswith("said twice: life 1 card") for text in broken(doubled))


@pytest.mark.parametrize(
    ("course", "when", "step"),
    [
        (life(), "24.11 12:59", "reply_breach"),
        (life(replied="24.11 12:00"), "24.11 13:05", "reply_breach"),
        (life(replied="24.11 10:00"), "24.11 12:30", "reply_warn_75"),
        (life(stages=(("24.11 12:00", "resolved"),)), "24.11 13:05", "reply_breach"),
        (life(), "24.11 10:00", "announce"),
        (life(value="emergency", replied="24.11 09:05"), "24.11 09:10", "announce"),
        (life(value="consultation"), "24.11 13:05", "reply_breach"),
    ],
    ids=["early", "answered", "warned though answered", "solved", "no emergency", "answered fire", "class"],
)
def test_what_the_portals_history_does_not_bear_out_is_found(course: Course, when: str, step: str) -> None:
    said = speech(notice(when, step), course=course, until="24.11 13:05")
    assert any(text.startswith("said in vain") for text in broken(said))


def test_words_said_on_what_was_read_just_before_are_borne_out() -> None:
    course = life(replied="24.11 13:01")
    assert not any("in vain" in text for text in broken(speech(notice("24.11 13:02"), course=course)))


# --- a life on paper ---------------------------------------------------------------------


def test_open_time_skips_nights_and_weekends() -> None:
    assert open_time(at("27.11 17:00"), at("30.11 10:00")) == timedelta(hours=2)
    assert after(at("27.11 17:00"), timedelta(hours=2)) == at("30.11 10:00")


@pytest.mark.parametrize(
    ("stages", "due"),
    [
        ((), "26.11 15:00"),
        ((("24.11 10:00", "postponed"), ("24.11 12:00", "in_progress")), "26.11 17:00"),
        ((("24.11 10:00", "resolved"), ("24.11 11:00", "in_progress")), "26.11 16:00"),
    ],
    ids=["nothing", "put off", "solved and back"],
)
def test_what_stands_still_is_not_counted(stages: tuple[tuple[str, str], ...], due: str) -> None:
    assert life(stages=stages).solve_reaches(1, "standard") == at(due)


def test_waiting_counts_from_our_word_until_the_clients() -> None:
    course = life(replied="24.11 10:00", stages=(("24.11 10:00", "waiting_client"),))
    answered = replace(course, theirs=(*course.theirs, at("24.11 14:00")))
    assert answered.solve_reaches(1, "standard") == at("27.11 10:00")


def test_a_class_that_came_too_late_to_matter_leaves_no_standing_breach() -> None:
    corrected = replace(
        life(), classes=((at("24.11 09:00"), "standard"), (at("24.11 14:00"), "consultation"))
    )
    assert stands(corrected, "reply_breach", at("24.11 13:30"))
    assert not stands(corrected, "reply_breach", at("24.11 14:30"))
