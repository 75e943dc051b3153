"""What the card should hold, moment by moment (contract.md 5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.model import Gone, Side, SlaState
from app.sla.calendar import calendar_of
from tests.lives import DEAL, Desk, at, card, move, reading, rules, said
from tests.sla.lives import MOSCOW

REPLIED = [said(2, "24.11 11:00", Side.OURS)]
LATE_REPLY = [said(2, "24.11 15:30", Side.OURS)]
SOLVED = [move(2, "24.11 16:00", "SOLVED")]
SOLVED_LATE = [move(2, "27.11 10:00", "SOLVED")]


def stamped(desk: Desk, **shown: object) -> dict[str, str]:
    """The fields wanted after this reading."""
    desk.reads(reading(**shown))  # type: ignore[arg-type]
    return desk.wanted


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ({"now": "24.11 14:00", "spoken": ()}, ""),
        ({"now": "24.11 14:01", "spoken": ()}, "с 24.11 14:00"),
        ({"now": "24.11 15:31", "spoken": LATE_REPLY}, ""),
        ({"now": "24.11 16:01", "spoken": LATE_REPLY, "moves": SOLVED}, "1 ч 30 мин"),
        ({"now": "24.11 16:01", "spoken": REPLIED, "moves": SOLVED}, ""),
        ({"now": "27.11 10:01", "spoken": LATE_REPLY, "moves": SOLVED_LATE}, "3 ч"),
        ({"now": "26.11 17:00", "spoken": ()}, "с 24.11 14:00"),
        ({"now": "26.11 17:00", "spoken": REPLIED}, "с 26.11 16:00"),
    ],
    ids=[
        "exactly due",
        "overdue",
        "late but answered",
        "ended late",
        "ended in time",
        "twice late",
        "both",
        "solution",
    ],
)
def test_lateness_in_words(shown: dict[str, object], text: str) -> None:
    assert stamped(Desk(), **shown)["SLA_OVERDUE"] == text


def test_stamp_keeps_its_values_while_the_clock_alone_goes_on() -> None:
    desk = Desk()
    overdue = dict(stamped(desk, now="24.11 14:01"))
    assert stamped(desk, now="24.11 17:00") == overdue


def test_seconds_are_dropped_never_rounded() -> None:
    shown = replace(card(), created_at=at("24.11 10:00").replace(second=59))
    assert stamped(Desk(), now="24.11 10:02", of=shown)["SLA_REPLY_DUE"] == "2026-11-24T11:00:00Z"


def test_lengths_on_a_card_are_in_days_of_its_own_calendar() -> None:
    plain = rules()
    calendar = calendar_of(zone=MOSCOW, weekly={}, around_the_clock=True)
    terms = {value: replace(each, calendar=calendar) for value, each in plain.classes.items()}
    desk = Desk(replace(plain, classes=terms, calendars=dict.fromkeys(plain.calendars, calendar)))
    moves = [
        move(2, "24.11 11:00", "HOLD"),
        move(3, "25.11 12:00", "PREPARATION"),
        move(4, "27.11 23:00", "SOLVED"),
    ]
    fields = stamped(desk, now="27.11 23:01", spoken=REPLIED, moves=moves)
    assert (fields["SLA_PAUSE_TOTAL"], fields["SLA_OVERDUE"]) == ("1 раб. дн. 1 ч", "1 раб. дн. 12 ч")


def test_paused_ticket_keeps_its_deadline_until_the_pause_ends() -> None:
    moves = [move(2, "24.11 12:00", "HOLD")]
    fields = stamped(Desk(), now="25.11 12:00", spoken=REPLIED, moves=moves)
    assert (fields["SLA_STATE"], fields["SLA_SOLVE_DUE"]) == ("paused", "2026-11-26T13:00:00Z")
    assert fields["SLA_PAUSE_TOTAL"] == ""


def test_closing_without_a_reply_is_no_first_reply() -> None:
    fields = stamped(Desk(), now="24.11 16:01", moves=SOLVED)
    assert (fields["SLA_FIRST_REPLY_AT"], fields["SLA_SOLVED_AT"]) == ("", "2026-11-24T13:00:00Z")


def test_confirmation_is_written_when_the_client_gave_it() -> None:
    confirmed = stamped(Desk(), now="24.11 16:01", moves=[move(2, "24.11 16:00", "WON")])
    silent = stamped(Desk(), now="24.11 16:01", moves=[move(2, "24.11 16:00", "NOCONF")])
    assert (confirmed["SLA_CONFIRMED_AT"], silent["SLA_CONFIRMED_AT"]) == ("2026-11-24T13:00:00Z", "")


@pytest.mark.parametrize(("stage", "level"), [("DEV", "1"), ("VISIT", "2")])
def test_hand_over_sets_the_level_and_it_stays(stage: str, level: str) -> None:
    moves = [move(2, "24.11 11:00", stage), move(3, "24.11 12:00", "PREPARATION")]
    assert stamped(Desk(), now="24.11 12:01", moves=moves)["SLA_ESC_LEVEL"] == level


def test_level_that_a_person_wrote_is_not_fought() -> None:
    desk = Desk()
    escalated = [move(2, "24.11 11:00", "DEV")]
    stamped(desk, now="24.11 11:01", moves=escalated)
    lowered = replace(desk.stamped(card(), SLA_ESC_LEVEL="0"), modified_at=at("24.11 11:30"))
    fields = stamped(desk, now="24.11 11:31", of=lowered, moves=escalated)
    assert fields.get("SLA_ESC_LEVEL", "0") == "0"


@pytest.mark.parametrize("stage", ["SPAM", "DOUBLE"])
def test_no_ticket_keeps_its_class_and_loses_its_terms(stage: str) -> None:
    fields = stamped(Desk(), now="24.11 16:01", moves=[move(2, "24.11 16:00", stage)])
    emptied = ("SLA_STATE", "SLA_REPLY_DUE", "SLA_SOLVE_DUE", "SLA_OVERDUE")
    assert [fields[code] for code in emptied] == [""] * 4
    assert fields["SLA_CLASS"] == "standard"


def test_item_that_left_the_funnel_is_not_written() -> None:
    desk = Desk()
    moves = [replace(move(2, "24.11 11:00", "x"), stage="C7:NEW", category=7)]
    assert desk.reads(reading("24.11 11:01", moves=moves)).stamp is None
    assert desk.reads(Gone(DEAL, at("24.11 12:00"))).stamp is None


def test_clock_that_runs_decides_over_one_that_is_paused() -> None:
    desk = Desk()
    moves = [move(2, "24.11 10:30", "HOLD")]
    states = [
        desk.reads(reading(now, moves=moves)).ticket.sla_state for now in ("24.11 12:00", "24.11 13:00")
    ]
    assert states == [SlaState.PAUSED, SlaState.AT_RISK]
