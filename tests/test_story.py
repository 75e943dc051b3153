"""Facts told as a story: who decides the class until when, which states stand, who spoke (sla.md 2-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.model import Area, Gone, ItemRef, Kind, Move, Reading, Side, SlaState, State, TicketClass, Utterance
from tests.lives import AGENT, DEAL, ROBOT, Desk, at, card, move, reading, said

FIRE = "Пожарная машина стоит у закрытых ворот, въехать не может, горит дом"
BLANK = card(title="Обращение", text=())


def client(number: int, when: str, text: str = FIRE) -> Utterance:
    return said(number, when, Side.CLIENT, text)


# --- the classifier decides again ---------------------------------------------------------


def test_text_within_ten_minutes_is_a_correction_with_terms_from_the_start() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01", of=BLANK))
    ticket = desk.reads(reading("24.11 10:06", of=BLANK, spoken=[client(2, "24.11 10:05")])).ticket
    assert ticket.value is TicketClass.EMERGENCY
    assert ticket.now_cycle.solution.due_at == at("24.11 14:00")


def test_later_text_raises_and_the_term_counts_from_it() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01", of=BLANK))
    ticket = desk.reads(reading("24.11 10:31", of=BLANK, spoken=[client(2, "24.11 10:30")])).ticket
    assert ticket.now_cycle.solution.due_at == at("24.11 14:30")


def test_first_text_brings_area_and_reason_even_when_the_class_stays() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01", of=BLANK))
    words = client(2, "24.11 10:30", "Житель не получает код для входа в приложение, пробовал три раза.")
    ticket = desk.reads(reading("24.11 10:31", of=BLANK, spoken=[words])).ticket
    assert (ticket.value, ticket.area) == (TicketClass.STANDARD, Area.APP_LOGIN)
    assert ticket.class_why


def test_text_after_the_first_reply_decides_nothing() -> None:
    desk = Desk()
    spoken = [said(2, "24.11 10:02", Side.OURS), client(3, "24.11 10:05")]
    assert desk.reads(reading("24.11 10:06", of=BLANK, spoken=spoken)).ticket.value is TicketClass.STANDARD


@pytest.mark.parametrize(
    "act",
    [{"SLA_CLASS_SURE": "Y"}, {"SLA_AREA": "passes"}, {"SLA_ESC_LEVEL": "1"}],
    ids=lambda a: next(iter(a)),
)
def test_text_after_a_persons_act_on_the_card_decides_nothing(act: dict[str, str]) -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01", of=BLANK))
    touched = replace(desk.stamped(BLANK, **act), modified_at=at("24.11 10:03"), modified_by=AGENT)
    desk.reads(reading("24.11 10:04", of=touched))
    ticket = desk.reads(reading("24.11 10:06", of=touched, spoken=[client(2, "24.11 10:05")])).ticket
    assert ticket.value is TicketClass.STANDARD


def test_text_after_a_person_took_it_to_work_decides_nothing() -> None:
    moves = [move(2, "24.11 10:03", "PREPARATION")]
    shown = reading("24.11 10:06", of=BLANK, moves=moves, spoken=[client(3, "24.11 10:05")])
    assert Desk().reads(shown).ticket.value is TicketClass.STANDARD


def test_earlier_text_found_later_counts_in_its_place() -> None:
    first, second = client(2, "24.11 10:02"), client(3, "24.11 10:05", "Ждём ответа")
    stormy, calm = Desk(), Desk()
    stormy.reads(reading("24.11 10:01", of=BLANK))
    stormy.reads(reading("24.11 10:06", of=BLANK, spoken=[second]))
    both = reading("24.11 10:07", of=BLANK, spoken=[first, second])
    assert stormy.reads(both).ticket.value is calm.reads(both).ticket.value is TicketClass.EMERGENCY


# --- people's words win -------------------------------------------------------------------


def test_class_unconfirmed_by_a_person_stays_so() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    assert desk.wanted["SLA_CLASS_SURE"] == "Y"
    doubted = replace(desk.stamped(card(), SLA_CLASS_SURE="N"), modified_at=at("24.11 10:30"))
    desk.reads(reading("24.11 10:31", of=doubted))
    assert desk.wanted["SLA_CLASS_SURE"] == "N"


# --- who spoke ----------------------------------------------------------------------------


def test_automatic_letter_in_a_persons_name_is_no_reply_though_it_came_first() -> None:
    spoken = [said(2, "24.11 10:01", Side.OURS, "Ваше обращение зарегистрировано под номером 7")]
    assert Desk().reads(reading("24.11 10:02", spoken=spoken)).ticket.now_cycle.reply.met_at is None


def test_clients_first_letter_is_never_automatic() -> None:
    greeting = said(2, "24.11 10:00", Side.NOBODY, "Здравствуйте!")
    quoted = client(3, "24.11 10:01", f"{FIRE}. На прошлое письмо ответили: это автоматический ответ")
    shown = reading("24.11 10:02", of=BLANK, spoken=[greeting, quoted])
    assert Desk().reads(shown).ticket.value is TicketClass.EMERGENCY


# --- states -------------------------------------------------------------------------------


def test_item_that_came_back_lives_on() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    desk.reads(Gone(DEAL, at("24.11 11:00")))
    desk.reads(reading("24.11 12:00"))
    ticket = desk.reads(reading("24.11 13:01", moves=[move(2, "24.11 13:00", "SOLVED")])).ticket
    assert ticket.state is State.RESOLVED
    assert ticket.now_cycle.solved_at == at("24.11 13:00")


def test_ticket_begins_when_its_deal_enters_the_funnel() -> None:
    shown = card("20.11 10:00", stage="C3:NEW")
    moves = (
        Move("1", at("20.11 10:00"), "C7:NEW", 7),
        Move("2", at("24.11 10:00"), "C3:NEW", 3),
    )
    ticket = Desk().reads(Reading(shown.ref, at("24.11 10:01"), shown, moves)).ticket
    assert ticket.started_at == at("24.11 10:00")
    assert ticket.now_cycle.reply.due_at == at("24.11 14:00")


def test_the_first_of_a_reply_and_an_act_ends_the_classifiers_say() -> None:
    moves = [move(2, "24.11 10:08", "PREPARATION")]
    spoken = [said(2, "24.11 10:02", Side.OURS), client(3, "24.11 10:05")]
    shown = reading("24.11 10:09", of=BLANK, moves=moves, spoken=spoken)
    assert Desk().reads(shown).ticket.value is TicketClass.STANDARD


def test_robots_move_is_no_persons_act() -> None:
    task = ItemRef(Kind.TASK, 7)
    shown = replace(BLANK, ref=task, stage="3", category=None, group=12)
    moves = (Move("1", at("24.11 10:00"), "2"), Move("2", at("24.11 10:02"), "3", actor=ROBOT))
    spoken = (client(3, "24.11 10:05"),)
    ticket = Desk().reads(Reading(task, at("24.11 10:06"), shown, moves, spoken)).ticket
    assert ticket.value is TicketClass.EMERGENCY


def test_a_sure_class_is_not_lowered_later_without_a_person() -> None:
    desk = Desk()
    fire = card(title="Пожар", text=(FIRE,))
    desk.reads(reading("24.11 10:01", of=fire))
    calmer = client(2, "24.11 10:30", "Уже открыли, спасибо. Подскажите, где посмотреть журнал проездов?")
    assert desk.reads(reading("24.11 10:31", of=fire, spoken=[calmer])).ticket.value is TicketClass.EMERGENCY


def test_call_that_made_the_card_answers_it() -> None:
    call = said(2, "24.11 09:50", Side.OURS, "", channel="call")
    reply = Desk().reads(reading("24.11 10:01", spoken=[call])).ticket.now_cycle.reply
    assert (reply.met_by, reply.met_at) == ("call", at("24.11 10:00"))


def test_call_before_the_deal_came_to_us_answers_nothing() -> None:
    shown = card("20.11 10:00")
    moves = (Move("1", at("20.11 10:00"), "C7:NEW", 7), Move("2", at("24.11 10:00"), "C3:NEW", 3))
    call = said(2, "24.11 09:50", Side.OURS, "", channel="call")
    ticket = Desk().reads(Reading(shown.ref, at("24.11 10:01"), shown, moves, (call,))).ticket
    assert ticket.now_cycle.reply.met_at is None


def test_class_filled_in_before_we_saw_the_card_is_a_persons() -> None:
    ticket = Desk().reads(reading("24.11 10:01", of=card(sla={"SLA_CLASS": "consultation"}))).ticket
    assert (ticket.value, ticket.class_by_person) == (TicketClass.CONSULTATION, True)
    assert ticket.class_auto is TicketClass.STANDARD


def test_letter_exactly_ten_minutes_after_the_start_still_corrects() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01", of=BLANK))
    ticket = desk.reads(reading("24.11 10:11", of=BLANK, spoken=[client(2, "24.11 10:10")])).ticket
    assert ticket.now_cycle.solution.due_at == at("24.11 14:00")


def test_class_emptied_within_ten_minutes_counts_from_the_start_again() -> None:
    desk, fire = Desk(), card(title="Пожар", text=(FIRE,))
    desk.reads(reading("24.11 10:01", of=fire))
    lowered = replace(desk.stamped(fire, SLA_CLASS="standard"), modified_at=at("24.11 10:02"))
    desk.reads(reading("24.11 10:03", of=lowered))
    emptied = replace(desk.stamped(fire, SLA_CLASS=""), modified_at=at("24.11 10:05"))
    ticket = desk.reads(reading("24.11 10:06", of=emptied)).ticket
    assert ticket.value is TicketClass.EMERGENCY
    assert ticket.now_cycle.solution.due_at == at("24.11 14:00")


def test_persons_raise_counts_from_itself_even_within_ten_minutes() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    raised = replace(desk.stamped(card(), SLA_CLASS="emergency"), modified_at=at("24.11 10:05"))
    ticket = desk.reads(reading("24.11 10:06", of=raised)).ticket
    assert ticket.now_cycle.solution.due_at == at("24.11 14:05")


def test_description_written_later_is_a_text_too() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01", of=BLANK))
    described = replace(BLANK, text=(FIRE,), modified_at=at("24.11 10:04"))
    assert desk.reads(reading("24.11 10:05", of=described)).ticket.value is TicketClass.EMERGENCY


def test_other_fields_are_no_text() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01", of=BLANK))
    placed = replace(BLANK, object=FIRE, modified_at=at("24.11 10:04"))
    assert desk.reads(reading("24.11 10:05", of=placed)).ticket.value is TicketClass.STANDARD


def test_what_the_classifier_said_once_stays_with_the_ticket() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    desk.facts = [
        replace(fact, value={**fact.value, "class": "consultation"}) if fact.kind == "classified" else fact
        for fact in desk.facts
    ]
    ticket = desk.reads(
        reading("24.11 10:05", of=card(object="ЖК Заря", modified_at=at("24.11 10:04")))
    ).ticket
    assert ticket.value is TicketClass.CONSULTATION


def test_thanks_alone_do_not_end_a_pause() -> None:
    spoken = [said(2, "24.11 11:00", Side.OURS), client(3, "24.11 12:00", "Спасибо большое!")]
    shown = reading("24.11 15:00", moves=[move(2, "24.11 11:00", "WAIT")], spoken=spoken)
    assert Desk().reads(shown).ticket.now_cycle.solution.paused


def test_message_and_call_are_told_apart() -> None:
    ticket = Desk().reads(reading("24.11 11:01", spoken=[said(2, "24.11 11:00", Side.OURS)])).ticket
    assert ticket.now_cycle.reply.met_by == "message"


def test_postponement_ends_at_the_date_on_the_card() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    dated = replace(
        desk.stamped(card(), SLA_PAUSE_UNTIL="2026-11-24T12:00:00Z"), modified_at=at("24.11 11:00")
    )
    moves = [move(2, "24.11 11:00", "HOLD")]
    during = desk.reads(reading("24.11 12:00", of=dated, moves=moves)).ticket
    after = desk.reads(reading("24.11 16:00", of=dated, moves=moves)).ticket
    assert during.sla_state is SlaState.PAUSED
    assert during.next_at == at("24.11 13:00")  # 75 % of the reply, which never pauses
    assert after.now_cycle.solution.due_at == at("27.11 11:00")  # 26.11 16:00 and four hours


def test_first_row_written_a_second_late_is_the_beginning() -> None:
    shown = card("24.11 10:00")
    late = Move("1", at("24.11 10:00") + timedelta(seconds=1), "C3:NEW", 3)
    ticket = Desk().reads(Reading(shown.ref, at("24.11 10:01"), shown, (late,))).ticket
    assert ticket.started_at == at("24.11 10:00")


def test_deal_that_left_and_came_back_to_a_stage_unknown_to_us_is_in_work() -> None:
    shown = card(stage="C3:MYSTERY")
    moves = (
        Move("1", at("24.11 10:00"), "C3:NEW", 3),
        Move("2", at("24.11 11:00"), "C7:NEW", 7),
        Move("3", at("24.11 12:00"), "C3:MYSTERY", 3),
    )
    ticket = Desk().reads(Reading(shown.ref, at("24.11 12:01"), shown, moves)).ticket
    assert ticket.state is State.IN_PROGRESS


def test_columns_that_the_rules_do_not_use_change_nothing() -> None:
    task = ItemRef(Kind.TASK, 7)
    shown = replace(card(), ref=task, stage="3", category=None, group=12)
    moves = (
        Move("1", at("24.11 10:00"), "2"),
        Move("2", at("24.11 10:30"), "3", actor=AGENT),
        Move("3", at("24.11 10:40"), "stage:57", actor=AGENT),
    )
    ticket = Desk().reads(Reading(task, at("24.11 11:00"), shown, moves)).ticket
    assert (ticket.state, ticket.notes) == (State.IN_PROGRESS, ())
