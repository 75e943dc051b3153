"""`explain`, the page and the API tell one explanation: the same spans, sums, turns, verdicts and alerts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from app import words
from app.clock import SetClock
from app.commands.explaining import explanation
from app.desk import Desk
from app.model import Message, Side
from app.store import facts, outbox, tickets
from app.web.answers import ExplainedAnswer
from app.web.looking import known_of
from tests.lives import Desk as Lives
from tests.lives import at, card, move, reading, said
from tests.web.test_pages import text_of
from tests.web.town import ADMIN_TOKEN, client_of, deal, desk_of

pytestmark = pytest.mark.anyio
CASE = deal(48)
PUBLIC = "https://sla.example.ru"
NOW = at("30.11 12:00")
CARD = card("02.11 16:00", ref=CASE, title="Не приходит код")
MOVES = [
    move(2, "05.11 10:05", "WAIT"), move(3, "06.11 12:00", "PREPARATION"), move(4, "16.11 17:00", "SOLVED"),
    move(5, "17.11 10:00", "WON"), move(6, "30.11 10:00", "PREPARATION"), move(7, "30.11 10:30", "DEV"),
]  # fmt: skip
SAID = [
    said(1, "03.11 10:00", Side.OURS), said(2, "05.11 10:00", Side.OURS), said(3, "06.11 12:00", Side.CLIENT),
    said(4, "30.11 10:20", Side.OURS),
]  # fmt: skip


@pytest.fixture(autouse=True)
async def long_life(desk: Desk) -> None:
    """Paused, of another class since its second day, solved too late, back after a fortnight, escalated."""
    lives = Lives(desk.rules)
    spoken: list[Message] = []
    spoken += lives.reads(reading("02.11 16:05", of=CARD)).messages
    recast = replace(lives.stamped(CARD, SLA_CLASS="consultation"), modified_at=at("03.11 12:00"))
    spoken += lives.reads(reading("03.11 12:01", of=recast, moves=(), spoken=SAID[:1])).messages
    last = lives.reads(reading("30.11 12:00", of=lives.stamped(CARD), moves=MOVES, spoken=SAID))
    async with desk.db.begin() as conn:
        await facts.add(conn, lives.facts)
        await tickets.save(conn, last.ticket, last.outcomes)
        await outbox.put(conn, [*spoken, *last.messages], NOW)
        await outbox.sent(conn, spoken[0].key, 5, NOW)
    assert isinstance(desk.clock, SetClock)
    desk.clock.set(NOW + timedelta(hours=1))  # nothing was read for an hour


async def asked(client: httpx.AsyncClient) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get(f"/api/v1/tickets/{CASE}")).json()
    return answer


async def printed(desk: Desk) -> list[str]:
    async with desk.db.read() as conn:
        ticket = await tickets.load(conn, CASE)
        assert ticket is not None
        known = await known_of(conn, desk, ticket)
        return list(explanation(ticket, known.account(desk.now()), known.told))


async def shown(client: httpx.AsyncClient) -> str:
    return (await client.get(f"/tickets/{CASE}")).text


def clocks(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [clock for cycle in answer["explanation"] for clock in cycle["clocks"]]


def spans(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [span for clock in clocks(answer) for span in clock["spans"]]


def local(instant: str, desk: Desk) -> str:
    return words.moment_short(datetime.fromisoformat(instant), desk.rules.desk.zone)


def length(minutes: int) -> str:
    return words.duration(timedelta(minutes=minutes))


SPAN_LINE = re.compile(r"  (\S+ \S+) – (\S+ \S+)  (?:\+(.*?), всего (.*?)|(.*?) не считается): (.*)")
SPAN_ROW = re.compile(
    r'<tr(?: class="not")?><td class="nowrap">(.*?)</td><td class="nowrap">(.*?)</td>'
    r'<td class="num">(.*?)</td><td class="num">(.*?)</td><td>(.*?)</td></tr>'
)


async def test_the_printed_spans_are_the_apis(client: httpx.AsyncClient, desk: Desk) -> None:
    wanted = []
    for span in spans(await asked(client)):
        counted, total = length(span["minutes"]), length(span["total_minutes"])
        lengths = (counted, total, "") if span["counted"] else ("", "", counted)
        wanted.append((local(span["from"], desk), local(span["to"], desk), *lengths, span["text"]))
    lines = [SPAN_LINE.fullmatch(line) for line in await printed(desk)]
    assert [found.groups("") for found in lines if found] == wanted
    assert len(wanted) > 40  # both cycles


async def test_the_pages_spans_are_the_apis(client: httpx.AsyncClient, desk: Desk) -> None:
    wanted = []
    for span in spans(await asked(client)):
        start, end = local(span["from"], desk), local(span["to"], desk)
        counted = length(span["minutes"]) if span["counted"] else "—"
        day_once = end.removeprefix(start[:6])
        wanted.append((start, day_once, counted, length(span["total_minutes"]), span["text"]))
    rows = [tuple(map(text_of, map(unescape, row))) for row in SPAN_ROW.findall(await shown(client))]
    assert sorted(rows) == sorted(wanted)  # the page has the terms of the card first


async def test_the_signed_page_has_every_span_too_and_nobodys_name(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    there = len(spans(await asked(client)))
    desk.settings = desk_of(desk.db, admin_token=ADMIN_TOKEN, public_url=PUBLIC).settings
    async with desk.db.read() as conn:
        ticket = await tickets.load(conn, CASE)
    assert ticket is not None
    async with client_of(desk, base=PUBLIC, peer="203.0.113.9") as stranger:
        html = (await stranger.get(desk.page_url(ticket).removeprefix(PUBLIC))).text
    assert len(SPAN_ROW.findall(html)) == there
    assert "Круг 1, с 02.11.2026 16:00: первый ответ в срок, решение с опозданием" in text_of(html)
    assert "наше сообщение 05.11 10:00 (сотрудник)" in text_of(html)
    assert "Иванова" not in html


async def test_sums_turns_and_verdicts_are_the_same_everywhere(client: httpx.AsyncClient, desk: Desk) -> None:
    text, lines = text_of(unescape(await shown(client))), [line.strip() for line in await printed(desk)]
    for clock in clocks(await asked(client)):
        turns = [f"{local(turn['at'], desk)}: {turn['text']}" for turn in clock["turns"]]
        told = [*turns, f"Срок: {clock['due']}", clock["sum"], clock["verdict"]]
        assert [line for line in told if line not in lines] == []
        assert [line for line in told if text_of(line) not in text] == []


async def test_the_life_had_everything_in_it(client: httpx.AsyncClient) -> None:
    first, second = (await asked(client))["explanation"]
    solution = next(clock for clock in first["clocks"] if clock["clock"] == "solution")
    assert (solution["outcome"], len(solution["turns"])) == ("breached", 1)
    assert {"pause:waiting_client", "holiday:День народного единства"} <= {
        s["why"] for s in solution["spans"]
    }
    assert [(clock["clock"], clock["level"]) for clock in second["clocks"]][-1] == ("internal", 1)


async def test_what_was_counted_until_now_is_the_sum_of_the_spans(client: httpx.AsyncClient) -> None:
    for clock in clocks(await asked(client)):
        counted = sum(span["minutes"] for span in clock["spans"] if span["counted"])
        assert (clock["spent_minutes"], clock["spans"][-1]["total_minutes"]) == (counted, counted)
        term = length(clock["term_minutes"])
        within = f"Итого засчитано {length(counted)} из {term};"
        over = f"Засчитано {length(counted)} при сроке {term};"
        assert clock["sum"].startswith(over if counted > clock["term_minutes"] else within)


async def test_every_alert_says_when_or_why_not(client: httpx.AsyncClient, desk: Desk) -> None:
    alerts, text, lines = (await asked(client))["alerts"], text_of(await shown(client)), await printed(desk)
    assert {(alert["state"], alert["sent_at"]) for alert in alerts} == {
        ("sent", "2026-11-30T09:00:00Z"), ("waiting", None),
    }  # fmt: skip
    for alert in alerts:
        when = "30.11 12:00" if alert["sent_at"] else "ждёт отправки"
        assert f"  {when}  {alert['to']}: {alert['text']}" in lines
        assert f"{when} {alert['to']}: {alert['text']}" in text


async def test_the_spans_of_the_contract_are_those_of_the_present_cycle(client: httpx.AsyncClient) -> None:
    answer = await asked(client)
    present = [span for clock in answer["explanation"][-1]["clocks"] for span in clock["spans"]]
    bare = [{key: span[key] for key in answer["spans"][0]} for span in present]
    assert answer["spans"] == bare


async def test_the_explanation_is_as_described_and_stands_in_no_list(client: httpx.AsyncClient) -> None:
    ExplainedAnswer.model_validate(await asked(client))
    listed = (await client.get("/api/v1/tickets")).json()["items"]
    assert not {"explanation", "alerts"} & listed[0].keys()


async def test_without_terms_everybody_says_so(client: httpx.AsyncClient, desk: Desk) -> None:
    none = replace(desk.rules, classes={}, policies=())
    lives = Lives(none)
    decision = lives.reads(reading("30.11 13:00", of=card("30.11 10:00", ref=CASE)))
    async with desk.db.begin() as conn:
        assert await tickets.save(conn, decision.ticket, decision.outcomes)
    verdicts = [clock["verdict"] for clock in clocks(await asked(client))]
    assert verdicts == ["Вердикта нет: срок не ведётся"] * 2
    assert [line for line in await printed(desk) if "срок не ведётся" in line] == [
        "Первый ответ: срок не ведётся", "Решение: срок не ведётся",
    ]  # fmt: skip
