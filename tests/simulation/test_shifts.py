"""What rules would do to open tickets: only told, nothing written."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from app.model import Fact, Side, SlaState
from app.pinning import Pin, pinned
from app.rules import Rules
from app.simulation.shift_text import shift_lines, shift_tree
from app.simulation.shifts import Shift, shifts
from tests.jobs.quarter import rules_of
from tests.lives import MOSCOW, Desk, at, card, reading, said

HOURS = '\n[class.standard]\nrespond = "{respond}"\nresolve = "{resolve}"\n'
NO_SLA = "\n[[policy]]\nwhen = { company = [12] }\nset = { sla = false }\n"
STAGES = {"C3:NEW": "new"}


def life(rules: Rules, *, answered: bool = False) -> list[Fact]:
    """A standard ticket of Tuesday, 10:00, pinned to `rules`."""
    desk = Desk(rules)
    spoken = [said(2, "24.11 11:00", Side.OURS)] if answered else []
    desk.reads(reading("24.11 11:01", of=card(company="12"), spoken=spoken))
    pin = pinned(desk.facts[0].ref, (), Pin(at("24.11 10:01"), rules.version, rules.version))
    return [*desk.facts, pin]


def shift(folder: Path, more: str, now: str = "24.11 12:00", *, answered: bool = False) -> Shift:
    rules, other = rules_of(folder), rules_of(folder, "other", more)
    [found] = shifts([life(rules, answered=answered)], lambda _: rules, other, at(now))
    return found


def moved(found: Shift) -> dict[str, timedelta | None]:
    return {clock.clock.value: clock.moved for clock in found.clocks}


def test_both_deadlines_move_by_the_difference_of_the_terms(tmp_path: Path) -> None:
    found = shift(tmp_path, HOURS.format(respond="5h", resolve="20h"))
    assert moved(found) == {"reply": timedelta(hours=1), "solution": timedelta(hours=-4)}
    assert found.changes


def test_a_clock_that_has_ended_is_not_told_of(tmp_path: Path) -> None:
    found = shift(tmp_path, HOURS.format(respond="5h", resolve="20h"), answered=True)
    assert moved(found) == {"solution": timedelta(hours=-4)}


def test_the_same_terms_change_nothing(tmp_path: Path) -> None:
    found = shift(tmp_path, '\n[class.emergency]\nrespond = "5m"\n')
    assert (found.changes, found.clocks) == (False, ())


def test_a_ticket_that_would_be_late_at_once_is_named(tmp_path: Path) -> None:
    found = shift(tmp_path, HOURS.format(respond="1h", resolve="24h"))
    assert (found.turns_overdue, found.sla_after) == (True, SlaState.OVERDUE)
    lines = list(shift_lines([found], "other.toml", "v2", MOSCOW))
    assert "Сразу окажутся просроченными: 1: deal:41" in lines


def test_a_ticket_that_would_be_warned_of_at_once_is_named(tmp_path: Path) -> None:
    found = shift(tmp_path, HOURS.format(respond="4h", resolve="150m"))
    assert (found.turns_at_risk, found.turns_overdue) == (True, False)


def test_a_ticket_that_would_have_no_terms_is_named(tmp_path: Path) -> None:
    found = shift(tmp_path, NO_SLA)
    assert (found.loses_sla, moved(found)) == (True, {"reply": None, "solution": None})
    assert "Останутся без сроков: 1: deal:41" in shift_lines([found], "other.toml", "v2", MOSCOW)


def test_a_breach_that_was_recorded_stays_whatever_the_new_term(tmp_path: Path) -> None:
    found = shift(tmp_path, HOURS.format(respond="30h", resolve="24h"), now="24.11 15:00")
    assert found.sla_before is SlaState.OVERDUE
    assert moved(found) == {"reply": timedelta(hours=26)}


def test_lines_say_old_and_new_deadline_and_by_how_much(tmp_path: Path) -> None:
    found = shift(tmp_path, HOURS.format(respond="4h", resolve="20h"))
    assert list(shift_lines([found], "other.toml", "v2", MOSCOW)) == [
        "Правила other.toml, версия v2: открыто 1\u00a0обращение, изменится 1",
        "  deal:41 стандартное: Не приходит код по SMS",
        "    решение: 26.11 16:00 → 26.11 12:00, на 4 ч раньше (срок 2 раб. дн. 6 ч → 2 раб. дн. 2 ч)",
    ]


def test_the_tree_lists_only_what_would_change(tmp_path: Path) -> None:
    found = shift(tmp_path, HOURS.format(respond="4h", resolve="20h"))
    same = shift(tmp_path, "")
    tree = shift_tree([found, same], "other.toml", "v2")
    assert (tree["open"], [each["ref"] for each in tree["changed"]]) == (2, ["deal:41"])
    assert tree["changed"][0]["clocks"][0]["moved_minutes"] == -240
