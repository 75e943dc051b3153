"""The digest as a picture for a phone: figures against goals, people, the queue's age.

Good and bad differ by shape (▲▼) and words as well as by colour. The layout is a column of
cards; each knows its height before anything is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app import words
from app.metrics import canvas, wording
from app.metrics.canvas import WIDTH, Canvas
from app.metrics.digest import AgentLine, Digest
from app.metrics.kpi import Kpi
from app.metrics.periods import DAY, PeriodKind

EDGE = 40
PAD = 44
LEFT, RIGHT = EDGE + PAD, WIDTH - EDGE - PAD
INNER = RIGHT - LEFT
GAP = 28
CAME, DONE, KEPT, QUEUE = LEFT + 346, LEFT + 466, LEFT + 636, LEFT + 704
MOST_PEOPLE = 8

SHARES = (
    ("Ответ в срок", "reply_sla"),
    ("Решение в срок", "solve_sla"),
    ("Без эскалации", "no_escalation"),
    ("С первого обращения", "fcr"),
    ("Подтвердили клиенты", "confirmed"),
    ("Решение записано", "documented"),
)
AGES = (
    ("до 1 рабочего дня", "#9dbbd8"),
    ("от 1 до 3 дней", "#6f9ac4"),
    ("от 3 до 5 дней", canvas.CALM),
    ("дольше 5 дней", "#234a75"),
)

TONES = {True: canvas.GOOD, False: canvas.BAD, None: canvas.CALM}


@dataclass(frozen=True, slots=True)
class Card:
    """A white box of a known height; `draw` gets the canvas and its top."""

    height: int
    draw: Callable[[Canvas, float], None]


def picture_of(digest: Digest, name: str) -> bytes:
    """PNG, 1080 pixels wide. `name`: the department's. Slow (matplotlib): call it in a thread."""
    cards = [_now(digest), *(_period(digest) if digest.known else [_nothing(digest)])]
    head, foot = 190, 74
    sheet = Canvas(head + sum(card.height + GAP for card in cards) + foot)
    _head(sheet, digest, name)
    top = head
    for card in cards:
        card.draw(sheet, top)
        top += card.height + GAP
    _foot(sheet, digest, top)
    return sheet.png()


def _period(digest: Digest) -> list[Card]:
    found = [_counts(digest), _shares(digest)]
    found += [_days(digest)] if digest.period.kind is PeriodKind.WEEK else []
    found += [_months(digest)] if digest.period.kind is PeriodKind.MONTH and len(digest.earlier) > 1 else []
    found += [_people(digest)] if digest.agents else []
    return [*found, _ages(digest)]


# --- head and foot -----------------------------------------------------------------------


def _head(sheet: Canvas, digest: Digest, name: str) -> None:
    today = digest.office.calendar.local(digest.made_at).date()
    daily = digest.period.kind is PeriodKind.DAY
    title = words.day(today) if daily else wording.period_name(digest.period)
    sheet.text(EDGE + 8, 92, words.short(name, 34), 32, canvas.MUTED)
    sheet.text(EDGE + 8, 150, title[0].upper() + title[1:], 52, bold=True)


def _foot(sheet: Canvas, digest: Digest, top: float) -> None:
    read_at, zone = digest.fresh.read_at, digest.office.calendar.zone
    today = digest.office.calendar.local(digest.made_at).date()
    age = f"данные на {words.moment_short(read_at, zone, today)}" if read_at else "данных ещё нет"
    warned = digest.fresh.trouble or digest.fresh.stale(digest.made_at)
    color = canvas.BAD if warned else canvas.MUTED
    sheet.text(WIDTH / 2, top + 22, f"{'! ' if warned else ''}{age}", 26, color, align="center")


# --- cards -------------------------------------------------------------------------------


def _now(digest: Digest) -> Card:
    """Two pills: what burns, what runs out today."""

    def draw(sheet: Canvas, top: float) -> None:
        known = digest.fresh.knows_now()
        burns, due = len(digest.burning), len(digest.expiring.refs)
        half = (WIDTH - 2 * EDGE - GAP) / 2
        calm = (canvas.GOOD, canvas.GOOD_TINT) if known else (canvas.MUTED, canvas.FAINT)
        hot = (canvas.BAD, canvas.BAD_TINT) if known and burns else calm
        warm = (canvas.WARM, canvas.WARM_TINT) if known and due else calm
        _pill(sheet, EDGE, top, half, str(burns) if known else "—", "горит сейчас", hot)
        _pill(sheet, EDGE + half + GAP, top, half, str(due) if known else "—", "истекает сегодня", warm)

    return Card(124, draw)


def _pill(
    sheet: Canvas, x: float, top: float, width: float, count: str, name: str, look: tuple[str, str]
) -> None:
    color, tint = look
    sheet.box(x, top, width, 124, tint, 28)
    sheet.text(x + 36, top + 86, count, 66, color, bold=True)
    sheet.text(x + width - 36, top + 76, name, 30, color, align="right")


def _nothing(digest: Digest) -> Card:
    since = wording.counts_since(digest.office.since)
    why = f"тогда ещё не считали, {since}" if digest.too_early else "период прочитан не полностью"

    def draw(sheet: Canvas, top: float) -> None:
        sheet.box(EDGE, top, WIDTH - 2 * EDGE, 220, canvas.PAPER, 28)
        sheet.text(WIDTH / 2, top + 106, words.NOTHING, 48, bold=True, align="center")
        sheet.text(WIDTH / 2, top + 162, why, 30, canvas.MUTED, align="center")

    return Card(220, draw)


def _counts(digest: Digest) -> Card:
    """Came, solved, open, with the norm of the people at work."""
    figures = digest.figures
    norm = wording.norm(digest.norm(digest.office.targets.requests_per_day))
    queue = figures["queue_days"]
    columns = (
        ("Поступило", figures["created"], norm),
        ("Решено", figures["solved"], f"закрыто {wording.shown(figures['closed'])}"),
        ("Открыто", figures["backlog"], f"на {words.number(queue.value)} дн. работы" if queue.value else ""),
    )

    def draw(sheet: Canvas, top: float) -> None:
        _paper(sheet, top, 304, _period_title(digest))
        for place, (name, kpi, note) in enumerate(columns):
            x = LEFT + place * INNER / 3
            sheet.text(x, top + 186, wording.shown(kpi), 74, bold=True)
            sheet.text(x, top + 228, name, 30)
            sheet.text(x, top + 262, note, 25, canvas.MUTED)

    return Card(304, draw)


def _period_title(digest: Digest) -> str:
    if digest.period.kind is not PeriodKind.DAY:
        return "За период"
    name = wording.period_name(digest.period)
    return name[0].upper() + name[1:]


def _shares(digest: Digest) -> Card:
    """A bar for each share, with a tick where the goal stands."""
    rows = [(name, digest.figures[code]) for name, code in SHARES]
    height = 108 + 104 * len(rows)

    def draw(sheet: Canvas, top: float) -> None:
        _paper(sheet, top, height, "Показатели и нормы")
        for place, (name, kpi) in enumerate(rows):
            _share(sheet, top + 108 + 104 * place, name, kpi)

    return Card(height, draw)


def _share(sheet: Canvas, top: float, name: str, kpi: Kpi) -> None:
    color = TONES[kpi.reached]
    sheet.text(LEFT, top + 34, name, 31)
    if kpi.value is None:
        sheet.text(RIGHT, top + 34, words.NOTHING, 28, canvas.MUTED, align="right")
    else:
        _value(sheet, top + 34, kpi, color)
    sheet.box(LEFT, top + 52, INNER, 14, canvas.FAINT, 7)
    if kpi.value:
        sheet.box(LEFT, top + 52, max(14.0, INNER * min(kpi.value, 1)), 14, color, 7)
    if kpi.target is not None:
        x = LEFT + INNER * kpi.target
        sheet.box(min(x, RIGHT) - 2, top + 44, 4, 30, canvas.INK)


def _value(sheet: Canvas, y: float, kpi: Kpi, color: str) -> None:
    """From the right: the goal, the mark, the value; what it was made of stands in the middle."""
    if kpi.target is not None:
        sheet.text(RIGHT, y, f"норма {words.number(kpi.target * 100)}", 25, canvas.MUTED, align="right")
    if kpi.reached is not None:
        sheet.triangle(RIGHT - 166, y - 11, 24, color, up=kpi.reached)
    shown = wording.share(kpi)
    sheet.text(RIGHT - 192, y, shown, 33, color, bold=True, align="right")
    if shown != wording.fraction(kpi):
        sheet.text(RIGHT - 346, y, wording.fraction(kpi), 25, canvas.MUTED, align="right")


def _days(digest: Digest) -> Card:
    """«В срок» of each working day of the week, and of days off that have a verdict."""
    known = dict(digest.by_day)
    week = [digest.period.first + DAY * step for step in range(7)]
    calendar = digest.office.calendar
    days = [day for day in week if day in known or calendar.is_working_day(day)]
    return _columns("В срок по дням", [(words.day_short(day), known.get(day)) for day in days])


def _months(digest: Digest) -> Card:
    """«В срок» of the months before and of this one."""
    found = [(column.period.first, column.figures["sla"]) for column in reversed(digest.earlier)]
    found.append((digest.period.first, digest.figures["sla"]))
    return _columns("В срок по месяцам", [(f"{first:%m.%y}", kpi) for first, kpi in found])


def _columns(title: str, shares: Sequence[tuple[str, Kpi | None]]) -> Card:
    def draw(sheet: Canvas, top: float) -> None:
        _paper(sheet, top, 404, title)
        step = INNER / max(5, len(shares))
        for place, (name, kpi) in enumerate(shares):
            x = LEFT + step * (place + 0.5)
            sheet.text(x, top + 366, name, 25, canvas.MUTED, align="center")
            _column(sheet, x, top + 322, kpi)

    return Card(404, draw)


def _column(sheet: Canvas, x: float, floor: float, kpi: Kpi | None) -> None:
    if kpi is None or kpi.value is None:
        sheet.box(x - 34, floor - 6, 68, 6, canvas.FAINT, 3)
        sheet.text(x, floor - 22, "—", 25, canvas.MUTED, align="center")
        return
    color = TONES[kpi.reached]
    tall = max(6.0, 160 * kpi.value)
    sheet.box(x - 34, floor - tall, 68, tall, color, 8)
    sheet.text(x, floor - tall - 16, wording.share(kpi), 25, color, bold=True, align="center")
    if kpi.reached is not None and tall > 40:
        sheet.triangle(x, floor - 24, 18, canvas.PAPER, up=kpi.reached)


def _people(digest: Digest) -> Card:
    """One line a person; the bar is the queue of each beside the longest."""
    lines = digest.agents[:MOST_PEOPLE]
    longest = max((line.open for line in lines), default=0) or 1
    height = 172 + 76 * len(lines)

    def draw(sheet: Canvas, top: float) -> None:
        _paper(sheet, top, height, "Нагрузка")
        for x, name in ((CAME, "пришло"), (DONE, "решено"), (KEPT, "всё в срок")):
            sheet.text(x, top + 134, name, 25, canvas.MUTED, align="right")
        sheet.text(QUEUE, top + 134, "открыто", 25, canvas.MUTED)
        for place, line in enumerate(lines):
            _person(sheet, top + 202 + 76 * place, digest, line)
            _queue(sheet, top + 202 + 76 * place, line, longest)

    return Card(height, draw)


def _person(sheet: Canvas, y: float, digest: Digest, line: AgentLine) -> None:
    nobodys = line.agent is None
    name = "ничьи" if nobodys else wording.agent_name(line.agent, digest.office.names)
    sheet.text(LEFT, y, words.short(name, 15), 31, canvas.MUTED if nobodys else canvas.INK)
    sheet.text(CAME, y, str(line.received), 31, align="right")
    sheet.text(DONE, y, str(line.solved), 31, align="right")
    share = wording.share(line.sla) if line.sla.denominator else "—"
    color = {True: canvas.GOOD, False: canvas.BAD, None: canvas.MUTED}[line.sla.reached]
    sheet.text(KEPT, y, share, 28, color, align="right")
    if line.sla.reached is not None:
        sheet.triangle(KEPT + 22, y - 10, 18, color, up=line.sla.reached)


def _queue(sheet: Canvas, y: float, line: AgentLine, longest: int) -> None:
    width = max(6.0, 120 * line.open / longest)
    sheet.box(QUEUE, y - 23, width, 26, canvas.WARM if line.overloaded else canvas.CALM, 6)
    count = f"{line.open} !" if line.overloaded else str(line.open)
    sheet.text(
        QUEUE + width + 14, y, count, 31, canvas.WARM if line.overloaded else canvas.INK, bold=line.overloaded
    )


def _ages(digest: Digest) -> Card:
    """How long the open ones have waited."""
    aging = digest.aging
    longest = max(aging.ages) or 1
    height = 108 + 64 * len(AGES) + (58 if aging.paused else 14)

    def draw(sheet: Canvas, top: float) -> None:
        _paper(sheet, top, height, f"Возраст очереди: {aging.total}")
        for place, ((name, color), count) in enumerate(zip(AGES, aging.ages, strict=True)):
            y = top + 140 + 64 * place
            width = 480 * count / longest
            sheet.text(LEFT, y, name, 29)
            sheet.box(LEFT + 340, y - 26, max(width, 4), 32, color if count else canvas.FAINT, 6)
            sheet.text(LEFT + 340 + max(width, 4) + 16, y, str(count), 30, bold=True)
        if aging.paused:
            y = top + 140 + 64 * len(AGES)
            sheet.text(LEFT, y, f"из них на паузе {aging.paused}", 26, canvas.MUTED)

    return Card(height, draw)


def _paper(sheet: Canvas, top: float, height: float, title: str) -> None:
    sheet.box(EDGE, top, WIDTH - 2 * EDGE, height, canvas.PAPER, 28)
    sheet.text(LEFT, top + 70, title, 34, bold=True)
