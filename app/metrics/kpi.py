"""The KPI formulas of domain.md 7, one function each, and the table that names them.

A share with denominator 0 is None («нет данных»), never 100 % or 0 %. Lengths are
business minutes. `numerator` of a median is None: there is nothing to divide.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from types import MappingProxyType

from app.metrics import moments
from app.metrics.periods import QUEUE_DAYS, REPEAT_WINDOW
from app.metrics.targets import Targets, reached
from app.metrics.view import EVERYBODY, View
from app.model import ItemRef, Outcome, OutcomeWord, TicketClass
from app.sla.calendar import Calendar

MINUTE = timedelta(minutes=1)
REOPEN_MATURES = timedelta(days=14)
SMALL = 5
"""Below this many a share is shown as a fraction (domain.md 7)."""

GOOD_MARK = 4


@dataclass(frozen=True, slots=True)
class Kpi:
    """A figure with what it was made of; `refs` are its tickets, `misses` those that spoil a share."""

    code: str
    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    target: float | None = None
    refs: tuple[ItemRef, ...] = ()
    misses: tuple[ItemRef, ...] = ()
    provisional: bool = False  # later events may still change it
    estimated: bool = False  # from a norm, not from tracking

    @property
    def reached(self) -> bool | None:
        """Whether the goal is kept; None without a goal or a value."""
        return reached(self.code, self.value, self.target)


def view_of(
    outcomes: Iterable[Outcome],
    period: tuple[datetime, datetime],
    *,
    calendar: Calendar,
    targets: Targets,
    agents_on_duty: int,
    now: datetime,
) -> View:
    """The counted outcomes through one half-open period; `replace` its bounds, or ask it `of` a scope.

    `outcomes` must hold what `periods.reach` names.
    """
    every = tuple(sorted((outcome for outcome in outcomes if outcome.counted), key=attrgetter("ref")))
    return View(
        every=every,
        start_at=period[0],
        end_at=period[1],
        calendar=calendar,
        targets=targets,
        agents_on_duty=agents_on_duty,
        bulk=moments.bulk_closed(every),
        repeated=moments.repeated_within(every, REPEAT_WINDOW),
        scope=EVERYBODY,
        now=now,
    )


def figures_of(view: View, codes: Iterable[str] | None = None) -> Mapping[str, Kpi]:
    """Every figure of contract.md 3, or the asked ones.

    For one person each follows whom it belongs to (domain.md 7.1): replies who should have replied,
    solutions the assignee then.
    """
    wanted = FORMULAS if codes is None else codes
    return MappingProxyType({code: _named(code, FORMULAS[code](view), view) for code in wanted})


def _named(code: str, figure: Kpi, view: View) -> Kpi:
    return replace(figure, code=code, target=view.targets.goal(code, view.scope.value))


# --- shapes of figures -------------------------------------------------------------------


def _count(outcomes: Sequence[Outcome]) -> Kpi:
    return Kpi("", len(outcomes), len(outcomes), None, refs=_refs(outcomes))


def _share(among: Sequence[Outcome], good: Callable[[Outcome], bool]) -> Kpi:
    misses = [outcome for outcome in among if not good(outcome)]
    kept = len(among) - len(misses)
    return Kpi("", _ratio(kept, len(among)), kept, len(among), refs=_refs(among), misses=_refs(misses))


def _part(hits: Sequence[Outcome], among: Sequence[Outcome]) -> Kpi:
    """Hits need not be among the denominator's tickets."""
    return Kpi("", _ratio(len(hits), len(among)), len(hits), len(among), refs=_refs(hits))


def _length(outcomes: Sequence[tuple[Outcome, timedelta]], pick: Callable[[list[float]], float]) -> Kpi:
    minutes = sorted(length / MINUTE for _, length in outcomes)
    refs = _refs([outcome for outcome, _ in outcomes])
    return Kpi("", pick(minutes) if minutes else None, None, len(minutes), refs=refs)


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator else None


def _refs(outcomes: Iterable[Outcome]) -> tuple[ItemRef, ...]:
    return tuple(dict.fromkeys(outcome.ref for outcome in outcomes))  # a view is in their order


def nine_of_ten(ordered: Sequence[float]) -> float:
    """p90 by nearest rank: a real value of which «9 из 10 — не дольше» is true."""
    return ordered[math.ceil(0.9 * len(ordered)) - 1]


# --- formulas ----------------------------------------------------------------------------


def reply_sla(view: View) -> Kpi:
    """Соблюдение SLA по первому ответу."""
    return _share(view.reply_verdicts(), lambda outcome: outcome.reply_outcome is OutcomeWord.MET)


def solve_sla(view: View) -> Kpi:
    """Соблюдение SLA по решению."""
    return _share(view.solve_verdicts(), lambda outcome: outcome.solve_outcome is OutcomeWord.MET)


def sla(view: View) -> Kpi:
    """Соблюдение SLA (общий): both outcomes known and met; the bonus figure."""
    both = (OutcomeWord.MET, OutcomeWord.MET)
    return _share(view.overall_verdicts(), lambda it: (it.reply_outcome, it.solve_outcome) == both)


def extensions(view: View) -> Kpi:
    """Доля продлений among the solved: else SLA can be bought."""
    solved = view.solved()
    return _part([outcome for outcome in solved if outcome.extended], solved)


def reply_median(view: View) -> Kpi:
    """Медиана первого ответа."""
    return _length(_reply_lengths(view), statistics.median)


def reply_p90(view: View) -> Kpi:
    """p90 первого ответа."""
    return _length(_reply_lengths(view), nine_of_ten)


def solve_median(view: View) -> Kpi:
    """Медиана решения, pauses off."""
    return _length(_solve_lengths(view), statistics.median)


def solve_p90(view: View) -> Kpi:
    """p90 решения, pauses off."""
    return _length(_solve_lengths(view), nine_of_ten)


def _reply_lengths(view: View) -> list[tuple[Outcome, timedelta]]:
    return [(it, it.reply_spent) for it in view.replied() if it.reply_spent is not None]


def _solve_lengths(view: View) -> list[tuple[Outcome, timedelta]]:
    return [(it, it.solve_spent) for it in view.solved() if it.solve_spent is not None]


def created(view: View) -> Kpi:
    """Поступило."""
    return _count(view.received())


def solved(view: View) -> Kpi:
    """Решено: the last solution, so a week need not be the sum of its days."""
    return _count(view.solved())


def closed(view: View) -> Kpi:
    """Закрыто."""
    return _count(view.closed())


def backlog(view: View) -> Kpi:
    """Открыто at the cut-off."""
    return _count(view.open())


def queue_days(view: View) -> Kpi:
    """Очереди на … дня работы: open over the mean solved of the last ten working days."""
    solved, days = view.solved_lately(QUEUE_DAYS)
    pace = len(solved) / days if days else 0.0
    waiting = view.open()
    return Kpi("", _ratio(len(waiting), pace), len(waiting), pace, refs=_refs(waiting))


def no_escalation(view: View) -> Kpi:
    """Решено без эскалации; wishes for the product are left out, a hand-over stays even if it came back."""
    among = [outcome for outcome in view.closed() if not moments.is_wish(outcome)]
    return _share(among, lambda outcome: outcome.escalated_at is None)


def escalations(view: View) -> Kpi:
    """Доля эскалаций: first hand-overs of the period over the received."""
    return _part(view.escalated(), view.received())


def fcr(view: View) -> Kpi:
    """Решено с первого обращения; final only seven days later."""
    among = [outcome for outcome in view.solved() if not outcome.engineer_visit]

    def at_once(outcome: Outcome) -> bool:
        went_on = outcome.reopened_at or outcome.escalated_at or outcome.waited_client
        return not went_on and moments.key_of(outcome) not in view.repeated

    return replace(_share(among, at_once), provisional=view.now < view.end_at + REPEAT_WINDOW)


def repeats(view: View) -> Kpi:
    """Повторные обращения, kinds 1 and 3, over the received."""
    received = view.received()
    return _part([outcome for outcome in received if moments.is_repeat(outcome)], received)


def reopens(view: View) -> Kpi:
    """Возвраты в работу of those first solved in the period; matures in fourteen days."""
    cohort = view.first_solved()
    figure = _part([outcome for outcome in cohort if outcome.reopened_at], cohort)
    return replace(figure, provisional=view.now < view.end_at + REOPEN_MATURES)


def confirmed(view: View) -> Kpi:
    """Закрыто с подтверждением: silence is not consent."""
    return _share(view.closed(), lambda outcome: outcome.confirmed)


def csat(view: View) -> Kpi:
    """Marks 4-5 among the marks of the solved; see `details.satisfaction` for mean and coverage."""
    marked = [outcome for outcome in view.solved() if outcome.csat is not None]
    return _share(marked, lambda outcome: (outcome.csat or 0) >= GOOD_MARK)


def documented(view: View) -> Kpi:
    """Решение записано."""
    return _share(view.closed(), lambda outcome: outcome.documented)


def kb_updates(view: View) -> Kpi:
    """Обновления базы знаний, a person and working day."""
    linked = [outcome for outcome in view.solved() if outcome.kb_link]
    count = len(linked) if view.scope.kb_updates is None else view.scope.kb_updates
    return Kpi("", _ratio(count, view.agent_days()), count, view.agent_days(), refs=_refs(linked))


def load(view: View) -> Kpi:
    """Загрузка: solved × the norm of handling over the shift; an estimate while time is not tracked."""
    solved = view.solved()
    minutes, shift = len(solved) * (view.targets.handling / MINUTE), view.shift_minutes()
    return Kpi("", _ratio(minutes, shift), minutes, shift, refs=_refs(solved), estimated=True)


def class_accuracy(view: View) -> Kpi:
    """Точность классификации among the closed that the service classified."""
    automatic = [outcome for outcome in view.closed() if outcome.class_auto is not None]
    return _share(automatic, lambda outcome: outcome.class_auto is outcome.value)


def emergencies_off_hours(view: View) -> Kpi:
    """Экстренные вне рабочего времени."""
    return _count([it for it in view.received() if it.off_hours and it.value is TicketClass.EMERGENCY])


FORMULAS: Mapping[str, Callable[[View], Kpi]] = MappingProxyType(
    {
        formula.__name__: formula
        for formula in (
            reply_sla, solve_sla, sla, extensions,
            reply_median, reply_p90, solve_median, solve_p90,
            created, solved, closed, backlog, queue_days,
            no_escalation, escalations, fcr, repeats, reopens, confirmed,
            csat, documented, kb_updates, load, class_accuracy, emergencies_off_hours,
        )
    }
)  # fmt: skip
"""Code → formula, in the order in which people read them."""
