"""A comparison in numbers says what folding every ticket says, and says it to people and programs."""

from __future__ import annotations

import io
import random
import zipfile
from dataclasses import replace
from datetime import UTC, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from app.decision import fold
from app.model import ClockName, Fact, OutcomeWord, TicketClass
from app.pinning import Judging, Pin, pinned
from app.rules import Rules
from app.simulation.columns import Tracks, tracks_from
from app.simulation.comparing import Comparison, compared, told_in_numbers
from app.simulation.exact import Strangeness, judged_exactly
from app.simulation.picture import comparison_picture
from app.simulation.sheet import comparison_sheet
from app.simulation.text import comparison_lines
from app.simulation.tree import comparison_tree
from app.store.tracks import NAMES, row_of
from app.store.tracks import NONE as NO_NUMBER
from tests.jobs.quarter import DAYS, START, life_of, rules_of
from tests.simulation.test_judging import OTHERS, facts_of

NOW = (START + timedelta(days=DAYS * 0.8)).astimezone(UTC)


@cache
def known() -> list[list[Fact]]:
    """Facts of a quarter's lives by the moment of asking, each pinned to the rules `v1`."""
    chance = random.Random(11)
    lives = [facts_of(life_of(number, chance), NOW) for number in range(1, 121)]
    return [[*facts, pinned(facts[0].ref, (), Pin(START, "v1", "v1"))] for facts in lives if facts]


def tracks_of(rules: Rules) -> Tracks:
    folds = (fold(facts, Judging(rules, rules, desk="v1"), NOW) for facts in known())
    rows = [row_of(replace(track, terms="v1")) for each in folds if each for track in each.tracks]
    return tracks_from([[NO_NUMBER if row[name] is None else row[name] for name in NAMES] for row in rows])


def compare(rules: Rules, other: Rules, *, in_numbers: bool = True) -> Comparison:
    tracks, strange = tracks_of(rules), Strangeness()
    plain = told_in_numbers(tracks, lambda _: rules, other)
    if not in_numbers:
        plain = np.zeros(len(tracks), dtype=np.bool_)
    wanted = {ref for ref, alone in zip(tracks.refs.tolist(), plain.tolist(), strict=True) if not alone}
    lives = [facts for facts in known() if str(facts[0].ref) in wanted]
    exact = [judged_exactly(lives, lambda _: rules, other, NOW, strange)]
    return compared(tracks, plain, exact, strange, lambda _: rules, other, since=START, now=NOW)


@pytest.mark.parametrize("name", OTHERS)
def test_numbers_say_what_folding_every_ticket_says(name: str, tmp_path: Path) -> None:
    rules, other = rules_of(tmp_path), rules_of(tmp_path, "other", OTHERS[name])
    quick, slow = compare(rules, other), compare(rules, other, in_numbers=False)
    assert quick.folded < 0.1 * quick.cycles
    assert slow.folded == slow.cycles == quick.cycles > 40
    assert quick == replace(slow, folded=quick.folded)


def test_the_same_rules_change_nothing(tmp_path: Path) -> None:
    rules = rules_of(tmp_path)
    found = compare(rules, rules)
    assert found.changes == ()
    assert all(pair.before == pair.after for pair in found.shares.values())


def test_stricter_terms_make_tickets_late_and_say_by_how_much(tmp_path: Path) -> None:
    found = compare(rules_of(tmp_path), rules_of(tmp_path, "other", OTHERS["stricter"]))
    assert found.changes
    late = [change for change in found.changes if change.after is OutcomeWord.BREACHED]
    assert late == sorted(late, key=lambda change: -change.over_after)
    assert all(change.over_after > timedelta(0) for change in late)
    assert OutcomeWord.MET in {change.before for change in late}
    shares = found.shares[None, ClockName.SOLUTION]
    assert shares.before.met > shares.after.met
    assert found.breaches[0].total < found.breaches[1].total == sum(found.breaches[1].by_hour)


def test_rules_with_other_stages_are_folded_and_what_they_do_not_know_is_named(tmp_path: Path) -> None:
    rules = rules_of(tmp_path)
    stages = {code: state for code, state in rules.sources[0].stages.items() if code != "C3:SOLVED"}
    other = replace(rules, sources=(replace(rules.sources[0], stages=stages),))
    found = compare(rules, other)
    assert found.folded == found.cycles
    assert "C3:SOLVED" in found.unknown_stages


def test_tickets_of_no_source_are_named(tmp_path: Path) -> None:
    rules = rules_of(tmp_path)
    other = replace(rules, sources=(replace(rules.sources[0], category=9),))
    found = compare(rules, other)
    assert len(found.left) > 40
    assert {change.after for change in found.changes} == {None}


def test_a_field_that_nobody_has_read_is_named(tmp_path: Path) -> None:
    policy = '[[policy]]\nwhen = { field = { UF_CRM_LEVEL = "gold" } }\nset = { resolve = "8h" }\n'
    found = compare(rules_of(tmp_path), rules_of(tmp_path, "other", policy))
    assert found.unread_fields == ("UF_CRM_LEVEL",)
    assert found.changes == ()


# --- how it is told ----------------------------------------------------------------------


@pytest.fixture
def stricter(tmp_path: Path) -> Comparison:
    return compare(rules_of(tmp_path), rules_of(tmp_path, "other", OTHERS["stricter"]))


def test_the_terminal_says_shares_breaches_and_whose_verdict_changes(stricter: Comparison) -> None:
    lines = list(comparison_lines(stricter, "other.toml"))
    assert lines[0].startswith("Если бы действовали правила other.toml:")
    assert any(line.startswith("Решение в срок") for line in lines)
    assert f"Просрочек: {stricter.breaches[0].total} → {stricter.breaches[1].total}" in lines
    assert any("в срок, запас" in line and "→ с опозданием на" in line for line in lines)


def test_nothing_to_compare_is_said(tmp_path: Path) -> None:
    rules = rules_of(tmp_path)
    tracks, nobody = tracks_from([]), np.zeros(0, dtype=np.bool_)
    nothing = compared(tracks, nobody, (), Strangeness(), lambda _: rules, rules, since=None, now=NOW)
    assert list(comparison_lines(nothing, "other.toml"))[-1] == "Сравнивать нечего."


def test_the_tree_holds_every_change_and_both_shares(stricter: Comparison) -> None:
    tree = comparison_tree(stricter, "other.toml")
    assert len(tree["changes"]) == len(stricter.changes)
    assert tree["compliance"]["standard"]["solution"]["before"]["judged"] > 0
    assert len(tree["breaches"]["after"]["by_hour"]) == 24
    first = next(change for change in tree["changes"] if change["before"] == "met")
    assert (first["after"], first["over_after_minutes"] > 0) == ("breached", True)


def test_the_table_has_a_row_for_each_change_and_no_formulas(stricter: Comparison) -> None:
    data = comparison_sheet(stricter, "=cmd.toml")
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.sheetnames == ["Сравнение", "Исходы", "Просрочки"]
    assert book["Исходы"].max_row == len(stricter.changes) + 1
    assert book["Исходы"].cell(2, 6).value == "с опозданием"
    names = [name for name in zipfile.ZipFile(io.BytesIO(data)).namelist() if "worksheets/sheet" in name]
    assert not any(b"<f>" in zipfile.ZipFile(io.BytesIO(data)).read(name) for name in names)


def test_the_picture_is_a_png_and_the_same_bytes_again(stricter: Comparison) -> None:
    first, again = (comparison_picture(stricter, "other.toml") for _ in range(2))
    assert first.startswith(b"\x89PNG")
    assert first == again


def test_a_breach_stands_at_the_local_hour_of_its_deadline(stricter: Comparison) -> None:
    late = [change for change in stricter.changes if change.after is OutcomeWord.BREACHED]
    assert late
    office = {change.due_after.astimezone(stricter.zone).hour for change in late if change.due_after}
    assert office <= {hour for hour, count in enumerate(stricter.breaches[1].by_hour) if count}
    assert TicketClass.STANDARD in {change.value for change in late}
