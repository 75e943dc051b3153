"""What the demo shows at the end: cards as the portal holds them, alerts, the digest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app import words
from app.demo.office import Case, Office
from app.demo.story import MOSCOW, SupportDay

CARDS_SHOWN = 12
WIDTH = 118  # of a pipe, which has none of its own


@dataclass(frozen=True, slots=True)
class Shown:
    """Where to look and where to put the files."""

    office: Office
    day: SupportDay
    out: Path
    address: str


@contextmanager
def telling_progress(now: Callable[[], datetime]) -> Iterator[Callable[[], None]]:
    """What is called at each step to say how far the day is: on a terminal only."""
    console = Console(stderr=True)
    console.print("Идёт день поддержки на ускоренных часах, это около минуты…", soft_wrap=True)
    with console.status("…") as status:
        yield lambda: status.update(f"на часах {words.moment_short(now(), MOSCOW)}")


def show(shown: Shown) -> None:
    """Print the day's result and write the digest's files."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.rule("Карточки в портале")
    console.print(_cards(shown))
    console.rule("Чат уведомлений")
    for line in (*_alerts(shown.office), *_notices(shown.office)):
        console.print(line, markup=False, highlight=False)
    console.rule("Сводка")
    for line in _digest(shown):
        console.print(line, markup=False, highlight=False)
    console.rule()
    console.print(f"Доска и показатели: {shown.address}", markup=False, highlight=False)


def _cards(shown: Shown) -> Table:
    table = Table(show_lines=False)
    for title in ("Карточка", "Обращение", "Класс", "Ответ до", "Решение до", "Состояние SLA", "Просрочка"):
        table.add_column(title)
    cases = list(shown.day.cases.values())
    step = max(1, len(cases) // CARDS_SHOWN)
    for case in cases[::step][:CARDS_SHOWN]:
        table.add_row(*_card(shown.office, case))
    return table


def _card(office: Office, case: Case) -> Iterator[str]:
    portal = office.portal
    fields = portal.sla(case.place, case.id)
    row = (portal.task(case.id) if case.place == "task" else portal.item(int(case.place), case.id)) or {}
    title = row.get("title", "")
    kind = {"task": "задача", 2: "сделка"}.get(case.place, "элемент")
    yield f"{kind} {case.id}"
    yield words.short(str(title), 34)
    yield words.CLASS.get(str(fields.get("SLA_CLASS") or ""), str(fields.get("SLA_CLASS") or "—"))
    yield _moment(fields.get("SLA_REPLY_DUE"))
    yield _moment(row.get("deadline") if case.place == "task" else fields.get("SLA_SOLVE_DUE"))
    yield words.SLA_STATE.get(str(fields.get("SLA_STATE") or ""), str(fields.get("SLA_STATE") or "—"))
    yield str(fields.get("SLA_OVERDUE") or "")


def _moment(value: Any) -> str:
    if isinstance(value, str) and value:
        value = datetime.fromisoformat(value)
    return words.moment_short(value, MOSCOW) if isinstance(value, datetime) else "—"


def _alerts(office: Office) -> Iterator[str]:
    for message in office.portal.messages(office.chat):
        if not message["file"] and not message["text"].startswith("📋 Поддержка"):
            times = words.plural(message["edited"], "раз", "раза", "раз")
            edited = f"  (сообщение менялось {times})" if message["edited"] else ""
            yield words.unlinked(message["text"]).replace("\n", "\n   ") + edited


def _notices(office: Office) -> Iterator[str]:
    """How many personal notices each has got."""
    people = {office.head: " (руководитель ОС)", office.director: " (директор)"}
    counts = (
        f"{office.portal.world.users[person].last_name}{people.get(person, '')} — {len(told)}"
        for person in (*office.agents, office.head, office.director)
        if (told := office.portal.notices(person))
    )
    yield "Личные уведомления: " + ", ".join(counts)


def _digest(shown: Shown) -> Iterator[str]:
    shown.out.mkdir(parents=True, exist_ok=True)
    texts = [
        m["text"]
        for m in shown.office.portal.messages(shown.office.chat)
        if m["text"].startswith("📋 Поддержка")
    ]
    for text in texts:
        yield words.unlinked(text)
    for file in shown.office.portal.files(shown.office.chat):
        path = shown.out / file["name"]
        path.write_bytes(file["content"])
        yield f"Файл: {path}"
    (shown.out / "digest.txt").write_text("\n\n".join(map(words.unlinked, texts)) + "\n", "utf-8")
