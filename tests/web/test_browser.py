"""The pages in a real browser, on a desk and on a phone."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import NoReturn

import pytest
import uvicorn
from playwright.async_api import Browser, ConsoleMessage, Error, Page, Request, async_playwright

from app.desk import Desk
from app.store.engine import Database
from app.web.application import create_app
from tests.web.town import ADMIN_TOKEN, desk_of, failed_work_in, live, town

pytestmark = pytest.mark.anyio

LAUNCH = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
SIZES = {"desk": (1280, 800), "phone": (390, 844), "small phone": (360, 740)}

OVERLAP = """() => {
  const panels = [...document.querySelectorAll(".panel")].map(each => [each, each.getBoundingClientRect()]);
  const over = ([one, a], [other, b]) => !one.contains(other) && !other.contains(one)
    && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return panels.filter(one => panels.some(other => over(one, other))).map(([panel]) => panel.innerText);
}"""
"""The beginnings of panels that lie over one another."""


@asynccontextmanager
async def served(desk: Desk) -> AsyncIterator[str]:
    """The desk's pages on a free port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(desk), log_level="error", proxy_headers=False))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@pytest.fixture
async def browser(missing: Callable[[str], NoReturn]) -> AsyncIterator[Browser]:
    path = shutil.which("chromium", path="/usr/bin") or shutil.which("chromium")
    if path is None:
        missing("no chromium here: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=LAUNCH)
        yield browser
        with suppress(Error):
            await browser.close()


@dataclass
class Watched:
    """A page and everything it should not have done."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)

    def hears(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            self.faults.append(said.text)

    def asks(self, asked: Request) -> None:
        if not asked.url.startswith(self.address):
            self.faults.append(f"outside: {asked.url}")

    async def goes(self, path: str) -> None:
        await self.page.goto(self.address + path)

    async def is_sound(self) -> bool:
        """No message of the console, nothing from elsewhere, nothing too wide or over something else."""
        wide = await self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        hidden = await self.page.evaluate(OVERLAP)
        assert (self.faults, wide, hidden) == ([], False, []), self.page.url
        return True


async def watched(browser: Browser, address: str, size: str) -> Watched:
    width, height = SIZES[size]
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="ru-RU")
    seen = Watched(await context.new_page(), address)
    seen.page.on("console", seen.hears)
    seen.page.on("pageerror", lambda error: seen.faults.append(str(error)))
    seen.page.on("request", seen.asks)
    return seen


@pytest.mark.parametrize("size", SIZES)
async def test_every_page_is_sound(browser: Browser, desk: Desk, size: str) -> None:
    await town(desk)
    await failed_work_in(desk)
    long = "Оченьдлинноесловобезпробелов" * 6
    await live(desk, 90, "24.11 10:30", title=long, client_name=long, object=long)
    async with served(desk) as address:
        seen = await watched(browser, address, size)
        for path in (
            "/",
            "/tickets/deal:43",
            "/tickets/deal:45",
            "/tickets/deal:90",
            "/kpi",
            "/kpi/reply_sla",
            "/failed",
            "/docs",
        ):
            await seen.goes(path)
            for summary in await seen.page.locator("summary").all():
                await summary.click()
            assert await seen.is_sound()


CUT_OFF = """() => [...document.querySelectorAll(".scroll")].filter(each => each.checkVisibility())
  .filter(each => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== "visible"
    || each.scrollWidth > document.documentElement.clientWidth).map(each => each.ariaLabel);"""
"""Tables of which a part is hidden or lies beside the page."""

A4 = {"width": 703, "height": 1032}
"""Between margins of 12 mm."""


async def test_a_phone_shows_every_figure_of_classes_and_people(browser: Browser, desk: Desk) -> None:
    await town(desk)
    async with served(desk) as address:
        seen = await watched(browser, address, "small phone")
        await seen.goes("/kpi")
        assert await seen.page.locator(".splits").count() == 2
        assert await seen.page.evaluate(CUT_OFF) == []
        row = seen.page.get_by_role("region", name="По классам").get_by_role("row", name="Экстренное")
        assert await row.get_by_role("cell").count() == 7


async def test_paper_shows_all_columns_and_how_the_terms_were_counted(browser: Browser, desk: Desk) -> None:
    await town(desk)
    async with served(desk) as address:
        seen = await watched(browser, address, "desk")
        await seen.page.set_viewport_size(A4)  # type: ignore[arg-type]
        await seen.page.emulate_media(media="print")
        await seen.goes("/kpi")
        assert await seen.page.evaluate(CUT_OFF) == []
        assert await seen.page.get_by_role("columnheader", name="Обычно решение").count() == 2
        await seen.goes("/tickets/deal:45")
        shown = "[...document.querySelectorAll('.spans')].map(each => each.checkVisibility())"
        assert await seen.page.evaluate(shown) == [True] * await seen.page.locator(".spans").count()
        assert await seen.is_sound()


async def test_a_visitor_finds_the_way_from_the_board_to_a_figure(browser: Browser, desk: Desk) -> None:
    await town(desk)
    async with served(desk) as address:
        seen = await watched(browser, address, "desk")
        await seen.goes("/")
        await seen.page.get_by_role("link", name="КПП-2 не открывается").click()
        await seen.page.get_by_role("heading", name="КПП-2 не открывается, машины стоят").wait_for()
        await seen.page.get_by_role("link", name="Показатели").click()
        await seen.page.get_by_role("link", name="66,7 %").click()
        await seen.page.get_by_role("heading", name="Снизили показатель 2").wait_for()
        assert await seen.is_sound()


async def test_the_board_has_landmarks_and_headed_tables(browser: Browser, desk: Desk) -> None:
    await town(desk)
    async with served(desk) as address:
        seen = await watched(browser, address, "phone")
        await seen.goes("/")
        for role in ("banner", "main", "contentinfo"):
            assert await seen.page.get_by_role(role).count() == 1
        burning = seen.page.get_by_role("region", name="Горит")
        assert await burning.get_by_role("columnheader").count() == 6
        assert await burning.get_by_role("rowheader").count() == 1


async def test_the_board_keeps_itself_fresh(browser: Browser, desk: Desk) -> None:
    async with served(desk) as address:
        seen = await watched(browser, address, "desk")
        await seen.goes("/")
        await live(desk, 91, "24.11 11:50", title="Только что пришло")
        await seen.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await seen.page.get_by_text("Только что пришло").wait_for()
        assert await seen.is_sound()


@pytest.mark.parametrize("size", ["desk", "phone"])
async def test_logging_in_and_out(browser: Browser, db: Database, size: str) -> None:
    async with served(desk_of(db, admin_token=ADMIN_TOKEN)) as address:
        seen = await watched(browser, address, size)
        await seen.goes("/kpi")
        await seen.page.get_by_label("Ключ администратора").fill(ADMIN_TOKEN)
        assert await seen.is_sound()
        await seen.page.get_by_role("button", name="Войти").click()
        await seen.page.wait_for_url("**/kpi")
        await seen.page.get_by_role("button", name="Выйти").click()
        await seen.page.wait_for_url("**/login")
        assert await seen.is_sound()


async def test_a_link_from_another_site_finds_the_session(browser: Browser, db: Database) -> None:
    """`localhost` and `127.0.0.1` are two sites to a browser: the strict cookie stays behind at first."""
    async with served(desk_of(db, admin_token=ADMIN_TOKEN)) as address:
        seen = await watched(browser, address, "desk")
        await seen.goes("/login")
        await seen.page.get_by_label("Ключ администратора").fill(ADMIN_TOKEN)
        await seen.page.get_by_role("button", name="Войти").click()
        await seen.page.get_by_role("heading", name="Обращения сейчас").wait_for()
        await seen.page.goto(address.replace("127.0.0.1", "localhost") + "/login")
        await seen.page.evaluate("address => location.assign(address)", address + "/kpi")
        await seen.page.get_by_role("heading", name="Показатели").wait_for()


async def test_a_failed_piece_is_retried_with_a_click(browser: Browser, desk: Desk) -> None:
    await failed_work_in(desk)
    async with served(desk) as address:
        seen = await watched(browser, address, "phone")
        await seen.goes("/failed")
        await seen.page.get_by_role("button", name="Повторить №99").click()
        await seen.page.get_by_text("Поставлено в очередь снова: 1.").wait_for()
        assert await seen.is_sound()
