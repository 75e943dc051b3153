"""The whole road with a local application instead of a webhook."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from app.bitrix.errors import ShutOut
from app.bitrix.subscriptions import needed
from app.desk import portal_config
from app.jobs.bind import bind_when_due
from app.jobs.install import unbound, uninstall
from app.jobs.knock import knock
from app.jobs.lead import lead
from app.jobs.reconcile import reconcile
from app.jobs.refresh import refresh_people
from app.serving import bind_and_sweep, sweep_or_fetch, walk
from app.store import inbox, leases
from app.web.health import Queues, readiness
from tests.jobs.applied import SERVICE, Applied, applied
from tests.jobs.scenes import FIRE, letter

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="OAuth is the same on both")]
HOUR = timedelta(hours=1)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Applied]:
    async with applied(tmp_path) as scene:
        yield scene


@pytest.fixture
async def deaf(tmp_path: Path) -> AsyncIterator[Applied]:
    """No event can be posted to the service: it has no address."""
    async with applied(tmp_path, public=False) as scene:
        yield scene


async def test_ticket_is_stamped_by_an_application(town: Applied) -> None:
    case = town.receives(letter(FIRE, "Пожар"))
    await town.settle()
    assert town.fields(case)["SLA_CLASS"] == "emergency"
    assert town.chat(), "the emergency is said in the chat"
    assert (town.refreshes, town.portal.spec_faults) == (0, [])


async def test_everything_that_the_rules_read_is_bound(town: Applied) -> None:
    events = set(needed(portal_config(town.settings, town.desk.rules)))
    assert {"ONCRMDEALMOVETOCATEGORY", "ONTASKCOMMENTADD", "ONCRMDYNAMICITEMADD"} <= events
    assert town.bound() == events | {"ONAPPUPDATE", "ONAPPUNINSTALL"}
    assert town.bound(offline=True) == events


async def test_binding_again_changes_nothing(town: Applied) -> None:
    before = list(town.application.bindings)
    town.desk.health.bound_at = None
    assert await bind_when_due(town.desk) == 0
    assert town.application.bindings == before


async def test_subscriptions_are_looked_at_once_a_day(town: Applied) -> None:
    town.application.bindings.clear()
    town.clock.advance(timedelta(hours=23))
    assert await bind_when_due(town.desk) == 0
    town.clock.advance(HOUR)
    assert await bind_when_due(town.desk) > 0


async def test_handler_at_an_old_address_is_unbound(town: Applied) -> None:
    for one in town.application.bindings:
        one.handler = one.handler.replace(SERVICE, "http://127.0.0.1:9")
    town.desk.health.bound_at = None
    await bind_when_due(town.desk)
    assert {one.handler for one in town.application.bindings if one.handler} == {
        f"{SERVICE}/webhooks/bitrix24"
    }


async def test_without_an_address_only_the_queue_is_bound(deaf: Applied) -> None:
    assert (deaf.bound(), bool(deaf.bound(offline=True))) == (set(), True)


async def test_event_that_the_scope_does_not_give_is_told(town: Applied) -> None:
    town.application.bindings.clear()
    town.application.scopes = tuple(scope for scope in town.application.scopes if scope != "task")
    town.desk.health.bound_at = None
    await bind_when_due(town.desk)
    assert "ONTASKADD" in town.desk.health.warnings["bindings"]
    assert "ONCRMDEALADD" in town.bound()


# --- tokens ------------------------------------------------------------------------------


async def test_token_that_expires_in_the_middle_of_parallel_requests_is_refreshed_once(town: Applied) -> None:
    cases = [town.receives(letter(title=f"Обращение {number}")) for number in range(6)]
    town.clock.advance(HOUR)
    old = (await town.stored()).tokens
    await asyncio.gather(reconcile(town.desk), refresh_people(town.desk), walk(town.desk))
    await town.settle()
    assert town.refreshes == 1
    assert all(town.fields(case)["SLA_CLASS"] for case in cases)
    form = {"grant_type": "refresh_token", "client_id": town.application.client_id,
            "client_secret": town.application.client_secret, "refresh_token": old.refresh}  # fmt: skip
    assert town.portal.world.oauth.answer(form)[1]["error"] == "invalid_grant", "the old one is dead"


async def test_restart_goes_on_with_the_stored_pair(town: Applied) -> None:
    town.clock.advance(HOUR)
    await refresh_people(town.desk)
    async with town.restarted():
        case = town.receives(letter(FIRE, "Пожар"))
        await town.settle()
    assert town.fields(case)["SLA_CLASS"] == "emergency"
    assert town.refreshes == 1


async def test_killed_between_keeping_and_using_the_new_pair(town: Applied) -> None:
    """The answer came, the pair was committed, and the process died before its next call."""
    town.clock.advance(HOUR)
    access = town.desk.working_portal._access
    stale = await access.key()

    async def post(url: str, form: object) -> tuple[int, bytes]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=town.portal.app)) as road:
            answer = await road.post(url, data=form)  # type: ignore[arg-type]
            return answer.status_code, answer.content

    await access.renewed(stale, post)
    async with town.restarted() as desk:
        assert await refresh_people(desk) > 0
    assert town.refreshes == 1


async def test_pair_that_comes_when_another_process_leads_is_kept(town: Applied) -> None:
    """The old one is used up: whoever leads now could never renew again."""
    town.clock.advance(HOUR)
    await lead(town.desk)
    leader, access = town.desk, town.desk.working_portal._access
    stale = await access.key()

    async def post(url: str, form: object) -> tuple[int, bytes]:
        async with town.restarted() as other, other.db.begin() as conn:
            await leases.release(conn, leases.PORTAL, leader.name)
            assert await leases.take(conn, leases.PORTAL, other.name, HOUR)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=town.portal.app)) as road:
            answer = await road.post(url, data=form)  # type: ignore[arg-type]
            return answer.status_code, answer.content

    with town.desk.in_turn():
        await access.renewed(stale, post)
    assert (await town.stored()).generation == stale.generation + 1


async def test_two_processes_share_one_pair(town: Applied) -> None:
    town.clock.advance(HOUR)
    first = town.desk
    async with town.restarted() as second:
        for desk in (first, second, first):
            await refresh_people(desk)
    assert town.refreshes == 1


async def test_refused_refresh_is_told_in_readyz_and_asked_no_more(town: Applied) -> None:
    town.application.paid = False
    town.clock.advance(HOUR)
    for _ in range(5):
        with pytest.raises(ShutOut):
            await refresh_people(town.desk)
    assert town.refreshes == 1
    [reason] = readiness(town.desk, Queues(True, True), town.desk.now()).reasons
    assert "продлите" in reason


# --- removal, update, another name -------------------------------------------------------


async def test_removed_application_calls_no_more_and_says_so(town: Applied) -> None:
    town.portal.remove_application(town.application)
    await town.deliver()
    asked = town.portal.requests
    town.receives(letter(FIRE, "Пожар"))
    await town.settle()
    with pytest.raises(ShutOut):
        await refresh_people(town.desk)
    assert town.portal.requests == asked
    [reason] = readiness(town.desk, Queues(True, True), town.desk.now()).reasons
    assert "приложение удалено с портала" in reason


async def test_installed_again_goes_on_at_once(town: Applied) -> None:
    town.portal.remove_application(town.application)
    await town.deliver()
    with pytest.raises(ShutOut):
        await refresh_people(town.desk)
    town.portal.restore_application(town.application)
    await town.deliver()
    await bind_when_due(town.desk)
    case = town.receives(letter(FIRE, "Пожар"))
    await town.settle()
    assert town.fields(case)["SLA_CLASS"] == "emergency"


@pytest.mark.parametrize("new_token", [False, True])
async def test_update_takes_the_subscriptions_and_they_are_bound_again(
    town: Applied, new_token: bool
) -> None:
    before = town.bound()
    town.portal.update_application(town.application, new_token=new_token)
    assert town.bound() == set()
    await town.deliver()
    await bind_when_due(town.desk)
    assert town.bound() == before
    assert (await town.stored()).application_token == town.application.application_token


async def test_lost_update_is_found_at_the_next_start(town: Applied) -> None:
    before = town.bound()
    town.portal.update_application(town.application)
    town.portal.drop_pending()
    async with town.restarted() as desk:
        await bind_when_due(desk)
    assert town.bound() == before


async def test_update_that_another_process_heard_of_is_mended_by_the_one_that_works(town: Applied) -> None:
    before, worker = town.bound(), town.desk
    async with town.restarted():
        town.portal.update_application(town.application)
        await town.deliver()
    assert await bind_when_due(worker) > 0
    assert town.bound() == before


async def test_what_came_before_the_installation_is_swept_at_once(tmp_path: Path) -> None:
    async with applied(tmp_path, installed=False) as scene:
        scene.receives(letter(FIRE, "Пожар"))
        await scene.deliver()
        assert await bind_and_sweep(scene.desk) > 0
        async with scene.desk.db.read() as conn:
            assert (await inbox.lag(conn, scene.desk.now()))[0] > 0


async def test_what_changed_while_an_update_held_the_subscriptions_is_swept_at_once(deaf: Applied) -> None:
    await sweep_or_fetch(deaf.desk)
    deaf.portal.update_application(deaf.application)
    deaf.receives(letter(FIRE, "Пожар"))
    await unbound(deaf.desk)
    assert await bind_and_sweep(deaf.desk) > len(deaf.bound(offline=True)), "the lists told of the letter"


async def test_sweep_that_failed_after_binding_is_made_up_for(deaf: Applied) -> None:
    await sweep_or_fetch(deaf.desk)
    deaf.portal.update_application(deaf.application)
    deaf.receives(letter(FIRE, "Пожар"))
    await unbound(deaf.desk)
    await bind_when_due(deaf.desk)
    assert await sweep_or_fetch(deaf.desk) > 0


async def test_first_installation_is_no_end_of_a_failure(tmp_path: Path) -> None:
    async with applied(tmp_path, installed=False) as scene:
        await lead(scene.desk)
        with pytest.raises(ShutOut):
            await refresh_people(scene.desk)
        await knock(scene.desk)
        await scene.install()
        await knock(scene.desk)
        await scene.settle()
        assert scene.portal.notices(scene.office.head) == []


async def test_renamed_portal_is_followed_and_remembered(town: Applied) -> None:
    town.portal.moved_to = "http://127.0.0.1:2"
    case = town.receives(letter(FIRE, "Пожар"))
    await town.settle()
    assert town.fields(case)["SLA_CLASS"] == "emergency"
    assert (await town.stored()).portal == "http://127.0.0.1:2"
    async with town.restarted() as desk:
        asked = town.portal.requests
        await refresh_people(desk)
        assert town.portal.requests - asked == 1, "not by way of the old name"


async def test_only_a_portal_that_asks_is_uninstalled(town: Applied) -> None:
    await uninstall(town.desk)
    assert (await town.stored()).removed_at == town.clock.now()


# --- before and without ------------------------------------------------------------------


async def test_before_it_is_installed_nothing_is_asked(tmp_path: Path) -> None:
    async with applied(tmp_path, installed=False) as scene:
        scene.portal.drop_pending()
        asked = scene.portal.requests
        assert await bind_when_due(scene.desk) == 0
        with pytest.raises(ShutOut, match="not_installed"):
            await refresh_people(scene.desk)
        assert scene.portal.requests == asked
        [reason] = readiness(scene.desk, Queues(True, True), scene.desk.now()).reasons
        assert "добавьте приложение" in reason


async def test_check_of_an_application(town: Applied) -> None:
    lines = await town.desk.working_portal.check()
    told = [line.text for line in lines]
    assert [line for line in lines if line.level == "FAIL"] == []
    assert f"приложение {town.application.client_id}, тариф портала ru_std: установлено" in told
    assert {"портал отвечает, приложение действует", "приложение подписано на все события"} <= set(told)


async def test_links_lead_to_the_portal(town: Applied) -> None:
    case = town.receives(letter(FIRE, "Пожар"))
    await town.settle()
    ticket = await town.ticket(case)
    assert town.desk.working_portal.card_url(ticket.ref).startswith("http://127.0.0.1:1/crm/deal/details/")


async def test_no_secret_is_logged_or_shown(town: Applied, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    town.clock.advance(HOUR)
    town.receives(letter(FIRE, "Пожар"))
    await town.settle()
    town.portal.update_application(town.application)
    await town.deliver()
    stored = await town.stored()
    async with httpx.AsyncClient(transport=town.web, base_url=SERVICE) as client:
        pages = [(await client.get(path)).text for path in ("/readyz", "/metrics", "/", "/openapi.json")]
    words = "".join([caplog.text, *pages, repr(stored), repr(town.desk), repr(town.settings)])
    secrets = [stored.tokens.access, stored.tokens.refresh, stored.application_token, "a-key-of-these-tests",
               town.application.client_secret]  # fmt: skip
    assert [secret for secret in secrets if secret in words] == []
