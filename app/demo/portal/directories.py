"""Funnels, stages, status directories and smart processes."""

from dataclasses import dataclass

from .fields import DEAL, LEAD
from .world import Category, Record, SmartType, Stage, World

StageRows = list[tuple[str, str, str]]

DEAL_STAGES: StageRows = [
    ("NEW", "Новая", "P"),
    ("PREPARATION", "Подготовка документов", "P"),
    ("PREPAYMENT_INVOICE", "Счёт на предоплату", "P"),
    ("EXECUTING", "В работе", "P"),
    ("FINAL_INVOICE", "Финальный счёт", "P"),
    ("WON", "Сделка успешна", "S"),
    ("LOSE", "Сделка провалена", "F"),
    ("APOLOGY", "Анализ причины провала", "F"),
]
LEAD_STAGES: StageRows = [
    ("NEW", "Не обработан", "P"),
    ("IN_PROCESS", "В работе", "P"),
    ("CONVERTED", "Качественный лид", "S"),
    ("JUNK", "Некачественный лид", "F"),
]
SMART_STAGES: StageRows = [
    ("NEW", "Начало", "P"),
    ("PREPARATION", "Подготовка", "P"),
    ("CLIENT", "Согласование", "P"),
    ("SUCCESS", "Успех", "S"),
    ("FAIL", "Провал", "F"),
]
PLAIN: dict[str, list[tuple[str, str]]] = {
    "SOURCE": [
        ("CALL", "Звонок"),
        ("EMAIL", "Электронная почта"),
        ("WEB", "Веб-сайт"),
        ("WEBFORM", "CRM-форма"),
        ("CALLBACK", "Обратный звонок"),
        ("PARTNER", "Существующий клиент"),
        ("OTHER", "Другое"),
    ],
    "DEAL_TYPE": [("SALE", "Продажа"), ("COMPLEX", "Комплексная"), ("SERVICE", "Сервисное обслуживание")],
    "CONTACT_TYPE": [("CLIENT", "Клиенты"), ("PARTNER", "Партнёры")],
    "COMPANY_TYPE": [("CUSTOMER", "Клиент"), ("PARTNER", "Партнёр")],
    "INDUSTRY": [("IT", "Информационные технологии"), ("OTHER", "Другое")],
    "EMPLOYEES": [("EMPLOYEES_1", "менее 50"), ("EMPLOYEES_2", "50–250")],
    "HONORIFIC": [("HNR_RU_1", "г-н"), ("HNR_RU_2", "г-жа")],
    "CALL_LIST": [("IN_WORK", "В работе"), ("SUCCESS", "Успешно")],
}
SEMANTICS = {"P": None, "S": "S", "F": "F"}
_EXTRA = {"P": "process", "S": "success", "F": "failure"}


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory of stages: its code, the prefix of its stage ids, whose funnel it is."""

    code: str
    prefix: str
    entity_type: int
    category: int

    def full(self, code: str) -> str:
        """A stage's full id; an id that is full already stays."""
        return code if not self.prefix or code.startswith(self.prefix) else f"{self.prefix}:{code}"


def directory_of(entity_type: int, category: int) -> Directory:
    if entity_type == LEAD:
        return Directory("STATUS", "", LEAD, 0)
    if entity_type == DEAL:
        tail = f"_{category}" if category else ""
        return Directory(f"DEAL_STAGE{tail}", f"C{category}" if category else "", DEAL, category)
    return Directory(
        f"DYNAMIC_{entity_type}_STAGE_{category}", f"DT{entity_type}_{category}", entity_type, category
    )


def add_funnel(world: World, entity_type: int, name: str, stages: StageRows, *, default: bool = False) -> int:
    """A new funnel with its stages; the number of the category. The deals' first funnel is 0."""
    general = entity_type == DEAL and default
    number = 0 if general else world.next_id("category")
    sort = 300 if general else 200 if entity_type == DEAL else 500
    world.categories.append(Category(number, name, entity_type, sort, default))
    fill(world, directory_of(entity_type, number), stages)
    return number


def fill(world: World, directory: Directory, stages: StageRows) -> None:
    owner = directory.category or None
    for place, (code, name, semantics) in enumerate(stages, 1):
        system = code in ("NEW", "WON", "LOSE", "SUCCESS", "FAIL", "CONVERTED", "JUNK")
        stage = Stage(
            world.next_id("status") + 100,
            directory.code,
            directory.full(code),
            name,
            place * 10,
            semantics,
            system,
        )
        stage.category = owner
        stage.color = {"P": "#39A8EF", "S": "#7BD500", "F": "#FF5752"}[semantics]
        world.stages.append(stage)


def fill_plain(world: World) -> None:
    """The directories that are no stages: sources, types and so on."""
    for code, rows in PLAIN.items():
        for place, (status, name) in enumerate(rows, 1):
            world.stages.append(Stage(world.next_id("status") + 100, code, status, name, place * 10, "P"))


def add_type(world: World, title: str, entity_type: int | None) -> SmartType:
    """A smart process. Its id, its entity type and its funnel's number are three different numbers."""
    number = entity_type or 177 + 7 * len(world.types)
    made = SmartType(world.next_id("type") + 36, number, title, world.instant())
    world.types[number] = made
    world.items[number] = {}
    add_funnel(world, number, "Общая", SMART_STAGES, default=True)
    return made


def categories_of(world: World, entity_type: int) -> list[Category]:
    mine = [one for one in world.categories if one.entity_type == entity_type]
    return sorted(mine, key=lambda one: (one.sort, one.id))


def default_category(world: World, entity_type: int) -> int:
    return next((one.id for one in categories_of(world, entity_type) if one.default), 0)


def stages_of(world: World, entity_type: int, category: int) -> list[Stage]:
    code = directory_of(entity_type, category).code
    return [one for one in world.stages if one.directory == code]


def find_stage(world: World, entity_type: int, category: int, code: str) -> Stage | None:
    full = directory_of(entity_type, category).full(code)
    return next((one for one in stages_of(world, entity_type, category) if one.status == full), None)


def status_row(stage: Stage) -> Record:
    """A row of crm.status.list."""
    extra = "apology" if stage.status.endswith("APOLOGY") else _EXTRA[stage.semantics]
    return {
        "ID": str(stage.id),
        "ENTITY_ID": stage.directory,
        "STATUS_ID": stage.status,
        "NAME": stage.name,
        "NAME_INIT": stage.name if stage.system else "",
        "SORT": str(stage.sort),
        "SYSTEM": "Y" if stage.system else "N",
        "CATEGORY_ID": None if stage.category is None else str(stage.category),
        "COLOR": stage.color,
        "SEMANTICS": SEMANTICS[stage.semantics],
        "EXTRA": {"SEMANTICS": extra, "COLOR": stage.color},
    }
