from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model import Fact, ItemRef, Kind, Message, Outcome, SlaState, Span, Ticket
from app.store.codec import CodecFault, decode, encode
from tests.store.builders import DEAL, ITEM, NOW, outcome, ticket

refs = st.builds(
    lambda kind, number, entity: ItemRef(kind, number, entity if kind is Kind.ITEM else 0),
    st.sampled_from(Kind),
    st.integers(1, 10**9),
    st.integers(1, 2000),
)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
st.register_type_strategy(ItemRef, refs)
st.register_type_strategy(datetime, instants)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(timedelta, st.timedeltas(timedelta(days=-9999), timedelta(days=9999)))
facts = st.builds(Fact, value=st.dictionaries(st.text(), plain, max_size=3))


@pytest.mark.parametrize("kind", [Ticket, Outcome, Message])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_was_encoded_is_read_back_equal(kind: type, data: st.DataObject) -> None:
    value = data.draw(st.builds(kind))
    assert decode(kind, json.loads(json.dumps(encode(value)))) == value


@settings(max_examples=50, deadline=None)
@given(facts)
def test_a_facts_value_passes_as_it_is(fact: Fact) -> None:
    assert decode(Fact, json.loads(json.dumps(encode(fact)))) == fact


def test_plain_forms_are_readable() -> None:
    plain = encode(ticket(ITEM))
    assert plain["ref"] == "item:177:5"
    assert plain["created_at"] == "2026-11-24T06:00:00Z"
    assert plain["sla_state"] == "on_track"


def change(data: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    place: Any = data
    *way, last = path.split(".")
    for step in way:
        place = place[int(step)] if step.isdigit() else place[step]
    place[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "wrong", "said"),
    [
        ("cycle", "1", ".cycle: expected int, found str"),
        ("cycle", True, ".cycle: expected int, found bool"),
        ("title", None, ".title: expected str"),
        ("state", "asleep", ".state: expected a word of State"),
        ("ref", "deal:x", ".ref: expected a reference such as deal:41"),
        ("created_at", "2026-11-24T06:00:00", ".created_at: expected an instant with its zone"),
        ("created_at", 5, ".created_at: expected an instant"),
        ("confidence", "0.5", ".confidence: expected a number"),
        ("cycles", {}, ".cycles: expected list"),
        ("cycles.0.solution.term", 1.5, ".cycles.solution.term: expected int"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(path: str, wrong: object, said: str) -> None:
    with pytest.raises(CodecFault) as fault:
        decode(Ticket, change(encode(ticket()), path, wrong))
    assert said in str(fault.value)


def test_a_field_that_an_older_version_did_not_write_takes_its_default() -> None:
    data = encode(ticket())
    del data["csat"]
    assert decode(Ticket, data) == ticket()


def test_a_ticket_saved_before_the_clocks_beside_were_kept_is_read() -> None:
    data = encode(ticket())
    for name in ("calendar_version", "classifier_version"):
        del data[name]
    for cycle in data["cycles"]:
        for name in ("next_replies", "progress", "internal"):
            del cycle[name]
        for name in ("level", "reason"):
            del cycle["solution"][name]
            del cycle["reply"][name]
    assert decode(Ticket, data) == ticket()


def test_a_missing_field_without_default_is_refused() -> None:
    data = encode(ticket())
    del data["title"]
    with pytest.raises(CodecFault, match=r"\.title: missing"):
        decode(Ticket, data)


def test_a_field_of_a_newer_version_is_passed_over() -> None:
    assert decode(Outcome, encode(outcome()) | {"mood": "good"}) == outcome()


@dataclass(frozen=True)
class Odd:
    anything: Any = None
    pair: tuple[int, str] = (1, "")
    words: frozenset[SlaState] = frozenset()
    by_name: Mapping[str, Span] | None = None


def test_pairs_sets_and_mappings() -> None:
    odd = Odd({"a": [1]}, (2, "x"), frozenset({SlaState.MET, SlaState.PAUSED}), {"s": Span(NOW, None)})
    assert decode(Odd, encode(odd)) == odd


@pytest.mark.parametrize(
    "value",
    [Span(datetime(2026, 1, 1), None), float("nan"), {1: 2}, object(), {"a": b"x"}],  # noqa: DTZ001
)
def test_what_has_no_plain_form_is_refused(value: object) -> None:
    with pytest.raises(CodecFault):
        encode(Odd(value))


def test_a_fault_never_shows_the_value() -> None:
    with pytest.raises(CodecFault) as fault:
        decode(ItemRef, "+7 999 123-45-67")
    assert "999" not in str(fault.value)
    assert decode(ItemRef, "deal:41") == DEAL
