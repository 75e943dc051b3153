"""Tasks read many at once: the task, its log, its talk (rest.md 5).

The chat's id is known only from the task: at the first reading the talk refers to the task's
answer within the same request, later the cursor holds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.bitrix.config import PortalConfig
from app.bitrix.directory import Directory
from app.bitrix.errors import Misconfigured, PortalError, Refused, RetryLater
from app.bitrix.items import Unlike
from app.bitrix.kanban import Columns, Kanban
from app.bitrix.listing import Part, Row, Single
from app.bitrix.results import Ask, Unread, unread
from app.bitrix.speech import TaskRoles, chat_utterance, comment_utterance, outsiders_of
from app.bitrix.talk import Talk
from app.bitrix.tasks import (
    chat_of,
    kanban_titles,
    members_of,
    says_no_task,
    task_card,
    task_moves,
    task_of,
    task_select,
)
from app.bitrix.wire import PAGE, Command, From, number
from app.model import Gone, Kind, Reading, Utterance

UNREADABLE = ("replies_unreadable",)
OVERHEARD = ("outsiders_read",)  # not everybody who reads the task is known as an employee
SINCE_CURSOR = ("utterances_since_cursor",)


@dataclass(slots=True)
class TaskPlan:
    """The parts of one task's reading."""

    ask: Ask
    task: Single
    log: Single
    talk: Talk
    comments: Single | None = None  # the old card: a forum instead of a chat
    project: Single | None = None  # the columns of its kanban, where they were asked for

    def parts(self) -> list[Part]:
        """In this order: the talk refers to the task two places before it."""
        return [self.task, self.log, self.talk]

    @property
    def row(self) -> Row | None:
        return task_of(self.task.answer.result) if self.task.answer else None

    @property
    def history(self) -> list[Row]:
        return self.log.answer.rows("list") if self.log.answer else []

    @property
    def group(self) -> int:
        return number(self.row.get("groupId")) if self.row else 0

    @property
    def chat(self) -> int:
        return chat_of(self.row) if self.row else 0


def task_plan(ask: Ask, config: PortalConfig) -> TaskPlan:
    """What to ask for; nothing is sent yet."""
    task = Single(Command("tasks.task.get", {"taskId": ask.ref.id, "select": task_select(config)}))
    asked = {"taskId": ask.ref.id, "order": {"createdDate": "asc"}}
    log = Single(Command("tasks.task.history.list", asked), ("list",))
    chat = ask.cursor.get("chat", 0)
    dialog = f"chat{chat}" if chat else From(2, "[task][chatId]", "chat")
    return TaskPlan(ask, task, log, Talk(dialog, ask.cursor.get("message", 0)))


def comment_parts(plans: Sequence[TaskPlan]) -> list[list[Part]]:
    """The forums of tasks that have no chat."""
    old = [plan for plan in plans if plan.row and not plan.chat]
    for plan in old:
        # Positional: TASKID is the first parameter (rest.md 1.2).
        plan.comments = Single(Command("task.commentitem.getlist", {"TASKID": plan.ask.ref.id}), ())
    return [[plan.comments] for plan in old if plan.comments]


def kanban_questions(plans: Sequence[TaskPlan], kanban: Kanban) -> dict[int, Single]:
    """The projects whose columns must be known to read these tasks' logs."""
    titles: dict[int, set[str]] = {}
    for plan in plans:
        titles.setdefault(plan.group, set()).update(kanban_titles(plan.history))
    asked = kanban.questions(titles)
    for plan in plans:
        plan.project = asked.get(plan.group)
    return asked


def speakers(plans: Sequence[TaskPlan]) -> set[int]:
    """Who wrote comments of the old card, which does not tell employees from others."""
    rows = [
        row for plan in plans if plan.comments and plan.comments.answer for row in plan.comments.answer.rows()
    ]
    return {number(row.get("AUTHOR_ID")) for row in rows} - {0}


def task_reading(
    plan: TaskPlan, config: PortalConfig, directory: Directory, kanban: Kanban, read_at: datetime
) -> Reading | Gone | Unread:
    """A word about the task."""
    ref, row = plan.ask.ref, plan.row
    if plan.task.error:
        return unread(ref, plan.task.error)
    if row is None and plan.task.answer and not says_no_task(plan.task.answer.result):
        return unread(ref, PortalError("unreadable", "вместо задачи пришло непонятное"))
    if row is None:
        return Gone(ref, read_at)
    if error := _missing(plan):
        return unread(ref, error)
    try:
        said, notes = _said(plan, row, directory, read_at)
        notes += () if directory.are_employees(members_of(row)) else OVERHEARD
        return _reading(plan, row, said, notes, config, kanban.columns(plan.group), read_at)
    except PortalError as error:
        return unread(ref, error)
    except (Unlike, ArithmeticError, LookupError, TypeError, ValueError) as fault:
        return unread(ref, Refused("unreadable", str(fault)))


def _missing(plan: TaskPlan) -> PortalError | None:
    """A part that may come later. Columns that we may not see are none: the task tells where it stands."""
    project = plan.project.error if plan.project else None
    return plan.log.error or (project if isinstance(project, RetryLater) else None)


def _reading(
    plan: TaskPlan,
    row: Row,
    said: tuple[Utterance, ...],
    notes: tuple[str, ...],
    config: PortalConfig,
    columns: Columns,
    read_at: datetime,
) -> Reading:
    if plan.log.answer and plan.log.answer.next is not None:
        raise Refused("paging", "журнал задачи пришёл не весь", method="tasks.task.history.list")
    return Reading(
        ref=plan.ask.ref,
        read_at=read_at,
        card=task_card(row, plan.history, config, said),
        moves=task_moves(row, plan.history, columns, _named_stages(config, plan.group)),
        utterances=said,
        notes=notes,
        cursor=_cursor(plan),
    )


def _named_stages(config: PortalConfig, group: int) -> frozenset[str]:
    """The statuses and kanban stages that the rules name for a project."""
    sources = [s for s in config.sources if s.kind is Kind.TASK and s.group in {None, group or None}]
    return frozenset(stage for source in sources for stage in source.stages)


def _cursor(plan: TaskPlan) -> dict[str, int]:
    """The chat; of a long one also its last message, so that it is not read whole every time."""
    if not plan.chat:
        return {}
    newest = max(plan.talk.messages, default=plan.talk.after)
    is_long = plan.talk.after or len(plan.talk.messages) > PAGE
    return {"chat": plan.chat, "message": newest} if is_long else {"chat": plan.chat}


def _said(
    plan: TaskPlan, row: Row, directory: Directory, read_at: datetime
) -> tuple[tuple[Utterance, ...], tuple[str, ...]]:
    """The talk and notes. Raises PortalError when it may come later."""
    part = plan.talk if plan.chat else plan.comments
    error = part.error if part else None
    if isinstance(error, RetryLater):
        raise error
    if isinstance(error, Refused | Misconfigured) or part is None:
        return (), UNREADABLE  # we are no member of the chat, or the forum's methods are dead
    if error:
        raise error
    if isinstance(part, Talk):
        return _chat_said(part, row, directory), SINCE_CURSOR if part.after else ()
    if directory.strangers(speakers([plan])):
        raise RetryLater("user.get", "не известно, кто из писавших сотрудник", at=read_at)
    return _forum_said(part, row, directory), ()


def _chat_said(talk: Talk, row: Row, directory: Directory) -> tuple[Utterance, ...]:
    outsiders, bots = outsiders_of(talk.users.values())
    roles = _roles(row, directory, outsiders, bots)
    said = [chat_utterance(message, roles) for _, message in sorted(talk.messages.items())]
    return tuple(spoken for spoken in said if spoken)


def _forum_said(comments: Single, row: Row, directory: Directory) -> tuple[Utterance, ...]:
    roles = _roles(row, directory, frozenset(), frozenset())
    rows: list[Mapping[str, object]] = list(comments.answer.rows()) if comments.answer else []
    said = [comment_utterance(comment, roles) for comment in rows]
    return tuple(spoken for spoken in said if spoken)


def _roles(row: Row, directory: Directory, outsiders: frozenset[int], bots: frozenset[int]) -> TaskRoles:
    return TaskRoles(
        author=number(row.get("createdBy")) or None,
        responsible=number(row.get("responsibleId")) or None,
        robots=directory.robots,
        outsiders=outsiders | directory.outsiders,
        bots=bots,
    )
