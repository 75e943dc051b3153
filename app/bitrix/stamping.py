"""Writing SLA fields and proving that they stuck (rest.md 4.3, 5.1).

The portal skips what it does not understand and still says yes: an unknown field, a date it
cannot parse. So every write is read back, and what did not stick is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.bitrix.card_fields import BY_CODE, FieldKind
from app.bitrix.config import PortalConfig
from app.bitrix.errors import PortalError
from app.bitrix.fields import Entity, UnknownOption, crm_sla, crm_written, task_sla, task_written
from app.bitrix.results import StampWork, Unwritten, Written, unwritten
from app.bitrix.tasks import task_of, task_select
from app.bitrix.times import canonical
from app.bitrix.wire import Answer, Command, Group, Told, as_map

PROVISION = "выполните b24sla provision"


def crm_stamp(work: StampWork, entity: Entity) -> Group:
    """The command that writes a card; the answer holds the whole item. Raises UnknownOption."""
    params = {
        "entityTypeId": entity.crm_type,
        "id": work.ref.id,
        "fields": crm_written(entity, work.wanted),
        "useOriginalUfNames": "Y",
    }
    return [Command("crm.item.update", params)]


def task_stamp(work: StampWork, config: PortalConfig) -> Group:
    """Write a task and read it back: the answer of the update names no user field."""
    fields = task_written(work.wanted, config.fields, config.language)
    read_back = {"taskId": work.ref.id, "select": task_select(config)}
    return [
        Command("tasks.task.update", {"taskId": work.ref.id, "fields": fields}),
        Command("tasks.task.get", read_back),
    ]


def crm_stamped(work: StampWork, entity: Entity, told: Told) -> Written | Unwritten:
    """What became of a card's stamp."""
    if isinstance(told, PortalError):
        return unwritten(told)
    item = as_map(as_map(told.result).get("item"))
    if absent := missing(work.wanted, entity.names):
        return without_fields(absent)
    try:
        return proven(work.wanted, crm_sla(entity, item))
    except UnknownOption as option:
        return without_option(str(option))


def task_stamped(work: StampWork, config: PortalConfig, update: Told, read_back: Told) -> Written | Unwritten:
    """What became of a task's stamp. Written but not read back is of unknown fate."""
    if isinstance(update, PortalError):
        return unwritten(update)
    task = task_of(read_back.result) if isinstance(read_back, Answer) else None
    if task is None:
        return Unwritten("записано, но не прочитано обратно", unknown_fate=True)
    held = task_sla(task, config.fields)
    if absent := missing(work.wanted, held):
        return without_fields(absent)
    return proven(work.wanted, held)


def missing(wanted: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """Codes that should hold something and have no field on the card."""
    known = set(names)
    return [code for code, value in wanted.items() if value and code not in known]


def without_fields(codes: Iterable[str]) -> Unwritten:
    """Some fields were never created. A person's matter, not a refusal: the card is written once they are."""
    return Unwritten(f"нет полей: {_labels(codes)}; {PROVISION}")


def without_option(name: str) -> Unwritten:
    """A list lacks the option that we want."""
    return Unwritten(f"в списке {name} нет нужного значения; {PROVISION}")


def proven(wanted: Mapping[str, str], held: Mapping[str, str]) -> Written | Unwritten:
    """Written if the card holds what was wanted.

    Other fields are not told: a person may have changed them just now, which a reading must learn.
    """
    lost = [code for code, value in wanted.items() if not same(code, value, held.get(code, ""))]
    if lost:
        return Unwritten(f"портал не сохранил поля: {_labels(lost)}; если их нет, {PROVISION}", final=True)
    return Written(values=dict(wanted))


def same(code: str, one: str, other: str) -> bool:
    """Whether two canonical values mean one thing: moments to the minute, empties and «no» alike."""
    kind = BY_CODE[code].kind
    if kind is FieldKind.DATETIME:
        return canonical(one) == canonical(other)
    if kind is FieldKind.BOOLEAN:
        return (one == "Y") == (other == "Y")
    return one.strip() == other.strip()


def _labels(codes: Iterable[str]) -> str:
    return ", ".join(f"«{BY_CODE[code].ru}»" for code in codes)
