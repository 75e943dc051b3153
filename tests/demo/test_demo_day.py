"""The demo's last word: whether the service spoke to the portal as the vendor publishes."""

from __future__ import annotations

import pytest

from app.demo.run import Misspoken, judge
from tests.demo.helpdesk import Helpdesk

pytestmark = pytest.mark.anyio


async def test_day_of_well_formed_calls_ends_well(desk: Helpdesk) -> None:
    await desk.call("crm.item.list", entityTypeId=2, start=-1)
    judge(desk.portal)


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        ({"entityTypeId": 2, "page": 5}, "unknown parameter page"),
        ({"entityTypeId": 2, "select": ["nobody"]}, "nobody"),
    ],
)
async def test_call_that_the_vendor_does_not_know_ends_the_demo_badly(
    desk: Helpdesk, params: dict[str, object], fault: str
) -> None:
    desk.portal.add_deal("Сделка")
    await desk.post("crm.item.list", **params)
    with pytest.raises(Misspoken, match=fault):
        judge(desk.portal)
