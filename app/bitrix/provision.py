"""Creating the card's fields, and finding that they are there (contract.md 5, domain.md 9).

A second run finds nothing to do. Existing fields keep their place and label; a list that lacks
some of our options gets them, and keeps those that people added.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any

from app.bitrix.card_fields import (
    BY_CODE,
    EVERY_FIELD,
    TASK_DEADLINE,
    TASK_KIND,
    CardField,
    FieldKind,
    Option,
)
from app.bitrix.client import Client
from app.bitrix.config import PortalConfig
from app.bitrix.directory import Directory
from app.bitrix.errors import PortalError, Refused
from app.bitrix.fields import Entity, task_name
from app.bitrix.layout import Layout
from app.bitrix.remedies import remedy_of
from app.bitrix.results import Line
from app.bitrix.wire import Answer, Command, as_list, as_map, number
from app.model import DEAL_TYPE, Lane

FIRST_SORT = 5000  # below what people placed themselves
_LANGUAGES = ("ru", "en")
KEPT = ("ID", "VALUE", "XML_ID", "SORT", "id", "value", "xmlId", "sort")
"""What is told again of an option that stays, in either spelling."""


class Provisioner:
    """Makes the portal fit the service."""

    def __init__(self, client: Client, config: PortalConfig, directory: Directory) -> None:
        self._client, self._config, self._directory = client, config, directory
        self._layout = Layout(client, config, directory)

    async def run(self, *, dry_run: bool, layout: bool) -> list[Line]:
        """A line for each field made, mended or refused; what cannot be read at all is one line."""
        lines: list[Line] = []
        for crm_type in self._config.crm_types:
            lines += await _told(_where(crm_type), self._crm(crm_type, dry_run))
        if self._config.reads_tasks:
            lines += await _told("задачи", self._tasks(dry_run))
        self._directory.forget_fields()
        if layout:
            for crm_type in self._config.crm_types:
                lines += await _told(
                    _where(crm_type), self._layout.run(crm_type, _where(crm_type), dry_run=dry_run)
                )
        return lines

    # --- fields of deals and smart items -----------------------------------------------------

    async def _crm(self, crm_type: int, dry_run: bool) -> list[Line]:
        self._directory.forget_fields()
        entity = await self._directory.entity(crm_type, Lane.LIVE)
        owner = await self._owner_of_fields(crm_type)
        language = self._config.language
        wanted = self._config.card_fields
        missing = [card_field for card_field in wanted if card_field.code not in entity.names]
        acts = [
            (f"{_where(crm_type)}: поле «{f.label(language)}»", _crm_add(owner, f, language)) for f in missing
        ]
        acts += await self._options(crm_type, entity)
        return await self._done(acts, _where(crm_type), len(wanted) - len(missing), dry_run)

    async def _owner_of_fields(self, crm_type: int) -> str:
        """CRM_DEAL or CRM_<id>: the id of the type, which is not its entityTypeId (rest.md 4.1)."""
        if crm_type == DEAL_TYPE:
            return "CRM_DEAL"
        wanted = Command("crm.type.list", {"filter": {"entityTypeId": crm_type}})
        types = (await self._client.call(wanted)).rows("types")
        found = next((row for row in types if number(row.get("entityTypeId")) == crm_type), None)
        if found is None:
            raise Refused("", f"смарт-процесс {crm_type} не найден или не виден владельцу вебхука")
        return f"CRM_{number(found.get('id'))}"

    async def _options(self, crm_type: int, entity: Entity) -> list[tuple[str, Command]]:
        """Updates of the lists that lack some of our options."""
        acts = []
        for code, name in entity.names.items():
            known = set(entity.options.get(name, {}).values())
            lacking = [option for option in BY_CODE[code].options if option.xml_id not in known]
            if BY_CODE[code].kind is FieldKind.LIST and lacking:
                field_id, rows = await self._field(crm_type, entity.original(name))
                command = _crm_update(crm_type, field_id, rows, lacking, self._config.language)
                acts.append((f"{_where(crm_type)}: значения списка «{BY_CODE[code].ru}»", command))
        return acts

    async def _field(self, crm_type: int, name: str) -> tuple[int, list[Mapping[str, Any]]]:
        """A list field's id and its options as the portal tells them."""
        if crm_type == DEAL_TYPE:
            wanted = Command("crm.deal.userfield.list", {"filter": {"FIELD_NAME": name}})
            [row] = (await self._client.call(wanted)).rows()
            return number(row.get("ID")), as_list(row.get("LIST"))
        wanted = Command("userfieldconfig.list", {"moduleId": "crm", "filter": {"fieldName": name}})
        [row] = (await self._client.call(wanted)).rows("fields")
        whole = await self._client.call(Command("userfieldconfig.get", {"moduleId": "crm", "id": row["id"]}))
        return number(row.get("id")), as_list(as_map(as_map(whole.result).get("field")).get("enum"))

    # --- fields of tasks ---------------------------------------------------------------------

    async def _tasks(self, dry_run: bool) -> list[Line]:
        there = (await self._client.call(Command("task.item.userfield.getlist", {}))).rows()
        names = {str(row.get("FIELD_NAME")) for row in there}
        wanted = [f for f in self._config.card_fields if f.code != TASK_DEADLINE]
        missing = [f for f in wanted if task_name(f.code, self._config.fields) not in names]
        language = self._config.language
        acts = [
            (
                f"задачи: поле «{f.label(language)}»",
                _task_add(f, task_name(f.code, self._config.fields), language),
            )
            for f in missing
        ]
        return await self._done(acts, "задачи", len(wanted) - len(missing), dry_run)

    # --- acts --------------------------------------------------------------------------------

    async def _done(
        self,
        acts: Sequence[tuple[str, Command]],
        where: str,
        there: int,
        dry_run: bool,
    ) -> list[Line]:
        """Carry out, or in a dry run only tell."""
        lines = [Line("OK", f"{where}: полей на месте {there}")]
        if dry_run:
            return lines + [
                Line("WARN", f"{what}: нужно создать", "запустите без --dry-run") for what, _ in acts
            ]
        told = await self._client.run_each([command for _, command in acts]) if acts else []
        return lines + [_line(what, one) for (what, _), one in zip(acts, told, strict=True)]


def _line(what: str, told: Answer | PortalError) -> Line:
    if isinstance(told, PortalError):
        return Line("FAIL", f"{what}: {told}", "создавать поля может администратор CRM")
    return Line("OK", f"{what}: создано")


async def _told(where: str, lines: Awaitable[list[Line]]) -> list[Line]:
    """The lines, or the one that says why there are none: other cards are prepared all the same."""
    try:
        return await lines
    except PortalError as error:
        return [Line("FAIL", f"{where}: поля не созданы: {error}", remedy_of(error))]


def _where(crm_type: int) -> str:
    return "сделки" if crm_type == DEAL_TYPE else f"смарт-процесс {crm_type}"


def _sort(card_field: CardField) -> int:
    return FIRST_SORT + 10 * EVERY_FIELD.index(card_field)


def _crm_add(owner: str, card_field: CardField, language: str) -> Command:
    if owner == "CRM_DEAL":
        return _deal_add(card_field, language)
    field: dict[str, Any] = {
        "entityId": owner,
        "fieldName": f"UF_{owner}_{card_field.code}",
        "userTypeId": card_field.kind.value,
        "xmlId": card_field.code,
        "multiple": "N",
        "mandatory": "N",
        "editInList": "N",
        "sort": _sort(card_field),
        "editFormLabel": card_field.label(language),
    }
    if card_field.options:
        field["enum"] = list(_new_options(card_field.options, language, upper=False))
    return Command("userfieldconfig.add", {"moduleId": "crm", "field": field})


def _deal_add(card_field: CardField, language: str) -> Command:
    fields: dict[str, Any] = {
        "USER_TYPE_ID": card_field.kind.value,
        "FIELD_NAME": card_field.code,  # the portal adds UF_CRM_
        "XML_ID": card_field.code,
        "LABEL": card_field.label(language),  # stands for every label and language
        "MULTIPLE": "N",
        "MANDATORY": "N",
        "SHOW_FILTER": "Y",
        "EDIT_IN_LIST": "N",
        "SORT": _sort(card_field),
    }
    if card_field.options:
        fields["LIST"] = list(_new_options(card_field.options, language, upper=True))
    return Command("crm.deal.userfield.add", {"fields": fields})


def _task_add(card_field: CardField, name: str, language: str) -> Command:
    params = {
        "USER_TYPE_ID": TASK_KIND[card_field.kind],
        "FIELD_NAME": name,
        "XML_ID": name,
        "LABEL": card_field.label(language),
        "EDIT_FORM_LABEL": {known: card_field.label(known) for known in _LANGUAGES},
        "SORT": _sort(card_field),
        "MULTIPLE": "N",
        "MANDATORY": "N",
    }
    return Command("task.item.userfield.add", {"PARAMS": params})


def _crm_update(
    crm_type: int, field_id: int, rows: Sequence[Mapping[str, Any]], lacking: Sequence[Option], language: str
) -> Command:
    """The list with the options it has, by their ids, and ours that it lacks."""
    upper = crm_type == DEAL_TYPE
    kept = [{key: row[key] for key in KEPT if key in row} for row in rows]
    options = [*kept, *_new_options(lacking, language, upper=upper, start=len(rows))]
    if upper:
        return Command("crm.deal.userfield.update", {"id": field_id, "fields": {"LIST": options}})
    field = {"userTypeId": "enumeration", "enum": options}
    return Command("userfieldconfig.update", {"moduleId": "crm", "id": field_id, "field": field})


def _new_options(
    options: Iterable[Option], language: str, *, upper: bool, start: int = 0
) -> Iterable[dict[str, Any]]:
    for place, option in enumerate(options, start + 1):
        label, sort = option.label(language), 10 * place
        if upper:
            yield {"VALUE": label, "XML_ID": option.xml_id, "SORT": sort}
        else:
            yield {"value": label, "xmlId": option.xml_id, "sort": sort}
