"""Addresses with a signature and an end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from app.model import ItemRef, Ticket
from app.signing import LIFETIME, Standing, address, ends_at, key_of, standing
from tests.lives import Desk, at, move, reading

KEY = key_of("a secret of the settings")
REF = ItemRef.parse("deal:41")
ENDS = at("24.12 10:00")


def parts(of: str) -> tuple[str, str]:
    query = parse_qs(urlsplit(of).query)
    return query["until"][0], query["sign"][0]


def ticket(now: str, *moves: tuple[str, str]) -> Ticket:
    rows = [move(2 + k, *each) for k, each in enumerate(moves)]
    return Desk().reads(reading(now, moves=rows)).ticket


def test_an_address_holds_to_its_end_and_no_longer() -> None:
    until, sign = parts(address(KEY, REF, ENDS))
    assert standing(KEY, REF, until, sign, ENDS - timedelta(seconds=1)) is Standing.GOOD
    assert standing(KEY, REF, until, sign, ENDS) is Standing.EXPIRED


def test_another_ticket_day_key_or_signature_is_forged() -> None:
    until, sign = parts(address(KEY, REF, ENDS))
    tries = [
        (KEY, ItemRef.parse("deal:42"), until, sign),
        (KEY, REF, str(int(until) + 1), sign),
        (key_of("another secret"), REF, until, sign),
        (KEY, REF, until, sign[:-1]),
        (KEY, REF, until, "ё" * 64),
        (KEY, REF, "", ""),
        (KEY, REF, "never", sign),
    ]
    assert {standing(*each, at("24.11 10:00")) for each in tries} == {Standing.FORGED}


@pytest.mark.parametrize("later", ["24.11 10:30", "25.11 11:00", "26.11 15:59"])
def test_the_address_does_not_change_because_time_passes(later: str) -> None:
    assert ends_at(ticket(later)) == ends_at(ticket("24.11 10:01")) == at("26.11 16:00") + LIFETIME


def test_a_late_closing_makes_it_last_longer() -> None:
    closed = ticket("30.11 12:00", ("30.11 11:00", "SOLVED"), ("30.11 11:30", "WON"))
    assert ends_at(closed) == at("30.11 11:30") + LIFETIME


def test_a_ticket_without_terms_has_an_end_too() -> None:
    plain = ticket("24.11 10:01")
    cycle = plain.now_cycle
    bare = replace(
        cycle, reply=replace(cycle.reply, due_at=None), solution=replace(cycle.solution, due_at=None)
    )
    assert ends_at(replace(plain, cycles=(bare,))) == at("24.11 10:00") + LIFETIME
