"""What a reading teaches, and what it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.learning import UNSEEN, CardMemory, learned
from app.model import Fact, FactKind, Gone, Reading, Side
from tests.lives import AGENT, DEAL, at, card, move, reading, said


def kinds(facts: tuple[Fact, ...]) -> list[str]:
    return [f"{fact.kind}:{fact.key}" for fact in facts]


def changed(code: str, value: str, memory: CardMemory) -> bool:
    shown = reading("24.11 12:00", of=card(sla={code: value}))
    return any(f.kind is FactKind.FIELD and f.value["code"] == code for f in learned(shown, (), memory))


def test_the_same_reading_teaches_nothing_twice() -> None:
    shown = reading(
        "24.11 12:00", moves=[move(2, "24.11 11:00", "WAIT")], spoken=[said(3, "24.11 11:00", Side.OURS)]
    )
    known = learned(shown, (), UNSEEN)
    assert learned(replace(shown, read_at=at("24.11 12:05")), known, UNSEEN) == ()


def test_a_field_without_history_changed_when_the_item_did() -> None:
    known = learned(reading("24.11 10:01"), (), UNSEEN)
    later = card(assignee=6, modified_at=at("24.11 11:30"), modified_by=AGENT)
    [fact] = learned(reading("24.11 12:00", of=later), known, UNSEEN)
    assert (fact.key, fact.happened_at, fact.actor) == ("assignee#2", at("24.11 11:30"), AGENT)


def test_nothing_happened_later_than_it_was_read() -> None:
    ahead = card(created="24.11 10:05", modified_at=at("24.11 10:06"))
    facts = learned(reading("24.11 10:00", of=ahead), (), UNSEEN)
    assert max(fact.happened_at for fact in facts) == at("24.11 10:00")


def test_vanished_message_is_marked_not_forgotten() -> None:
    known = learned(reading("24.11 11:00", spoken=[said(3, "24.11 10:30", Side.OURS)]), (), UNSEEN)
    assert kinds(learned(reading("24.11 12:00"), known, UNSEEN)) == ["vanished:activity:3"]


@pytest.mark.parametrize("note", ["replies_unreadable", "utterances_since_cursor"])
def test_what_was_not_asked_for_did_not_vanish(note: str) -> None:
    known = learned(reading("24.11 11:00", spoken=[said(3, "24.11 10:30", Side.OURS)]), (), UNSEEN)
    blind: Reading = replace(reading("24.11 12:00"), notes=(note,))
    assert "vanished:activity:3" not in kinds(learned(blind, known, UNSEEN))


@pytest.mark.parametrize("note", ["replies_unreadable", "openline_unread"])
def test_losing_sight_of_our_answers_is_a_fact_and_seeing_them_again_another(note: str) -> None:
    known = learned(reading("24.11 11:00"), (), UNSEEN)
    blind: Reading = replace(reading("24.11 12:00"), notes=(note,))
    lost = learned(blind, known, UNSEEN)
    assert kinds(lost) == ["silence:1"]
    assert learned(replace(blind, read_at=at("24.11 12:05")), (*known, *lost), UNSEEN) == ()
    assert kinds(learned(reading("24.11 13:00"), (*known, *lost), UNSEEN)) == ["silence:2"]


def test_disappearance_and_return_are_facts() -> None:
    known = learned(reading("24.11 10:01"), (), UNSEEN)
    gone = learned(Gone(DEAL, at("24.11 11:00")), known, UNSEEN)
    back = learned(reading("24.11 12:00"), (*known, *gone), UNSEEN)
    assert kinds(gone) == ["gone:1"]
    assert kinds(back) == ["returned:1"]
    assert learned(Gone(DEAL, at("24.11 11:05")), (*known, *gone), UNSEEN) == ()


def test_going_and_coming_back_in_one_instant_is_told_once() -> None:
    known = learned(reading("24.11 10:01"), (), UNSEEN)
    known += learned(Gone(DEAL, at("24.11 11:00")), known, UNSEEN)
    known += learned(reading("24.11 11:00"), known, UNSEEN)
    assert learned(reading("24.11 11:00"), known, UNSEEN) == ()


def test_unknown_item_that_is_gone_teaches_nothing() -> None:
    assert learned(Gone(DEAL, at("24.11 11:00")), (), UNSEEN) == ()


@pytest.mark.parametrize(
    ("confirmed", "attempted", "value", "by_people"),
    [
        ({}, {}, "", False),
        ({}, {}, "emergency", True),  # filled in before we saw the card
        ({"SLA_CLASS": "standard"}, {}, "standard", False),
        ({"SLA_CLASS": "standard"}, {}, "emergency", True),
        ({"SLA_CLASS": "standard"}, {}, "", True),  # emptied
        ({}, {"SLA_CLASS": "standard"}, "standard", False),  # our write of unknown fate
        ({"SLA_CLASS": "standard"}, {"SLA_CLASS": "emergency"}, "emergency", False),
    ],
)
def test_our_own_values_are_nobodys_change(
    confirmed: dict[str, str], attempted: dict[str, str], value: str, by_people: bool
) -> None:
    assert changed("SLA_CLASS", value, CardMemory(confirmed, attempted)) is by_people


def test_an_empty_boolean_is_no_change() -> None:
    assert not changed("SLA_CLASS_SURE", "N", UNSEEN)


def test_deadline_that_stood_before_our_first_stamp_is_no_extension() -> None:
    assert not changed("SLA_SOLVE_DUE", "2026-11-30T09:00:00Z", UNSEEN)


def test_tasks_log_tells_who_moved_the_deadline() -> None:
    memory = CardMemory({}, {"SLA_SOLVE_DUE": "2026-11-26T13:00:00Z"})
    moved = card(
        sla={"SLA_SOLVE_DUE": "2026-11-30T09:00:00Z"}, extra={"deadline_changed_by": "7"}, modified_by=AGENT
    )
    facts = learned(reading("24.11 12:00", of=moved), (), memory)
    [actor] = [f.actor for f in facts if f.kind is FactKind.FIELD and f.value["code"] == "SLA_SOLVE_DUE"]
    assert actor == 7


def test_stage_of_the_card_counts_where_its_history_lags() -> None:
    shown = reading("24.11 12:00")
    lagging = replace(shown, card=replace(shown.card, stage="C3:WAIT", modified_at=at("24.11 11:40")))
    [fact] = [f for f in learned(lagging, (), UNSEEN) if f.kind is FactKind.STAGE and f.key != "1"]
    assert (fact.value["stage"], fact.happened_at) == ("C3:WAIT", at("24.11 11:40"))
