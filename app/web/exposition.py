"""Numbers for Prometheus. Counters live where things happen; gauges are read when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.bitrix.client import Traffic
from app.desk import Desk
from app.store import inbox, outbox, stamps, tallies
from app.web.failures import failed_work

__all__ = ["CONTENT_TYPE", "EVENTS", "INTAKE", "Numbers", "exposition", "numbers_of"]

EVENTS = Counter(
    "b24sla_events", "Events of the portal by name and by what became of them.", ["event", "result"]
)

INTAKE = Histogram(
    "b24sla_intake_seconds",
    "From the whole body of an event to its commit, or to giving up.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

UNKNOWN_EVENT = "unknown"
"""One label for all names that we know no use for: a name is the sender's choice."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Gauges at one moment."""

    inbox: tuple[int, timedelta]
    outbox: tuple[int, timedelta]
    stamps: tuple[int, timedelta]
    failed: Mapping[str, int]
    open_by_state: Mapping[str, int]
    last_portal_ok_at: datetime | None
    last_sweep_at: datetime | None
    traffic: Traffic | None  # None: this process does not talk to the portal
    inbox_lanes: tallies.Waiting
    outbox_lanes: tallies.Waiting
    database_bytes: int
    leads: bool  # this process holds the lease


async def numbers_of(desk: Desk) -> Numbers:
    now = desk.now()
    async with desk.db.read() as conn:
        failed = await failed_work(conn)
        return Numbers(
            inbox=await inbox.lag(conn, now),
            outbox=await outbox.lag(conn, now),
            stamps=await stamps.lag(conn, now),
            failed={what: len(group) for what, group in failed.groups.items()},
            open_by_state=await tallies.open_by_state(conn),
            last_portal_ok_at=desk.health.last_portal_ok_at,
            last_sweep_at=desk.health.last_sweep_at,
            traffic=desk.portal.traffic if desk.portal else None,
            inbox_lanes=await tallies.inbox_by_lane(conn, now),
            outbox_lanes=await tallies.outbox_by_lane(conn, now),
            database_bytes=await tallies.database_bytes(conn),
            leads=desk.epoch is not None,
        )


def exposition(numbers: Numbers, now: datetime) -> bytes:
    """The whole text: every counter of the process, and these gauges."""
    gauges = CollectorRegistry()
    gauges.register(_Gauges(numbers, now))
    return generate_latest(REGISTRY) + generate_latest(gauges)


class _Gauges(Collector):
    def __init__(self, numbers: Numbers, now: datetime) -> None:
        self.numbers = numbers
        self.now = now

    def collect(self) -> Iterable[Metric]:
        of = self.numbers
        yield _gauge("inbox_waiting", "Subjects to be read again.", of.inbox[0])
        yield _gauge("inbox_lag_seconds", "Age of the oldest of them.", of.inbox[1].total_seconds())
        yield _gauge("outbox_waiting", "Messages to be sent.", of.outbox[0])
        yield _gauge("outbox_lag_seconds", "Age of the oldest of them.", of.outbox[1].total_seconds())
        yield _gauge("stamps_waiting", "Cards to be written.", of.stamps[0])
        yield _gauge("stamps_lag_seconds", "Age of the oldest of them.", of.stamps[1].total_seconds())
        yield _labelled("failed", "Work that gave up.", "kind", of.failed)
        yield _labelled("tickets_open", "Open tickets by SLA state.", "state", of.open_by_state)
        yield from _lanes("inbox", of.inbox_lanes)
        yield from _lanes("outbox", of.outbox_lanes)
        yield _gauge("database_bytes", "Size of the database.", of.database_bytes)
        yield _gauge("leader", "1: this process talks to the portal.", int(of.leads))
        yield from self._ages()
        if of.traffic:
            yield from _portal(of.traffic)

    def _ages(self) -> Iterable[GaugeMetricFamily]:
        for name, at in (
            ("portal_call", self.numbers.last_portal_ok_at),
            ("sweep", self.numbers.last_sweep_at),
        ):
            if at is not None:
                age = (self.now - at).total_seconds()
                yield _gauge(f"{name}_age_seconds", "Since the last one that succeeded.", age)


def _portal(traffic: Traffic) -> Iterable[Metric]:
    """What has gone over the road since the start of the process."""
    yield _counter("portal_requests", "Requests to the portal.", traffic.requests)
    waited = traffic.waited.total_seconds()
    yield _counter("portal_waited_seconds", "Time spent waiting for the portal's limits.", waited)
    for name, text, label, counts in (
        ("portal_commands", "Commands by method.", "method", traffic.commands),
        ("portal_errors", "Errors by the portal's code.", "code", traffic.errors),
    ):
        family = CounterMetricFamily(f"b24sla_{name}", text, labels=[label])
        for value, count in sorted(counts.items()):
            family.add_metric([value], count)
        yield family
    yield _gauge(
        "portal_clock_offset_seconds", "The portal's clock minus ours.", traffic.offset.total_seconds()
    )


def _lanes(queue: str, waiting: tallies.Waiting) -> Iterable[GaugeMetricFamily]:
    counts = {lane: count for lane, (count, _) in waiting.items()}
    ages = {lane: age.total_seconds() for lane, (_, age) in waiting.items()}
    yield _labelled(f"{queue}_lane_waiting", "What waits, by lane.", "lane", counts)
    yield _labelled(f"{queue}_lane_lag_seconds", "Age of the oldest, by lane.", "lane", ages)


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"b24sla_{name}", text, value=value)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"b24sla_{name}", text, value=value)


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"b24sla_{name}", text, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family
