"""Reading many items of all kinds at once, in as few requests as the portal allows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.bitrix.client import Client, Clock
from app.bitrix.config import PortalConfig
from app.bitrix.crm_reading import CrmPlan, crm_plan, crm_readings, wanted_names
from app.bitrix.directory import Directory
from app.bitrix.errors import PortalError, Refused
from app.bitrix.kanban import Kanban
from app.bitrix.listing import Part, complete
from app.bitrix.results import Ask, Unread, unread
from app.bitrix.task_reading import (
    TaskPlan,
    comment_parts,
    kanban_questions,
    speakers,
    task_plan,
    task_reading,
)
from app.model import Gone, ItemRef, Kind, Lane, Reading

Told = Reading | Gone | Unread


class Reader:
    """Turns asks into complete readings."""

    def __init__(self, client: Client, config: PortalConfig, directory: Directory, clock: Clock) -> None:
        self._client, self._config, self._directory, self._clock = client, config, directory, clock
        self._kanban = Kanban(clock)

    async def read(self, asks: Sequence[Ask], lane: Lane) -> list[Told]:
        """A word about each ask, in order. One item's fault never spoils another's reading."""
        read_at = self._clock.now()
        told: dict[ItemRef, Told] = {}
        plans = [plan for kind in _types(asks) if (plan := await self._plan(kind, asks, told, read_at, lane))]
        if len(asks) == 1 and plans:  # a quiet portal: its client's name comes in the same request
            plans[0].guesses = self._directory.guessed_names(asks[0].ref)
        tasks = [task_plan(ask, self._config) for ask in asks if ask.ref.kind is Kind.TASK]
        await self._ask(plans, tasks, lane)
        for plan in plans:
            answers, stale = crm_readings(plan, self._config, self._directory, read_at)
            if stale:
                answers = await self._told_again(plan, answers, read_at, lane)
            told |= {answer.ref: answer for answer in answers if isinstance(answer.ref, ItemRef)}
        for task in tasks:
            told[task.ask.ref] = task_reading(task, self._config, self._directory, self._kanban, read_at)
        return [told[ask.ref] for ask in asks]

    async def _plan(
        self, crm_type: int, asks: Sequence[Ask], told: dict[ItemRef, Told], read_at: datetime, lane: Lane
    ) -> CrmPlan | None:
        """What to ask about one type; its items are told as unread when its fields cannot be learnt."""
        refs = [ask.ref for ask in asks if ask.ref.crm_type == crm_type]
        try:
            entity = await self._directory.entity(crm_type, lane)
        except PortalError as error:
            if isinstance(error, Refused) and crm_type not in self._config.crm_types:
                told |= {ref: Gone(ref, read_at) for ref in refs}  # an event about somebody else's process
            else:
                told |= {ref: unread(ref, error) for ref in refs}
            return None
        return crm_plan(entity, [ref.id for ref in refs], self._config)

    async def _ask(self, plans: Sequence[CrmPlan], tasks: Sequence[TaskPlan], lane: Lane) -> None:
        """Two rounds and sometimes three: what is known by number, and what the first answers name."""
        groups = [part for plan in plans for part in plan.parts()] + [task.parts() for task in tasks]
        await complete(self._client, groups, lane)
        for plan in plans:
            self._directory.learn_guessed(plan.guesses)
        further = [part for plan in plans for part in plan.further_parts()] + comment_parts(tasks)
        names = self._directory.unknown_names(wanted_names(plans))
        columns = kanban_questions(tasks, self._kanban)
        beside: list[Part] = [*names.parts, *columns.values()]
        await complete(self._client, [*further, *([part] for part in beside)], lane)
        self._directory.learn_names(names)
        self._kanban.learn(columns)
        await self._ask_who(tasks, lane)

    async def _ask_who(self, tasks: Sequence[TaskPlan], lane: Lane) -> None:
        """The third round, seldom: writers of comments whom nobody has told us of."""
        if asked := self._directory.strangers(speakers(tasks)):
            await complete(self._client, [[part] for part in asked.values()], lane)
            self._directory.learn_strangers(asked)

    async def _told_again(
        self, plan: CrmPlan, before: list[Told], read_at: datetime, lane: Lane
    ) -> list[Told]:
        """The same rows read with the fields learnt anew: somebody added an option to a list."""
        try:
            plan.entity = await self._directory.entity(plan.entity.crm_type, lane, stale=True)
        except PortalError:
            return before
        return crm_readings(plan, self._config, self._directory, read_at)[0]


def _types(asks: Sequence[Ask]) -> list[int]:
    return list(dict.fromkeys(ask.ref.crm_type for ask in asks if ask.ref.kind is not Kind.TASK))
