"""Tickets that go another way: under a policy, without SLA, merged into another, back after a week."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app.model import Card, Decision, MessageKind, Side, State
from app.rules import Rules, load_rules
from tests.lives import AGENT, HEAD, Desk, at, card, move, reading, rules, said

SOURCE = (
    '[[source]]\nkind = "deal"\ncategory = 3\n[source.stages]\n"C3:NEW" = "new"\n"C3:DOUBLE" = "duplicate"\n'
)
VIP = '[[policy]]\nwhen = { company = 12 }\nset = { respond = "1h", resolve = "8h" }\n'
NIGHT = '[[policy]]\nwhen = { object = "КПП" }\nset = { calendar = "always" }\n'
FREE = '[[policy]]\nwhen = { field = { UF_CRM_PLAN = "free" } }\nset = { sla = false }\n'


@cache
def under(*policies: str) -> Rules:
    """The usual desk with these policies, the first that fits wins."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rules.toml"
        path.write_text("\n".join([*policies, SOURCE]), "utf-8")
        own = load_rules(path)
    usual = rules()
    return replace(own, desk=usual.desk, people=usual.people, chats=usual.chats, sources=usual.sources)


def seen(of: Card, *policies: str, now: str = "24.11 10:01") -> Decision:
    return Desk(under(*policies)).reads(reading(now, of=of))


# --- policies -----------------------------------------------------------------------------


def test_a_policy_gives_its_client_terms_of_its_own() -> None:
    theirs, others = (seen(card(company=company), VIP, NIGHT).ticket.now_cycle for company in ("12", "13"))

    assert (theirs.reply.due_at, theirs.solution.due_at) == (at("24.11 11:00"), at("24.11 18:00"))
    assert others.reply.due_at == at("24.11 14:00")


def test_the_first_policy_that_fits_wins() -> None:
    both = seen(card(company="12", object="КПП"), VIP, NIGHT).ticket.now_cycle

    assert (both.solution.calendar, both.solution.term) == ("office", timedelta(hours=8))


def test_a_policy_may_count_on_another_calendar() -> None:
    cycle = seen(card("24.11 17:00", object="кпп"), VIP, NIGHT, now="24.11 17:01").ticket.now_cycle

    assert (cycle.reply.calendar, cycle.reply.due_at) == ("always", at("24.11 21:00"))
    assert cycle.internal == ()


def test_nobody_looks_after_it_is_counted_on_that_calendar_too() -> None:
    desk = Desk(under(NIGHT))
    lonely = card("24.11 17:00", object="КПП", assignee=None)
    desk.reads(reading("24.11 17:01", of=lonely))

    assert desk.ticket is not None
    assert desk.ticket.next_at == at("24.11 19:00")


def test_without_sla_nothing_is_due_stamped_or_told() -> None:
    desk = Desk(under(FREE))
    free = card(extra={"UF_CRM_PLAN": "free"})
    first = desk.reads(reading("24.11 10:01", of=free))
    late = desk.reads(reading("30.11 17:00", of=free))

    assert first.stamp is not None
    assert [first.stamp.wanted[code] for code in ("SLA_STATE", "SLA_REPLY_DUE", "SLA_SOLVE_DUE")] == [
        "",
        "",
        "",
    ]
    assert late.messages == ()
    assert (late.outcomes[0].reply_outcome, late.outcomes[0].solve_outcome) == (None, None)


def test_without_sla_no_clock_beside_runs_either() -> None:
    spoken = [said(2, "24.11 11:00", Side.OURS), said(3, "24.11 12:00", Side.CLIENT, "Не помогло")]
    shown = reading("24.11 17:00", of=card(extra={"UF_CRM_PLAN": "free"}), spoken=spoken)
    cycle = Desk(under(FREE)).reads(shown).ticket.now_cycle

    assert (cycle.next_replies, cycle.progress) == ((), ())


# --- merged -------------------------------------------------------------------------------


def merged(desk: Desk, now: str = "24.11 12:01", into: str = "deal:40") -> Decision:
    """Somebody found that it is another ticket's double and named that one on the card."""
    of = replace(desk.stamped(card(), SLA_REPEAT_OF=into), modified_at=at("24.11 12:00"), modified_by=AGENT)
    return desk.reads(reading(now, of=of, moves=[move(2, "24.11 12:00", "DOUBLE")]))


def test_a_merged_ticket_ends_every_clock_without_a_verdict() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    decision = merged(desk)

    assert [ledger.running or ledger.outcome for ledger in decision.ticket.now_cycle.ledgers] == [None, None]
    assert (decision.ticket.sla_state, decision.outcomes[0].counted) == (None, False)
    assert decision.ticket.repeat_of == "deal:40"


@pytest.mark.parametrize("now", ["24.11 14:01", "26.11 16:01", "30.11 10:00"])
def test_a_merged_ticket_never_escalates(now: str) -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    merged(desk)
    later = merged(desk, now)

    spoken = {m.kind for m in later.messages} - {MessageKind.CHAT_CARD}
    assert (spoken, later.next_at) == (set(), None)
    assert not [key for key in later.standing if "breach" in key or "warn" in key or "unassigned" in key]


def test_a_breach_before_the_merge_is_no_figure_after_it() -> None:
    desk = Desk()
    desk.reads(reading("24.11 15:00"))
    of = replace(card(), modified_at=at("24.11 16:00"))
    late = desk.reads(reading("24.11 16:01", of=of, moves=[move(2, "24.11 16:00", "DOUBLE")]))

    assert (late.outcomes[0].reply_outcome, late.outcomes[0].counted) == (None, False)


def test_a_merge_undone_goes_on_where_it_stood() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    merged(desk)
    back = [move(2, "24.11 12:00", "DOUBLE"), move(3, "24.11 13:00", "PREPARATION")]
    ticket = desk.reads(reading("24.11 13:01", moves=back)).ticket

    assert (ticket.state, ticket.now_cycle.reply.due_at) == (State.IN_PROGRESS, at("24.11 15:00"))


# --- back again ---------------------------------------------------------------------------


@pytest.mark.parametrize(("back", "number"), [("01.12 12:00", 1), ("01.12 12:01", 2)])
def test_seven_days_part_a_return_from_a_new_cycle(back: str, number: int) -> None:
    moves = [move(2, "24.11 12:00", "WON"), move(3, back, "PREPARATION")]
    decision = Desk().reads(reading("01.12 12:02", moves=moves))

    assert (decision.ticket.cycle, len(decision.outcomes)) == (number, number)


def test_a_return_gives_back_the_time_spent_closed_and_a_new_cycle_all_of_it() -> None:
    same = Desk().reads(
        reading("25.11 12:01", moves=[move(2, "24.11 12:00", "WON"), move(3, "25.11 12:00", "PREPARATION")])
    )
    new = Desk().reads(
        reading("02.12 12:01", moves=[move(2, "24.11 12:00", "WON"), move(3, "02.12 12:00", "PREPARATION")])
    )

    assert same.ticket.now_cycle.solution.due_at == at("27.11 16:00")
    assert new.ticket.now_cycle.solution.due_at == at("04.12 18:00")
    assert new.ticket.now_cycle.reply.due_at == at("02.12 16:00")


def test_the_head_may_extend_a_ticket_that_came_back() -> None:
    desk = Desk()
    moves = [move(2, "24.11 12:00", "WON"), move(3, "25.11 12:00", "PREPARATION")]
    desk.reads(reading("25.11 12:01", moves=moves))
    of = replace(desk.stamped(card(), SLA_SOLVE_DUE="2026-12-01T09:00:00Z"), modified_by=HEAD)
    ticket = desk.reads(
        reading("25.11 13:01", of=replace(of, modified_at=at("25.11 13:00")), moves=moves)
    ).ticket

    assert ticket.now_cycle.solution.due_at == at("01.12 12:00")
