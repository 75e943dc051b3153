"""Names and values of SLA fields by entity: what the portal holds ⇄ what the service means. Pure.

A deal's field is UF_CRM_SLA_CLASS; a smart item's UF_CRM_<id>_SLA_CLASS, where <id> is the id of
the type and not its entityTypeId (rest.md 4.1), so names are found on the portal and never made
up; a task's UF_SLA_CLASS. Lists are written by option id and meant by XML_ID.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.bitrix.card_fields import BY_CODE, EVERY_FIELD, TASK_DEADLINE, CardField, FieldKind
from app.bitrix.times import canonical, instant, to_portal
from app.bitrix.wire import as_list, as_map, number

TRUE = frozenset({"Y", "1", "true", "True"})


class UnknownOption(Exception):
    """A list holds an option that we have not learnt: read the field's options again."""


@dataclass(frozen=True, slots=True)
class Entity:
    """What we learnt of the fields of deals or of one smart process."""

    crm_type: int
    names: Mapping[str, str]  # SLA_* code → field name; only fields that exist
    available: frozenset[str]  # every field, as crm.item.* names it
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # field → option id → label
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # SLA field → option id → XML_ID
    types: Mapping[str, str] = field(default_factory=dict)  # field → type, by the portal's own name
    shown: Mapping[str, str] = field(default_factory=dict)  # original name → this portal's, where they differ

    def name(self, name: str) -> str:
        """How crm.item.* of this portal calls a field of the rules: an older CRM converts all names."""
        return self.shown.get(name) or crm_name(name)

    def original(self, name: str) -> str:
        """The inverse, for methods that know only the names under which fields were created."""
        return next((original for original, shown in self.shown.items() if shown == name), name)

    def option_id(self, name: str, xml_id: str) -> str | None:
        return next((i for i, known in self.options.get(name, {}).items() if known == xml_id), None)


def entity_of(crm_type: int, fields: Mapping[str, Any], overrides: Mapping[str, str]) -> Entity:
    """The entity as `crm.item.fields` describes it (with useOriginalUfNames=Y), options still unknown.

    A CRM before 25.0.0 ignores that wish and converts the names, telling the original beside (rest.md 4.3).
    """
    uppers = {str(as_map(told).get("upperName") or name): name for name, told in fields.items()}
    shown = {upper: name for upper, name in uppers.items() if upper.startswith("UF_") and upper != name}
    names: dict[str, str] = {}
    for card_field in EVERY_FIELD:
        name = _name_of(card_field.code, {**{n: n for n in fields}, **shown}, overrides)
        if name is not None:
            names[card_field.code] = name
    types = {name: str(as_map(described).get("type") or "") for name, described in fields.items()}
    labels = {name: _labels(described) for name, described in fields.items()}
    return Entity(crm_type, names, frozenset(fields), labels, types=types, shown=shown)


def _name_of(code: str, fields: Mapping[str, str], overrides: Mapping[str, str]) -> str | None:
    """The portal's own name of a code's field; `fields`: original name → that name."""
    wanted = overrides.get(code)
    pattern = re.compile(re.escape(wanted) if wanted else rf"UF_CRM_(?:\d+_)?{code}")
    return next((shown for name, shown in fields.items() if pattern.fullmatch(name)), None)


def _labels(described: Any) -> dict[str, str]:
    rows = [as_map(row) for row in as_list(as_map(described).get("items"))]
    return {str(row["ID"]): str(row.get("VALUE", "")) for row in rows if "ID" in row}


def options_of(code: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Option id → XML_ID, from `LIST` (deals, upper case) or `enum` (smart items, lower case).

    An option without an XML_ID of ours is known by its label.
    """
    found: dict[str, str] = {}
    for row in rows:
        option = {str(key).upper().replace("_", ""): value for key, value in row.items()}
        xml_id, label = str(option.get("XMLID") or ""), str(option.get("VALUE") or "")
        found[str(option.get("ID"))] = (
            BY_CODE[code].xml_id_of(xml_id) or BY_CODE[code].xml_id_of(label) or xml_id
        )
    return found


def crm_name(name: str) -> str:
    """A field's name for crm.item.*: SOURCE_ID → sourceId; UF names stay (useOriginalUfNames=Y)."""
    if name.startswith("UF_") or not name.isupper():
        return name
    first, *rest = name.lower().split("_")
    return first + "".join(part.capitalize() for part in rest)


# --- values of deals and smart items -----------------------------------------------------


def crm_sla(entity: Entity, row: Mapping[str, Any]) -> dict[str, str]:
    """Code → canonical value of the SLA fields in a row of crm.item.*. Raises UnknownOption.

    A field that the row does not name is not empty: it has been deleted or hidden since it was learnt.
    """
    there = {code: name for code, name in entity.names.items() if name in row}
    return {code: _crm_meant(entity, code, row[name]) for code, name in there.items()}


def _crm_meant(entity: Entity, code: str, value: Any) -> str:
    value = single(value)
    if BY_CODE[code].kind is not FieldKind.LIST:
        return meant(BY_CODE[code].kind, value)
    if not number(value):
        return ""
    known = entity.options.get(entity.names[code], {})
    if str(number(value)) not in known:
        raise UnknownOption(entity.names[code])
    return known[str(number(value))]


def meant(kind: FieldKind, value: Any) -> str:
    """A scalar of the portal in canonical form; null, "", 0, false and [] count as one (contract.md 5)."""
    if kind is FieldKind.BOOLEAN:
        return "Y" if str(value) in TRUE else "N"
    if kind is FieldKind.DATETIME:
        return canonical(value)
    if kind in {FieldKind.INTEGER, FieldKind.EMPLOYEE}:
        return str(number(value) or "")
    return "" if value in (None, False) else str(value).strip()


def single(value: Any) -> Any:
    """The value of a field that somebody made multiple: its first."""
    if isinstance(value, list | Mapping):
        values = as_list(value)
        return values[0] if values else None
    return value


def crm_written(entity: Entity, wanted: Mapping[str, str]) -> dict[str, str]:
    """The `fields` of crm.item.update. Raises UnknownOption; codes whose field is missing are left out."""
    found = {}
    for code, value in wanted.items():
        if name := entity.names.get(code):
            found[name] = _crm_native(entity, name, BY_CODE[code], value)
    return found


def _crm_native(entity: Entity, name: str, card_field: CardField, value: str) -> str:
    if card_field.kind is not FieldKind.LIST or not value:
        return native(card_field.kind, value)
    option = entity.option_id(name, value)
    if option is None:
        raise UnknownOption(name)
    return option


def native(kind: FieldKind, value: str) -> str:
    """A canonical value as the portal takes it; empty clears the field (a batch carries no null)."""
    at = instant(value) if kind is FieldKind.DATETIME else None
    return to_portal(at) if at else value


# --- values of tasks ---------------------------------------------------------------------


def task_name(code: str, overrides: Mapping[str, str]) -> str:
    """The task's field of a code; the solution's deadline is the native one."""
    return "DEADLINE" if code == TASK_DEADLINE else overrides.get(code, f"UF_{code}")


def camel(name: str) -> str:
    """UF_SLA_CLASS → ufSlaClass, as tasks answer (rest.md 5.1)."""
    first, *rest = name.lower().split("_")
    return first + "".join(part.capitalize() for part in rest)


def task_value(task: Mapping[str, Any], name: str) -> Any:
    """A task's field under either spelling."""
    return task[name] if name in task else task.get(camel(name))


def task_sla(task: Mapping[str, Any], overrides: Mapping[str, str]) -> dict[str, str]:
    """Code → canonical value of a task's SLA fields."""
    names = {card_field.code: task_name(card_field.code, overrides) for card_field in EVERY_FIELD}
    return {
        code: _task_meant(BY_CODE[code], task_value(task, name))
        for code, name in names.items()
        if name in task or camel(name) in task
    }


def _task_meant(card_field: CardField, value: Any) -> str:
    text = meant(card_field.kind, single(value))
    if card_field.kind is not FieldKind.LIST:
        return text
    return card_field.xml_id_of(text) or text


def task_written(wanted: Mapping[str, str], overrides: Mapping[str, str], language: str) -> dict[str, str]:
    """The `fields` of tasks.task.update; lists hold the label."""
    return {
        task_name(code, overrides): _task_native(BY_CODE[code], value, language)
        for code, value in wanted.items()
    }


def _task_native(card_field: CardField, value: str, language: str) -> str:
    if card_field.kind is FieldKind.LIST:
        return next((o.label(language) for o in card_field.options if o.xml_id == value), value)
    if card_field.kind is FieldKind.BOOLEAN:
        return {"Y": "1", "N": "0"}.get(value, "")  # a task's boolean is a number in the portal
    return native(card_field.kind, value)
