"""A local application driven by clients that others wrote: tokens, their renewal, subscriptions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from b24pysdk import BitrixAppLocal, BitrixToken, Client
from b24pysdk.errors import BitrixAPIError
from fast_bitrix24 import BitrixAsync

from app.demo.portal.world import Application

if TYPE_CHECKING:
    from .conftest import Stand

pytestmark = pytest.mark.anyio

HANDLER = "https://sla.example.com/webhooks/bitrix24"
HOURS = timedelta(hours=2)


def installed(stand: Stand) -> Application:
    return stand.portal.add_application("https://sla.example.com/install")


def token_of(stand: Stand, application: Application) -> Any:
    """The vendor's application with a fresh pair."""
    app = BitrixAppLocal(
        domain=stand.address, client_id=application.client_id, client_secret=application.client_secret
    )
    pair = stand.portal.world.oauth.pair(application.client_id, 9)
    return BitrixToken(
        domain=stand.address,
        auth_token=pair["access_token"],
        refresh_token=pair["refresh_token"],
        bitrix_app=app,
    )


def test_sdk_calls_with_a_token(stand: Stand) -> None:
    client: Any = Client(token_of(stand, installed(stand)))
    assert client.crm.deal.get(stand.deals[0]).result["ID"] == str(stand.deals[0])
    assert client.profile().result["ID"] == "9"


def test_sdk_renews_an_expired_token_and_goes_on(stand: Stand) -> None:
    token = token_of(stand, installed(stand))
    old = token.refresh_token
    stand.wait(HOURS)
    client: Any = Client(token)
    assert client.crm.deal.get(stand.deals[0]).result["ID"] == str(stand.deals[0])
    assert stand.portal.world.oauth.asked["refresh_token"] == 1
    assert token.refresh_token != old


def test_sdk_renews_again_and_again(stand: Stand) -> None:
    client: Any = Client(token_of(stand, installed(stand)))
    for _ in range(3):
        stand.wait(HOURS)
        assert client.profile().result["ADMIN"] is True
    assert stand.portal.world.oauth.asked["refresh_token"] == 3


def test_sdk_exchanges_a_code(stand: Stand) -> None:
    application = installed(stand)
    token = token_of(stand, application)
    code = stand.portal.world.oauth.code(application.client_id, 9)
    renewed = token.get_oauth_token(code)
    token.oauth_token = renewed.oauth_token
    client: Any = Client(token)
    assert client.profile().result["ID"] == "9"


def test_sdk_subscribes_and_reads_its_subscriptions(stand: Stand) -> None:
    client: Any = Client(token_of(stand, installed(stand)))
    assert client.event.bind("ONCRMDEALADD", HANDLER).result is True
    assert [(row["event"], row["handler"]) for row in client.event.get().result] == [
        ("ONCRMDEALADD", HANDLER)
    ]
    with pytest.raises(BitrixAPIError) as caught:
        client.event.bind("ONCRMDEALADD", HANDLER).call()
    assert caught.value.error == "ERROR_CORE"
    assert client.event.unbind("ONCRMDEALADD", HANDLER).result == {"count": 1}


def test_sdk_fetches_the_offline_queue(stand: Stand) -> None:
    client: Any = Client(token_of(stand, installed(stand)))
    client.event.bind("ONCRMDEALADD", event_type="offline").call()
    deal = stand.portal.add_deal("Шлагбаум", by=1)
    [row] = client.event.offline.get().result["events"]
    assert (row["EVENT_NAME"], int(row["EVENT_DATA"]["FIELDS"]["ID"])) == ("ONCRMDEALADD", deal)
    assert client.event.offline.get().result["events"] == []


async def test_fast_calls_with_a_token_that_it_asks_for_anew(stand: Stand) -> None:
    application, given = installed(stand), []

    async def token() -> str:
        given.append(stand.portal.world.oauth.pair(application.client_id, 9)["access_token"])
        return str(given[-1])

    client = BitrixAsync(f"http://{stand.address}/rest/", verbose=False, token_func=token)
    assert len(await client.get_all("crm.deal.list", {"select": ["ID"]})) == len(stand.deals)
    stand.wait(HOURS)
    assert len(await client.get_all("crm.deal.list", {"select": ["ID"]})) == len(stand.deals)
    assert len(given) == 2
