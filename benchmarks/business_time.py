"""What a deadline costs: the far one must cost like the near one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import perf_counter

from app.rules import load_rules
from app.sla.calendar import Calendar

START = datetime(2026, 11, 20, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROUNDS = 20_000


def seconds(calendar: Calendar, work: timedelta) -> float:
    """The best of five runs of ROUNDS deadlines; the years on the way are already built."""
    calendar.add(START, work)
    return min(_run(calendar, work) for _ in range(5))


def _run(calendar: Calendar, work: timedelta) -> float:
    begun = perf_counter()
    for _ in range(ROUNDS):
        calendar.add(START, work)
    return perf_counter() - begun


def main() -> None:
    calendar = load_rules(None).calendar
    near = seconds(calendar, 4 * HOUR)
    print(f"срок через 4 ч:         {near / ROUNDS * 1e6:6.2f} мкс")
    for years in (1, 10):
        far = seconds(calendar, 2000 * years * HOUR)
        print(f"срок через {years:2} раб. лет: {far / ROUNDS * 1e6:6.2f} мкс, в {far / near:.1f} раза")


if __name__ == "__main__":
    main()
