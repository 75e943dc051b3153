"""How a clock's figures come about, in words: for `explain`, the pages and the card's timeline. Pure.

Lengths are hours, never working days, so that a reader can add them up; seconds are dropped, and named
where that hides something (sla.md 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby

from app import words
from app.learning import field_order
from app.model import (
    DONE_STATES,
    ClockName,
    Entry,
    EntryKind,
    ExplainedSpan,
    Fact,
    FactKind,
    Ledger,
    OutcomeWord,
    Side,
    Spoken,
    Story,
    TicketClass,
)
from app.sla.calendar import Calendar, Stretch
from app.sla.course import AGREED, KEPT, LATE, LIFTED, MOVED, RULES
from app.sla.explanation import way_to_due
from app.sla.pauses import POSTPONED, WAITING
from app.ticket_view import why_words

DAYS_TOLD = 4
"""So many days of a sum are named one by one."""
NOTHING = timedelta(0)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Told:
    """What is known beside the clocks; of a purged ticket there is no story left."""

    name_of: Callable[[int | None], str]
    zone: tzinfo
    story: Story | None = None
    pause_reasons: tuple[tuple[datetime, str], ...] = ()

    def moment(self, at: datetime) -> str:
        return words.moment_short(at, self.zone)


def pause_reasons(facts: Iterable[Fact]) -> tuple[tuple[datetime, str], ...]:
    """What people wrote on the card as the reason of a pause, and when."""
    written = [fact for fact in facts if fact.kind is FactKind.FIELD]
    return tuple(
        (fact.happened_at, str(fact.value["value"]))
        for fact in sorted(written, key=field_order)
        if fact.value["code"] == "SLA_PAUSE_REASON"
    )


# --- spans -------------------------------------------------------------------------------


def span_words(span: ExplainedSpan, told: Told) -> str:
    """Why a span counts or not; a pause with the word or the date behind it."""
    detail = ""
    if span.why == f"pause:{WAITING}":
        detail = _our_word(span.end, told)
    elif span.why == f"pause:{POSTPONED}":
        detail = _postponement(span.end, told)
    return f"{why_words(span.why)}{detail}"


def _our_word(at: datetime, told: Told) -> str:
    ours = [each for each in _spoken(told) if each.side is Side.OURS and each.at < at]
    return f", наше сообщение {told.moment(ours[-1].at)}{_by(ours[-1].author, told)}" if ours else ""


def _postponement(at: datetime, told: Told) -> str:
    set_then = [until for when, until in told.story.postponed_until if when < at] if told.story else []
    reasons = [text for when, text in told.pause_reasons if when < at]
    in_force = set_then[-1] if set_then else None
    until = f" до {told.moment(in_force)}" if in_force and in_force >= at else ""  # else it was a stale one
    reason = f", причина: {words.masked(reasons[-1])}" if reasons and reasons[-1] else ""
    return f"{until}{reason}"


def _spoken(told: Told) -> Sequence[Spoken]:
    return told.story.spoken if told.story else ()


def running_totals(spans: Iterable[ExplainedSpan]) -> Iterator[timedelta]:
    """What has been counted at the end of each span."""
    total = NOTHING
    for span in spans:
        total += timedelta(minutes=span.minutes) if span.counted else NOTHING
        yield total


# --- the sum -----------------------------------------------------------------------------


def sum_line(ledger: Ledger, told: Told, now: datetime, since_raise: timedelta | None = None) -> str:
    """«Итого засчитано 3 ч 20 мин из 4 ч; срок 24.11.2026 17:05; осталось 40 мин».

    Over the term it begins with «Засчитано 4 ч 35 мин при сроке 4 ч».
    `since_raise`: what of it was counted since a raise began the term anew, where that is known.
    """
    if not ledger.term:
        return f"Итого засчитано {words.duration(ledger.spent)}; срока нет"
    of_term = since_raise if is_raised(ledger) else ledger.spent
    spent = _of_term(ledger, told, of_term)
    if ledger.due_at is None:
        return f"{spent}; срок снят"
    parts = [
        spent,
        f"срок {words.moment(ledger.due_at, told.zone)}",
        *_standing(ledger, of_term, now),
        *_seconds(ledger, told),
    ]
    return "; ".join(parts)


def is_raised(ledger: Ledger) -> bool:
    """Whether the term is counted from a raise, not from the start."""
    return ledger.anchor_at != ledger.started_at


def _of_term(ledger: Ledger, told: Told, counted: timedelta | None) -> str:
    total, term = f"Итого засчитано {words.duration(ledger.spent)}", words.duration(ledger.term)
    over = counted is not None and counted > ledger.term and not ledger.extended
    if not is_raised(ledger):
        return f"Засчитано {words.duration(ledger.spent)} при сроке {term}" if over else f"{total} из {term}"
    since = f"{total}, с повышения {told.moment(ledger.anchor_at)}"
    if counted is None:
        return f"{since} отведено {term}"
    length = words.duration(counted)
    return f"{since} засчитано {length} {'при сроке' if over else 'из'} {term}"


def _standing(ledger: Ledger, of_term: timedelta | None, now: datetime) -> Iterator[str]:
    if ledger.paused:
        yield _paused(ledger)
    elif ledger.running and not ledger.extended and ledger.due_at is not None:
        if now > ledger.due_at:
            yield "срок прошёл"
        elif of_term is not None:
            yield f"осталось {words.duration(max(ledger.term - of_term, NOTHING))}"
    if ledger.provisional:
        yield "предварительно: производственный календарь этого года не утверждён"


def _paused(ledger: Ledger) -> str:
    if pause_moves_due(ledger):
        return "на паузе: срок сдвинется один раз, когда она кончится"
    if ledger.extended:
        return "на паузе: назначенный срок она не сдвигает"
    return "срок прошёл, пауза его не сдвигает"


def pause_moves_due(ledger: Ledger) -> bool:
    """Whether the pause that runs will shift the deadline: not one begun after it, nor an agreed date."""
    if not ledger.paused or not ledger.pauses or ledger.due_at is None:
        return False
    return not ledger.extended and ledger.pauses[-1].start < ledger.due_at


def _seconds(ledger: Ledger, told: Told) -> Iterator[str]:
    """Arithmetic keeps what people do not see."""
    due_at = ledger.due_at
    exact = [f"засчитано {_clock_length(ledger.spent)}"] if ledger.spent % MINUTE else []
    if due_at is not None and due_at.second:
        exact.append(f"срок {due_at.astimezone(told.zone):%H:%M:%S}")
    if exact:
        yield f"с секундами: {', '.join(exact)} (секунды отбрасываются, а не округляются)"


def _clock_length(length: timedelta) -> str:
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def due_line(ledger: Ledger, calendar: Calendar, zone: tzinfo) -> str:
    """«24 ч с 24.11 10:00: 24.11 8 ч + 25.11 9 ч + 26.11 7 ч; не считаются …»; "" without a term."""
    if ledger.due_at is None:
        return ""
    if ledger.extended:
        agreed = words.moment(ledger.agreed_due or ledger.due_at, zone)
        back = given_back(ledger, calendar)
        end = f"плюс {back}: {words.moment(ledger.due_at, zone)}" if back else "это не сумма часов"
        return f"срок продлён: {agreed} назначен человеком, {end}"
    way = way_to_due(ledger, calendar)
    start = words.moment_short(ledger.anchor_at, zone)
    skipped = list(_skipped(way))
    total = f"{words.duration(ledger.term)} рабочего времени с {start}: {' + '.join(_addends(way, zone))}"
    verb = "не считается" if len(skipped) == 1 else "не считаются"
    return f"{total}; {verb} {', '.join(skipped)}" if skipped else total


def given_back(ledger: Ledger, calendar: Calendar) -> str:
    """«5 ч, пока было решено»: what an agreed date was moved by since."""
    if ledger.agreed_due is None or ledger.due_at is None or ledger.due_at <= ledger.agreed_due:
        return ""
    return f"{words.duration(calendar.between(ledger.agreed_due, ledger.due_at))}, пока было решено"


def _addends(way: Sequence[Stretch], zone: tzinfo) -> list[str]:
    told = _by_day(way, zone)
    days = [f"{day:%d.%m} {words.duration(length)}" for day, length in told]
    if len(days) <= DAYS_TOLD:
        return days
    between = sum((length for _, length in told[1:-1]), NOTHING)
    first, last = (f"{day:%d.%m}" for day in (told[1][0], told[-2][0]))
    return [days[0], f"{first}–{last} {words.duration(between)}", days[-1]]


def _by_day(way: Sequence[Stretch], zone: tzinfo) -> list[tuple[date, timedelta]]:
    """Whole minutes of each date, carried from one to the next so that they add up."""
    open_time = [each for each in way if each.open]
    found, so_far = [], NOTHING
    for day, stretches in groupby(open_time, key=lambda each: each.start.astimezone(zone).date()):
        before = so_far
        so_far += sum((each.end - each.start for each in stretches), NOTHING)
        found.append((day, (so_far // MINUTE - before // MINUTE) * MINUTE))
    return found


def _skipped(way: Sequence[Stretch]) -> Iterator[str]:
    """Nights go without saying."""
    closed: dict[str, timedelta] = {}
    for each in way:
        if not each.open and each.why != "night":
            closed[each.why] = closed.get(each.why, NOTHING) + (each.end - each.start)
    for why, length in closed.items():
        yield f"{_named(why)} — {words.duration(length)}" if why.startswith("pause:") else _named(why)


def _named(why: str) -> str:
    """«пауза «ждём клиента»», «время «было решено»», «выходной»."""
    what, _, name = why_words(why).partition(": ")
    if name:
        return f"{what} «{name}»"
    return f"время «{what}»" if why.startswith("pause:") else what


# --- turns and the verdict ---------------------------------------------------------------


def turns(ledger: Ledger, told: Told) -> tuple[tuple[datetime, str], ...]:
    """What changed the term on its way, and when: class, rules, an extension, a waiver."""
    found = ((entry.at, _turn(entry, ledger, told)) for entry in ledger.entries)
    return tuple((at, text) for at, text in found if text)


def _turn(entry: Entry, ledger: Ledger, told: Told) -> str:
    match entry.kind:
        case EntryKind.RETARGETED:
            return _retargeted(entry.cause)
        case EntryKind.SUPERSEDED:
            return _superseded(entry.cause)
        case EntryKind.WAIVED:
            return f"вне SLA, причина: {words.masked(entry.cause)}" if entry.cause else "снова учитывается"
        case EntryKind.EXTENDED:
            return _extended(entry.cause, ledger, told)
    return ""


def _retargeted(cause: str) -> str:
    if cause.startswith(RULES):
        version, _, by = cause.removeprefix(RULES).partition(":")
        return f"применены другие правила, версия {version}{f', применяет {by}' if by else ''}"
    kind, value, instead = _parts(cause)
    what = "утверждён производственный календарь"
    if kind == "class":
        what = f"класс стал «{words.CLASS.get(value, value)}»"
    return f"{what}: {_INSTEAD.get(instead, 'срок посчитан заново')}"


_INSTEAD = {
    KEPT: "прежний срок раньше, он остаётся",
    AGREED: "назначенный срок остаётся",
    LIFTED: "срок снят",
}


def _parts(cause: str) -> tuple[str, str, str]:
    """`class:emergency:kept` as its three parts; the last is mostly empty."""
    kind, value, instead = (*cause.split(":"), "", "")[:3]
    return kind, value, instead


def _superseded(cause: str) -> str:
    kind, value, instead = _parts(cause)
    if kind == "class" and (value == TicketClass.NOT_TICKET or instead in {KEPT, AGREED}):
        return ""  # no verdict at all, or no other deadline
    return "нарушение прежнего срока остаётся, хотя срок сменился"


def _extended(cause: str, ledger: Ledger, told: Told) -> str:
    prefix = MOVED if cause.startswith(MOVED) else LATE
    at = datetime.strptime(cause.removeprefix(prefix), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if prefix == MOVED:
        return f"срок продлён, прежний {told.moment(at)}"
    if ledger.agreed_due and at == ledger.agreed_due.replace(microsecond=0):
        late = f"продление до {told.moment(at)} пришло после тогдашнего срока"
        return f"{late}; по правилам, применённым позже, оно действует"
    return f"продление до {told.moment(at)} пришло после срока и нарушения не отменяет"


def verdict_line(ledger: Ledger, told: Told) -> str:
    """The verdict and the fact behind it."""
    if ledger.outcome is None and (why := _why_none(ledger, told)):
        return f"Вердикта нет: {why}"
    waived = " (вне SLA, в показатели не входит)" if ledger.waived else ""
    return f"Вердикт: {_verdict(ledger, told)}{waived}"


def _verdict(ledger: Ledger, told: Told) -> str:
    fact = f"{_what_met(ledger, told)} {told.moment(ledger.met_at)}" if ledger.met_at else ""
    if ledger.outcome is OutcomeWord.MET:
        return f"в срок, {fact}"
    if ledger.outcome is OutcomeWord.BREACHED and ledger.outcome_at is not None:
        missed = f"нарушен, срок прошёл {told.moment(ledger.outcome_at)}"
        return f"{missed}; {fact}" if fact else f"{missed}, а {_awaited(ledger)} нет"
    return "ещё нет, часы идут" if ledger.running else "ещё нет, часы на паузе"


def _awaited(ledger: Ledger) -> str:
    return "решения" if ledger.clock is ClockName.SOLUTION else "ответа"


def _why_none(ledger: Ledger, told: Told) -> str:
    """Why a clock has no verdict; "" while it may still get one."""
    if ended := _ended(ledger):
        label = words.STATE.get(ended.cause, "")
        return f"{f'«{label}»' if label else 'обращение решено'} {told.moment(ended.at)}"
    if ledger.due_at is None:
        return "срок не ведётся"
    waits = ledger.met_at is not None or ledger.running or ledger.paused
    return "" if waits else "часы остановлены"


def _ended(ledger: Ledger) -> Entry | None:
    """Where it ended without a verdict."""
    return next((entry for entry in ledger.entries if entry.kind is EntryKind.ENDED), None)


_MET_BY = {"closing": "закрыто без ответа", "hand_back": "вернули", "handed_on": "передали дальше"}


def _what_met(ledger: Ledger, told: Told) -> str:
    if ledger.met_by in _MET_BY:
        return _MET_BY[ledger.met_by]
    if ledger.clock is ClockName.SOLUTION:
        return f"решено{_moved(ledger.met_at, told)}"
    said = [each for each in _spoken(told) if each.side is Side.OURS and each.at == ledger.met_at]
    if not said and (solved := _moved(ledger.met_at, told)):
        return f"решено{solved}"
    kind = "звонок" if ledger.met_by == "call" or (said and said[-1].call) else "сообщение"
    return f"{kind}{_by(said[-1].author, told) if said else ''}"


def _moved(at: datetime | None, told: Told) -> str:
    """The move on the card that ended the solution's clock."""
    moves = [each for each in (told.story.states if told.story else ()) if each.at == at]
    done = [each for each in moves if each.state in DONE_STATES]
    if not done:
        return ""
    who = told.name_of(done[-1].actor)
    return f" (стадия «{words.STATE[done[-1].state]}»{f', {who}' if who else ''})"


def _by(author: int | None, told: Told) -> str:
    name = told.name_of(author)
    return f" ({name})" if name else ""
