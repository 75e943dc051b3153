from __future__ import annotations

import pytest

from app.bitrix.config import PortalConfig, SourceConfig
from app.bitrix.subscriptions import Subscription, commands, difference, needed, present, wanted
from app.model import Kind

PATH = "/webhooks/bitrix24"
HERE = f"https://sla.example.ru{PATH}"
DEALS = SourceConfig(Kind.DEAL, category=3)
ITEMS = SourceConfig(Kind.ITEM, entity_type=177)
TASKS = SourceConfig(Kind.TASK, group=12)


def config(*sources: SourceConfig) -> PortalConfig:
    return PortalConfig("", sources)


@pytest.mark.parametrize(
    ("sources", "some", "none"),
    [
        ((DEALS,), {"ONCRMDEALADD", "ONCRMDEALMOVETOCATEGORY", "ONCRMACTIVITYADD"}, {"ONTASKADD"}),
        ((ITEMS,), {"ONCRMDYNAMICITEMUPDATE", "ONCRMTIMELINECOMMENTADD"}, {"ONCRMDEALADD"}),
        ((TASKS,), {"ONTASKUPDATE", "ONTASKCOMMENTADD"}, {"ONCRMACTIVITYADD", "ONCRMDEALMOVETOCATEGORY"}),
    ],
)
def test_events_are_those_of_what_the_rules_read(
    sources: tuple[SourceConfig, ...], some: set[str], none: set[str]
) -> None:
    events = set(needed(config(*sources)))
    assert some <= events
    assert not none & events


def test_types_own_events_are_not_bound_beside_the_common_ones() -> None:
    assert not any("_" in event for event in needed(config(DEALS, ITEMS, TASKS)))


def test_without_an_address_and_without_a_queue_nothing_is_wanted() -> None:
    assert wanted(config(DEALS), "", offline=False, connector="") == frozenset()


def test_application_hears_of_its_own_update_and_removal() -> None:
    events = {one.event for one in wanted(config(TASKS), HERE, offline=False, connector="")}
    assert {"ONAPPUPDATE", "ONAPPUNINSTALL"} <= events


def test_answer_is_read_in_any_case() -> None:
    rows: list[dict[str, object]] = [
        {"event": "OnCrmDealAdd", "handler": HERE, "auth_type": "0", "offline": 0},
        {"event": "ONTASKADD", "connector_id": "key", "offline": "1"},
    ]
    assert present(rows) == {Subscription("ONCRMDEALADD", HERE), Subscription("ONTASKADD", "", "key")}


def test_what_stands_is_left_alone() -> None:
    want = wanted(config(DEALS), HERE, offline=True, connector="key")
    assert list(commands(difference(want, want, PATH, "key"))) == []


def test_missing_is_bound_before_stale_is_unbound() -> None:
    there = "https://old.example.ru" + PATH
    change = difference(
        frozenset([Subscription("ONTASKADD", HERE)]), frozenset([Subscription("ONTASKADD", there)]), PATH, ""
    )
    told = [(command.method, command.params["handler"]) for command in commands(change)]
    assert told == [("event.bind", HERE), ("event.unbind", there)]


@pytest.mark.parametrize(
    "foreign",
    [
        Subscription("ONCRMDEALADD", "https://sla.example.ru/another"),
        Subscription("ONCRMDEALADD", "", "another key"),
    ],
)
def test_what_is_not_known_for_ours_is_left_alone(foreign: Subscription) -> None:
    assert difference(frozenset(), frozenset([foreign]), PATH, "key").stale == ()


def test_queue_is_bound_without_a_handler() -> None:
    change = difference(frozenset([Subscription("ONTASKADD", "", "key")]), frozenset(), PATH, "key")
    [command] = commands(change)
    assert command.params == {"event": "ONTASKADD", "event_type": "offline"}
