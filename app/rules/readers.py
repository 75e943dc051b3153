"""How single values of the rules file are read. Every function raises ValueError for what it cannot use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from app.clock import OUT_OF_YEARS, YEARS
from app.rules.section import Reader, hint
from app.sla.hours import WEEKDAYS

T = TypeVar("T")
D = TypeVar("D", bound=date)
OFF = "off"

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
_SPAN = re.compile(r"(\d{1,6})([smh])")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_CHAT = re.compile(r"((chat|sg)?[1-9]\d*)?")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004  (the message is the reader's)
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError  # noqa: TRY004
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError
    return value


def _name(value: Any) -> str:
    """An id or a word, as text."""
    return _text(value) if isinstance(value, str) else str(_number(value))


def _id(value: Any) -> str:
    """The number of a company or a contact, as the card has it."""
    text = _name(value)
    if not text.isascii() or not text.isdigit() or not int(text):
        raise ValueError
    return str(int(text))


def _share(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1:
        raise ValueError
    return float(value)


def _goal(value: Any) -> float:
    return 1.0 if value == 1 and not isinstance(value, bool) else _share(value)


def _budget(value: Any) -> float:
    share = _goal(value)
    if share < 0.05:
        raise ValueError
    return share


def _poll(value: Any) -> timedelta | Literal["auto", "off"]:
    if value == "auto":
        return "auto"
    return "off" if value == OFF else _span(value)


def _span(value: Any) -> timedelta:
    found = _matched(_SPAN, value)
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if not length:
        raise ValueError("срок должен быть больше нуля")
    return length


def _day(value: Any) -> date:
    text = _matched(_DATE, value)[0]
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError("такой даты в календаре нет") from None
    return _of_our_time(day)


def _of_our_time(day: D) -> D:
    if day.year not in YEARS:
        raise ValueError(OUT_OF_YEARS)
    return day


def _clock(value: Any) -> time:
    return time.fromisoformat(_matched(_CLOCK, value)[0].zfill(5))


def _weekly(value: Any) -> tuple[int, time]:
    day, _, clock = _text(value).partition(" ")
    if day not in WEEKDAYS:
        raise ValueError
    return WEEKDAYS.index(day), _clock(clock.strip())


def _monthly(value: Any) -> time:
    day, _, clock = _text(value).partition(" ")
    if day != "first-workday":
        raise ValueError
    return _clock(clock.strip())


def _chat(value: Any) -> str:
    return _matched(_CHAT, value)[0]


def _zone(value: Any) -> ZoneInfo:
    name = _text(value)
    if name not in available_timezones():
        near = hint(name, available_timezones()) if len(name) > 3 else ""
        told = near if near.startswith(",") else ", нужно вроде «Europe/Moscow»"
        raise ValueError(f"такого часового пояса нет{told}")
    return ZoneInfo(name)


def _matched(form: re.Pattern[str], value: Any) -> re.Match[str]:
    found = form.fullmatch(_string(value).strip())
    if not found:
        raise ValueError
    return found


def _or_off(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda value: None if value == OFF else read(value)


TEXT = Reader("нужна непустая строка в кавычках", _text, "")
FLAG = Reader("нужно true или false", _flag, instead=False)
NUMBER = Reader("нужно целое число", _number, 0)
PERSON = Reader("нужен номер сотрудника, число без кавычек", _number, 0)
NAME = Reader("нужно число или строка", _name, "")
ID = Reader("нужен номер из карточки, например 12: другого там не бывает", _id, "")
SHARE = Reader("нужна доля больше 0 и меньше 1, например 0.9", _share, 0.5)
GOAL = Reader("нужна доля больше 0, не больше 1, например 0.95", _goal, 1.0)
SPAN = Reader("нужно время вроде «15m» или «4h»", _span, timedelta(hours=1))
SPAN_OR_OFF: Reader[timedelta | None] = Reader("нужно время вроде «2h» или «off»", _or_off(_span), None)

DAY = Reader("нужна дата вроде «2026-12-31»", _day, date.min)
DAILY: Reader[time | None] = Reader("нужно время вроде «09:05» или «off»", _or_off(_clock), None)
WEEKLY: Reader[tuple[int, time] | None] = Reader(
    "нужны день и время вроде «mon 09:30» или «off»", _or_off(_weekly), None
)
MONTHLY: Reader[time | None] = Reader("нужно «first-workday 10:00» или «off»", _or_off(_monthly), None)
CHAT = Reader("нужно «chat12», «sg3», номер сотрудника в кавычках или пустая строка", _chat, "")
BUDGET = Reader("нужна доля от 0.05 до 1, например 0.8", _budget, 0.8)
POLL: Reader[timedelta | Literal["auto", "off"]] = Reader(
    "нужно «auto», «off» или время вроде «30s»", _poll, "auto"
)
ZONE = Reader("нужен часовой пояс вроде «Europe/Moscow»", _zone, ZoneInfo("UTC"))


def since_in(zone: ZoneInfo) -> Reader[datetime]:
    """A date (its midnight in `zone`) or a moment."""

    def read(value: Any) -> datetime:
        try:
            at = datetime.fromisoformat(_text(value))
        except ValueError:
            raise ValueError from None
        at = _of_our_time(at)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)

    return Reader("нужна дата вроде «2026-12-01»", read, datetime.min.replace(tzinfo=UTC))


def one_of(names: Iterable[str] | Mapping[str, T], what: str = "значения") -> Reader[str]:
    """A word out of a list."""
    known = list(names)

    def read(value: Any) -> str:
        word = _string(value)
        if word not in known:
            raise ValueError(f"такого {what} нет{hint(word, known)}")
        return word

    return Reader(f"нужно одно из: {', '.join(known)}", read, known[0] if known else "")
