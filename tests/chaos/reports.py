"""The figures of a run's months, made from its database when all is over, at one moment for all runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import httpx

from app.clock import SetClock
from app.desk import Desk, open_desk
from app.jobs.report import make_report
from app.metrics.digest import Freshness
from app.metrics.digest_text import digest_text
from app.metrics.periods import PeriodKind
from app.settings import Settings
from app.web.application import create_app
from tests.chaos.run import CALM, Town, environ

LOOKED_AT = CALM + timedelta(hours=6)
"""After the script's end: later than any run's own end, so that what is open has one age in all."""


async def figures(town: Town) -> Mapping[str, Any]:
    """Every KPI of the months that the script touches, and their reports as people read them."""
    settings = Settings.read(environ(town, "http://127.0.0.1:1"))
    first, last = town.begin_at.date(), town.end_at.date()
    found: dict[str, Any] = {}
    async with open_desk(settings, clock=SetClock(town.end_at + LOOKED_AT)) as desk:
        for month in sorted({first.replace(day=1), last.replace(day=1)}):
            found |= {f"of {month:%m}: {key}": value for key, value in (await _of_month(desk, month)).items()}
    return found


async def _of_month(desk: Desk, month: date) -> dict[str, Any]:
    report = await make_report(desk, PeriodKind.MONTH, month)
    known_now = replace(report.digest, fresh=Freshness(desk.now()))
    text = digest_text(known_now, desk.rules.desk.name)
    last = known_now.period.last
    kpi = await _kpi(desk, month, last)
    return {**kpi, **{f"line {number}": line for number, line in enumerate(text.splitlines())}}


async def _kpi(desk: Desk, first: date, last: date) -> dict[str, Any]:
    road = httpx.ASGITransport(app=create_app(desk))
    async with httpx.AsyncClient(transport=road, base_url="http://127.0.0.1") as client:
        answer = await client.get(f"/api/v1/kpi?from={first}&to={last}")
    told: dict[str, Any] = answer.raise_for_status().json()
    return {
        code: tuple(one[key] for key in ("value", "numerator", "denominator")) for code, one in told.items()
    }
