"""Stamps and messages written together, fifty commands to a request, each with its own outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.bitrix.client import Client
from app.bitrix.config import PortalConfig
from app.bitrix.directory import Directory
from app.bitrix.errors import PortalError
from app.bitrix.fields import Entity, UnknownOption
from app.bitrix.rest3 import TaskVoice, is_task_word
from app.bitrix.results import MessageWork, StampWork, Unwritten, Work, Written, unwritten
from app.bitrix.sighting import TOGETHER, is_known, look, sighted
from app.bitrix.stamping import (
    crm_stamp,
    crm_stamped,
    missing,
    task_stamp,
    task_stamped,
    without_fields,
    without_option,
)
from app.bitrix.voice import Voice, card_or_person_command, is_chat, said
from app.bitrix.watching import Watcher, is_wish
from app.bitrix.wire import Answer, Group, Told
from app.model import Kind, Lane

Outcome = Written | Unwritten


@dataclass(frozen=True, slots=True)
class Prepared:
    """A work's commands, and the fields' names that they were made with."""

    work: Work
    group: Group
    entity: Entity | None = None


@dataclass(frozen=True, slots=True)
class Trip:
    """Commands that travel in one request: one work's own, or many cards behind a look at them."""

    group: Group
    places: Sequence[int]
    looks: bool = False

    def told(self, answers: Sequence[Told]) -> Iterator[tuple[int, list[Told]]]:
        """(place, its answers)."""
        if not self.looks:
            yield self.places[0], list(answers)
            return
        first, *rest = answers
        yield from ((place, [first, one]) for place, one in zip(self.places, rest, strict=True))


def _trips(ready: Sequence[Prepared]) -> Iterator[Trip]:
    behind: dict[int, list[int]] = {}
    for place, one in enumerate(ready):
        if one.entity and isinstance(one.work, StampWork) and is_known(one.work):
            behind.setdefault(one.entity.crm_type, []).append(place)
        else:
            yield Trip(one.group, [place])
    for places in behind.values():
        for start in range(0, len(places), TOGETHER):
            yield _behind_a_look(ready, places[start : start + TOGETHER])


def _behind_a_look(ready: Sequence[Prepared], places: Sequence[int]) -> Trip:
    works = [work for place in places if isinstance(work := ready[place].work, StampWork)]
    entity = ready[places[0]].entity
    assert entity is not None, "only cards of the CRM are looked at"
    commands = [command for place in places for command in ready[place].group]
    return Trip([look(entity, works), *commands], places, looks=True)


class Writer:
    """Carries out works. In a dry run it refuses them all."""

    def __init__(
        self,
        client: Client,
        config: PortalConfig,
        directory: Directory,
        voice: Voice,
        task_voice: TaskVoice,
    ) -> None:
        self._client, self._config, self._directory, self._voice = client, config, directory, voice
        self._task_voice, self._watcher = task_voice, Watcher(client, directory)

    async def write(self, works: Sequence[Work], lane: Lane) -> list[Outcome]:
        """What became of each work, in order; never raises."""
        if self._config.dry_run:
            return [Unwritten("B24SLA_DRY_RUN: в портал ничего не пишется", final=True)] * len(works)
        words = [work for work in works if is_task_word(work)]
        wishes = [work for work in works if is_wish(work)]
        others = [work for work in works if not (is_task_word(work) or is_wish(work))]
        told = await asyncio.gather(
            self._task_voice.say(words, lane),
            self._watcher.watch(wishes, lane),
            self._write_together(others, lane),
        )
        of_words, of_wishes, of_others = map(iter, told)
        return [
            next(of_words if is_task_word(work) else of_wishes if is_wish(work) else of_others)
            for work in works
        ]

    async def _write_together(self, works: Sequence[Work], lane: Lane) -> list[Outcome]:
        prepared = [await self._prepared(work, lane) for work in works]
        told = iter(await self._sent([one for one in prepared if isinstance(one, Prepared)], lane))
        outcomes: list[Outcome] = []
        repeated: list[int] = []
        for place, one in enumerate(prepared):
            answers = next(told) if isinstance(one, Prepared) else []
            if isinstance(one, Prepared) and self._must_repeat(one, answers):
                repeated.append(place)
            outcomes.append(await self._outcome(one, answers, lane) if isinstance(one, Prepared) else one)
        await self._repeat(works, repeated, outcomes, lane)
        return outcomes

    async def _sent(self, ready: Sequence[Prepared], lane: Lane) -> list[list[Told]]:
        """The answers to each; those of known cards begin with what stood on them before."""
        trips = list(_trips(ready))
        answers = await self._client.run([trip.group for trip in trips], lane)
        told = {
            place: own for trip, some in zip(trips, answers, strict=True) for place, own in trip.told(some)
        }
        return [told[place] for place in range(len(ready))]

    async def _prepared(self, work: Work, lane: Lane) -> Prepared | Unwritten:
        try:
            if isinstance(work, MessageWork):
                return await self._message(work, lane)
            if work.ref.kind is Kind.TASK:
                return Prepared(work, task_stamp(work, self._config))
            return await self._card(work, lane)
        except PortalError as error:
            return unwritten(error)
        except ValueError as fault:
            return Unwritten(str(fault), final=True)

    async def _message(self, work: MessageWork, lane: Lane) -> Prepared:
        if not is_chat(work.message):
            return Prepared(work, [card_or_person_command(work)])
        await self._voice.enter(work.message.to, lane)
        return Prepared(work, [self._voice.command(work)])

    async def _card(self, work: StampWork, lane: Lane) -> Prepared | Unwritten:
        """The command of a card's stamp; fields and options are learnt again when one is missing."""
        entity = await self._directory.entity(work.ref.crm_type, lane)
        if missing(work.wanted, entity.names):
            entity = await self._directory.entity(work.ref.crm_type, lane, stale=True)
        if not entity.names.keys() & work.wanted.keys():
            return without_fields(work.wanted)
        try:
            return Prepared(work, crm_stamp(work, entity), entity)
        except UnknownOption:
            entity = await self._directory.entity(work.ref.crm_type, lane, stale=True)
        try:
            return Prepared(work, crm_stamp(work, entity), entity)
        except UnknownOption as option:
            return without_option(str(option))

    def _must_repeat(self, one: Prepared, told: Sequence[Told]) -> bool:
        work = one.work
        return (
            isinstance(work, MessageWork) and is_chat(work.message) and self._voice.must_repeat(work, told[0])
        )

    async def _repeat(
        self, works: Sequence[Work], places: Sequence[int], outcomes: list[Outcome], lane: Lane
    ) -> None:
        """Say as the webhook's user what the bot was refused."""
        again = [work for place in places if isinstance(work := works[place], MessageWork)]
        told = (
            await self._client.run_each([self._voice.command(work) for work in again], lane) if again else []
        )
        for place, work, one in zip(places, again, told, strict=True):
            outcomes[place] = said(work, one)

    async def _outcome(self, one: Prepared, told: Sequence[Told], lane: Lane) -> Outcome:
        work = one.work
        if isinstance(work, MessageWork):
            return said(work, told[0])
        if one.entity is None:
            return task_stamped(work, self._config, told[0], told[1])
        *looked, answer = told
        outcome = crm_stamped(work, one.entity, answer)
        if isinstance(answer, Answer) and isinstance(outcome, Unwritten) and outcome.final:
            return await self._explained(work, one.entity, outcome, lane)
        if isinstance(outcome, Written) and looked:
            return replace(outcome, sighted=sighted(work, one.entity, looked[0]))
        return outcome

    async def _explained(self, work: StampWork, entity: Entity, outcome: Unwritten, lane: Lane) -> Outcome:
        """Fields that did not take their values: perhaps they are there no longer."""
        try:
            entity = await self._directory.entity(entity.crm_type, lane, stale=True)
        except PortalError:
            return outcome
        gone = missing(work.wanted, entity.names)
        return without_fields(gone) if gone else outcome
