"""One item's life, decided reading by reading."""

from __future__ import annotations

from dataclasses import replace

from app.model import Decision, Gone, Outcome, OutcomeWord, Side, SlaState, State, TicketClass
from tests.lives import AGENT, DEAL, HEAD, ROBOT, Desk, at, card, move, reading, rules, said


def test_new_deal_gets_class_and_both_terms() -> None:
    decision = Desk().reads(reading("24.11 10:01"))
    assert decision.stamp is not None
    assert decision.stamp.wanted["SLA_CLASS"] == "standard"
    assert decision.stamp.wanted["SLA_REPLY_DUE"] == "2026-11-24T11:00:00Z"
    assert decision.stamp.wanted["SLA_SOLVE_DUE"] == "2026-11-26T13:00:00Z"
    assert decision.stamp.wanted["SLA_STATE"] == "on_track"


def test_deciding_twice_says_nothing_new() -> None:
    desk = Desk()
    first = desk.reads(reading("24.11 10:01"))
    second = desk.reads(reading("24.11 10:05"))
    assert second.messages == ()
    assert second.stamp == first.stamp


def test_item_outside_the_sources_is_no_concern() -> None:
    from app.decision import Around, Known, decide
    from app.learning import UNSEEN, learned

    facts = learned(reading("24.11 10:01", of=card(category=7, stage="C7:NEW")), (), UNSEEN)
    foreign = [
        replace(f, value={"stage": "C7:NEW", "category": 7}) if f.kind == "stage" else f for f in facts
    ]
    around = Around(lambda _: "", lambda _: "", lambda _: "", at("24.11 10:01"), {})
    assert decide(foreign, Known(None, frozenset()), around, rules(), at("24.11 10:01")) is None


def test_reply_found_late_counts_at_its_own_time() -> None:
    shown = reading("24.11 18:30", spoken=[said(2, "24.11 13:59", Side.OURS)])
    ticket = Desk().reads(shown).ticket
    assert ticket.now_cycle.reply.outcome is OutcomeWord.MET
    assert ticket.now_cycle.reply.met_at == at("24.11 13:59")


def test_waiting_for_the_client_shifts_the_deadline_by_the_pause() -> None:
    desk = Desk()
    asked = [said(2, "24.11 11:00", Side.OURS, "Какая модель телефона?")]
    desk.reads(reading("24.11 11:01", moves=[move(2, "24.11 11:00", "WAIT")], spoken=asked))
    answered = [*asked, said(3, "24.11 15:00", Side.CLIENT, "Android 15")]
    decision = desk.reads(reading("24.11 15:01", moves=[move(2, "24.11 11:00", "WAIT")], spoken=answered))
    assert decision.stamp is not None
    assert decision.stamp.wanted["SLA_SOLVE_DUE"] == "2026-11-27T08:00:00Z"
    assert decision.stamp.wanted["SLA_PAUSE_TOTAL"] == "4 ч"
    assert [m.text for m in decision.messages] == ["SLA: решение до 27.11 11:00, на паузе 4 ч"]


def test_acknowledgement_is_a_reply_but_no_pause() -> None:
    spoken = [said(2, "24.11 11:00", Side.OURS, "Приняли в работу!")]
    shown = reading("24.11 15:00", moves=[move(2, "24.11 11:05", "WAIT")], spoken=spoken)
    ticket = Desk().reads(shown).ticket
    assert ticket.now_cycle.reply.met_at == at("24.11 11:00")
    assert not ticket.now_cycle.solution.paused


def test_persons_class_wins_and_is_remembered() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    raised = desk.stamped(card(), SLA_CLASS="emergency")
    decision = desk.reads(
        reading("24.11 10:31", of=replace(raised, modified_at=at("24.11 10:30"), modified_by=AGENT))
    )
    assert decision.ticket.value is TicketClass.EMERGENCY
    assert decision.ticket.class_by_person
    assert decision.stamp is not None
    assert decision.stamp.wanted["SLA_SOLVE_DUE"] == "2026-11-24T11:30:00Z"  # the change plus the new term


def test_emptied_class_lets_the_service_decide_again() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    raised = desk.stamped(card(), SLA_CLASS="emergency")
    desk.reads(reading("24.11 10:31", of=replace(raised, modified_at=at("24.11 10:30"))))
    emptied = replace(desk.stamped(card(), SLA_CLASS=""), modified_at=at("24.11 10:40"))
    decision = desk.reads(reading("24.11 10:41", of=emptied))
    assert decision.ticket.value is TicketClass.STANDARD
    assert not decision.ticket.class_by_person


def test_our_own_stamp_is_nobodys_change() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    echo = replace(desk.stamped(card()), modified_at=at("24.11 10:02"))
    decision = desk.reads(reading("24.11 10:03", of=echo))
    assert not decision.ticket.class_by_person
    assert decision.messages == ()


def test_deadline_moved_by_the_head_is_an_extension() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    moved = desk.stamped(card(), SLA_SOLVE_DUE="2026-11-30T09:00:00Z")
    decision = desk.reads(
        reading("24.11 12:01", of=replace(moved, modified_at=at("24.11 12:00"), modified_by=HEAD))
    )
    assert decision.ticket.now_cycle.solution.extended
    assert decision.stamp is not None
    assert decision.stamp.wanted["SLA_SOLVE_DUE"] == "2026-11-30T09:00:00Z"


def test_who_extended_stands_on_the_card_while_the_extension_holds() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    moved = desk.stamped(card(), SLA_SOLVE_DUE="2026-11-30T09:00:00Z")
    moved = replace(moved, modified_at=at("24.11 12:00"), modified_by=HEAD)
    agreed = desk.reads(reading("24.11 12:01", of=moved))
    raised = replace(desk.stamped(card(), SLA_CLASS="emergency"), modified_at=at("24.11 13:00"))
    overtaken = desk.reads(reading("24.11 13:01", of=raised))
    assert agreed.stamp is not None
    assert overtaken.stamp is not None
    assert (agreed.ticket.extended_by, agreed.outcomes[0].extended) == (HEAD, True)
    assert agreed.stamp.wanted["SLA_EXT_BY"] == str(HEAD)
    assert (overtaken.ticket.extended_by, overtaken.outcomes[0].extended) == (None, False)
    assert overtaken.stamp.wanted["SLA_EXT_BY"] == ""
    assert overtaken.ticket.notes == ()


def test_deadline_moved_by_an_agent_is_put_back() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    moved = desk.stamped(card(), SLA_SOLVE_DUE="2026-11-30T09:00:00Z")
    decision = desk.reads(
        reading("24.11 12:01", of=replace(moved, modified_at=at("24.11 12:00"), modified_by=AGENT))
    )
    assert decision.stamp is not None
    assert decision.stamp.wanted["SLA_SOLVE_DUE"] == "2026-11-26T13:00:00Z"
    assert decision.ticket.notes == ("extension_asked:2026-11-30T09:00:00Z",)


def test_reopened_ticket_is_the_same_ticket() -> None:
    moves = [move(2, "24.11 12:00", "SOLVED"), move(3, "24.11 14:00", "PREPARATION")]
    ticket = Desk().reads(reading("24.11 14:01", moves=moves)).ticket
    assert ticket.cycle == 1
    assert ticket.now_cycle.reopened_at == (at("24.11 14:00"),)
    assert ticket.now_cycle.solution.outcome is None


def test_deleted_item_leaves_the_figures_and_is_not_written() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    decision = desk.reads(Gone(DEAL, at("24.11 11:00")))
    assert decision.ticket.state is State.DELETED
    assert decision.stamp is None
    assert not decision.outcomes[0].counted


def test_not_a_ticket_empties_the_clock_fields() -> None:
    desk = Desk()
    decision = desk.reads(reading("24.11 10:30", moves=[move(2, "24.11 10:20", "SPAM")]))
    assert decision.stamp is not None
    assert {decision.stamp.wanted[code] for code in ("SLA_STATE", "SLA_SOLVE_DUE", "SLA_REPLY_DUE")} == {""}


def test_ticket_older_than_the_service_is_shown_but_never_stamped() -> None:
    decision = Desk().reads(reading("24.11 10:01", of=card("20.10 10:00")))
    assert decision.stamp is None
    assert decision.messages == ()
    assert not decision.outcomes[0].counted


def test_stage_unknown_to_the_rules_leaves_the_state_and_is_named() -> None:
    moves = [move(2, "24.11 10:30", "PREPARATION"), move(3, "24.11 11:00", "MYSTERY")]
    ticket = Desk().reads(reading("24.11 11:01", moves=moves)).ticket
    assert ticket.state is State.IN_PROGRESS
    assert ticket.notes == ("unknown_stage:C3:MYSTERY",)


def test_solved_late_ends_as_breached_with_its_lateness() -> None:
    moves = [move(2, "27.11 10:00", "SOLVED")]
    decision = Desk().reads(reading("27.11 10:01", moves=moves, spoken=[said(2, "24.11 11:00", Side.OURS)]))
    assert decision.ticket.sla_state is SlaState.BREACHED
    assert decision.stamp is not None
    assert decision.stamp.wanted["SLA_OVERDUE"] == "3 ч"


def test_order_of_discovery_does_not_matter() -> None:
    spoken = [said(2, "24.11 11:00", Side.OURS), said(3, "24.11 12:00", Side.CLIENT, "Не помогло")]
    moves = [move(2, "24.11 11:00", "WAIT"), move(3, "24.11 12:30", "PREPARATION")]
    step_by_step = Desk()
    step_by_step.reads(reading("24.11 10:01"))
    step_by_step.reads(reading("24.11 11:01", moves=moves[:1], spoken=spoken[:1]))
    last = reading("24.11 13:00", moves=moves, spoken=spoken)
    assert step_by_step.reads(last).ticket.cycles == Desk().reads(last).ticket.cycles


def outcome_of(decision: Decision, cycle: int = 1) -> Outcome:
    return next(each for each in decision.outcomes if each.cycle == cycle)


def test_reply_belongs_to_who_had_the_ticket_at_its_deadline() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    handed_on = card(assignee=6, modified_at=at("24.11 15:00"))
    replied = [said(2, "24.11 15:30", Side.OURS)]
    decision = desk.reads(reading("24.11 15:31", of=handed_on, spoken=replied))
    assert outcome_of(decision).reply_agent == AGENT
    solved = [move(2, "24.11 16:00", "SOLVED")]
    decision = desk.reads(reading("24.11 16:01", of=handed_on, spoken=replied, moves=solved))
    assert outcome_of(decision).solve_agent == 6


def test_breach_belongs_to_its_deadline_and_a_met_term_to_its_event() -> None:
    desk = Desk()
    decision = desk.reads(reading("24.11 15:31", spoken=[said(2, "24.11 15:30", Side.OURS)]))
    assert outcome_of(decision).reply_outcome_at == at("24.11 14:00")
    solved = desk.reads(reading("24.11 16:01", moves=[move(2, "24.11 16:00", "SOLVED")]))
    assert outcome_of(solved).solve_outcome_at == at("24.11 16:00")


def test_ticket_left_with_a_robot_is_nobodys_in_the_figures() -> None:
    desk = Desk()
    decision = desk.reads(reading("24.11 14:01", of=card(assignee=ROBOT)))
    assert (outcome_of(decision).agent, outcome_of(decision).reply_agent) == (None, None)


def test_level_written_by_a_person_is_an_escalation() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    raised = replace(desk.stamped(card(), SLA_ESC_LEVEL="2"), modified_at=at("24.11 10:30"))
    decision = desk.reads(reading("24.11 10:31", of=raised))
    assert outcome_of(decision).escalated_at == at("24.11 10:30")


def test_confirmed_cycle_stays_confirmed_when_another_follows() -> None:
    moves = [move(2, "02.11 12:00", "WON"), move(3, "24.11 10:00", "PREPARATION")]
    decision = Desk().reads(reading("24.11 10:01", of=card("02.11 10:00"), moves=moves))
    assert outcome_of(decision, 1).state is State.CLOSED_CONFIRMED
    assert outcome_of(decision, 2).received_at == at("24.11 10:00")


def test_return_after_a_week_is_stamped_with_full_terms() -> None:
    moves = [move(2, "02.11 12:00", "WON"), move(3, "24.11 10:00", "PREPARATION")]
    desk = Desk()
    desk.reads(reading("24.11 10:01", of=card("02.11 10:00"), moves=moves))
    assert desk.wanted["SLA_REPLY_DUE"] == "2026-11-24T11:00:00Z"
    assert desk.wanted["SLA_SOLVED_AT"] == ""
    assert "deal:41/2/comment/class/standard/0" in desk.said
