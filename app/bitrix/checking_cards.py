"""The self-check of the cards: their fields, stages, kanban and history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from app.bitrix.card_fields import BY_CODE, TASK_DEADLINE, TASK_KIND, FieldKind
from app.bitrix.client import Client
from app.bitrix.config import PortalConfig, SourceConfig
from app.bitrix.directory import Directory
from app.bitrix.fields import Entity, task_name
from app.bitrix.results import Line
from app.bitrix.stamping import PROVISION
from app.bitrix.wire import Command, as_list, as_map, number
from app.model import DEAL_TYPE, Kind, Lane

_LIKE = {"text": "string", "user": "employee", "char": "boolean", "double": "integer"}
"""Types that hold the same values."""
OTHER_TYPE = "поле с таким именем заняли другим: удалите его или назовите наше иначе в [fields]"


def place_of(crm_type: int) -> str:
    return "сделки" if crm_type == DEAL_TYPE else f"смарт-процесс {crm_type}"


# --- fields ------------------------------------------------------------------------------


async def crm_fields(directory: Directory, config: PortalConfig, crm_type: int) -> Iterable[Line]:
    """Are they there, of their type, with all values of the lists; and what the rules read besides."""
    directory.forget_fields()
    entity = await directory.entity(crm_type, Lane.LIVE)
    missing = [field.ru for field in config.card_fields if field.code not in entity.names]
    kinds = {BY_CODE[code].ru: (BY_CODE[code].kind, entity.types.get(n)) for code, n in entity.names.items()}
    where = place_of(crm_type)
    return [
        *_fields_lines(where, missing, _of_other_kind(kinds)),
        *_options_lines(where, entity),
        *_read_lines(where, config, crm_type, {entity.original(name) for name in entity.available}),
    ]


async def task_fields(client: Client, config: PortalConfig) -> Iterable[Line]:
    rows = (await client.call(Command("task.item.userfield.getlist"))).rows()
    types = {str(row.get("FIELD_NAME")): str(row.get("USER_TYPE_ID")) for row in rows}
    wanted = [field for field in config.card_fields if field.code != TASK_DEADLINE]
    ours = {field: task_name(field.code, config.fields) for field in wanted}
    missing = [field.ru for field, name in ours.items() if name not in types]
    kinds = {field.ru: (TASK_KIND[field.kind], types.get(name)) for field, name in ours.items()}
    return [
        *_fields_lines("задачи", missing, _of_other_kind(kinds)),
        *_read_lines("задачи", config, 0, types),
    ]


def _of_other_kind(kinds: Mapping[str, tuple[str, str | None]]) -> list[str]:
    """Labels with the type that a field has and the one that it must have."""
    return [
        f"«{label}» ({found} вместо {wanted})"
        for label, (wanted, found) in kinds.items()
        if found and wanted not in {found, _LIKE.get(found)} and found != _LIKE.get(wanted)
    ]


def _fields_lines(where: str, missing: Sequence[str], other: Sequence[str]) -> Iterable[Line]:
    if missing:
        yield Line("FAIL", f"{where}: нет полей: {', '.join(missing)}", PROVISION)
    if other:
        yield Line("FAIL", f"{where}: поля другого типа: {', '.join(other)}", OTHER_TYPE)
    if not missing and not other:
        yield Line("OK", f"{where}: поля SLA на месте")


def _options_lines(where: str, entity: Entity) -> Iterable[Line]:
    for code, name in entity.names.items():
        known = set(entity.options.get(name, {}).values())
        lacking = [option.ru for option in BY_CODE[code].options if option.xml_id not in known]
        if BY_CODE[code].kind is FieldKind.LIST and lacking:
            text = f"{where}: в списке «{BY_CODE[code].ru}» нет значений: {', '.join(lacking)}"
            yield Line("FAIL", text, PROVISION)


def _read_lines(where: str, config: PortalConfig, crm_type: int, there: Collection[str]) -> Iterable[Line]:
    """Custom fields that [source.read] names and the portal does not have: what they tell is never read."""
    read = [source.read for source in config.sources if source.crm_type == crm_type]
    names = {n for one in read for n in (*one.text, *one.client, one.object, one.channel)}
    absent = sorted(name for name in names if name.startswith("UF_") and name not in there)
    if absent:
        remedy = "исправьте [source.read] в правилах или заведите поля"
        yield Line("WARN", f"{where}: правила читают поля, которых нет: {', '.join(absent)}", remedy)


# --- stages ------------------------------------------------------------------------------


async def stages(client: Client, source: SourceConfig) -> Iterable[Line]:
    """Stages of a funnel that the rules do not name, and the other way round."""
    directory = directory_of(source)
    rows = (await client.call(Command("crm.status.list", {"filter": {"ENTITY_ID": directory}}))).rows()
    there = {str(row.get("STATUS_ID")): str(row.get("NAME")) for row in rows}
    if not there:
        text = f"воронки {source.category} у {whose(source)} нет"
        return [Line("FAIL", text, "проверьте category в [[source]]")]
    return _stages_lines(stages_of(source), there, source.stages)


def _stages_lines(what: str, there: Mapping[str, str], named: Collection[str]) -> list[Line]:
    unnamed = [f"{stage} «{name}»" for stage, name in there.items() if stage not in named]
    absent = sorted(stage for stage in named if stage not in there)
    lines = []
    if unnamed:
        remedy = "допишите их в [source.stages]"
        lines.append(Line("WARN", f"{what}: правила не знают стадий: {', '.join(unnamed)}", remedy))
    if absent:
        remedy = "исправьте [source.stages]"
        lines.append(Line("WARN", f"{what}: на портале нет стадий из правил: {', '.join(absent)}", remedy))
    return lines or [Line("OK", f"{what}: все известны правилам")]


def whose(source: SourceConfig) -> str:
    return "сделок" if source.kind is Kind.DEAL else f"смарт-процесса {source.entity_type}"


def stages_of(source: SourceConfig) -> str:
    """How a line of `check` calls a funnel's stages."""
    return f"стадии {whose(source)}, воронка {source.category}"


def directory_of(source: SourceConfig) -> str:
    """The status directory of a funnel (rest.md 4.4)."""
    if source.kind is Kind.DEAL:
        return f"DEAL_STAGE_{source.category}" if source.category else "DEAL_STAGE"
    return f"DYNAMIC_{source.entity_type}_STAGE_{source.category}"


async def kanban(client: Client, source: SourceConfig) -> Iterable[Line]:
    """The columns of a project, where the rules tell states by them."""
    named = {stage for stage in source.stages if stage.startswith("stage:")}
    if source.group is None or not named:
        return []
    answer = await client.call(Command("task.stages.get", {"entityId": source.group}))
    rows = [as_map(row) for row in as_list(answer.result)]
    there = {f"stage:{number(row.get('ID'))}" for row in rows}
    # A column that the rules leave out says nothing: the task's status does then.
    return _stages_lines(f"колонки проекта {source.group}", {}, named - there)


# --- history -----------------------------------------------------------------------------


async def history(client: Client, source: SourceConfig) -> Iterable[Line]:
    """Whether the newest item has the history from which pauses and returns are told."""
    where = place_of(source.crm_type)
    only = {} if source.category is None else {"categoryId": source.category}
    params = {
        "entityTypeId": source.crm_type,
        "select": ["id"],
        "filter": only,
        "order": {"id": "DESC"},
        "start": -1,
    }
    items = (await client.call(Command("crm.item.list", params))).rows("items")
    if not items:
        return [Line("OK", f"{where}: карточек пока нет, история стадий не проверена")]
    newest = number(items[0].get("id"))
    which = {"entityTypeId": source.crm_type, "filter": {"OWNER_ID": newest}, "order": {"ID": "ASC"}}
    if (await client.call(Command("crm.stagehistory.list", which))).rows("items"):
        return [Line("OK", f"{where}: история стадий читается")]
    remedy = "паузы и возвраты до первой записи не видны: проверьте, что у типа включены стадии"
    return [Line("WARN", f"{where}: у № {newest} нет истории стадий", remedy)]
