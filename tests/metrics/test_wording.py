from __future__ import annotations

from datetime import date

import pytest

from app.metrics.digest_text import digest_text
from app.metrics.kpi import FORMULAS, Kpi
from app.metrics.periods import Period, PeriodKind
from app.metrics.wording import TITLES, folded, period_name, shown, visible
from tests.metrics.example import example

NEVER_SHOWN = ("breach", "hold", "FRT", "TTR", "ticket", "reopen", "backlog", "p90", "OLA", "агент", "РОС")
"""Words that people at the desk must not meet (domain.md 2)."""


def test_every_figure_has_a_title() -> None:
    assert list(TITLES) == list(FORMULAS)


@pytest.mark.parametrize(
    ("kpi", "text"),
    [
        (Kpi("sla", None, 0, 0), "нет данных"),
        (Kpi("sla", 0.75, 3, 4), "3 из 4"),
        (Kpi("sla", 0.9644, 27, 28), "96,4 %"),
        (Kpi("sla", 1.0, 5, 5), "100 %"),
        (Kpi("created", 16, 16), "16"),
        (Kpi("created", 0, 0), "0"),
        (Kpi("reply_median", 22.9, None, 5), "22 мин"),
        (Kpi("solve_median", 720, None, 5), "1 раб. дн. 3 ч"),
        (Kpi("queue_days", 1.64, 23, 14), "1,6"),
        (Kpi("load", 0.39, 420, 1080), "39 %"),
    ],
)
def test_figures_as_people_read_them(kpi: Kpi, text: str) -> None:
    assert shown(kpi).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("kind", "first", "last", "name"),
    [
        (PeriodKind.DAY, 24, 24, "вторник 24.11"),
        (PeriodKind.DAY, 20, 22, "пятница 20.11 – воскресенье 22.11"),
        (PeriodKind.WEEK, 16, 22, "неделя 16.11 – 22.11"),
        (PeriodKind.MONTH, 1, 30, "ноябрь 2026"),
    ],
)
def test_names_of_periods(kind: PeriodKind, first: int, last: int, name: str) -> None:
    assert period_name(Period(kind, date(2026, 11, first), date(2026, 11, last))) == name


def test_long_lists_fold_at_the_phones_width() -> None:
    lines = list(folded("Список: ", ["двенадцать букв"] * 5))

    assert len(lines) == 3
    assert all(visible(line) <= 35 for line in lines)
    assert lines[-1] == "  двенадцать букв, двенадцать букв"


def test_a_links_address_is_not_seen() -> None:
    assert visible("[url=https://portal.example/crm/]№41[/url] тема") == len("№41 тема")


@pytest.mark.parametrize("kind", PeriodKind)
def test_the_desk_reads_its_own_words(kind: PeriodKind) -> None:
    period = Period(kind, date(2026, 11, 23), date(2026, 11, 23))
    text = digest_text(example(period=period), "Поддержка")

    assert [word for word in NEVER_SHOWN if word in text] == []
