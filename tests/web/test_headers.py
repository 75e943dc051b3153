"""What every answer carries, and what no page contains."""

from __future__ import annotations

import re

import httpx
import pytest

from app.desk import Desk
from app.store.engine import Database
from app.web.rendering import STATIC
from tests.web.town import client_of, desk_of, failed_work_in, live, town

pytestmark = pytest.mark.anyio

PAGES = (
    *(f"/tickets/deal:{number}" for number in (41, 45, 47)),
    "/",
    "/kpi",
    "/kpi/solve_sla",
    "/failed",
    "/docs",
)
FORBIDDEN = "breach hold FRT TTR ticket reopen backlog p90 OLA агент РОС priority".split()


@pytest.mark.parametrize("path", ["/", "/nothing", "/healthz", "/api/v1/kpi", "/static/site.css", "/login"])
async def test_every_answer_binds_the_browser(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(("path", "kept"), [("/", "no-store"), ("/api/v1/kpi", "no-store")])
async def test_figures_are_kept_by_no_cache(client: httpx.AsyncClient, path: str, kept: str) -> None:
    assert (await client.get(path)).headers["Cache-Control"] == kept


async def test_files_with_a_hash_in_the_address_are_kept(client: httpx.AsyncClient) -> None:
    found = re.search(r'href="(/static/site\.css\?v=\w+)"', (await client.get("/")).text)
    assert found
    assert "immutable" in (await client.get(found[1])).headers["Cache-Control"]


async def test_a_public_address_with_https_is_kept_to_https(db: Database) -> None:
    async with client_of(desk_of(db, public_url="https://sla.example.ru")) as client:
        assert "Strict-Transport-Security" in (await client.get("/healthz")).headers


@pytest.mark.parametrize("path", PAGES)
async def test_pages_hold_nothing_inline_and_nothing_from_elsewhere(
    client: httpx.AsyncClient, desk: Desk, path: str
) -> None:
    await town(desk)
    html = (await client.get(path)).text
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=\"/static/)", html)
    assert not re.search(r'(?:src|action)="(?!/)|<link[^>]*href="(?!/)', html)


def test_style_and_script_load_nothing() -> None:
    for file in STATIC.iterdir():
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|url\(|@import", text), file.name


@pytest.mark.parametrize("path", PAGES)
async def test_pages_avoid_the_words_that_people_need_not_know(
    client: httpx.AsyncClient, desk: Desk, path: str
) -> None:
    await town(desk)
    await failed_work_in(desk)
    text = re.sub(r"<[^>]+>", " ", (await client.get(path)).text)
    if path == "/docs":  # addresses and parameters of the API are words for programs
        return
    assert [word for word in FORBIDDEN if re.search(rf"\b{word}\b", text, re.IGNORECASE)] == []


async def test_a_title_from_outside_stays_text(client: httpx.AsyncClient, desk: Desk) -> None:
    await live(
        desk, 50, "24.11 10:00", title='<script>alert(1)</script>"><img src=x>', client_name="<b>x</b>"
    )
    for path in ("/", "/tickets/deal:50"):
        html = (await client.get(path)).text
        assert "&lt;script&gt;alert(1)" in html
        assert "<script>alert" not in html
        assert "<b>x" not in html


async def test_secrets_stand_on_no_page(db: Database) -> None:
    desk = desk_of(db, admin_token="the-key-of-headers")
    async with client_of(desk, Authorization="Bearer the-key-of-headers") as client:
        for path in (*PAGES, "/metrics", "/readyz", "/api/v1/tickets", "/openapi.json"):
            text = (await client.get(path)).text
            assert not any(
                secret in text for secret in ("the-key-of-headers", "a-token-of-the-portal", "/rest/1/")
            )
