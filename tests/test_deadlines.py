"""Deadlines as people move them: who may, with which reason, and what the others only ask."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.deadlines import extensions, postponements, requests, waiver_is_asked, waivers
from app.model import Card, Decision, Fact, FactKind, OutcomeWord, State
from tests.lives import AGENT, DEAL, HEAD, Desk, at, card, move, reading, rules

LEAD, STRANGER = 6, 77
RULES = replace(rules(), people=replace(rules().people, leads=(LEAD,)))
FRIDAY, MONDAY = "2026-11-27T09:00:00Z", "2026-11-30T09:00:00Z"


def wrote(code: str, value: str, when: str, actor: int | None = HEAD, number: int = 1) -> Fact:
    key = f"{code}#{number}"
    return Fact(DEAL, FactKind.FIELD, key, at(when), at(when), actor, {"code": code, "value": value})


def due(value: str, when: str, actor: int | None = HEAD, number: int = 1) -> Fact:
    return wrote("SLA_SOLVE_DUE", value, when, actor, number)


def why(text: str, when: str, number: int = 1) -> Fact:
    return wrote("SLA_EXT_REASON", text, when, HEAD, number)


# --- extensions ---------------------------------------------------------------------------


@pytest.mark.parametrize(("actor", "counts"), [(HEAD, True), (LEAD, True), (AGENT, False), (None, False)])
def test_the_head_and_the_leads_extend_and_nobody_else(actor: int | None, counts: bool) -> None:
    facts = [due(MONDAY, "24.11 12:00", actor)]

    assert [each.by for each in extensions(facts, RULES)] == ([actor] if counts else [])
    assert bool(requests(facts, RULES)) is not counts


def test_nobody_is_entitled_where_the_rules_name_no_head() -> None:
    nameless = replace(RULES, people=replace(RULES.people, head=0, leads=()))

    assert list(extensions([due(MONDAY, "24.11 12:00", 0)], nameless)) == []


@pytest.mark.parametrize("when", ["24.11 11:00", "24.11 12:00", "24.11 12:30"])
def test_a_reason_is_the_extensions_whether_written_before_with_or_after(when: str) -> None:
    facts = [due(MONDAY, "24.11 12:00"), why("ждём поставку", when)]

    assert [each.reason for each in extensions(facts, RULES)] == ["ждём поставку"]


def test_each_extension_has_the_reason_of_its_time() -> None:
    facts = [
        due(FRIDAY, "24.11 12:00"),
        why("ждём поставку", "24.11 12:01"),
        due(MONDAY, "25.11 12:00", number=2),
        why("поставка задержалась", "25.11 12:00", number=2),
    ]

    assert [each.reason for each in extensions(facts, RULES)] == ["ждём поставку", "поставка задержалась"]


def test_a_request_is_settled_by_the_next_word_of_the_head() -> None:
    asked = [due(MONDAY, "24.11 12:00", AGENT)]

    assert requests(asked, RULES) == (at("30.11 12:00"),)
    assert requests([*asked, due(FRIDAY, "24.11 13:00", number=2)], RULES) == ()
    assert requests([*asked, due("", "24.11 13:00", AGENT, 2)], RULES) == (at("30.11 12:00"),)


# --- postponements and waivers ------------------------------------------------------------


def test_an_emptied_date_ends_the_date_before_it() -> None:
    facts = [
        wrote("SLA_PAUSE_UNTIL", MONDAY, "24.11 12:00"),
        wrote("SLA_PAUSE_UNTIL", "", "25.11 12:00", number=2),
    ]

    assert list(postponements(facts)) == [
        (at("24.11 12:00"), at("30.11 12:00")),
        (at("25.11 12:00"), None),
    ]


@pytest.mark.parametrize(("actor", "counts"), [(HEAD, True), (LEAD, True), (AGENT, False), (STRANGER, False)])
def test_the_head_and_the_leads_waive_and_the_others_ask(actor: int, counts: bool) -> None:
    facts = [wrote("SLA_WAIVER", "авария у провайдера", "24.11 12:00", actor)]

    assert [reason for _, reason in waivers(facts, RULES)] == (["авария у провайдера"] if counts else [])
    assert waiver_is_asked(facts, RULES) is not counts


# --- what follows for the ticket ----------------------------------------------------------


def changed(by: int, when: str = "24.11 12:00", desk: Desk | None = None, **fields: str) -> Decision:
    """The desk's word on a card after somebody changed these fields."""
    desk = desk or Desk()
    if not desk.facts:
        desk.reads(reading("24.11 10:01"))
    return desk.reads(reading(when, of=after(desk, by, when, **fields)))


def after(desk: Desk, by: int, when: str, **fields: str) -> Card:
    """The card as it stood, our stamp upon it, with these fields changed."""
    desk.confirmed |= desk.wanted
    return replace(card(), sla=desk.confirmed | fields, modified_at=at(when), modified_by=by)


def test_an_extension_without_a_reason_counts_and_is_shown_as_one_without() -> None:
    bare = changed(HEAD, SLA_SOLVE_DUE=MONDAY)
    told = changed(HEAD, SLA_SOLVE_DUE=MONDAY, SLA_EXT_REASON="ждём поставку")

    assert bare.ticket.now_cycle.solution.extended
    assert bare.ticket.notes == ("extension_unexplained",)
    assert told.ticket.notes == ()


def test_a_reason_written_later_settles_it() -> None:
    desk = Desk()
    changed(HEAD, desk=desk, SLA_SOLVE_DUE=MONDAY)
    later = changed(HEAD, "24.11 13:00", desk, SLA_EXT_REASON="ждём поставку")

    assert later.ticket.notes == ()
    assert later.ticket.now_cycle.solution.due_at == at("30.11 12:00")


def test_only_the_extension_that_stands_must_have_a_reason() -> None:
    desk = Desk()
    changed(HEAD, desk=desk, SLA_SOLVE_DUE=FRIDAY)
    later = changed(HEAD, "24.11 13:00", desk, SLA_SOLVE_DUE=MONDAY, SLA_EXT_REASON="ждём поставку")

    assert later.ticket.notes == ()


def test_an_agents_request_goes_when_the_head_extends() -> None:
    desk = Desk()
    asked = changed(AGENT, desk=desk, SLA_SOLVE_DUE=MONDAY)
    agreed = changed(HEAD, "24.11 13:00", desk, SLA_SOLVE_DUE=FRIDAY, SLA_EXT_REASON="ждём поставку")

    assert asked.ticket.notes == ("extension_asked:2026-11-30T09:00:00Z",)
    assert agreed.ticket.notes == ()


def test_a_waived_ticket_keeps_its_verdicts_and_leaves_the_shares() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    waived = changed(HEAD, desk=desk, SLA_WAIVER="авария у провайдера")
    late = desk.reads(reading("26.11 17:00"))

    assert waived.outcomes[0].waived
    assert late.ticket.now_cycle.solution.outcome is OutcomeWord.BREACHED
    assert (late.outcomes[0].solve_outcome, late.outcomes[0].reply_outcome) == (None, None)
    assert not [m for m in late.messages if "breach" in m.key]


def test_a_waiver_taken_back_counts_no_more() -> None:
    desk = Desk()
    changed(HEAD, desk=desk, SLA_WAIVER="авария у провайдера")

    assert not changed(HEAD, "24.11 13:00", desk, SLA_WAIVER="").outcomes[0].waived


def test_an_agents_waiver_is_only_asked() -> None:
    decision = changed(AGENT, SLA_WAIVER="клиент сам виноват")

    assert not decision.outcomes[0].waived
    assert decision.ticket.notes == ("waiver_asked",)


def test_a_removed_date_lets_the_postponement_last_till_somebody_ends_it() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    held = [move(2, "24.11 11:00", "HOLD")]
    desk.reads(
        reading("24.11 11:01", of=after(desk, AGENT, "24.11 11:00", SLA_PAUSE_UNTIL=FRIDAY), moves=held)
    )
    emptied = after(desk, AGENT, "24.11 12:00", SLA_PAUSE_UNTIL="")
    ticket = desk.reads(reading("30.11 10:00", of=emptied, moves=held)).ticket

    assert (ticket.state, ticket.now_cycle.solution.paused) == (State.POSTPONED, True)


@pytest.mark.parametrize("slip", ["2062-11-30T09:00:00Z", "9999-12-31T23:59:59Z", "0206-11-30T09:00:00Z"])
def test_a_date_decades_away_is_a_slip_of_the_pen(slip: str) -> None:
    assert list(extensions([due(slip, "24.11 12:00")], RULES)) == []
    assert list(postponements([wrote("SLA_PAUSE_UNTIL", slip, "24.11 12:00")])) == [(at("24.11 12:00"), None)]
