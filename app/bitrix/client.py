"""The road to the portal: the only network code of the service.

One POST of JSON per request, at most fifty commands in each. Before a request it waits for its
lane's share of the rate bucket; a command whose method has worked too long is not sent at all.
The webhook's address holds a secret: it is never logged, and neither are parameters or answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx

from app.bitrix.access import Access, Key, renamed_to
from app.bitrix.errors import LATER, MethodResting, PortalError, RetryLater, TokenExpired, TooFast
from app.bitrix.limits import LONGEST, Bucket, Operating
from app.bitrix.times import of_unix
from app.bitrix.wire import BATCH, Answer, Command, Group, Told, batch_params, read_answer, read_batch
from app.model import Lane

TIMEOUT = httpx.Timeout(30.0, connect=10.0, read=70.0)  # the cloud cuts a request at 60 s (rest.md 1.5)
AT_ONCE = 4  # requests under way; more would only queue at the portal
TRIES = 5  # of a request that the rate limit refused, and which was therefore not executed
USER_AGENT = "b24sla/1"

Transport = httpx.AsyncBaseTransport
Pack = list[tuple[int, Group]]
"""Groups of one request, each with its place among all."""

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
    trouble: str = ""  # why the last request failed; empty when it did not


class Client:
    """Calls of one portal, through a webhook or as an application."""

    def __init__(
        self,
        access: Access,
        clock: Clock,
        *,
        ca_file: Path | None = None,
        transport: Transport | None = None,
    ) -> None:
        """`transport` replaces the network in tests."""
        self._access = access
        self._clock = clock
        self._http = httpx.AsyncClient(
            transport=transport,
            verify=_trust(ca_file),
            timeout=TIMEOUT,
            follow_redirects=False,  # httpx would turn the POST into a GET (rest.md 1.1)
            headers={"Accept": "application/json", "User-Agent": USER_AGENT},
        )
        self._bucket = Bucket(clock.now())
        self._operating = Operating()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._under_way: Counter[str] = Counter()  # commands by method
        self.traffic = Traffic()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def call(self, command: Command, lane: Lane = Lane.LIVE) -> Answer:
        """One method in a request of its own. Raises PortalError."""
        if rest := self._resting([command], Counter([command.method])):
            raise rest
        self.traffic.commands[command.method] += 1
        return await self._request(command.method, dict(command.params), lane)

    async def run(self, groups: Sequence[Group], lane: Lane = Lane.LIVE) -> list[list[Told]]:
        """Every group's answers, in order; never raises: what failed is a PortalError in its place.

        A group's commands travel in one request and may refer to each other (wire.From).
        """
        told: list[list[Told]] = [[] for _ in groups]
        packs = _packs(groups, self._operating)
        await asyncio.gather(*(self._run_pack(pack, told, lane) for pack in packs))
        return told

    async def run_each(self, commands: Sequence[Command], lane: Lane = Lane.LIVE) -> list[Told]:
        """The answers of independent commands, in order."""
        return [answers[0] for answers in await self.run([[command] for command in commands], lane)]

    async def _run_pack(self, pack: Pack, told: list[list[Told]], lane: Lane) -> None:
        """Send those groups of a pack whose methods may all run now; the others come later."""
        awake: Pack = []
        pending = Counter(self._under_way)
        for place, group in pack:
            pending.update(command.method for command in group)
            rest = self._resting(group, pending)
            if rest is None:
                awake.append((place, group))
            else:
                told[place] = [rest] * len(group)
                pending.subtract(command.method for command in group)
        answers = iter(await self._batch([command for _, group in awake for command in group], lane))
        for place, group in awake:
            told[place] = [next(answers) for _ in group]

    def _resting(self, group: Group, pending: Mapping[str, int]) -> MethodResting | None:
        for method in {command.method for command in group}:
            until = self._operating.rests_until(method, pending[method], self._clock.now())
            if until is not None:
                return MethodResting("operating", "метод отдыхает", at=until, method=method)
        return None

    async def _batch(self, commands: Sequence[Command], lane: Lane) -> list[Told]:
        if not commands:
            return []
        methods = Counter(command.method for command in commands)
        self.traffic.commands.update(methods)
        self._under_way.update(methods)
        try:
            answer = await self._request("batch", batch_params(commands), lane)
        except PortalError as error:
            return [error] * len(commands)
        finally:
            self._under_way.subtract(methods)
        now = self._clock.now()
        told = read_batch(answer, commands, now)
        for command, one in zip(commands, told, strict=True):
            self._note(command.method, one, now, limited="operating" in answer.time)
        return told

    def _note(self, method: str, told: Told, now: datetime, *, limited: bool) -> None:
        if isinstance(told, Answer):
            self._operating = self._operating.noted(method, told.time, now, limited=limited)
            return
        self.traffic.errors[told.code] += 1
        if isinstance(told, MethodResting):
            self._operating = self._operating.resting(method, told.at)

    async def _request(self, method: str, params: dict[str, Any], lane: Lane) -> Answer:
        expired: Key | None = None
        for attempt in range(TRIES):
            await self._wait_for_room(lane)
            key = await self._key(expired)
            try:
                answer = await self._sent(key, method, params, lane)
            except TokenExpired as error:  # refused at the door: nothing of it was executed
                if expired or attempt + 1 == TRIES:
                    self._troubled(error)
                    raise
                expired = key
            except TooFast:
                self._bucket = self._bucket.full(self._clock.now())
                if attempt + 1 == TRIES:
                    raise
            else:
                return answer
        raise AssertionError("the last attempt returns or raises")

    async def _key(self, expired: Key | None) -> Key:
        """For the next request; `expired`: not this one again."""
        try:
            if expired is not None:
                return await self._access.renewed(expired, self._post_form)
            return await self._access.key()
        except PortalError as error:
            self._troubled(error)
            raise

    async def _wait_for_room(self, lane: Lane) -> None:
        """Nothing is awaited between looking and taking, so no lock is needed and no lane blocks another."""
        while (wait := self._bucket.wait(lane, self._clock.now())) > timedelta(0):
            self.traffic.waited += wait
            await self._clock.sleep(wait)
        self._bucket = self._bucket.taken(self._clock.now())

    async def _sent(self, key: Key, method: str, params: dict[str, Any], lane: Lane) -> Answer:
        try:
            # An urgent request does not queue behind slow ones of the other lanes.
            async with nullcontext() if lane is Lane.URGENT else self._slots:
                response = await self._posted(key, method, params)
            now = self._clock.now()
            answer = read_answer(response.status_code, response.content, now, method=method)
        except TokenExpired:
            raise  # an hour has passed: no trouble yet
        except PortalError as error:
            self._troubled(error)
            raise
        self._went_well(method, answer, now)
        return answer

    async def _posted(self, key: Key, method: str, params: dict[str, Any]) -> httpx.Response:
        self.traffic.requests += 1
        response = await self._post(key.address(method), key.signed(params))
        if not response.is_redirect:
            return response
        portal = renamed_to(key.address(method), response.headers.get("location", ""))
        await self._access.moved(portal)
        self.traffic.requests += 1
        key = replace(key, portal=portal)
        return await self._post(key.address(method), key.signed(params))

    async def _post_form(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        response = await self._through(self._http.post(url, data=dict(form)))
        return response.status_code, response.content

    async def _post(self, url: str, params: dict[str, Any]) -> httpx.Response:
        return await self._through(self._http.post(url, json=params))

    async def _through(self, request: Awaitable[httpx.Response]) -> httpx.Response:
        later = self._clock.now() + LATER
        try:
            return await request
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as fault:
            raise RetryLater(type(fault).__name__, "портал недоступен", at=later) from None
        except httpx.TransportError as fault:
            raise RetryLater(type(fault).__name__, "ответ не пришёл", at=later, unknown_fate=True) from None

    def _went_well(self, method: str, answer: Answer, now: datetime) -> None:
        if self.traffic.trouble:
            log.info("the portal answers again")
        self.traffic.trouble = ""
        self.traffic.last_ok_at = now
        self._operating = self._operating.noted(method, answer.time, now)
        finished_at = of_unix(answer.time.get("finish"))
        if finished_at is not None:
            self.traffic.offset = finished_at - now

    def _troubled(self, error: PortalError) -> None:
        self.traffic.errors[error.code] += 1
        if isinstance(error, MethodResting) and error.method != "batch":
            self._operating = self._operating.resting(error.method, error.at)
        if not self.traffic.trouble:
            log.warning("the portal does not answer as it should: %s %s", error.method, error.code)
        self.traffic.trouble = str(error)


def _packs(groups: Sequence[Group], operating: Operating) -> list[Pack]:
    """Groups with their places, packed whole into requests: at most fifty commands, and no more
    work than the portal does before it cuts the request.
    """
    packs: list[Pack] = [[]]
    count, seconds = 0, 0.0
    for place, group in enumerate(groups):
        cost = sum(operating.cost(command.method) for command in group)
        if packs[-1] and (count + len(group) > BATCH or seconds + cost > LONGEST):
            packs.append([])
            count, seconds = 0, 0.0
        packs[-1].append((place, group))
        count, seconds = count + len(group), seconds + cost
    return packs


def _trust(ca_file: Path | None) -> Any:
    context = httpx.create_ssl_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
