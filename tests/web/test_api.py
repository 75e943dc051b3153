"""The API of contract.md 3."""

from __future__ import annotations

from datetime import date

import httpx
import pytest

from app.desk import Desk
from app.metrics.kpi import FORMULAS
from app.store.engine import Database
from app.web.answers import ExplainedAnswer, KpiAnswer, TicketsAnswer
from tests.web.town import client_of, desk_of, town

pytestmark = pytest.mark.anyio

KEYS = """
ref cycle title url class class_why class_sure confidence area agent_id agent client object channel state
created_at started_at reply_due solve_due first_reply_at reply_met_by solved_at closed_at confirmed_at
sla_state reply_outcome solve_outcome pause_seconds reopen_count escalation_level repeat_of provisional spans
gaps versions
""".split()
CLOCK_KEYS = """
clock label level started_at counted_from term_minutes spent_minutes due_at met_at outcome outcome_at spans
turns due sum verdict
""".split()
CODES = """
reply_sla solve_sla sla extensions reply_median reply_p90 solve_median solve_p90 created solved closed backlog
queue_days no_escalation escalations fcr repeats reopens confirmed csat documented kb_updates load
class_accuracy emergencies_off_hours
""".split()


@pytest.fixture(autouse=True)
async def inhabited(desk: Desk) -> None:
    await town(desk)


async def refs(client: httpx.AsyncClient, query: str = "") -> list[str]:
    return [item["ref"] for item in (await client.get(f"/api/v1/tickets?{query}")).json()["items"]]


async def test_a_ticket_has_exactly_the_keys_of_the_contract(client: httpx.AsyncClient) -> None:
    item = (await client.get("/api/v1/tickets/deal:45")).json()
    assert set(item) == {*KEYS, "explanation", "alerts"}
    assert set(item["spans"][0]) == {"clock", "from", "to", "counted", "minutes", "why"}
    ExplainedAnswer.model_validate(item)
    listed = (await client.get("/api/v1/tickets")).json()["items"]
    assert {key for each in listed for key in each} == set(KEYS)
    assert item == next(each for each in listed if each["ref"] == "deal:45") | {
        key: item[key] for key in ("explanation", "alerts")
    }


async def test_an_explanation_has_exactly_these_keys(client: httpx.AsyncClient) -> None:
    (cycle,) = (await client.get("/api/v1/tickets/deal:45")).json()["explanation"]
    assert set(cycle) == {"cycle", "started_at", "clocks"}
    assert {key for clock in cycle["clocks"] for key in clock} == set(CLOCK_KEYS)
    assert set(cycle["clocks"][0]["spans"][0]) == {
        "clock", "from", "to", "counted", "minutes", "why", "total_minutes", "text",
    }  # fmt: skip


async def test_a_ticket_tells_its_clocks(client: httpx.AsyncClient) -> None:
    item = (await client.get("/api/v1/tickets/deal:45")).json()
    assert item["url"] == "https://portal.test/crm/deal/details/45/"
    assert (item["agent_id"], item["agent"], item["client"]) == (5, "Иванова А.", "Мария Крылова")
    assert (item["reply_due"], item["first_reply_at"]) == ("2026-11-23T11:00:00Z", "2026-11-23T08:00:00Z")
    assert (item["reply_outcome"], item["reply_met_by"], item["sla_state"]) == ("met", "message", "paused")
    assert {span["clock"] for span in item["spans"]} == {"reply", "progress", "solution"}
    solution = [span for span in item["spans"] if span["clock"] == "solution"]
    assert [span["why"] for span in solution if not span["counted"]] == [
        "pause:waiting_client", "night", "pause:waiting_client",
    ]  # fmt: skip


async def test_the_list_is_by_urgency(client: httpx.AsyncClient) -> None:
    assert (await refs(client))[:3] == ["deal:41", "deal:43", "deal:42"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=waiting_client", {"deal:45"}),
        ("class=emergency", {"deal:41"}),
        ("agent=6", {"deal:42"}),
        ("agent=6&class=emergency", set()),
        ("open=true&class=standard", {"deal:42", "deal:43", "deal:44", "deal:45"}),
        ("state=closed_confirmed&open=false", {"deal:47"}),
    ],
)
async def test_the_list_is_filtered(client: httpx.AsyncClient, query: str, found: set[str]) -> None:
    assert set(await refs(client, query)) == found


async def test_pages_follow_each_other_without_gap(client: httpx.AsyncClient) -> None:
    every, cursor, steps = [], "", 0
    while cursor is not None:
        page = (await client.get("/api/v1/tickets", params={"limit": 3, "cursor": cursor or None})).json()
        TicketsAnswer.model_validate(page)
        every += [item["ref"] for item in page["items"]]
        cursor, steps = page["next_cursor"], steps + 1
    assert (steps, sorted(every)) == (3, sorted(await refs(client)))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/tickets/deal:999", 404),
        ("/api/v1/tickets/lead:1", 404),
        ("/api/v1/tickets/deal:99999999999999999999", 404),
        ("/api/v1/tickets/item:5", 404),
        ("/api/v1/tickets?limit=0", 422),
        ("/api/v1/tickets?limit=1000", 422),
        ("/api/v1/tickets?state=lost", 422),
        ("/api/v1/tickets?class=urgent", 422),
        ("/api/v1/tickets?agent=99999999999999999999999", 422),
        ("/api/v1/tickets?cursor=invented", 422),
        ("/api/v1/kpi?from=yesterday", 422),
        ("/api/v1/kpi?from=2026-11-24&to=2026-11-23", 422),
        ("/api/v1/kpi?from=0001-01-01&to=0001-01-02", 422),
        ("/api/v1/kpi?from=2010-01-01&to=2026-01-01", 422),
        ("/api/v1/kpi/nonsense/tickets", 404),
        ("/api/v1/nonsense", 404),
    ],
)
async def test_refusals_are_problems(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail"} <= set(answer.json())


async def test_another_method_is_a_problem_too(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/api/v1/kpi")
    assert (answer.status_code, answer.json()["status"]) == (405, 405)


async def test_every_figure_of_the_contract_is_there(client: httpx.AsyncClient) -> None:
    figures = (await client.get("/api/v1/kpi?from=2026-11-01&to=2026-11-24")).json()
    assert set(figures) == set(CODES) == set(FORMULAS)
    for figure in figures.values():
        KpiAnswer.model_validate(figure)


async def test_figures_count_the_tickets(client: httpx.AsyncClient) -> None:
    figures = (await client.get("/api/v1/kpi?from=2026-11-01&to=2026-11-24")).json()
    assert {code: figures[code]["value"] for code in ("created", "solved", "closed", "backlog")} == {
        "created": 7, "solved": 2, "closed": 1, "backlog": 5,
    }  # fmt: skip
    assert (figures["reply_sla"]["numerator"], figures["reply_sla"]["denominator"]) == (4, 6)
    assert (figures["csat"]["value"], figures["reply_sla"]["target"]) == (None, 0.95)


async def test_figures_of_one_person_and_class(client: httpx.AsyncClient) -> None:
    figures = (await client.get("/api/v1/kpi?from=2026-11-01&to=2026-11-24&agent=6&class=standard")).json()
    assert (figures["created"]["value"], figures["reply_sla"]["value"]) == (1, 1.0)


async def test_without_dates_it_is_this_month(client: httpx.AsyncClient) -> None:
    plain = (await client.get("/api/v1/kpi")).json()
    assert plain == (await client.get(f"/api/v1/kpi?from={date(2026, 11, 1)}&to={date(2026, 11, 24)}")).json()


async def test_every_figure_leads_to_its_tickets(client: httpx.AsyncClient) -> None:
    figures = (await client.get("/api/v1/kpi?from=2026-11-01&to=2026-11-24")).json()
    page = (await client.get(figures["reply_sla"]["tickets_url"] + "&limit=4")).json()
    rest = (await client.get(f"{figures['reply_sla']['tickets_url']}&cursor={page['next_cursor']}")).json()
    assert (len(page["items"]), len(rest["items"]), rest["next_cursor"]) == (4, 2, None)


async def test_addresses_are_whole_where_ours_is_known(db: Database) -> None:
    async with client_of(desk_of(db, public_url="https://sla.example.ru")) as client:
        figures = (await client.get("/api/v1/kpi")).json()
    assert figures["sla"]["tickets_url"].startswith("https://sla.example.ru/api/v1/kpi/sla/tickets?from=")


async def test_the_description_names_every_address(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"/webhooks/bitrix24", "/healthz", "/readyz", "/metrics", "/api/v1/tickets", "/api/v1/kpi"} <= set(
        paths
    )


async def test_days_before_the_service_have_no_figures_for_programs_either(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/v1/kpi", params={"from": "2026-10-01", "to": "2026-10-31"})).json()
    assert {kpi["value"] for kpi in told.values()} == {None}
    tickets = (await client.get("/api/v1/kpi/created/tickets?from=2026-10-01&to=2026-10-31")).json()
    assert tickets["items"] == []


async def test_figures_can_be_asked_as_they_were_known(client: httpx.AsyncClient, desk: Desk) -> None:
    asked = {"from": "2026-11-24", "to": "2026-11-24"}
    now = (await client.get("/api/v1/kpi", params=asked)).json()
    before = "2026-11-24T00:00:00+03:00"  # nothing of that day was known yet
    then = (await client.get("/api/v1/kpi", params=asked | {"known_at": before})).json()
    assert now["created"]["value"] > 0
    assert then["created"]["value"] == 0
    assert "known_at=2026-11-23T21%3A00%3A00Z" in then["created"]["tickets_url"]


async def test_figures_as_known_now_are_the_figures_of_now(client: httpx.AsyncClient, desk: Desk) -> None:
    asked = {"from": "2026-11-24", "to": "2026-11-24"}
    now = (await client.get("/api/v1/kpi", params=asked)).json()
    then = (await client.get("/api/v1/kpi", params=asked | {"known_at": desk.now().isoformat()})).json()
    shown = [{code: kpi["value"] for code, kpi in figures.items()} for figures in (now, then)]
    assert shown[0] == shown[1]


async def test_a_moment_that_has_not_come_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/kpi", params={"known_at": "2099-01-01T00:00:00Z"})
    assert (answer.status_code, "known_at" in answer.json()["detail"]) == (422, True)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00", "9999-12-31T23:59:59-05:00"])
async def test_the_ends_of_time_are_no_moments_of_the_past(client: httpx.AsyncClient, moment: str) -> None:
    assert (await client.get("/api/v1/kpi", params={"known_at": moment})).status_code == 422
