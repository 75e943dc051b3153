"""Installing the application: who is let in, what the answer is, what nobody may do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from app.demo.portal.world import Application
from app.store import inbox
from tests.jobs.applied import ADDRESS, SERVICE, Applied, applied

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="OAuth is the same on both")]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
INSTALL, HOOK = f"{SERVICE}/install", f"{SERVICE}/webhooks/bitrix24"


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[Applied]:
    """The portal has posted the installation, and it is still on its way."""
    async with applied(tmp_path, installed=False) as scene:
        yield scene


@pytest.fixture
async def framed(tmp_path: Path) -> AsyncIterator[Applied]:
    """An application with an interface, just added."""
    async with applied(tmp_path, installed=False, has_ui=True) as scene:
        yield scene


def post_of(scene: Applied) -> dict[str, str]:
    """The fields of the portal's installing post, which does not arrive."""
    [pending] = scene.portal.pending_events
    scene.portal.drop_pending()
    return dict(parse_qsl(pending.body.decode()))


async def posted(scene: Applied, form: dict[str, str] | bytes, to: str = INSTALL) -> httpx.Response:
    body = form if isinstance(form, bytes) else urlencode(form).encode()
    async with httpx.AsyncClient(transport=scene.web, base_url=SERVICE) as client:
        return await client.post(to, content=body, headers=FORM)


async def is_installed(scene: Applied) -> bool:
    assert scene.desk.vault is not None
    known = await scene.desk.vault.load()
    return known is not None and known.removed_at is None


# --- without an interface ----------------------------------------------------------------


@pytest.mark.parametrize("address", [INSTALL, HOOK])
async def test_portals_post_installs(bare: Applied, address: str) -> None:
    form = post_of(bare)
    answer = await posted(bare, form, address)
    stored = await bare.stored()
    assert (answer.status_code, answer.content) == (200, b"")
    assert (stored.tokens.access, stored.tokens.user_id, stored.portal) == (
        form["auth[access_token]"], 9, ADDRESS
    )  # fmt: skip


async def test_get_of_the_path_answers_200(bare: Applied) -> None:
    async with httpx.AsyncClient(transport=bare.web, base_url=SERVICE) as client:
        assert (await client.get("/install")).status_code == 200


async def test_addresses_of_the_post_are_never_called(bare: Applied) -> None:
    form = post_of(bare)
    evil = dict.fromkeys(("auth[client_endpoint]", "auth[server_endpoint]"), "https://evil.example/rest/")
    answer = await posted(bare, form | evil | {"auth[domain]": "evil.example"})
    stored = await bare.stored()
    assert (answer.status_code, stored.portal) == (200, ADDRESS)


@pytest.mark.parametrize(
    ("change", "status", "why"),
    [
        ({"auth[access_token]": "stolen"}, 403, "не признал"),
        ({"auth[access_token]": ""}, 403, "нет токенов"),
        ({"auth[refresh_token]": ""}, 403, "нет токенов"),
        ({"auth[member_id]": ""}, 403, "нет токенов"),
    ],
)
async def test_post_that_does_not_prove_itself(
    bare: Applied, change: dict[str, str], status: int, why: str
) -> None:
    answer = await posted(bare, post_of(bare) | change)
    assert (answer.status_code, why in answer.json()["detail"]) == (status, True)
    assert not await is_installed(bare)


async def test_only_an_administrator_installs(bare: Applied) -> None:
    form = post_of(bare)
    bare.portal.add_user("Пётр", "Простой", 50)
    form["auth[access_token]"] = token(bare, bare.application, 50)
    answer = await posted(bare, form)
    assert (answer.status_code, "администратор" in answer.json()["detail"]) == (403, True)


async def test_token_of_another_application_is_refused(bare: Applied) -> None:
    form = post_of(bare)
    other = bare.portal.add_application("https://other.example/install")
    form["auth[access_token]"] = token(bare, other, 9)
    assert "другого приложения" in (await posted(bare, form)).json()["detail"]


def token(scene: Applied, application: Application, user: int) -> str:
    return str(scene.portal.world.oauth.pair(application.client_id, user)["access_token"])


async def test_second_portal_is_refused(bare: Applied) -> None:
    form = post_of(bare)
    await posted(bare, form)
    answer = await posted(bare, form | {"auth[member_id]": "another"})
    assert (answer.status_code, "другому порталу" in answer.json()["detail"]) == (403, True)
    assert (await bare.stored()).member_id == form["auth[member_id]"]


async def test_portal_that_does_not_answer_is_told(bare: Applied) -> None:
    form = post_of(bare)
    bare.portal.faults.down = True
    answer = await posted(bare, form)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


async def test_guessing_costs_the_portal_little(bare: Applied) -> None:
    form = post_of(bare) | {"auth[access_token]": "stolen"}
    statuses = [(await posted(bare, form)).status_code for _ in range(7)]
    assert statuses == [403] * 5 + [429] * 2
    bare.clock.advance(timedelta(minutes=5))
    assert (await posted(bare, form)).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"\xff", 400), (b"a=1", 400), (b"", 400), (b"event=ONAPPINSTALL&x=" + b"a" * 70_000, 413)],
)
async def test_unreadable_post(bare: Applied, body: bytes, status: int) -> None:
    assert (await posted(bare, body)).status_code == status


async def test_other_event_at_the_installing_path_changes_nothing(bare: Applied) -> None:
    assert (await posted(bare, {"event": "ONCRMDEALADD", "data[FIELDS][ID]": "1"})).status_code == 400


# --- with an interface -------------------------------------------------------------------


async def test_frame_installs_and_tells_the_portal(framed: Applied) -> None:
    address, body = framed.portal.open_frame(framed.application)
    answer = await posted(framed, body, address)
    assert (answer.status_code, "BX24.installFinish()" in answer.text) == (200, True)
    assert await is_installed(framed)


async def test_frames_policy_is_opened_only_for_it(framed: Applied) -> None:
    answer = await posted(framed, framed.portal.open_frame(framed.application)[1])
    policy = answer.headers["content-security-policy"]
    assert f"frame-ancestors {ADDRESS}" in policy
    assert "script-src https://api.bitrix24.com 'sha256-" in policy
    async with httpx.AsyncClient(transport=framed.web, base_url=SERVICE) as client:
        assert "bitrix24" not in (await client.get("/login")).headers["content-security-policy"]


async def test_finished_installation_is_not_finished_again(framed: Applied) -> None:
    framed.portal.finish_install(framed.application)
    answer = await posted(framed, framed.portal.open_frame(framed.application)[1])
    assert (answer.status_code, "script" in answer.text) == (200, False)


async def test_frame_of_an_ordinary_user_is_refused(framed: Applied) -> None:
    framed.portal.finish_install(framed.application)
    framed.portal.add_user("Пётр", "Простой", 50)
    answer = await posted(framed, framed.portal.open_frame(framed.application, 50)[1])
    assert answer.status_code == 403


# --- events of an installed application --------------------------------------------------


def event(scene: Applied, name: str, **more: str) -> dict[str, str]:
    told = {"auth[application_token]": scene.application.application_token} | more
    return {"event": name, "data[FIELDS][ID]": "41", **told}


async def waiting(scene: Applied) -> int:
    async with scene.desk.db.read() as conn:
        return (await inbox.lag(conn, scene.desk.now()))[0]


async def test_events_under_the_applications_token_are_taken(bare: Applied) -> None:
    await bare.deliver()
    answer = await posted(bare, event(bare, "ONCRMDEALADD"), HOOK)
    assert (answer.status_code, await waiting(bare)) == (200, 1)


@pytest.mark.parametrize("wrong", ["", "wrong", "51856fefc120afa4b628cc82d3935cce"])
async def test_events_under_another_token_are_refused(bare: Applied, wrong: str) -> None:
    await bare.deliver()
    form = event(bare, "ONCRMDEALADD", **{"auth[application_token]": wrong})
    assert ((await posted(bare, form, HOOK)).status_code, await waiting(bare)) == (403, 0)


async def test_nothing_is_taken_before_it_is_installed(bare: Applied) -> None:
    assert (await posted(bare, event(bare, "ONCRMDEALADD"), HOOK)).status_code == 403


@pytest.mark.parametrize("address", [INSTALL, HOOK])
async def test_removal_under_the_applications_token(bare: Applied, address: str) -> None:
    await bare.deliver()
    assert (await posted(bare, event(bare, "ONAPPUNINSTALL"), address)).status_code == 200
    assert not await is_installed(bare)
    assert (await posted(bare, event(bare, "ONCRMDEALADD"), HOOK)).status_code == 403


@pytest.mark.parametrize("address", [INSTALL, HOOK])
async def test_stranger_cannot_remove_it(bare: Applied, address: str) -> None:
    await bare.deliver()
    form = event(bare, "ONAPPUNINSTALL", **{"auth[application_token]": "wrong"})
    assert (await posted(bare, form, address)).status_code == 403
    assert await is_installed(bare)


async def test_installing_again_mends_a_lost_key(bare: Applied) -> None:
    """The stored tokens cannot be opened any more: events are not judged, an installation is."""
    form = post_of(bare)
    await posted(bare, form)
    bare.settings = bare.settings.model_copy(update={"secret_key": SecretStr("another-key-of-the-desk")})
    async with bare.restarted():
        assert (await posted(bare, event(bare, "ONCRMDEALADD"), HOOK)).status_code == 503
        assert (await posted(bare, form, HOOK)).status_code == 200
        assert (await posted(bare, event(bare, "ONCRMDEALADD"), HOOK)).status_code == 200


async def test_another_domain_in_an_event_is_only_noted(bare: Applied) -> None:
    await bare.deliver()
    with capture_logs() as told:
        for _ in range(2):
            await posted(bare, event(bare, "ONCRMDEALADD", **{"auth[domain]": "new.example"}), HOOK)
    assert (await bare.stored()).portal == ADDRESS
    assert sum("new.example" in str(line) for line in told) == 1


async def test_another_process_hears_of_the_installation(bare: Applied) -> None:
    """Its memory of the token is older than the database's."""
    await bare.deliver()
    await posted(bare, event(bare, "ONCRMDEALADD"), HOOK)
    async with bare.restarted():
        bare.portal.remove_application(bare.application)
        bare.portal.restore_application(bare.application)
        await bare.deliver()
        form = event(bare, "ONCRMDEALADD")
    assert (await posted(bare, form, HOOK)).status_code == 200


async def test_service_with_a_webhook_installs_nothing(tmp_path: Path) -> None:
    from tests.jobs.scenes import scene

    async with scene(tmp_path) as town:
        form = {"event": "ONAPPINSTALL", "auth[access_token]": "a"}
        async with httpx.AsyncClient(transport=town.web, base_url=SERVICE) as client:
            for address in ("/install", "/webhooks/bitrix24") * 6:
                assert (await client.post(address, data=form)).status_code == 403
