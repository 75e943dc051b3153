"""How figures, times and codes read to people (domain.md 2). Pure text, no I/O.

Working lengths are shown as «1 раб. дн. 3 ч», calendar lengths as «2 ч 15 мин»;
seconds are dropped, never rounded up (domain.md 5.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo

WORKDAY = timedelta(hours=9)
NOTHING = "нет данных"
NBSP = "\u00a0"

_WEEKDAYS = ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье")
_WEEKDAYS_SHORT = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")
_MONTHS = (
    "январь", "февраль", "март", "апрель", "май", "июнь",
    "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь",
)  # fmt: skip

Labels = Mapping[str, str]

CLASS: Labels = {
    "emergency": "Экстренное",
    "standard": "Стандартное",
    "consultation": "Консультация",
    "not_ticket": "Не обращение",
}
CLASS_EN: Labels = {
    "emergency": "Emergency",
    "standard": "Standard",
    "consultation": "Consultation",
    "not_ticket": "Not a request",
}
AREA: Labels = {
    "app_login": "Регистрация и вход",
    "passes": "Пропуска",
    "barrier_gate": "Шлагбаум, ворота, КПП",
    "plate_recognition": "Распознавание номеров (PASS24.auto)",
    "mobile_key": "Мобильный ключ (PASS24.Key)",
    "controller_hw": "Контроллеры и оборудование (PASS24.control)",
    "mobile_app": "Мобильное приложение",
    "web_admin": "Веб-кабинет администратора",
    "objects": "Объекты и адреса",
    "trusted_persons": "Доверенные лица и права",
    "integration": "Интеграции и API",
    "billing_docs": "Договоры и счета",
    "other": "Прочее",
}
STATE: Labels = {
    "new": "Новое",
    "in_progress": "В работе",
    "waiting_client": "Ожидание ответа клиента",
    "postponed": "Отложено",
    "escalated": "Эскалация",
    "engineer": "Выезд инженера",
    "resolved": "Решено, ждёт подтверждения",
    "closed_confirmed": "Закрыто с подтверждением",
    "closed_unconfirmed": "Закрыто без подтверждения",
    "duplicate": "Дубль",
    "not_ticket": "Не обращение",
    "deleted": "Удалено в Битрикс24",
    "left": "Ушло из поддержки",
}
SLA_STATE: Labels = {
    "on_track": "В норме",
    "at_risk": "Срок истекает",
    "overdue": "Просрочено",
    "paused": "На паузе",
    "met": "В срок",
    "breached": "С опозданием",
}
SLA_STATE_EN: Labels = {
    "on_track": "On track",
    "at_risk": "At risk",
    "overdue": "Overdue",
    "paused": "Paused",
    "met": "In time",
    "breached": "Late",
}
ESCALATION_REASON: Labels = {
    "bug": "Баг",
    "development": "Нужна доработка",
    "rights": "Нет доступа или прав",
    "visit": "Выезд",
    "contractor": "Подрядчик",
    "conflict": "Конфликт",
    "other": "Другое",
}
ESCALATION_LEVEL: Labels = {
    "0": "Сотрудник",
    "1": "Руководитель ОС",
    "2": "Разработка или инженеры",
    "3": "Директор",
}
REPEAT_KIND: Labels = {
    "same": "Та же проблема снова",
    "related": "Связано, но новое",
    "unsolved": "Решено не полностью",
    "context": "Новое в том же контексте",
}
CLOCK: Labels = {
    "reply": "Первый ответ",
    "next_reply": "Следующий ответ",
    "progress": "Сообщение клиенту о ходе работы",
    "solution": "Решение",
    "internal": "Внутренний срок",
}
CHANNEL: Labels = {
    "email": "почта",
    "call": "звонок",
    "task": "комментарий задачи",
    "openline": "мессенджер",
    "telegram": "Telegram",
    "web": "сайт",
    "webform": "форма на сайте",
}


def plural(count: int, one: str, few: str, many: str) -> str:
    """`count` with the right Russian form: 1 обращение, 2 обращения, 5 обращений."""
    last, last_two = abs(count) % 10, abs(count) % 100
    if last == 1 and last_two != 11:
        return f"{count}{NBSP}{one}"
    if 2 <= last <= 4 and not 12 <= last_two <= 14:
        return f"{count}{NBSP}{few}"
    return f"{count}{NBSP}{many}"


def tickets(count: int) -> str:
    """«3 обращения»."""
    return plural(count, "обращение", "обращения", "обращений")


def duration(length: timedelta, workday: timedelta | None = None) -> str:
    """«2 ч 15 мин», or with a working day's length «1 раб. дн. 3 ч»; minutes are floored."""
    minutes = int(abs(length).total_seconds()) // 60
    days = 0
    if workday:
        days, minutes = divmod(minutes, int(workday.total_seconds()) // 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{days} раб. дн."] if days else []
    parts += [f"{hours} ч"] if hours else []
    parts += [f"{minutes} мин"] if minutes and not days else []
    return " ".join(parts) or "0 мин"


def work_length(length: timedelta, workday: timedelta = WORKDAY) -> str:
    """A length of business time in days of nine hours (domain.md 5), or of the calendar's own."""
    return duration(length, workday)


def moment(at: datetime, zone: tzinfo) -> str:
    """«25.11.2026 14:00»."""
    return at.astimezone(zone).strftime("%d.%m.%Y %H:%M")


def moment_short(at: datetime, zone: tzinfo, today: date | None = None) -> str:
    """«24.11 14:00», or only the time when it is `today`."""
    local = at.astimezone(zone)
    return local.strftime("%H:%M" if local.date() == today else "%d.%m %H:%M")


def day(on: date) -> str:
    """«вторник 24.11»."""
    return f"{_WEEKDAYS[on.weekday()]} {on:%d.%m}"


def day_short(on: date) -> str:
    """«вт 24.11»."""
    return f"{_WEEKDAYS_SHORT[on.weekday()]} {on:%d.%m}"


def month(on: date) -> str:
    """«ноябрь 2026»."""
    return f"{_MONTHS[on.month - 1]} {on.year}"


def percent(share: float | None, digits: int = 1) -> str:
    """«96,4 %»; a whole number loses its zero; None is «нет данных»."""
    if share is None:
        return NOTHING
    text = f"{share * 100:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace(".", ",") + NBSP + "%"


def number(value: float | None, digits: int = 1) -> str:
    """«4,6»; None is «нет данных»."""
    if value is None:
        return NOTHING
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace(".", ",")


_MAIL = re.compile(r"[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_CARD = re.compile(r"(?<!\d)(?:\d[ \u00a0-]?){12,18}\d(?!\d)")
_GAP = r"[\s().\-\u2010-\u2015]{0,4}"
_PHONES = (
    # A country's code, the operator's in one piece («7.11.2026 12.30» has none), seven digits more; abroad;
    # a mobile one without its 8; a town's, «123-45-67».
    (re.compile(rf"(?<!\d)(?:\+?7|8){_GAP}\d{{3}}(?:{_GAP}\d){{7}}(?!\d)"), "+7•••"),
    (re.compile(rf"\+\d(?:{_GAP}\d){{8,14}}(?!\d)"), "+•••"),
    (re.compile(rf"(?<!\d)\(?9\d{{2}}{_GAP}\d{{3}}(?:{_GAP}\d{{2}}){{2}}(?!\d)"), "•••"),
    (re.compile(r"(?:\(\d{3,5}\)\s*\d{1,3}|(?<![\w-])\d{3})-\d{2}-\d{2}(?![\w-])"), "•••"),
)


def masked(text: str) -> str:
    """The text with phones, e-mail addresses and card numbers hidden (contract.md 5, domain.md 10)."""
    text = _CARD.sub(_card, _MAIL.sub("•••@•••", text))
    for form, instead in _PHONES:
        text = form.sub(instead, text)
    return text


_WEBHOOK = re.compile(r"(/rest/(?:api/)?\d+/)[^/\s\"']+")
_TOKEN = re.compile(
    r"(?i)\b((?:access_|refresh_|application_|bot)?token|auth|client_secret)(\]?=|%5D=|\"?: ?\"?)[^&\s\"']+"
)


def harmless(text: str) -> str:
    """`masked`, and without what opens a portal: webhook addresses and tokens."""
    return masked(_TOKEN.sub(r"\1\2…", _WEBHOOK.sub(r"\1…", text)))


def _card(found: re.Match[str]) -> str:
    return "•••• ••••" if _is_card(found[0]) else found[0]


def _is_card(number: str) -> bool:
    """By the check digit (Luhn), else every long number would be one."""
    digits = [int(sign) for sign in number if sign.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def plain(text: str) -> str:
    """A stranger's text made harmless for chats: BB codes must not come alive (rest.md 7).

    No escape is documented, so a zero-width space breaks every opening bracket.
    """
    return text.replace("[", "[\u200b").replace("\r", " ").replace("\n", " ").strip()


_LINK = re.compile(r"\[url=[^\]]*\]|\[/url\]|\[/?[bi]\]")


def unlinked(text: str) -> str:
    """A chat message as plain text: without links and BB codes."""
    return _LINK.sub("", text).replace("\u200b", "")


def short(text: str, limit: int) -> str:
    """At most `limit` signs, cut at a word where possible, with «…»."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > limit // 2 else cut).rstrip(" ,.;:-") + "…"


def quoted_title(text: str, limit: int = 60) -> str:
    """A ticket's title for a chat: masked, harmless, short; «без темы» when empty."""
    return plain(short(masked(text), limit)) or "без темы"
