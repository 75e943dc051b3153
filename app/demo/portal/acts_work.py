"""What people do with tasks and in chats, for tests and the scripted day."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from . import talk, tasklife, taskrows
from .events import Cause
from .world import Chat, Department, Group, Record, Task, User, World


class WorkActs:
    """Part of EmulatedPortal: people, projects, tasks, chats."""

    world: World

    def add_user(  # noqa: PLR0913 - a card has as many blanks
        self,
        name: str,
        last_name: str,
        id: int | None = None,
        *,
        admin: bool = False,
        active: bool = True,
        extranet: bool = False,
        department: int | None = None,
        email: str = "",
        position: str = "",
        mail: bool = False,
    ) -> int:
        """A person. ONUSERADD comes at his first login, not here (see `log_in`)."""
        made = id or max([*self.world.users, 9]) + 1
        address = email or f"user{made}@example.com"
        user = User(made, name, last_name, email=address, position=position, admin=admin, active=active)
        user.extranet, user.mail, user.departments = extranet, mail, (department or 1,)
        self.world.users[made] = user
        return made

    def set_user(self, number: int, **attributes: Any) -> None:
        """Change attributes of a person: active=False when he leaves, admin=…"""
        for name, value in attributes.items():
            setattr(self.world.users[number], name, value)

    def log_in(self, number: int) -> None:
        """The first login of an invited person."""
        user = self.world.users[number]
        data = {
            "ID": user.id, "ACTIVE": "Y", "EMAIL": user.email, "NAME": user.name, "LAST_NAME": user.last_name,
            "PERSONAL_GENDER": "", "PERSONAL_BIRTHDAY": "", "UF_DEPARTMENT": list(user.departments),
            "DATE_REGISTER": user.registered_at.isoformat(), "WORK_POSITION": user.position,
            "UF_EMPLOYMENT_DATE": "",
        }  # fmt: skip
        self.world.events.raise_event("ONUSERADD", data)

    def add_department(self, name: str, head: int | None = None, parent: int | None = None) -> int:
        made = Department(self.world.next_id("department"), name, parent, head)
        self.world.departments[made.id] = made
        return made.id

    def add_project(self, name: str, stages: Iterable[str] = ("Новые", "Выполняются", "Сделаны")) -> int:
        """A project with a kanban."""
        kanban = {self.world.next_id("kanban") + 20: title for title in stages}
        made = Group(self.world.next_id("group") + 4, name, kanban)
        self.world.groups[made.id] = made
        return made.id

    def project_stages(self, group: int) -> dict[int, str]:
        return dict(self.world.groups[group].stages)

    def add_task(  # noqa: PLR0913 - a card has as many blanks
        self,
        title: str,
        description: str = "",
        *,
        created_by: int,
        responsible: int,
        group: int | None = None,
        deadline: datetime | None = None,
        crm: Iterable[str] = (),
        auditors: Iterable[int] = (),
        accomplices: Iterable[int] = (),
        fields: Mapping[str, Any] = {},
        card: str = "",
    ) -> int:
        """A task; `crm` are codes such as D_10 or T80_6. In a project it starts in the first kanban stage.

        `card`: chat or comments, where it differs from the portal's usual one.
        """
        stage = next(iter(self.world.groups[group].stages), 0) if group else 0
        written: Record = {
            "TITLE": title, "DESCRIPTION": description, "CREATED_BY": created_by,
            "RESPONSIBLE_ID": responsible,
            "GROUP_ID": group or 0, "STAGE_ID": stage, "DEADLINE": deadline, "UF_CRM_TASK": list(crm),
            "AUDITORS": list(auditors), "ACCOMPLICES": list(accomplices), **fields,
        }  # fmt: skip
        return tasklife.create(self.world, written, created_by, card).id

    def _task(self, number: int) -> Task:
        return self.world.tasks[number]

    def update_task(self, number: int, fields: Mapping[str, Any], by: int) -> bool:
        """A person changes a task by UPPER_SNAKE fields; False when nothing changed."""
        with self.world.events.hit():
            return tasklife.update(self.world, self._task(number), fields, by)

    def set_status(self, number: int, status: int, by: int) -> bool:
        """2 waiting, 3 in progress, 4 awaiting control, 5 completed, 6 postponed."""
        return self.update_task(number, {"STATUS": status}, by)

    def move_task(self, number: int, stage: int, by: int) -> bool:
        return self.update_task(number, {"STAGE_ID": stage}, by)

    def task_message(self, number: int, text: str, by: int) -> int:
        """A word in the task: a chat message (new card) or a comment (old one); answers its number."""
        with self.world.events.hit():
            return tasklife.comment(self.world, self._task(number), text, by)

    def edit_task_message(self, number: int, text: str) -> None:
        """A word in a task is changed by its author: a comment of the old card, a message of the new one."""
        with self.world.events.hit():
            if number in self.world.task_comments:
                tasklife.edit_comment(self.world, self.world.task_comments[number], text)
            else:
                talk.edit(self.world, self.world.messages[number], text, None, None)

    def delete_task_message(self, number: int) -> None:
        with self.world.events.hit():
            if number in self.world.task_comments:
                tasklife.delete_comment(self.world, self.world.task_comments[number])
            else:
                talk.delete(self.world, self.world.messages[number])

    def task_dialog(self, number: int) -> str:
        """The dialog of a task's chat; empty for a task without one."""
        chat = self._task(number).chat
        return f"chat{chat}" if chat is not None else ""

    def task_words(self, number: int) -> list[tuple[int, str]]:
        """(author, text) of what people and robots said in a task, oldest first; system lines left out."""
        chat = self._task(number).chat
        if chat is None:
            rows = [one for one in self.world.task_comments.values() if one.task == number]
            return [(one.author, one.text) for one in rows]
        said = talk.messages_of(self.world, self.world.chats[chat])
        return [(one.author, one.text) for one in said if not (one.system or one.deleted)]

    def delete_task(self, number: int, by: int) -> None:
        with self.world.events.hit(Cause(by)):
            tasklife.delete(self.world, self._task(number))

    def task(self, number: int) -> Record:
        """A task as tasks.task.get answers it, user fields by their original names as kept."""
        task = self._task(number)
        own = {name: task.fields.get(name) for name in tasklife.user_fields(self.world)}
        return taskrows.shown(self.world, task) | own | {"ufCrmTask": task.fields["UF_CRM_TASK"]}

    # chats

    def add_chat(self, title: str, users: Iterable[int], owner: int | None = None) -> str:
        """A group chat; answers its dialog, such as chat12."""
        members = set(users)
        return talk.add_chat(self.world, title, members, owner or min(members, default=1)).dialog

    def add_to_chat(self, dialog: str, users: Iterable[int]) -> None:
        self._chat(dialog).members |= set(users)

    def remove_from_chat(self, dialog: str, users: Iterable[int]) -> None:
        self._chat(dialog).members -= set(users)

    def say(self, dialog: str, text: str, by: int) -> int:
        return talk.say(self.world, self._chat(dialog), by, text).id

    def _chat(self, dialog: str) -> Chat:
        return self.world.chats[int(dialog.removeprefix("chat"))]

    def private_dialog(self, one: int, other: int) -> str | None:
        """The dialog of the private chat of two, if they have talked."""
        found = (chat for chat in self.world.chats.values() if chat.private and chat.members == {one, other})
        return next((chat.dialog for chat in found), None)

    def messages(self, dialog: str) -> list[Record]:
        """Messages of a dialog, oldest first; `edited` counts the changes."""
        return [
            {
                "id": one.id, "author": one.author, "text": one.text, "edited": one.edited,
                "attach": one.attach,
                "keyboard": one.keyboard, "file": one.file, "deleted": one.deleted, "system": one.system,
                "at": one.at,
            }
            for one in talk.messages_of(self.world, self._chat(dialog))
        ]  # fmt: skip

    def notices(self, user: int) -> list[Record]:
        """Notices of a person that are there, oldest first."""
        rows = [one for one in self.world.notices.values() if one.user == user]
        return [
            {
                "id": one.id,
                "text": one.text,
                "tag": one.tag,
                "author": one.author,
                "client": one.client,
                "at": one.at,
            }
            for one in rows
        ]

    def files(self, dialog: str) -> list[Record]:
        chat = self._chat(dialog)
        rows = [one for one in self.world.files.values() if one.chat == chat.id]
        return [
            {
                "id": one.id, "name": one.name, "content": one.content, "author": one.author,
                "message_id": one.message, "text": self.world.messages[one.message].text,
            }
            for one in rows
        ]  # fmt: skip
