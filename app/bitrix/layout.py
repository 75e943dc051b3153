"""One section «SLA» in the common look of a card (rest.md 4.9, contract.md 1).

`set` replaces the whole look, so it is read, added to and written back. The first time our fields are
gathered from wherever they stand; afterwards people may put them elsewhere, and there they stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from app.bitrix.client import Client
from app.bitrix.config import PortalConfig
from app.bitrix.directory import Directory
from app.bitrix.errors import PortalError, RetryLater
from app.bitrix.fields import Entity
from app.bitrix.results import Line
from app.bitrix.wire import Command, as_list, as_map, number
from app.model import DEAL_TYPE, Lane

SECTION, TITLE = "sla", "SLA"
COLUMN = "column"  # newer portals put sections into columns
GET, SET = "crm.item.details.configuration.get", "crm.item.details.configuration.set"
NOT_ADMIN = "общий вид карточки меняет администратор CRM: запустите с его вебхуком"

Section = dict[str, Any]

USUAL: Mapping[str, Sequence[str]] = {
    "main": ("TITLE", "OPPORTUNITY_WITH_CURRENCY", "STAGE_ID", "CLOSEDATE", "CLIENT"),
    "additional": ("TYPE_ID", "SOURCE_ID", "SOURCE_DESCRIPTION", "BEGINDATE", "OPENED", "ASSIGNED_BY_ID",
                   "OBSERVER", "COMMENTS", "UTM"),
    "products": ("PRODUCT_ROW_SUMMARY",),
    "recurring": ("RECURRING",),
}  # fmt: skip
"""What a deal's card shows before anybody has set its look (the vendor's sample)."""
TITLES = {
    "main": "О сделке",
    "additional": "Дополнительно",
    "products": "Товары",
    "recurring": "Регулярная сделка",
}
TITLES_EN = {
    "main": "About deal",
    "additional": "More",
    "products": "Products",
    "recurring": "Recurring deal",
}
_BEHIND = {"OPPORTUNITY_WITH_CURRENCY": "opportunity", "CLIENT": "contactId", "OBSERVER": "observers"}
"""Elements that are no fields, with a field of the types that have them."""


class Layout:
    """Sees to the section in every funnel's card."""

    def __init__(self, client: Client, config: PortalConfig, directory: Directory) -> None:
        self._client, self._config, self._directory = client, config, directory

    async def run(self, crm_type: int, where: str, *, dry_run: bool) -> list[Line]:
        """A line a funnel. Raises PortalError when fields or funnels cannot be read."""
        entity = await self._directory.entity(crm_type, Lane.LIVE)
        return [
            await self._funnel(entity, funnel, f"{where}, воронка {funnel}: раздел «{TITLE}»", dry_run)
            for funnel in await self._funnels(crm_type)
        ]

    async def _funnels(self, crm_type: int) -> list[int]:
        """Those of the sources; every one where a source takes them all."""
        named = [source.category for source in self._config.sources if source.crm_type == crm_type]
        known = {funnel for funnel in named if funnel is not None}
        if len(known) == len(set(named)):
            return sorted(known)
        answer = await self._client.call(Command("crm.category.list", {"entityTypeId": crm_type}))
        return sorted({number(row.get("id")) for row in answer.rows("categories")})

    async def _funnel(self, entity: Entity, funnel: int, what: str, dry_run: bool) -> Line:
        ours = [entity.original(name) for name in entity.names.values()]
        if not ours:
            return Line("WARN", f"{what}: полей ещё нет", "запустите provision без --dry-run")
        try:
            before = await self._read(entity.crm_type, funnel)
            wanted = with_section(before or usual(entity, ours, self._config.language), ours)
            if wanted == before:
                return Line("OK", f"{what} на месте")
            if dry_run:
                return Line("WARN", f"{what}: нужно собрать", "запустите без --dry-run")
            return await self._write(entity.crm_type, funnel, wanted, what, ours)
        except RetryLater as error:
            return Line("FAIL", f"{what}: портал не ответил: {error}", "повторите позже")
        except PortalError as error:
            return Line("FAIL", f"{what}: {error}", NOT_ADMIN)

    async def _read(self, crm_type: int, funnel: int) -> list[Section]:
        answer = await self._client.call(Command(GET, _whose(crm_type, funnel)))
        return [dict(as_map(row)) for row in as_list(answer.result)]

    async def _write(
        self, crm_type: int, funnel: int, wanted: Sequence[Section], what: str, ours: Collection[str]
    ) -> Line:
        await self._client.call(Command(SET, {**_whose(crm_type, funnel), "data": list(wanted)}))
        held = placed(await self._read(crm_type, funnel))
        if not held.issuperset(ours):
            return Line("FAIL", f"{what}: портал сохранил не все поля", "соберите раздел в карточке сами")
        return Line("OK", f"{what} собран")


def _whose(crm_type: int, funnel: int) -> dict[str, Any]:
    extra = "dealCategoryId" if crm_type == DEAL_TYPE else "categoryId"
    return {"entityTypeId": crm_type, "scope": "C", "extras": {extra: funnel}}


def with_section(rows: Sequence[Mapping[str, Any]], ours: Sequence[str]) -> list[Section]:
    """The look with a section of ours; whatever else is in it stays as it is."""
    found = [dict(deepcopy(row)) for row in rows]
    section = next((one for one in sections(found) if one.get("name") == SECTION), None)
    if section is None:
        for one in sections(found):
            one["elements"] = [row for row in as_list(one.get("elements")) if _name(row) not in ours]
        section = {"name": SECTION, "title": TITLE, "type": "section", "elements": []}
        _last_column(found).append(section)
    absent = [name for name in ours if name not in placed(found)]
    if absent:
        new = [{"name": name, "optionFlags": "0"} for name in absent]
        section["elements"] = [*as_list(section.get("elements")), *new]
    return found


def sections(rows: Iterable[Section]) -> Iterator[Section]:
    """Sections, be they in columns or not."""
    for row in rows:
        if row.get("type") == COLUMN:
            yield from sections(as_list(row.get("elements")))
        else:
            yield row


def placed(rows: Iterable[Section]) -> set[str]:
    """The names of all elements of a look."""
    return {_name(row) for section in sections(rows) for row in as_list(section.get("elements"))}


def _last_column(rows: list[Section]) -> list[Section]:
    if not rows or rows[-1].get("type") != COLUMN:
        return rows
    inner: list[Section] = list(as_list(rows[-1].get("elements")))
    rows[-1]["elements"] = inner
    return inner


def _name(row: Any) -> str:
    return str(as_map(row).get("name") or "")


def usual(entity: Entity, ours: Collection[str], language: str) -> list[Section]:
    """The look of a card that nobody has set yet: a portal shows its own, and `set` must not take it away."""
    titles = TITLES_EN if language == "en" else TITLES
    own = [name for name in map(entity.original, sorted(entity.available)) if name.startswith("UF_")]
    shown: dict[str, list[str]] = {
        section: [name for name in names if entity.crm_type == DEAL_TYPE or _has(entity, name)]
        for section, names in USUAL.items()
    }
    shown["additional"] += [name for name in own if name not in ours]
    return [
        {"name": section, "title": titles[section], "type": "section",
         "elements": [{"name": name, "optionFlags": "0"} for name in names]}
        for section, names in shown.items() if names
    ]  # fmt: skip


def _has(entity: Entity, name: str) -> bool:
    """Whether items of this type have what an element shows."""
    return _BEHIND.get(name, entity.name(name)) in entity.available
