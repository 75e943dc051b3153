"""Everything the portal holds, in memory. One clock: the `now` it was given."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from .events import Events
from .oauth import OAuthServer
from .profile import Profile

Record = dict[str, Any]
Owner = tuple[int, int]


@dataclass(slots=True)
class User:
    """A person, or a bot as people see it."""

    id: int
    name: str
    last_name: str = ""
    second_name: str = ""
    email: str = ""
    position: str = ""
    admin: bool = False
    active: bool = True
    extranet: bool = False
    bot: bool = False
    connector: bool = False  # a client of an open line
    mail: bool = False  # takes part in tasks by e-mail, is no employee
    departments: tuple[int, ...] = (1,)
    time_zone: str = ""
    registered_at: datetime = datetime(2024, 1, 9, tzinfo=UTC)

    @property
    def full_name(self) -> str:
        return f"{self.name} {self.last_name}".strip()


@dataclass(slots=True)
class Department:
    """A department; `head` is UF_HEAD."""

    id: int
    name: str
    parent: int | None = None
    head: int | None = None
    sort: int = 500


@dataclass(slots=True)
class Category:
    """A funnel. The deals' general funnel is 0; smart processes have real ids."""

    id: int
    name: str
    entity_type: int
    sort: int
    default: bool


@dataclass(slots=True)
class Stage:
    """A row of a status directory; `semantics` is P, S or F."""

    id: int
    directory: str
    status: str
    name: str
    sort: int
    semantics: str
    system: bool = False
    color: str = "#39A8EF"
    category: int | None = None


@dataclass(slots=True)
class SmartType:
    """A smart process: `id` (fields belong to CRM_<id>) and `entity_type` are different numbers."""

    id: int
    entity_type: int
    title: str
    created_at: datetime


@dataclass(slots=True)
class Option:
    """One value of an enumeration."""

    id: int
    value: str
    xml_id: str
    sort: int = 100
    default: bool = False


@dataclass(slots=True)
class UserField:
    """A custom field of the entity CRM_DEAL, CRM_<type id> or TASKS_TASK."""

    id: int
    entity: str
    name: str
    type: str
    multiple: bool = False
    mandatory: bool = False
    xml_id: str | None = None
    sort: int = 100
    show_filter: str = "N"
    show_in_list: str = "Y"
    edit_in_list: str = "Y"
    searchable: str = "N"
    settings: Record = field(default_factory=dict)
    labels: dict[str, dict[str, str | None]] = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)


@dataclass(slots=True)
class HistoryRow:
    """Stage history: type 1 created, 2 intermediate, 3 final, 5 another funnel. It has no user."""

    id: int
    entity_type: int
    owner: int
    type: int
    at: datetime
    category: int
    semantics: str
    stage: str


@dataclass(slots=True)
class Comment:
    """A timeline comment."""

    id: int
    owner: Owner
    author: int
    text: str
    at: datetime
    files: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class Task:
    """A task: `fields` by UPPER_SNAKE name (instants as aware datetimes), user fields among them."""

    id: int
    fields: Record
    chat: int | None
    created_at: datetime
    changed_at: datetime
    status_at: datetime
    activity_at: datetime
    closed_at: datetime | None = None
    started_at: datetime | None = None
    changed_by: int = 0
    status_by: int | None = None
    closed_by: int | None = None
    versions: int = 1

    @property
    def members(self) -> set[int]:
        people = {self.fields["CREATED_BY"], self.fields["RESPONSIBLE_ID"]}
        return people | set(self.fields["AUDITORS"]) | set(self.fields["ACCOMPLICES"])


@dataclass(slots=True)
class TaskChange:
    """A line of a task's history: with the user, unlike the stage history."""

    id: int
    task: int
    at: datetime
    field: str
    old: str | None
    new: str | None
    user: int


@dataclass(slots=True)
class TaskComment:
    """A forum comment of the old card."""

    id: int
    task: int
    author: int
    text: str
    at: datetime


@dataclass(slots=True)
class Group:
    """A project with its kanban: stage id → title."""

    id: int
    name: str
    stages: dict[int, str]


@dataclass(slots=True)
class Chat:
    """A chat: a group's, a private one of two, or that of a task."""

    id: int
    title: str
    members: set[int]
    owner: int
    created_at: datetime
    private: bool = False
    entity_type: str = ""
    entity_id: str = ""
    description: str = ""

    @property
    def dialog(self) -> str:
        return f"chat{self.id}"


@dataclass(slots=True)
class Message:
    """A message; `edited` counts its changes."""

    id: int
    chat: int
    author: int
    text: str
    at: datetime
    system: bool = False
    edited: int = 0
    deleted: bool = False
    attach: Any = None
    keyboard: Any = None
    file: int | None = None
    params: Record = field(default_factory=dict)


@dataclass(slots=True)
class Notice:
    """A personal notice, outside the chats."""

    id: int
    user: int
    author: int
    text: str
    at: datetime
    tag: str = ""
    client: str = ""
    text_out: str = ""


@dataclass(slots=True)
class StoredFile:
    """A file sent to a chat."""

    id: int
    name: str
    content: bytes
    chat: int
    author: int
    at: datetime
    message: int = 0


@dataclass(slots=True)
class Bot:
    """A chat bot; its id is that of its user."""

    id: int
    code: str
    token: str
    type: str
    event_mode: str
    properties: Record


@dataclass(slots=True)
class Session:
    """A session of an open line: its chat, the item it belongs to, its client and operator."""

    id: int
    chat: int
    owner: Owner
    client: int
    agent: int
    connector: str
    closed: bool = False


@dataclass(slots=True)
class Binding:
    """A subscription by event.bind; without a handler it is an offline one."""

    id: int
    event: str
    handler: str
    user: int = 0  # whose tokens the events carry; 0: of whoever acted
    connector: str = ""
    pause: int = 1  # seconds between two ONOFFLINEEVENT
    told_at: datetime | None = None

    @property
    def offline(self) -> bool:
        return not self.handler


@dataclass(slots=True)
class Application:
    """A local application as this portal knows it."""

    id: int
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    install_url: str
    has_ui: bool
    installer: int
    application_token: str
    version: int = 1
    finished: bool = False  # installFinish was called; at once where there is no interface
    removed: bool = False
    paid: bool = True
    bindings: list[Binding] = field(default_factory=list)


@dataclass(slots=True)
class OfflineRow:
    """A change that an application has not fetched; reserved under `process`."""

    id: int
    at: datetime
    application: str
    event: str
    data: Record
    user: int
    connector: str
    message: str
    process: str = ""
    error: int = 0


FIRST_IDS = {"chat": 11, "message": 1001, "task": 201, "activity": 501, "option": 101, "userfield": 301,
             "session": 401}  # fmt: skip
"""Kinds start apart, so that an id of one kind taken for another is noticed."""


@dataclass(slots=True)
class World:
    """The tables of the portal."""

    now: Callable[[], datetime]
    profile: Profile
    random: Random
    events: Events
    users: dict[int, User] = field(default_factory=dict)
    departments: dict[int, Department] = field(default_factory=dict)
    categories: list[Category] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    types: dict[int, SmartType] = field(default_factory=dict)
    relations: list[tuple[int, int]] = field(default_factory=list)
    userfields: list[UserField] = field(default_factory=list)
    items: dict[int, dict[int, Record]] = field(default_factory=dict)
    bin: dict[Owner, Record] = field(default_factory=dict)
    stage_history: list[HistoryRow] = field(default_factory=list)
    activities: dict[int, Record] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    tasks: dict[int, Task] = field(default_factory=dict)
    task_history: list[TaskChange] = field(default_factory=list)
    task_comments: dict[int, TaskComment] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    sessions: dict[int, Session] = field(default_factory=dict)
    notices: dict[int, Notice] = field(default_factory=dict)
    files: dict[int, StoredFile] = field(default_factory=dict)
    bots: dict[int, Bot] = field(default_factory=dict)
    layouts: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    talk_queues: dict[int, list[Record]] = field(default_factory=dict)  # by user, once subscribed
    hidden: set[tuple[int | str, int]] = field(default_factory=set)
    hidden_categories: set[Owner] = field(default_factory=set)
    required: dict[tuple[int, str], list[str]] = field(default_factory=dict)
    robots: dict[int, list[Record]] = field(default_factory=dict)
    writes: Counter[tuple[int | str, int]] = field(default_factory=Counter)
    idle_writes: Counter[tuple[int | str, int]] = field(default_factory=Counter)
    unknown_fields: list[str] = field(default_factory=list)
    features: dict[str, str] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)  # by client_id
    offline: list[OfflineRow] = field(default_factory=list)
    oauth: OAuthServer = field(init=False)
    ids: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.oauth = OAuthServer(self.now, Random(1), self.applications)
        self.features |= dict.fromkeys(self.profile.features, "Y")

    def next_id(self, kind: str) -> int:
        self.ids[kind] = self.ids[kind] + 1 if kind in self.ids else FIRST_IDS.get(kind, 1)
        return self.ids[kind]

    def instant(self) -> datetime:
        """The portal's now; its database keeps whole seconds."""
        return self.now().astimezone(UTC).replace(microsecond=0)

    def count_write(self, kind: int | str, number: int, changed: bool) -> None:
        (self.writes if changed else self.idle_writes)[(kind, number)] += 1
