"""What `check` says of the limits: which hold, whether our address is shared, what methods have left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from app.bitrix.budget import Budget, Loan
from app.bitrix.checking_pace import lines
from app.bitrix.limits import CALM, ENTERPRISE, STANDARD
from app.demo.portal import CLOUD_STD

if TYPE_CHECKING:
    from .conftest import Make

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
CLOUD = {"operating": 0.0, "duration": 0.1}


def told(budget: Budget, now: datetime = NOW) -> dict[str, str]:
    """Subject of each line → level and text."""
    return {line.text.partition(":")[0]: f"{line.level} {line.text}" for line in lines(budget.pacing(now))}


def rate_of(budget: Budget, now: datetime = NOW) -> str:
    return told(budget, now)["частота запросов"]


def test_tariff_in_force_its_limits_and_our_share_are_told() -> None:
    line = rate_of(Budget(NOW))
    assert line.startswith("OK")
    assert "тариф standard (определён по ответам портала), 50 запросов сразу и 2 в секунду" in line
    assert line.endswith("доля службы 80 %: 40 сразу и 1,6 в секунду".replace(" %", "%"))


def test_tariff_of_the_rules_is_told_as_such() -> None:
    assert "тариф enterprise (задан в [pace]), 250 запросов" in rate_of(Budget(NOW, "enterprise", 0.5))


def test_licence_of_the_application_tells_the_tariff() -> None:
    budget = Budget(NOW)
    budget.licensed({"LICENSE_FAMILY": "ent"}, NOW)
    assert budget.pacing(NOW).tariff == ENTERPRISE


def test_portal_without_limits_is_one_line() -> None:
    budget = Budget(NOW)
    for _ in range(3):
        budget.answered("m", {"duration": 0.1}, NOW)
    assert list(told(budget)) == ["частота запросов"]
    assert "не ограничивает" in rate_of(budget)


def test_neighbour_on_our_address_is_a_warning_until_it_has_been_quiet() -> None:
    budget = Budget(NOW)
    budget.refused(NOW)
    assert told(budget)["с этого адреса к порталу обращается кто-то ещё"].startswith("WARN")
    assert "с этого адреса порталу никто не мешает" in told(budget, NOW + timedelta(hours=1))


def test_tariff_of_the_rules_that_the_portal_refutes_is_a_warning() -> None:
    budget = Budget(NOW, "unlimited")
    budget.refused(NOW)
    assert rate_of(budget).startswith("WARN")
    assert budget.pacing(NOW).tariff == STANDARD


def test_what_the_busiest_method_has_left_is_told() -> None:
    budget = Budget(NOW)
    budget.answered("crm.item.update", CLOUD | {"operating": 120.0}, NOW)
    assert told(budget)["время методов"] == (
        "OK время методов: занятее всех crm.item.update, 25% из 480 с за десять минут"
    )
    budget.answered("crm.item.list", CLOUD | {"operating": 400.0}, NOW)
    assert told(budget)["время методов"].startswith("WARN время методов: занятее всех crm.item.list, 83%")


def test_borrower_tells_what_the_service_has_learnt() -> None:
    service, by_hand = Budget(NOW), Budget(NOW)
    service.answered("crm.item.update", CLOUD | {"operating": 240.0}, NOW)
    service.refused(NOW)
    later = NOW + 2 * CALM
    by_hand.borrow(Loan.of(service.lend(later, NOW).told()), NOW)
    assert rate_of(by_hand) == rate_of(service).replace("30%: 15 сразу и 0,6", "40%: 20 сразу и 0,8")
    assert "50% из 480" in told(by_hand)["время методов"]
    assert any(text.startswith("WARN с этого адреса") for text in told(by_hand).values())


@pytest.mark.parametrize("part", [0.25, 1.0])
def test_loan_survives_its_way_as_json(part: float) -> None:
    loan = Loan(part, NOW, "standard", 0.2, 3.5, {"share": 0.8})
    assert Loan.of(loan.told()) == loan


@pytest.mark.anyio
@pytest.mark.portals("cloud-std", reason="a self-hosted portal has no limits")
async def test_check_tells_of_the_limits_and_of_the_clock(make: Make) -> None:
    world = make(CLOUD_STD)
    await world.portal.provision(dry_run=False, layout=False)
    texts = [line.text for line in await world.portal.check()]
    for subject in ("частота запросов: тариф standard", "время методов: занятее всех", "часы портала"):
        assert any(text.startswith(subject) for text in texts), subject
