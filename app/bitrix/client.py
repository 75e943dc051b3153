"""The road to the portal: the only network code of the service.

One POST of JSON per request, at most fifty commands in each. Before a request it waits for its
lane's share of the rate bucket; a command whose method has worked too long is not sent at all.
The webhook's address holds a secret: it is never logged, and neither are parameters or answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import httpx

from app.bitrix.access import Access, Key, renamed_to
from app.bitrix.budget import Budget
from app.bitrix.errors import (
    LATER,
    MethodResting,
    Misconfigured,
    NotOurTurn,
    PortalError,
    RetryLater,
    ShutOut,
    TokenExpired,
    TooFast,
)
from app.bitrix.limits import AUTO, LONGEST, SHARE
from app.bitrix.oauth import NoKey
from app.bitrix.times import of_unix
from app.bitrix.troubles import OPENED, Shut, Troubles, begun, ended, kind_of
from app.bitrix.wire import BATCH, Answer, Command, Group, Told, batch_params, read_answer, read_batch
from app.model import Lane

TIMEOUT = httpx.Timeout(30.0, connect=10.0, read=70.0)  # the cloud cuts a request at 60 s (rest.md 1.5)
AT_ONCE = 4  # requests under way; more would only queue at the portal
TRIES = 5  # of a request that the rate limit refused, and which was therefore not executed
USER_AGENT = "b24sla/1"

Transport = httpx.AsyncBaseTransport
Pack = list[tuple[int, Group]]
"""Groups of one request, each with its place among all."""
Turn = Callable[[], Awaitable[bool]]

log = logging.getLogger(__name__)
# httpx tells the whole address of each request at INFO, and ours is a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)


class Clock(Protocol):
    """Where `now` and waiting come from."""

    def now(self) -> datetime: ...
    async def sleep(self, length: timedelta) -> None: ...


@dataclass(slots=True)
class Traffic:
    """What has gone over the road, for metrics and /readyz."""

    requests: int = 0
    commands: Counter[str] = field(default_factory=Counter)  # by method
    errors: Counter[str] = field(default_factory=Counter)  # by code
    waited: timedelta = timedelta(0)
    last_ok_at: datetime | None = None
    offset: timedelta = timedelta(0)  # the portal's clock minus ours


class Client:
    """Calls of one portal, through a webhook or as an application."""

    def __init__(
        self,
        access: Access,
        clock: Clock,
        *,
        ca_file: Path | None = None,
        transport: Transport | None = None,
        tariff: str = AUTO,
        share: float = SHARE,
    ) -> None:
        """`transport` replaces the network in tests; tariff and share as in [pace] of the rules."""
        self._access = access
        self._clock = clock
        self._http = httpx.AsyncClient(
            transport=transport,
            verify=_trust(ca_file),
            timeout=TIMEOUT,
            follow_redirects=False,  # httpx would turn the POST into a GET (rest.md 1.1)
            headers={"Accept": "application/json", "User-Agent": USER_AGENT},
        )
        self.budget = Budget(clock.now(), tariff, share)
        self.shut: Shut | None = None  # nothing is asked while it stands
        self._troubles: Troubles = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._under_way: Counter[str] = Counter()  # commands by method
        self.traffic = Traffic()
        self.is_our_turn: Turn | None = None  # asked last before every request; False: it is not made

    def now(self) -> datetime:
        """The present, by the clock that the limits are reckoned with."""
        return self._clock.now()

    async def aclose(self) -> None:
        """Hang up, when the access is settled."""
        await self._access.settled()
        await self._http.aclose()

    async def call(self, command: Command, lane: Lane = Lane.LIVE) -> Answer:
        """One method in a request of its own. Raises PortalError."""
        if rest := self._resting([command], Counter([command.method]), lane):
            raise rest
        self.traffic.commands[command.method] += 1
        answer = await self._request(command.method, dict(command.params), lane, [command.method])
        self._succeeded([command.method])
        return answer

    async def call_3(self, command: Command, lane: Lane = Lane.LIVE, *, once: str = "") -> Answer:
        """One method of REST 3.0 (rest.md 1.7). Raises PortalError.

        `once`: the Idempotency-Key; under it a call that has succeeded is not done again for a day.
        A portal without REST 3.0 may refuse at the door: that does not say that we are shut out of it.
        """
        if self.shut is not None:
            raise self.shut.error()
        if rest := self._resting([command], Counter([command.method]), lane):
            raise rest
        self.traffic.commands[command.method] += 1
        try:
            return await self._attempted(command.method, dict(command.params), lane, once)
        except NoKey as error:  # no answer of the portal at all: nothing is allowed in version 2 either
            self._failed(error, [command.method])
            raise
        except ShutOut as error:
            raise Misconfigured(error.code, error.text, method=command.method) from None
        except RetryLater as error:
            self._failed(error, [command.method])
            raise

    async def look(self) -> bool:
        """While we are shut out: ask once whether it has passed. The only request that goes out then."""
        if self.shut is not None:
            self.shut = self.shut.looked(self._clock.now())
            try:
                await self._tried("profile", {}, Lane.LIVE, [OPENED])
            except PortalError:
                return False
            self.shut = None
            self._succeeded([OPENED])
        return True

    def let_in(self) -> None:
        """Somebody has mended what shut us out: the next call may try."""
        if self.shut is not None:
            self.shut = None
            self._succeeded([OPENED])

    async def run(self, groups: Sequence[Group], lane: Lane = Lane.LIVE) -> list[list[Told]]:
        """Every group's answers, in order; never raises: what failed is a PortalError in its place.

        A group's commands travel in one request and may refer to each other (wire.From).
        """
        told: list[list[Told]] = [[] for _ in groups]
        packs = _packs(groups, self.budget)
        await asyncio.gather(*(self._run_pack(pack, told, lane) for pack in packs))
        return told

    async def run_each(self, commands: Sequence[Command], lane: Lane = Lane.LIVE) -> list[Told]:
        """The answers of independent commands, in order."""
        return [answers[0] for answers in await self.run([[command] for command in commands], lane)]

    async def _run_pack(self, pack: Pack, told: list[list[Told]], lane: Lane) -> None:
        """Send those groups of a pack whose methods may all run now; the others come later."""
        awake: Pack = []
        pending = Counter(self._under_way)
        tired = self._rest("batch", 1, lane)  # some portals bill the batch, not its commands (rest.md 1.5)
        for place, group in pack:
            pending.update(command.method for command in group)
            rest = tired or self._resting(group, pending, lane)
            if rest is None:
                awake.append((place, group))
            else:
                told[place] = [rest] * len(group)
                pending.subtract(command.method for command in group)
        answers = iter(await self._batch([command for _, group in awake for command in group], lane))
        for place, group in awake:
            told[place] = [next(answers) for _ in group]

    def _resting(self, group: Group, pending: Mapping[str, int], lane: Lane) -> MethodResting | None:
        rests = (self._rest(method, pending[method], lane) for method in {c.method for c in group})
        return next((rest for rest in rests if rest), None)

    def _rest(self, method: str, calls: int, lane: Lane) -> MethodResting | None:
        until = self.budget.rests_until(method, calls, lane, self._clock.now())
        return MethodResting("operating", "метод отдыхает", at=until, method=method) if until else None

    async def _batch(self, commands: Sequence[Command], lane: Lane) -> list[Told]:
        if not commands:
            return []
        methods = Counter(command.method for command in commands)
        self.traffic.commands.update(methods)
        self._under_way.update(methods)
        try:
            answer = await self._request("batch", batch_params(commands), lane, methods)
        except PortalError as error:
            return [error] * len(commands)
        finally:
            self._under_way.subtract(methods)
        now = self._clock.now()
        told = read_batch(answer, commands, now)
        for command, one in zip(commands, told, strict=True):
            if isinstance(one, Answer):
                self.budget.noted(command.method, one.time, now, limited="operating" in answer.time)
            else:
                self._failed(one, [command.method])
        failed = {c.method for c, one in zip(commands, told, strict=True) if not isinstance(one, Answer)}
        self._succeeded(methods.keys() - failed)
        return told

    async def _request(
        self, method: str, params: dict[str, Any], lane: Lane, methods: Collection[str]
    ) -> Answer:
        if self.shut is not None:
            raise self.shut.error()
        return await self._tried(method, params, lane, methods)

    async def _tried(
        self, method: str, params: dict[str, Any], lane: Lane, methods: Collection[str]
    ) -> Answer:
        """`methods`: all that the request is about."""
        try:
            return await self._attempted(method, params, lane)
        except PortalError as error:
            self._failed(error, methods)
            raise

    async def _attempted(
        self, method: str, params: dict[str, Any], lane: Lane, once: str | None = None
    ) -> Answer:
        """`once`: not None in REST 3.0."""
        expired: Key | None = None
        for attempt in range(TRIES):
            await self._wait_for_room(lane)
            key = await self._key(expired)
            try:
                return await self._sent(key, method, params, lane, once)
            except TokenExpired as error:  # refused at the door: nothing of it was executed
                if expired or attempt + 1 == TRIES:
                    raise ShutOut(error.code, error.text, method=method) from None
                expired = key
            except TooFast as error:
                self.budget.refused(self._clock.now())
                if attempt + 1 == TRIES:
                    raise
                self._failed(error, [OPENED])
        raise AssertionError("the last attempt returns or raises")

    async def _key(self, expired: Key | None) -> Key:
        """For the next request; `expired`: not this one again."""
        try:
            if expired is not None:
                return await self._access.renewed(expired, self._post_form)
            return await self._access.key()
        except Misconfigured as error:  # without a key nothing can be asked
            raise ShutOut(error.code, error.text) from None

    async def _wait_for_room(self, lane: Lane) -> None:
        """Nothing is awaited between looking and taking, so no lock is needed and no lane blocks another."""
        while (wait := self.budget.wait(lane, self._clock.now())) > timedelta(0):
            self.traffic.waited += wait
            await self._clock.sleep(wait)
        self.budget.take(self._clock.now())

    async def _sent(
        self, key: Key, method: str, params: dict[str, Any], lane: Lane, once: str | None
    ) -> Answer:
        # An urgent request does not queue behind slow ones of the other lanes.
        async with nullcontext() if lane is Lane.URGENT else self._slots:
            if self.is_our_turn is not None and not await self.is_our_turn():
                later = self._clock.now() + LATER
                raise NotOurTurn("not our turn", "с порталом говорит другой процесс", at=later)
            response = await self._posted(key, method, params, once)
        now = self._clock.now()
        answer = read_answer(response.status_code, response.content, now, method=method)
        self._answered(method, answer, now)
        return answer

    async def _posted(
        self, key: Key, method: str, params: dict[str, Any], once: str | None
    ) -> httpx.Response:
        self.traffic.requests += 1
        address = key.address(method) if once is None else key.address_3(method)
        response = await self._post(address, key.signed(params), once)
        if not response.is_redirect:
            return response
        portal = renamed_to(address, response.headers.get("location", ""))
        await self._access.moved(portal)
        self.traffic.requests += 1
        return await self._post(portal + address.removeprefix(key.portal), key.signed(params), once)

    async def _post_form(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        response = await self._through(self._http.post(url, data=dict(form)))
        return response.status_code, response.content

    async def _post(self, url: str, params: dict[str, Any], once: str | None) -> httpx.Response:
        headers = {"Idempotency-Key": once} if once else None
        return await self._through(self._http.post(url, json=params, headers=headers))

    async def _through(self, request: Awaitable[httpx.Response]) -> httpx.Response:
        later = self._clock.now() + LATER
        try:
            return await request
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as fault:
            raise RetryLater(type(fault).__name__, "портал недоступен", at=later) from None
        except httpx.RequestError as fault:  # a body that does not decode is one too
            raise RetryLater(type(fault).__name__, "ответ не пришёл", at=later, unknown_fate=True) from None

    def _answered(self, method: str, answer: Answer, now: datetime) -> None:
        self.traffic.last_ok_at = now
        self.budget.answered(method, answer.time, now)
        finished_at = of_unix(answer.time.get("finish"))
        if finished_at is not None:
            self.traffic.offset = finished_at - now

    def _failed(self, error: PortalError, methods: Collection[str]) -> None:
        now = self._clock.now()
        self.traffic.errors[error.code] += 1
        if isinstance(error, MethodResting):
            self.budget.resting(error.method, error.at)
        if isinstance(error, ShutOut):
            self._shut_out(error, now)
        before, self._troubles = self._troubles, begun(self._troubles, error, methods, now)
        kind = kind_of(error)
        if kind is not None and kind not in before:
            log.warning("trouble with the portal: %s: %s", kind, error)

    def _shut_out(self, error: ShutOut, now: datetime) -> None:
        """Another reason takes the place of the first: a person has to mend that one now."""
        if self.shut is None:
            self.shut = Shut.begun(error, now)
        elif self.shut.code != error.code:
            self.shut = replace(Shut.begun(error, now), since=self.shut.since)
            log.warning("the portal shuts us out for another reason now: %s", error)

    def _succeeded(self, methods: Collection[str]) -> None:
        before, self._troubles = self._troubles, ended(self._troubles, methods, self._clock.now())
        for kind in before.keys() - self._troubles.keys():
            log.info("trouble with the portal is over: %s", kind)


def _packs(groups: Sequence[Group], budget: Budget) -> list[Pack]:
    """Groups with their places, packed whole into requests: at most fifty commands, and no more
    work than the portal does before it cuts the request.
    """
    packs: list[Pack] = [[]]
    count, seconds = 0, 0.0
    for place, group in enumerate(groups):
        cost = sum(budget.cost(command.method) for command in group)
        if packs[-1] and (count + len(group) > BATCH or seconds + cost > LONGEST):
            packs.append([])
            count, seconds = 0, 0.0
        packs[-1].append((place, group))
        count, seconds = count + len(group), seconds + cost
    return packs


@cache
def _trust(ca_file: Path | None) -> Any:
    """One for all clients: reading the certificates takes sixty milliseconds."""
    context = httpx.create_ssl_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
