"""A comparison on the terminal: shares before and after, when deadlines are missed, whose verdict changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from app import words
from app.model import ClockName, OutcomeWord
from app.simulation.comparing import Breaches, Change, Comparison, Share

CLOCKS = {ClockName.REPLY: "Ответ в срок", ClockName.SOLUTION: "Решение в срок"}
SHORT_CLOCKS = {ClockName.REPLY: "ответ", ClockName.SOLUTION: "решение"}
WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")
MOST = 20


def comparison_lines(found: Comparison, name: str) -> Iterator[str]:
    """`name`: of the other rules' file."""
    yield f"Если бы действовали правила {name}: {words.tickets(found.tickets)}{_since(found)}"
    if not found.tickets:
        yield "Сравнивать нечего."
        return
    yield ""
    yield from _shares(found)
    yield ""
    yield from _breaches(*found.breaches)
    yield ""
    yield from _changes(found)
    yield from notes(found)


def _since(found: Comparison) -> str:
    return f" с {found.since.astimezone(found.zone):%d.%m.%Y}" if found.since else ""


def _shares(found: Comparison) -> Iterator[str]:
    yield f"{'':<26}{'сейчас':>22}{'стало бы':>24}"
    for clock, title in CLOCKS.items():
        for (value, asked), pair in found.shares.items():
            if asked is clock and (value is None or pair.before.judged or pair.after.judged):
                label = title if value is None else f"  {words.CLASS[value].lower()}"
                yield f"{label:<26}{share_words(pair.before):>22}{share_words(pair.after):>24}"


def share_words(share: Share) -> str:
    """«93,8 % (15 из 16)»; few are told as a fraction (domain.md 7)."""
    if not share.judged:
        return words.NOTHING
    made_of = f"{share.met} из {share.judged}"
    return made_of if share.judged < FEW else f"{words.percent(share.value)} ({made_of})"


FEW = 5


def _breaches(before: Breaches, after: Breaches) -> Iterator[str]:
    yield f"Просрочек: {before.total} → {after.total}"
    pairs = list(zip(WEEKDAYS, before.by_weekday, after.by_weekday, strict=True))
    yield "  по дням недели: " + _pairs(pairs)
    hours = [f"{hour:02}" for hour in range(24)]
    yield "  по часам срока: " + _pairs(list(zip(hours, before.by_hour, after.by_hour, strict=True)))


def _pairs(pairs: Sequence[tuple[str, int, int]]) -> str:
    told = [f"{name} {was} → {is_now}" for name, was, is_now in pairs if was or is_now]
    return ", ".join(told) or "нет"


def _changes(found: Comparison) -> Iterator[str]:
    yield f"Изменится исход: {len(found.changes)}" if found.changes else "Ни один исход не изменится."
    for change in found.changes[:MOST]:
        yield f"  {change_words(change, found)}"
    if len(found.changes) > MOST:
        yield f"  … ещё {len(found.changes) - MOST}: весь список в --json и --out файл.xlsx"


def change_words(change: Change, found: Comparison) -> str:
    """«deal:41, стандартное, решение: в срок → с опозданием на 2 ч (срок 25.11 14:00 → 24.11 18:00)»."""
    due = [
        words.moment_short(at, found.zone) if at else "нет" for at in (change.due_before, change.due_after)
    ]
    return (
        f"{change.ref}, {words.CLASS[change.value].lower()}, {SHORT_CLOCKS[change.clock]}: "
        f"{verdict_words(change.before, change.over_before)} → "
        f"{verdict_words(change.after, change.over_after)} (срок {due[0]} → {due[1]})"
    )


def verdict_words(verdict: OutcomeWord | None, over: timedelta) -> str:
    """«с опозданием на 2 ч», «в срок, запас 3 ч»."""
    if verdict is OutcomeWord.BREACHED:
        return f"с опозданием на {words.work_length(over)}"
    return f"в срок, запас {words.work_length(-over)}" if verdict is OutcomeWord.MET else "без исхода"


def notes(found: Comparison) -> Iterator[str]:
    """How it was counted, and what the other rules have no word for."""
    if found.folded:
        share = words.percent(found.folded / found.cycles)
        yield f"По всем фактам пересчитано кругов: {found.folded} из {found.cycles} ({share})"
    if found.unknown_stages:
        yield f"Стадии, которых нет в этих правилах: {', '.join(found.unknown_stages)}"
    if found.left:
        listed = ", ".join(found.left[:MOST]) + (" …" if len(found.left) > MOST else "")
        yield f"Не попадают ни в один [[source]] этих правил: {words.tickets(len(found.left))}: {listed}"
    if found.unread_fields:
        names = ", ".join(found.unread_fields)
        yield f"Поля из [[policy]] ещё не читались из карточек, условие по ним не сработало: {names}"
