"""A table for each rule of sla.md 2 (standard: reply 4 h, solution 24 h; emergency: 15 min, 4 h)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.model import ClassChange, EntryKind, Extension, OutcomeWord, State, TicketClass
from app.sla.ledger import cycles_of
from app.sla.targets import TermsChange
from tests.sla.lives import (
    BREACHED,
    CONSULTATION,
    EMERGENCY,
    HOLD,
    MET,
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
    extended,
    hours,
    life,
    ours,
    shown,
    told,
)

# --- start and terms ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "reply_by", "solve_by"),
    [
        (EMERGENCY, "23.11 10:15", "23.11 14:00"),
        (STANDARD, "23.11 14:00", "25.11 16:00"),
        (CONSULTATION, "23.11 18:00", "30.11 13:00"),
    ],
)
def test_a_new_ticket_runs_under_its_class(value: TicketClass, reply_by: str, solve_by: str) -> None:
    found = cycle(life("23.11 10:00", value=value), "23.11 10:01")

    assert (shown(found.reply.due_at), shown(found.solution.due_at)) == (reply_by, solve_by)
    assert found.reply.running
    assert found.solution.running
    assert found.reply.outcome is found.solution.outcome is None


def test_a_ticket_of_the_future_is_told_as_of_its_start() -> None:
    found = cycle(life("23.11 10:00"), "23.11 09:00")

    assert shown(found.solution.due_at) == "25.11 16:00"
    assert found.solution.spent == timedelta(0)


def test_what_happens_later_is_not_known_yet() -> None:
    story = life("23.11 10:00", ("23.11 12:00", SOLVED), spoken=[ours("23.11 11:00")])

    found = cycle(story, "23.11 10:59")

    assert found.reply.met_at is found.solution.met_at is None


def test_a_deadline_after_the_decreed_years_is_provisional() -> None:
    found = cycle(life("30.12.2027 17:00", value=EMERGENCY), "30.12.2027 17:01")

    assert not found.reply.provisional
    assert found.solution.provisional


def test_without_sla_the_clocks_only_tell() -> None:
    story = life("23.11 10:00", ("24.11 11:00", SOLVED), spoken=[ours("23.11 16:00")])

    found = cycle(story, terms={STANDARD: None, EMERGENCY: TERMS[EMERGENCY]})

    assert [found.reply.due_at, found.reply.outcome, found.solution.outcome] == [None, None, None]
    assert (shown(found.reply.met_at), found.reply.spent) == ("23.11 16:00", hours(6))


# --- reply --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "outcome", "outcome_at"),
    [
        ("23.11 13:59", MET, "23.11 13:59"),
        ("23.11 14:00", MET, "23.11 14:00"),
        ("23.11 14:00:01", BREACHED, "23.11 14:00"),
        ("24.11 10:00", BREACHED, "23.11 14:00"),
    ],
)
def test_met_exactly_at_the_deadline_is_met(reply: str, outcome: OutcomeWord, outcome_at: str) -> None:
    found = cycle(life("23.11 10:00", spoken=[ours(reply)])).reply

    assert (found.outcome, shown(found.outcome_at), found.met_at) == (outcome, outcome_at, at(reply))


@pytest.mark.parametrize(("now", "outcome"), [("23.11 14:00", None), ("23.11 14:00:01", BREACHED)])
def test_an_open_clock_is_breached_only_after_its_deadline(now: str, outcome: OutcomeWord | None) -> None:
    found = cycle(life("23.11 10:00"), now).reply

    assert found.outcome is outcome
    assert found.running


def test_the_reply_clock_never_pauses() -> None:
    story = life("23.11 10:00", ("23.11 10:05", HOLD), ("24.11 10:00", WORK))

    found = cycle(story, "24.11 12:00").reply

    assert (shown(found.due_at), found.outcome, found.pauses) == ("23.11 14:00", BREACHED, ())


def test_an_acknowledgement_is_a_reply() -> None:
    found = cycle(life(spoken=[ours("23.11 10:30", acknowledgement=True)])).reply

    assert (found.outcome, found.met_by, found.spent) == (MET, "message", hours(0.5))


def test_the_clients_own_messages_are_none() -> None:
    assert cycle(life(spoken=[client("23.11 10:30")]), "23.11 11:00").reply.met_at is None


def test_solving_without_a_word_is_a_reply_by_closing() -> None:
    story = life("23.11 10:00", ("23.11 11:00", SOLVED), ("23.11 12:00", WORK), spoken=[ours("23.11 13:00")])

    found = cycle(story).reply

    assert (found.met_by, shown(found.met_at)) == ("closing", "23.11 11:00")


@pytest.mark.parametrize(
    ("call", "met_at"),
    [("23.11 10:10", "23.11 10:10"), ("23.11 09:52", "23.11 10:00"), ("23.11 08:30", "-")],
)
def test_an_emergency_by_phone_is_answered_by_the_call(call: str, met_at: str) -> None:
    found = cycle(life("23.11 10:00", value=EMERGENCY, spoken=[ours(call, call=True)]), "23.11 10:12").reply

    assert (shown(found.met_at), found.met_by) == (met_at, "call" if met_at != "-" else "")


def test_a_message_older_than_the_ticket_is_no_reply() -> None:
    assert cycle(life("23.11 10:00", spoken=[ours("23.11 09:58")]), "23.11 11:00").reply.met_at is None


# --- extension and waiver -----------------------------------------------------------------


def test_an_extension_replaces_the_deadline() -> None:
    story = life("23.11 10:00", ("27.11 15:00", SOLVED), extensions=[extended("25.11 15:00", "27.11 18:00")])

    found = cycle(story).solution

    assert (shown(found.due_at), found.outcome, found.extended) == ("27.11 18:00", MET, True)
    assert ("25.11 15:00", "extended", "from:2026-11-25T13:00:00Z") in told(found)


def test_an_extension_after_the_deadline_undoes_nothing() -> None:
    story = life(
        "23.11 10:00", ("27.11 15:00", SOLVED), extensions=[extended("25.11 16:00:01", "27.11 18:00")]
    )

    found = cycle(story).solution

    assert (shown(found.due_at), found.outcome, found.extended) == ("25.11 16:00", BREACHED, False)
    assert ("25.11 16:00", "extended", "late:2026-11-27T15:00:00Z") in told(found)


def test_an_agreed_date_does_not_drift_with_a_pause() -> None:
    story = life(
        "23.11 10:00", ("24.11 12:00", HOLD), ("25.11 12:00", WORK),
        extensions=[extended("24.11 10:00", "27.11 18:00")],
    )  # fmt: skip

    assert shown(cycle(story, "25.11 13:00").solution.due_at) == "27.11 18:00"


def test_an_agreed_date_gives_back_the_time_spent_solved() -> None:
    story = life(
        "23.11 10:00", ("24.11 12:00", SOLVED), ("25.11 12:00", WORK),
        extensions=[extended("24.11 10:00", "27.11 12:00")],
    )  # fmt: skip

    assert shown(cycle(story, "25.11 13:00").solution.due_at) == "30.11 12:00"


@pytest.mark.parametrize(
    ("change", "due"),
    [
        (becomes("24.11 12:00", CONSULTATION), "27.11 18:00"),
        (becomes("24.11 12:00", EMERGENCY), "24.11 16:00"),
    ],
)
def test_an_agreed_date_outlives_a_class_change_but_no_raise(change: ClassChange, due: str) -> None:
    story = life("23.11 10:00", classes=[change], extensions=[extended("24.11 10:00", "27.11 18:00")])

    assert shown(cycle(story, "24.11 13:00").solution.due_at) == due


def test_an_extension_that_a_raise_overtook_holds_no_more() -> None:
    story = life(
        "23.11 10:00",
        classes=[becomes("24.11 09:00", EMERGENCY)],
        extensions=[extended("23.11 12:00", "30.11 12:00")],
    )

    assert cycle(story, "23.11 13:00").solution.extended
    found = cycle(story, "24.11 10:00").solution
    assert (shown(found.due_at), found.extended) == ("24.11 13:00", False)


def test_an_earlier_agreed_date_holds_over_a_raise() -> None:
    story = life(
        "23.11 10:00",
        classes=[becomes("24.11 09:00", EMERGENCY)],
        extensions=[extended("23.11 12:00", "24.11 11:00")],
    )

    found = cycle(story, "24.11 10:00").solution
    assert (shown(found.due_at), found.extended) == ("24.11 11:00", True)


def test_an_extension_that_came_too_late_holds_under_longer_terms_applied_later() -> None:
    story = life("23.11 10:00", extensions=[extended("26.11 10:00", "04.12 12:00")])
    longer = {STANDARD: class_terms(STANDARD, 4, 48)}
    applied = TermsChange(at("26.11 12:00"), longer, "v2", "Соколов И.")

    found = cycles_of(story, TERMS, at("26.11 13:00"), [applied])[-1].solution
    assert (shown(found.due_at), found.extended, found.outcome) == ("04.12 12:00", True, BREACHED)


def test_a_waiver_is_marked_and_tells_its_reason() -> None:
    story = life("23.11 10:00", waived=[(at("25.11 10:00"), "авария у провайдера")])

    found = cycle(story, "26.11 10:00")

    assert found.solution.waived
    assert found.reply.waived
    assert ("25.11 10:00", "waived", "авария у провайдера") in told(found.solution)
    assert not cycle(story, "25.11 09:59").solution.waived


# --- ended without a verdict --------------------------------------------------------------


@pytest.mark.parametrize("state", [State.DUPLICATE, State.NOT_TICKET, State.DELETED, State.LEFT])
def test_what_is_no_ticket_has_no_verdict(state: State) -> None:
    found = cycle(life("23.11 10:00", ("23.11 11:00", state)))

    assert [found.reply.outcome, found.solution.outcome, found.solution.due_at] == [None, None, None]
    assert not found.solution.running
    assert not found.solution.paused
    assert told(found.solution)[-1] == ("23.11 11:00", "ended", state.value)


def test_a_class_that_is_no_ticket_has_no_clocks() -> None:
    found = cycle(life("23.11 10:00", classes=[becomes("26.11 10:00", TicketClass.NOT_TICKET)]))

    assert [found.reply.outcome, found.reply.due_at, found.solution.outcome] == [None, None, None]
    assert not found.reply.running


def test_time_out_of_the_sources_is_given_back() -> None:
    story = life("23.11 10:00", ("23.11 11:00", State.LEFT), ("25.11 11:00", WORK))

    found = cycle(story, "25.11 12:00")

    assert (shown(found.reply.due_at), shown(found.solution.due_at)) == ("25.11 14:00", "27.11 16:00")


def test_a_reply_before_the_merge_stays_met() -> None:
    story = life("23.11 10:00", ("23.11 12:00", State.DUPLICATE), spoken=[ours("23.11 11:00")])

    assert cycle(story).reply.outcome is MET


# --- warnings -----------------------------------------------------------------------------


def test_warnings_stand_at_their_shares_of_the_term() -> None:
    found = cycle(life("23.11 10:00", value=EMERGENCY), "23.11 10:00")

    assert [(share, shown(moment)) for share, moment in found.solution.warn_at] == [
        (0.5, "23.11 12:00"), (0.75, "23.11 13:00"), (0.9, "23.11 13:36"),
    ]  # fmt: skip
    assert found.reply.warn_at == ((0.67, at("23.11 10:10:03")),)


def test_warnings_after_a_pause_move_those_before_it_stay() -> None:
    story = life("23.11 10:00", ("23.11 12:30", HOLD), ("23.11 13:30", WORK), value=EMERGENCY)

    found = cycle(story, "23.11 14:00").solution

    assert [shown(moment) for _, moment in found.warn_at] == ["23.11 12:00", "23.11 14:00", "23.11 14:36"]


def test_warnings_before_an_agreed_date_share_the_way_to_it() -> None:
    story = life("23.11 09:00", extensions=[Extension(at("24.11 10:00"), at("27.11 09:00"), by=7)])

    found = cycle(story, "24.11 11:00").solution

    assert [shown(moment) for _, moment in found.warn_at] == ["25.11 18:00", "26.11 14:24"]


# --- the ledger itself --------------------------------------------------------------------


def test_entries_tell_the_whole_life_in_order() -> None:
    story = life(
        "23.11 10:00",
        ("23.11 12:00", WAIT), ("23.11 15:00", WORK), ("24.11 10:00", SOLVED), ("24.11 12:00", WORK),
        spoken=[ours("23.11 11:00"), client("23.11 14:00")],
        classes=[becomes("24.11 13:00", CONSULTATION)],
    )  # fmt: skip

    assert told(cycle(story, "24.11 14:00").solution) == [
        ("23.11 10:00", "start", ""),
        ("23.11 12:00", "pause", "waiting_client"),
        ("23.11 14:00", "resume", "waiting_client"),
        ("24.11 10:00", "pause", "done"),
        ("24.11 10:00", "met", "done"),
        ("24.11 12:00", "resume", "done"),
        ("24.11 13:00", "retargeted", "class:consultation"),
    ]


def test_a_verdict_does_not_depend_on_when_somebody_looks() -> None:
    story = life("23.11 10:00", ("26.11 10:00", SOLVED), spoken=[ours("23.11 15:00")])

    early, late = cycle(story, "26.11 10:00"), cycle(story, "24.12 10:00")

    assert early == late
    assert OFFICE.between(early.started_at, at("26.11 10:00")) == early.solution.spent


def test_no_entry_is_of_an_unknown_kind() -> None:
    found = cycle(life("23.11 10:00"), "26.11 10:00")

    assert {entry.kind for entry in found.reply.entries} == {EntryKind.START, EntryKind.BREACHED}
