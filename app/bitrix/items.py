"""Rows of deals and smart items → Card and Moves (rest.md 4). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.bitrix.config import PortalConfig
from app.bitrix.fields import Entity, crm_name, crm_sla, single
from app.bitrix.times import instant
from app.bitrix.wire import as_list, number
from app.model import DEAL_TYPE, Card, ItemRef, Kind, Move, Side, Utterance

OWN_FIELDS = (
    "id", "title", "stageId", "categoryId", "createdTime", "updatedTime", "createdBy", "updatedBy",
    "assignedById", "contactId", "companyId",
)  # fmt: skip
HISTORY_FIELDS = ("ID", "TYPE_ID", "OWNER_ID", "CREATED_TIME", "CATEGORY_ID", "STAGE_ID")
CONTACT_TYPE, COMPANY_TYPE = 3, 4
CLIENT_PREFIX = {"CONTACT_ID": "contact", "COMPANY_ID": "company"}


class Unlike(Exception):
    """A row without an id or its times: it cannot be read."""


def ref_of(crm_type: int, item_id: int) -> ItemRef:
    """The address of an item of the CRM."""
    return ItemRef(Kind.DEAL, item_id) if crm_type == DEAL_TYPE else ItemRef(Kind.ITEM, item_id, crm_type)


def item_select(config: PortalConfig, entity: Entity) -> list[str]:
    """The fields to ask for: our own, those the rules read, the SLA fields; only what exists."""
    read = [entity.name(name) for name in sorted(config.read_names(entity.crm_type))]
    wanted = dict.fromkeys([*OWN_FIELDS, *read, *entity.names.values()])
    return [name for name in wanted if name in entity.available or name == "id"]


def item_card(
    row: Mapping[str, Any],
    entity: Entity,
    config: PortalConfig,
    names: Mapping[str, str],
    said: Sequence[Utterance],
) -> Card:
    """A row of crm.item.list. Raises Unlike, fields.UnknownOption."""
    ref, category = ref_of(entity.crm_type, number(row.get("id"))), _number_or_none(row.get("categoryId"))
    created_at, modified_at = instant(row.get("createdTime")), instant(row.get("updatedTime"))
    if not ref.id or created_at is None:
        raise Unlike("карточка без номера или времени создания")
    read, show = config.read_fields(ref, category, None), _Shown(row, entity)
    client = client_of(row, read.client, entity)
    return Card(
        ref=ref,
        title=str(row.get("title") or ""),
        stage=str(row.get("stageId") or ""),
        category=category,
        group=None,
        created_at=created_at,
        modified_at=modified_at or created_at,
        created_by=number(row.get("createdBy")) or None,
        modified_by=number(row.get("updatedBy")) or None,
        assignee=number(row.get("assignedById")) or None,
        text=texts(read.text, show.text, said),
        client=client,
        client_name=names.get(client, ""),
        company=_id_text(row.get("companyId")),
        contact=_id_text(row.get("contactId")),
        object=show.text(read.object),
        channel=show.text(read.channel),
        sla=crm_sla(entity, row),
        extra={name: show.text(name) for name in config.extra},
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """Fields of a row as people read them: a list's label, not its number."""

    row: Mapping[str, Any]
    entity: Entity

    def text(self, name: str) -> str:
        crm = self.entity.name(name)
        values = as_list(self.row.get(crm)) or [single(self.row.get(crm))]
        labels = self.entity.labels.get(crm, {})
        shown = [labels.get(str(value), str(value)) for value in values if value not in (None, "", False)]
        return ", ".join(shown).strip()


def texts(names: Iterable[str], show: Any, said: Sequence[Utterance]) -> tuple[str, ...]:
    """The texts that `[source.read].text` names, in order, empties dropped."""
    found = [first_message(said) if name == "first_message" else show(name) for name in names]
    return tuple(text for text in found if text)


def first_message(said: Sequence[Utterance]) -> str:
    """The client's first words."""
    heard = [spoken for spoken in said if spoken.side is Side.CLIENT and spoken.text]
    return min(heard, key=lambda spoken: spoken.at).text if heard else ""


def client_of(row: Mapping[str, Any], names: Iterable[str], entity: Entity) -> str:
    """`contact:5`, `company:7` or the raw value of the first filled client field."""
    for name in names:
        value = single(row.get(entity.name(name)))
        prefix = CLIENT_PREFIX.get(name)
        if prefix and number(value):
            return f"{prefix}:{number(value)}"
        if not prefix and value not in (None, "", False, 0):
            return str(value)
    return ""


def client_keys(row: Mapping[str, Any]) -> list[str]:
    """The contact and the company of a row whose names we may want."""
    keys = [(prefix, number(row.get(crm_name(name)))) for name, prefix in CLIENT_PREFIX.items()]
    return [f"{prefix}:{found}" for prefix, found in keys if found]


def client_name(prefix: str, row: Mapping[str, Any]) -> str:
    """The name of a contact (lastName, name) or a company (title)."""
    if prefix == "company":
        return str(row.get("title") or "").strip()
    parts = (row.get("lastName"), row.get("name"))
    return " ".join(str(part) for part in parts if part).strip()


def move_of(row: Mapping[str, Any]) -> Move:
    """A row of crm.stagehistory.list; it names no user. Raises Unlike."""
    at = instant(row.get("CREATED_TIME"))
    if at is None or not number(row.get("ID")):
        raise Unlike("строка истории без номера или времени")
    category = _number_or_none(row.get("CATEGORY_ID"))
    return Move(str(number(row.get("ID"))), at, str(row.get("STAGE_ID") or ""), category)


def _number_or_none(value: object) -> int | None:
    return None if value in (None, "") else number(value)


def _id_text(value: object) -> str:
    return str(number(value) or "")
