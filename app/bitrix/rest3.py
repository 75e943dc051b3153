"""What the service says in a task: by REST 3.0 where the portal has it, else as before (rest.md 5.3).

Version 3 speaks once under an Idempotency-Key, so a repeat after a timeout is not heard twice, also where
we may not read the chat. It takes a request a word; so only a few go at a time, and the rest wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeGuard

from app.bitrix.client import Client, Clock
from app.bitrix.errors import Misconfigured, PortalError, Refused, RetryLater
from app.bitrix.results import MessageWork, Unwritten, Work, Written, unnumbered, unwritten
from app.bitrix.tasks import chat_of, task_of
from app.bitrix.wire import Answer, Command, From, Group, Told, as_list, as_map, number, unlisted
from app.model import ItemRef, Kind, Lane, MessageKind

SEND = "tasks.task.chat.message.send"
SINGLY = 4  # words of one pass by version 3
ABSENT = timedelta(hours=1)  # how long a portal without it is not asked again
REUSED = "IDEMPOTENCYKEYREUSED"  # said under this key already, in other words
SEARCHED = 50  # how far back a word of unknown fate is looked for

Outcome = Written | Unwritten


def is_task_word(work: Work) -> TypeGuard[MessageWork]:
    """Whether it is said in a task's card."""
    if not isinstance(work, MessageWork) or work.message.kind is not MessageKind.TIMELINE:
        return False
    return _ref(work).kind is Kind.TASK


class TaskVoice:
    """Speaks in tasks of both cards, remembering whether the portal has REST 3.0."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._absent_until: datetime | None = None

    async def say(self, works: Sequence[MessageWork], lane: Lane) -> list[Outcome]:
        """What became of each word, in order; never raises."""
        if not works:
            return []
        if self._is_absent():
            return await self._say_as_before(works, lane)
        now, room = self._clock.now(), self._client.budget.wait(Lane.SWEEP, self._clock.now())
        first = works[:SINGLY] if room <= timedelta(0) else []
        told = await asyncio.gather(*(self._say_once(work) for work in first))
        later = [Unwritten("ждёт своей очереди", retry_at=now + room) for _ in works[len(first) :]]
        outcomes = [said_once(one) for one in told]
        refused = [place for place, one in enumerate(told) if _is_refusal(one)]
        again = await self._say_as_before([works[place] for place in refused], lane)
        for place, outcome in zip(refused, again, strict=True):
            outcomes[place] = outcome
        return [*outcomes, *later]

    def _is_absent(self) -> bool:
        return self._absent_until is not None and self._clock.now() < self._absent_until

    async def _say_once(self, work: MessageWork) -> Told:
        fields = {"taskId": _ref(work).id, "text": work.message.text}
        try:
            return await self._client.call_3(
                Command(SEND, {"fields": fields}), Lane.SWEEP, once=key_of(work.message.key)
            )
        except Misconfigured as error:  # no such method here, or no scope «tasks»
            self._absent_until = self._clock.now() + ABSENT
            return error
        except PortalError as error:
            return error

    async def _say_as_before(self, works: Sequence[MessageWork], lane: Lane) -> list[Outcome]:
        """As a comment, which both cards take; where that is refused, as a message in the chat."""
        if not works:
            return []
        told = await self._client.run_each([_comment(work) for work in works], lane)
        refused = [place for place, one in enumerate(told) if _is_refusal(one)]
        answers = await self._client.run([_chat_message(works[place]) for place in refused], lane)
        for place, answer in zip(refused, answers, strict=True):
            told[place] = answer[-1]
        return [said_before(one) for one in told]

    async def find(self, ref: ItemRef, text: str, lane: Lane) -> int | None:
        """Our last word of this text; None also where version 3 sees to it. Raises PortalError."""
        [told] = await self._client.run([_looking(ref)], lane)
        task = task_of(told[0].result) if isinstance(told[0], Answer) else None
        in_chat = bool(task and chat_of(task))
        rows = told[1] if in_chat else told[2]
        if isinstance(told[0], PortalError):
            raise told[0]
        if isinstance(rows, Answer):
            if error := unlisted(rows, *(("messages",) if in_chat else ())):
                raise error
            return _found(rows, text)
        if isinstance(rows, RetryLater) or not await self._is_there(lane):
            raise rows
        return None

    async def _is_there(self, lane: Lane) -> bool:
        if self._is_absent():
            return False
        try:
            await self._client.call_3(Command("rest.scope.list"), lane)
        except Misconfigured:
            self._absent_until = self._clock.now() + ABSENT
            return False
        return True


def key_of(message_key: str) -> str:
    """The Idempotency-Key of a message: printable, short, the same after a restart."""
    return f"b24sla-{sha256(message_key.encode()).hexdigest()[:40]}"


def said_once(told: Told) -> Outcome:
    """Version 3 gives no number of the message."""
    if isinstance(told, Answer):
        return Written()
    return Written() if REUSED in told.code.upper() else unwritten(told)


def said_before(told: Told) -> Outcome:
    """Comments and messages have a number; without one nothing was said."""
    if isinstance(told, PortalError):
        return unwritten(told)
    found = number(told.result)
    return Written(portal_id=found) if found else unnumbered(told.result)


def _ref(work: MessageWork) -> ItemRef:
    return work.message.ref or ItemRef.parse(work.message.to)


def _is_refusal(told: Told) -> bool:
    return isinstance(told, Refused | Misconfigured) and REUSED not in told.code.upper()


def _comment(work: MessageWork) -> Command:
    # Positional: the task is the first parameter, the fields are the second (rest.md 1.2).
    return Command(
        "task.commentitem.add", {"TASKID": _ref(work).id, "FIELDS": {"POST_MESSAGE": work.message.text}}
    )


def _chat_message(work: MessageWork) -> Group:
    message = {"DIALOG_ID": From(1, "[task][chatId]", "chat"), "MESSAGE": work.message.text}
    return [_task(_ref(work)), Command("im.message.add", message)]


def _looking(ref: ItemRef) -> Group:
    """The task, its chat's last messages, and the comments of the old card: one of the two is refused."""
    messages = {"DIALOG_ID": From(1, "[task][chatId]", "chat"), "LIMIT": SEARCHED}
    return [
        _task(ref),
        Command("im.dialog.messages.get", messages),
        Command("task.commentitem.getlist", {"TASKID": ref.id}),
    ]


def _task(ref: ItemRef) -> Command:
    return Command("tasks.task.get", {"taskId": ref.id, "select": ["ID", "CHAT_ID"]})


def _found(answer: Answer, text: str) -> int | None:
    rows = [as_map(row) for row in as_list(as_map(answer.result).get("messages") or answer.result)]
    ids = [
        number(row.get("id") or row.get("ID"))
        for row in rows
        if text in str(row.get("text") or row.get("POST_MESSAGE") or "")
    ]
    return max(ids, default=None)
