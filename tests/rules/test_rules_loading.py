from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.model import Kind, State, TicketClass
from app.rules import Rules, RulesFault, load_rules, rules_from
from app.sla.terms import ClassTerms

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SOURCE = """
[[source]]
kind = "deal"
category = 3
[source.stages]
"C3:NEW" = "new"
"""

Load = Callable[..., Rules]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Rules of a file that holds one source and `text`."""

    def written(text: str = "", *, source: str = SOURCE, default_since: datetime | None = None) -> Rules:
        path = tmp_path / "rules.toml"
        path.write_text(text + source, encoding="utf-8")
        return load_rules(path, default_since=default_since)

    return written


def terms_of(rules: Rules, value: TicketClass, **card: str) -> ClassTerms | None:
    extra = {name: text for name, text in card.items() if name.startswith("UF_")}
    asked = {name: card.get(name, "") for name in ("company", "contact", "object")}
    return rules.terms_for(extra=extra, **asked)[value]


# --- the packaged file -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "respond", "resolve", "warn_respond", "warn_resolve", "target"),
    [
        (TicketClass.EMERGENCY, 15 * MINUTE, 4 * HOUR, (0.67,), (0.5, 0.75, 0.9), 1.0),
        (TicketClass.STANDARD, 4 * HOUR, 24 * HOUR, (0.75, 0.9), (0.75, 0.9), 0.95),
        (TicketClass.CONSULTATION, 8 * HOUR, 48 * HOUR, (0.9,), (0.9,), 0.95),
    ],
)  # domain.md 5
def test_the_packaged_terms_are_those_of_the_handbook(
    value: TicketClass,
    respond: timedelta,
    resolve: timedelta,
    warn_respond: tuple[float, ...],
    warn_resolve: tuple[float, ...],
    target: float,
) -> None:
    terms = load_rules(None).classes[value]
    assert (terms.respond, terms.resolve) == (respond, resolve)
    assert (terms.warn_respond, terms.warn_resolve, terms.target) == (warn_respond, warn_resolve, target)


def test_only_emergencies_are_announced() -> None:
    announced = {value for value, terms in load_rules(None).classes.items() if terms.announce}
    assert announced == {TicketClass.EMERGENCY}


def test_the_packaged_office_works_by_the_production_calendar() -> None:
    office = load_rules(None).calendar
    assert not office.is_working_day(date(2026, 12, 31))
    assert office.is_working_day(date(2027, 2, 20))
    assert office.zone.key == "Europe/Moscow"


def test_the_packaged_times_are_those_of_the_contract() -> None:
    rules = load_rules(None)
    assert (rules.digest.daily, rules.digest.weekly, rules.digest.monthly) == (
        time(9, 5), (0, time(9, 30)), time(10),
    )  # fmt: skip
    assert (rules.closing.remind, rules.closing.close_after, rules.ola["development"]) == (
        9 * HOUR, 18 * HOUR, 8 * HOUR,
    )  # fmt: skip
    assert rules.alerts.unassigned == {"emergency": 10 * MINUTE, "other": 2 * HOUR}


def test_the_packaged_file_names_nobody() -> None:
    rules = load_rules(None)
    assert (rules.people.head, rules.people.director, rules.people.leads) == (0, 0, ())
    assert (rules.chats.alerts, rules.chats.digest) == ("", "")


def test_the_sample_has_a_source_of_every_kind() -> None:
    assert {source.kind for source in load_rules(None).sources} == set(Kind)


# --- a file over it ----------------------------------------------------------------------


def test_a_file_needs_nothing_but_its_sources(load: Load) -> None:
    rules = load()
    assert rules.classes[TicketClass.STANDARD].resolve == 24 * HOUR
    assert [source.category for source in rules.sources] == [3]


def test_one_key_leaves_its_neighbours_alone(load: Load) -> None:
    rules = load('[class.standard]\nresolve = "16h"\n[alerts]\nunassigned = { other = "3h" }\n')
    assert (rules.classes[TicketClass.STANDARD].respond, rules.classes[TicketClass.STANDARD].resolve) == (
        4 * HOUR, 16 * HOUR,
    )  # fmt: skip
    assert rules.alerts.unassigned == {"emergency": 10 * MINUTE, "other": 3 * HOUR}


def test_hours_are_replaced_as_a_whole(load: Load) -> None:
    office = load('[calendar.office]\nhours = { mon = ["10:00-19:00"] }\n').calendar
    assert office.is_working_day(date(2026, 11, 23))
    assert not office.is_working_day(date(2026, 11, 24))


def test_the_office_moves_with_the_desk(load: Load) -> None:
    assert load('[desk]\ntimezone = "Asia/Yekaterinburg"\n').calendar.zone.key == "Asia/Yekaterinburg"


def test_an_office_open_for_ever_knows_no_holidays(load: Load) -> None:
    new_year = datetime(2027, 1, 1, 1, tzinfo=UTC)
    assert load('[calendar.office]\nhours = "24x7"\n').calendar.is_open(new_year)


def test_holidays_can_be_switched_off(load: Load) -> None:
    office = load('[calendar.office]\nproduction_calendar = ""\n').calendar
    assert office.is_working_day(date(2026, 12, 31))


def test_dates_may_be_written_with_and_without_quotes(load: Load) -> None:
    office = load(
        '[calendar.office]\nclosed = [2026-11-24, "2026-11-25"]\nopen = { 2026-11-28 = ["10:00-14:00"] }\n'
    ).calendar
    days = [date(2026, 11, day) for day in (24, 25, 26, 28)]
    assert [office.is_working_day(day) for day in days] == [False, False, True, True]


def test_hours_over_midnight_are_legal(load: Load) -> None:
    night = load('[calendar.night]\nhours = { mon = ["22:00-06:00"] }\n').calendars["night"]
    assert night.is_open(datetime(2026, 11, 24, 2, tzinfo=UTC))  # Tuesday 05:00 in Moscow
    assert not night.is_open(datetime(2026, 11, 24, 4, tzinfo=UTC))


def test_a_production_calendar_of_ones_own_is_found_beside_the_rules(load: Load, tmp_path: Path) -> None:
    holiday = {"date": "2026-11-24", "name": "День отдела", "kind": "public_holiday"}
    year = {"status": "decreed", "non_working": [holiday]}
    (tmp_path / "days.json").write_text(json.dumps({"years": {"2026": year}}), encoding="utf-8")
    rules = load('[calendar.office]\nproduction_calendar = "days.json"\n')
    (tmp_path / "days.json").unlink()
    for each in (rules, rules_from(rules.text)):
        assert not each.calendar.is_working_day(date(2026, 11, 24))


@pytest.mark.parametrize(
    "written", ["2026-12-01", '"2026-12-01"', '"2026-12-01T00:00:00+03:00"', "2026-11-30T21:00:00Z"]
)
def test_since_is_a_date_of_the_desk_or_a_moment(load: Load, written: str) -> None:
    assert load(f"[desk]\nsince = {written}\n").desk.since == datetime(2026, 11, 30, 21, tzinfo=UTC)


def test_since_may_come_from_the_first_start(load: Load) -> None:
    first = datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert load(default_since=first).desk.since == first
    assert load("[desk]\nsince = 2026-12-01\n", default_since=first).desk.since != first


def test_what_is_off_is_none(load: Load) -> None:
    rules = load('[digest]\nweekly = "off"\n[class.emergency]\nprogress = "off"\n[desk]\ntimeline = "off"\n')
    assert rules.digest.weekly is None
    assert rules.classes[TicketClass.EMERGENCY].progress is None
    assert not rules.desk.timeline


def test_warning_shares_are_put_in_order(load: Load) -> None:
    rules = load("[class.standard]\nwarn_resolve = [0.9, 0.5, 0.9]\n")
    assert rules.classes[TicketClass.STANDARD].warn_resolve == (0.5, 0.9)


def test_a_file_from_notepad_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("\ufeff" + SOURCE.replace("\n", "\r\n"), encoding="utf-8", newline="")
    assert load_rules(path).sources


# --- pinning -----------------------------------------------------------------------------


def test_the_same_rules_come_out_of_the_text(load: Load) -> None:
    rules = load('[people]\nhead = 7\n[[policy]]\nwhen = { company = [12] }\nset = { resolve = "8h" }\n')
    again = rules_from(rules.text)
    assert (again.version, again.text, again.people, again.sources) == (
        rules.version, rules.text, rules.people, rules.sources,
    )  # fmt: skip
    assert terms_of(again, TicketClass.STANDARD, company="12") != again.classes[TicketClass.STANDARD]


def test_another_term_is_another_version(load: Load) -> None:
    assert load().version == load().version != load('[class.standard]\nresolve = "23h"\n').version


def test_comments_and_order_change_no_version(load: Load) -> None:
    one = load("[people]\nhead = 7\ndirector = 1\n")
    other = load("# люди\n[people]\ndirector = 1 # директор\nhead = 7\n")
    assert one.version == other.version


# --- sources -----------------------------------------------------------------------------

TWO_FUNNELS = SOURCE + '[[source]]\nkind = "deal"\n[source.stages]\nNEW = "in_progress"\n'


@pytest.mark.parametrize(
    ("kind", "entity_type", "category", "group", "found"),
    [
        (Kind.DEAL, 2, 3, None, 0),
        (Kind.DEAL, 2, 0, None, 1),
        (Kind.DEAL, 2, None, None, 1),
        (Kind.ITEM, 177, 5, None, 2),
        (Kind.ITEM, 178, 5, None, None),
        (Kind.TASK, 0, None, 12, 3),
        (Kind.TASK, 0, None, 13, None),
        (Kind.TASK, 0, None, None, None),
    ],
)
def test_the_first_source_that_holds_an_item_is_its_own(
    load: Load, kind: Kind, entity_type: int, category: int | None, group: int | None, found: int | None
) -> None:
    more = """
    [[source]]
    kind = "item"
    entity_type = 177
    stages = { "DT177_5:NEW" = "new" }
    [[source]]
    kind = "task"
    group = 12
    stages = { 2 = "new", "stage:57" = "resolved" }
    """
    rules = load(source=TWO_FUNNELS + more)
    source = rules.source_for(kind, entity_type, category, group)
    assert source == (None if found is None else rules.sources[found])


def test_a_stage_means_a_state(load: Load) -> None:
    assert load().sources[0].stages["C3:NEW"] is State.NEW


def test_what_is_not_said_is_read_from_the_native_fields(load: Load) -> None:
    read = load(source=SOURCE + '[source.read]\nobject = "UF_CRM_OBJECT"\n').sources[0].read
    assert (read.object, read.channel, read.client) == (
        "UF_CRM_OBJECT", "SOURCE_ID", ("CONTACT_ID", "COMPANY_ID"),
    )  # fmt: skip


# --- policies ----------------------------------------------------------------------------

POLICIES = """
[[policy]]
when = { company = [12, 15], class = ["standard"] }
set = { resolve = "8h" }
[[policy]]
when = { object = "ЖК Липовая роща" }
set = { sla = false }
[[policy]]
when = { field = { UF_CRM_VIP = ["Y", 1] } }
set = { respond = "10m", calendar = "always", progress = "off" }
[[policy]]
when = { company = [12] }
set = { resolve = "9h" }
"""


@pytest.mark.parametrize(
    ("value", "card", "resolve"),
    [
        (TicketClass.STANDARD, {}, 24 * HOUR),
        (TicketClass.STANDARD, {"company": "13"}, 24 * HOUR),
        (TicketClass.STANDARD, {"company": "12"}, 8 * HOUR),
        (TicketClass.CONSULTATION, {"company": "12"}, 9 * HOUR),
        (TicketClass.STANDARD, {"company": "15", "object": "ЖК Липовая роща"}, 8 * HOUR),
        (TicketClass.EMERGENCY, {"company": "15", "object": "жк липовая РОЩА "}, None),
    ],
)
def test_the_first_fitting_policy_of_a_class_wins(
    load: Load, value: TicketClass, card: dict[str, str], resolve: timedelta | None
) -> None:
    terms = terms_of(load(POLICIES), value, **card)
    assert (terms and terms.resolve) == resolve


def test_a_policy_changes_what_it_names(load: Load) -> None:
    terms = terms_of(load(POLICIES), TicketClass.EMERGENCY, UF_CRM_VIP="1")
    assert terms is not None
    assert (terms.respond, terms.resolve, terms.calendar_name, terms.progress) == (
        10 * MINUTE, 4 * HOUR, "always", None,
    )  # fmt: skip
    assert terms.calendar.is_open(datetime(2026, 11, 22, 0, tzinfo=UTC))


def test_what_is_no_ticket_has_no_terms(load: Load) -> None:
    assert terms_of(load(), TicketClass.NOT_TICKET) is None


def test_the_fields_that_policies_look_at_are_known(load: Load) -> None:
    assert load(POLICIES).policy_fields == ("UF_CRM_VIP",)


# --- the clocks beside the two terms ------------------------------------------------------


def test_a_client_who_writes_again_is_answered_as_the_first_time_unless_said_otherwise(load: Load) -> None:
    rules = load('[class.emergency]\nnext_respond = "30m"\n')
    assert rules.classes[TicketClass.EMERGENCY].answer_again == 30 * MINUTE
    assert rules.classes[TicketClass.STANDARD].answer_again == 4 * HOUR


def test_a_policy_may_change_it_too(load: Load) -> None:
    rules = load('[[policy]]\nwhen = { company = 12 }\nset = { next_respond = "1h" }\n')
    terms = rules.terms_for(company="12", contact="", object="", extra={})[TicketClass.STANDARD]
    assert terms is not None
    assert (terms.respond, terms.answer_again) == (4 * HOUR, HOUR)


def test_inner_lines_answer_in_the_desks_own_hours(load: Load) -> None:
    lines = load('[class.standard]\ncalendar = "always"\n').inner_lines
    assert lines.calendar_name == "office"
    assert [lines.term(level, "bug") for level in (0, 1, 2, 3)] == [None, HOUR, 8 * HOUR, None]


@pytest.mark.parametrize(
    ("written", "wish", "director"),
    [("", 48, None), ('wishes = "off"\n', 8, None), ('wishes = "16h"\ndirector = "2h"\n', 16, 2)],
)
def test_wishes_and_the_director_have_terms_where_the_rules_give_them(
    load: Load, written: str, wish: int, director: int | None
) -> None:
    lines = load(f"[ola]\n{written}").inner_lines
    assert lines.term(2, "development") == wish * HOUR
    assert lines.term(3, "") == (director * HOUR if director else None)


def test_the_head_and_the_leads_decide(load: Load) -> None:
    assert load("[people]\nhead = 7\nleads = [8]\n").people.deciders == {7, 8}
    assert load("[people]\nhead = 0\n").people.deciders == set()


def test_a_field_for_waivers_is_made_only_where_wanted(load: Load) -> None:
    assert (load().desk.waiver, load("[desk]\nwaiver = true\n").desk.waiver) == (False, True)


# --- texts that tickets began under ------------------------------------------------------

NEVER = {"when": {"company": [12]}, "set": {"resolve": "8h"}}


def older(rules: Rules, **changes: Any) -> str:
    """The text of these rules as an earlier package may have accepted it."""
    return json.dumps({**json.loads(rules.text), **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": [NEVER, NEVER]},
        {"policy": [{"when": {"company": []}, "set": {"resolve": "8h"}}]},
        {"policy": [{"when": {"company": [12]}, "set": {}}]},
        {"policy": [{"when": {"company": [12]}, "set": {"sla": False, "resolve": "8h"}}]},
        {"pace": {"reconcile": "5 minutes", "forgotten": 1}},
        {"digest": {"daily": "soon"}},
    ],
    ids=["never reached", "never met", "sets nothing", "sets too much", "pace", "digest"],
)
def test_later_checks_are_not_held_against_a_text_that_tickets_began_under(
    load: Load, changes: dict[str, Any]
) -> None:
    rules = load('[class.standard]\nrespond = "3h"\n')
    again = rules_from(older(rules, **changes))
    standard = again.classes[TicketClass.STANDARD]
    assert (standard.respond, standard.resolve) == (3 * HOUR, 24 * HOUR)
    assert again.version != rules.version


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"class": {"standard": {"respond": "a fortnight"}}}, "class.standard.respond"),
        ({"class": {"standard": {"answer": "4h"}}}, "class.standard.answer"),
        ({"policy": [{"set": {"resolve": "8h"}}]}, "policy[1].when"),
        ({"calendar": {"office": {"hours": {"mon": ["evening"]}}}}, "calendar.office.hours.mon"),
    ],
    ids=["unreadable term", "a key with another name by now", "a policy for everybody", "no hours"],
)
def test_what_would_be_counted_otherwise_is_refused(load: Load, changes: dict[str, Any], path: str) -> None:
    with pytest.raises(RulesFault) as refused:
        rules_from(older(load(), **changes))
    assert path in {fault.path for fault in refused.value.faults}


def test_a_file_is_held_to_every_check(load: Load) -> None:
    with pytest.raises(RulesFault, match="никогда не сработает"):
        load('[[policy]]\nwhen = { company = [12] }\nset = { resolve = "8h" }\n' * 2)
