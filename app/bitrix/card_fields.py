"""The SLA_* fields of a card: codes, kinds, labels, options (contract.md 5, domain.md 9).

The codes are ours, the names on the portal differ by entity; see fields.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app import words


class FieldKind(StrEnum):
    """Types of deals' and smart items' fields, by the portal's own names."""

    LIST = "enumeration"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    STRING = "string"
    EMPLOYEE = "employee"
    URL = "url"
    INTEGER = "integer"


TASK_KIND: Mapping[FieldKind, str] = {
    FieldKind.LIST: "string",
    FieldKind.EMPLOYEE: "string",
    FieldKind.URL: "string",
    FieldKind.STRING: "string",
    FieldKind.INTEGER: "double",
    FieldKind.BOOLEAN: "boolean",
    FieldKind.DATETIME: "datetime",
}
"""Task fields know four types only (rest.md 5.2)."""


@dataclass(frozen=True, slots=True)
class Option:
    """A value of a list: XML_ID and what people see."""

    xml_id: str
    ru: str
    en: str

    def label(self, language: str) -> str:
        return self.en if language == "en" else self.ru


@dataclass(frozen=True, slots=True)
class CardField:
    """One SLA field. `stamped`: the service writes it; else people do and we read."""

    code: str
    kind: FieldKind
    ru: str
    en: str
    options: tuple[Option, ...] = ()
    stamped: bool = True

    def label(self, language: str) -> str:
        return self.en if language == "en" else self.ru

    def xml_id_of(self, text: str) -> str | None:
        """The option that this text names: by XML_ID or by its label in any language we know."""
        wanted = text.strip().casefold()
        for option in self.options:
            if wanted in {option.xml_id.casefold(), option.ru.casefold(), option.en.casefold()}:
                return option.xml_id
        return None


AREA_EN = {
    "app_login": "Sign-up and sign-in",
    "passes": "Passes",
    "barrier_gate": "Barrier, gate, checkpoint",
    "plate_recognition": "Plate recognition (PASS24.auto)",
    "mobile_key": "Mobile key (PASS24.Key)",
    "controller_hw": "Controllers and hardware (PASS24.control)",
    "mobile_app": "Mobile app",
    "web_admin": "Administrator's web cabinet",
    "objects": "Sites and addresses",
    "trusted_persons": "Trusted persons and rights",
    "integration": "Integrations and API",
    "billing_docs": "Contracts and invoices",
    "other": "Other",
}
REASON_EN = {
    "bug": "Bug",
    "development": "Needs development",
    "rights": "No access or rights",
    "visit": "Visit",
    "contractor": "Contractor",
    "conflict": "Conflict",
    "other": "Other",
}
LEVEL_EN = {"0": "Agent", "1": "Head of support", "2": "Development or engineers", "3": "Director"}
REPEAT_EN = {
    "same": "Same trouble again",
    "related": "Related but new",
    "unsolved": "Not solved fully",
    "context": "New in the same context",
}


def _options(ru: Mapping[str, str], en: Mapping[str, str]) -> tuple[Option, ...]:
    return tuple(Option(xml_id, label, en[xml_id]) for xml_id, label in ru.items())


_LIST, _TIME, _TEXT = FieldKind.LIST, FieldKind.DATETIME, FieldKind.STRING

FIELDS: tuple[CardField, ...] = (
    CardField("SLA_CLASS", _LIST, "Класс обращения", "Request class", _options(words.CLASS, words.CLASS_EN)),
    CardField("SLA_CLASS_SURE", FieldKind.BOOLEAN, "Класс подтверждён", "Class confirmed"),
    CardField("SLA_CLASS_WHY", _TEXT, "Почему такой класс", "Why this class"),
    CardField("SLA_AREA", _LIST, "Область продукта", "Product area", _options(words.AREA, AREA_EN)),
    CardField("SLA_OTHER_TOPICS", _TEXT, "Другие вопросы в обращении", "Other topics of the request"),
    CardField(
        "SLA_STATE", _LIST, "Состояние SLA", "SLA state", _options(words.SLA_STATE, words.SLA_STATE_EN)
    ),
    CardField("SLA_REPLY_DUE", _TIME, "Срок первого ответа", "First reply due"),
    CardField("SLA_SOLVE_DUE", _TIME, "Срок решения", "Solution due"),
    CardField("SLA_FIRST_REPLY_AT", _TIME, "Первый ответ", "First reply"),
    CardField("SLA_SOLVED_AT", _TIME, "Решено", "Solved"),
    CardField("SLA_CONFIRMED_AT", _TIME, "Подтверждено клиентом", "Confirmed by the client"),
    CardField("SLA_OVERDUE", _TEXT, "Просрочка", "Overdue"),
    CardField("SLA_PAUSE_TOTAL", _TEXT, "Время на паузе", "Time paused"),
    CardField(
        "SLA_ESC_LEVEL",
        _LIST,
        "Уровень эскалации",
        "Escalation level",
        _options(words.ESCALATION_LEVEL, LEVEL_EN),
    ),
    CardField(
        "SLA_ESC_REASON",
        _LIST,
        "Причина эскалации",
        "Escalation reason",
        _options(words.ESCALATION_REASON, REASON_EN),
    ),
    CardField("SLA_REPEAT_OF", _TEXT, "Повтор обращения №", "Repeats request"),
    CardField(
        "SLA_REPEAT_KIND", _LIST, "Вид повтора", "Kind of repeat", _options(words.REPEAT_KIND, REPEAT_EN)
    ),
    CardField("SLA_PAUSE_REASON", _TEXT, "Причина паузы", "Reason of the pause", stamped=False),
    CardField("SLA_PAUSE_UNTIL", _TIME, "Отложено до", "Postponed until", stamped=False),
    CardField("SLA_BREACH_REASON", _TEXT, "Причина просрочки", "Reason of the delay", stamped=False),
    CardField("SLA_EXT_REASON", _TEXT, "Причина продления", "Reason of the extension", stamped=False),
    CardField("SLA_EXT_BY", FieldKind.EMPLOYEE, "Кто продлил", "Extended by"),
    CardField("SLA_SOLUTION", _TEXT, "Решение", "Solution", stamped=False),
    CardField("SLA_KB_URL", FieldKind.URL, "Статья базы знаний", "Knowledge base article", stamped=False),
    CardField("SLA_CSAT", FieldKind.INTEGER, "Оценка клиента", "Client's mark", stamped=False),
)
WAIVER = CardField("SLA_WAIVER", _TEXT, "Вне SLA: причина", "Out of SLA: reason", stamped=False)
"""No field of the contract: made only where the rules want it, read wherever it stands."""

EVERY_FIELD = (*FIELDS, WAIVER)
BY_CODE: Mapping[str, CardField] = {field.code: field for field in EVERY_FIELD}
TASK_DEADLINE = "SLA_SOLVE_DUE"
"""A task's native DEADLINE holds it; there is no field of ours for it on tasks."""
